//! e^x and e^x - 1: x = n ln 2 + r with |r| <= ln 2 / 2, and e^x = 2^n e^r.

use super::{all, polynomial, rounder};
use crate::kernel::Simd;
use crate::scalar::Scalar;

/// x = n ln 2 + r.
#[derive(Clone, Copy)]
pub(super) struct Reduced<V> {
    /// The rest, |r| <= ln 2 / 2.
    pub(super) r: V,
    /// The whole number.
    n: V,
    /// A number whose lowest bits are n + the exponent's bias.
    biased: V,
}

/// The reduction of x. n ln 2 is never rounded by itself, and the first difference is exact.
#[inline(always)]
pub(super) fn reduce<T: Scalar, S: Simd<T>>(simd: S, x: S::Vector) -> Reduced<S::Vector> {
    let rounder = all(simd, rounder::<T>().0 + T::EXPONENT_BIAS as f64);
    let biased = simd.fma(x, simd.splat(T::LOG2_E), rounder);
    let n = simd.sub(biased, rounder);
    let r = simd.fnma(n, simd.splat(T::LN_2[0]), x);
    let r = simd.fnma(n, simd.splat(T::LN_2[1]), r);
    Reduced { r, n, biased }
}

/// e^r
#[inline(always)]
pub(super) fn exp_rest<T: Scalar, S: Simd<T>>(simd: S, r: S::Vector) -> S::Vector {
    let one = simd.splat(T::ONE);
    simd.fma(simd.fma(polynomial(simd, r, T::EXP), r, one), r, one)
}

/// e^r - 1
#[inline(always)]
pub(super) fn expm1_rest<T: Scalar, S: Simd<T>>(simd: S, r: S::Vector) -> S::Vector {
    simd.fma(simd.mul(r, r), polynomial(simd, r, T::EXP), r)
}

/// 2^n, which must be a normal number.
#[inline(always)]
pub(super) fn power<T: Scalar, S: Simd<T>>(simd: S, x: Reduced<S::Vector>) -> S::Vector {
    simd.from_bits(simd.shl_bits(simd.to_bits(x.biased), T::MANTISSA_BITS))
}

/// e^x; subnormal where the result is, 0 and infinite where it would be beyond.
#[inline(always)]
pub fn exp<T: Scalar, S: Simd<T>>(simd: S, x: S::Vector) -> S::Vector {
    // In this order of the operands a NaN stays a NaN.
    let x = simd.max(simd.splat(T::EXP_MIN), simd.min(simd.splat(T::EXP_MAX), x));
    let reduced = reduce(simd, x);
    // 2^n as a product of two powers, each a normal number: halves of n + twice the bias.
    let sum = simd.sub_bits(simd.to_bits(reduced.biased), simd.splat_bits(rounder::<T>().1 - T::EXPONENT_BIAS));
    let half = simd.shr_bits(sum, 1);
    let powers = [half, simd.sub_bits(sum, half)].map(|bits| simd.from_bits(simd.shl_bits(bits, T::MANTISSA_BITS)));
    simd.mul(simd.mul(exp_rest(simd, reduced.r), powers[0]), powers[1])
}

/// e^x - 1, accurate near 0.
#[inline(always)]
pub fn expm1<T: Scalar, S: Simd<T>>(simd: S, x: S::Vector) -> S::Vector {
    let x = simd.max(simd.splat(T::EXPM1_MIN), simd.min(simd.splat(T::EXP_MAX), x));
    let reduced = reduce(simd, x);
    let rest = expm1_rest(simd, reduced.r);
    // 2^(n-1), since 2^n may be an octave too large, and twice the sum.
    let biased = simd.from_bits(simd.sub_bits(simd.to_bits(reduced.biased), simd.splat_bits(1)));
    let half = power(simd, Reduced { biased, ..reduced });
    let sum = simd.fma(half, rest, simd.sub(half, all(simd, 0.5)));
    simd.select(simd.eq(reduced.n, simd.splat(T::ZERO)), rest, simd.add(sum, sum))
}
