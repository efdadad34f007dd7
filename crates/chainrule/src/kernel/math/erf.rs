//! The error function.

use super::exp::{exp_rest, power, reduce};
use super::{polynomial, with_sign_of};
use crate::kernel::Simd;
use crate::scalar::Scalar;

/// erf x = 2 / sqrt(pi) times the integral of e^(-t^2) from 0 to x: an odd polynomial up to 1, from there on
/// 1 - e^(-polynomial).
#[inline(always)]
pub fn erf<T: Scalar, S: Simd<T>>(simd: S, x: S::Vector) -> S::Vector {
    let one = simd.splat(T::ONE);
    // In this order of the operands a NaN stays a NaN.
    let a = simd.min(simd.splat(T::ERF_MAX), simd.abs(x));
    let near = simd.fma(a, polynomial(simd, simd.mul(a, a), T::ERF), a);
    let exponent = simd.fma(a, polynomial(simd, a, T::ERFC), a);
    let reduced = reduce(simd, simd.neg(exponent));
    let far = simd.fnma(exp_rest(simd, reduced.r), power(simd, reduced), one);
    with_sign_of(simd, x, simd.select(simd.lt(a, one), near, far))
}
