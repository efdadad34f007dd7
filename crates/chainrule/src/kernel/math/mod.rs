//! Elementary functions on whole registers, the same operations and so the same bits on every instruction set.
//!
//! Each is an exact argument reduction and a minimax polynomial in fused multiply-adds, without branches (but for the
//! sine and cosine of huge arguments) and with one division at the most. In `f32` the result is within 2 units in the
//! last place of the true value for every argument, in `f64` within 4; infinities, subnormal numbers and the ends of
//! the domain are right, and NaN gives NaN. The sign of a zero is not specified.

mod coefficients;
mod constants;
mod erf;
mod exp;
mod gamma;
mod ln;
mod logistic;
#[cfg(test)]
mod reference;
#[cfg(test)]
mod tests;
mod trigonometric;

pub use constants::Constants;
pub use erf::erf;
pub use exp::{exp, expm1};
pub use gamma::{digamma, gamma_differences, ln_gamma, ln_less_digamma, stirling_rest};
pub use ln::{ln, log1p};
pub use logistic::{sigmoid, softplus, tanh};
pub use trigonometric::{cos, sin, sin_cos};

use super::Simd;
use crate::scalar::Scalar;

/// The polynomial with these coefficients, the highest power's first, at x: Horner's rule.
#[inline(always)]
fn polynomial<T: Scalar, S: Simd<T>>(simd: S, x: S::Vector, coefficients: &[T]) -> S::Vector {
    let mut sum = simd.splat(coefficients[0]);
    for &coefficient in &coefficients[1..] {
        sum = simd.fma(sum, x, simd.splat(coefficient));
    }
    sum
}

/// A constant in every lane.
#[inline(always)]
fn all<T: Scalar, S: Simd<T>>(simd: S, x: f64) -> S::Vector {
    simd.splat(T::from_f64(x))
}

/// `magnitude`, its sign bit clear, with the sign of x.
#[inline(always)]
fn with_sign_of<T: Scalar, S: Simd<T>>(simd: S, x: S::Vector, magnitude: S::Vector) -> S::Vector {
    let sign = simd.and_bits(simd.to_bits(x), simd.splat_bits(T::SIGN_BIT));
    simd.from_bits(simd.or_bits(simd.to_bits(magnitude), sign))
}

/// 1.5 * 2^b, b the stored bits of the significand: a sum with it is rounded to a whole number, which then stands in
/// its lowest bits. Returned with its own bits.
#[inline(always)]
fn rounder<T: Scalar>() -> (f64, u64) {
    let stored = T::MANTISSA_BITS;
    let bits = ((T::EXPONENT_BIAS + u64::from(stored)) << stored) + (1 << (stored - 1));
    (1.5 * (1_u64 << stored) as f64, bits)
}
