//! The functions of e^x that saturate or bend: tanh, sigmoid, softplus.

use super::exp::{exp, exp_rest, power, reduce};
use super::ln::log1p_unit;
use super::{all, polynomial, with_sign_of};
use crate::kernel::Simd;
use crate::scalar::Scalar;

/// tanh x: an odd polynomial up to 0.55, from there on 1 - 2 / (e^(2|x|) + 1) with the sign of x.
#[inline(always)]
pub fn tanh<T: Scalar, S: Simd<T>>(simd: S, x: S::Vector) -> S::Vector {
    let one = simd.splat(T::ONE);
    // In this order of the operands a NaN stays a NaN.
    let a = simd.min(simd.splat(T::TANH_MAX), simd.abs(x));
    let square = simd.mul(a, a);
    let near = simd.fma(simd.mul(square, a), polynomial(simd, square, T::TANH), a);
    let reduced = reduce(simd, simd.add(a, a));
    let sum = simd.fma(exp_rest(simd, reduced.r), power(simd, reduced), one);
    let far = simd.sub(one, simd.div(all(simd, 2.0), sum));
    with_sign_of(simd, x, simd.select(simd.lt(a, all(simd, 0.55)), near, far))
}

/// e^-|x|
#[inline(always)]
fn exp_decay<T: Scalar, S: Simd<T>>(simd: S, x: S::Vector) -> S::Vector {
    exp(simd, simd.neg(simd.abs(x)))
}

/// 1 / (1 + e^-x): with e = e^-|x| and q = e / (1 + e), 1 - q where x >= 0, else e - e q = q, which is closer than q
/// itself: the errors of q shrink with e.
#[inline(always)]
pub fn sigmoid<T: Scalar, S: Simd<T>>(simd: S, x: S::Vector) -> S::Vector {
    let one = simd.splat(T::ONE);
    let e = exp_decay(simd, x);
    let q = simd.div(e, simd.add(one, e));
    let limit = simd.select(simd.lt(x, simd.splat(T::ZERO)), e, one);
    simd.fnma(limit, q, limit)
}

/// ln(1 + e^x) = max(0, x) + ln(1 + e^-|x|)
#[inline(always)]
pub fn softplus<T: Scalar, S: Simd<T>>(simd: S, x: S::Vector) -> S::Vector {
    simd.add(simd.max(simd.splat(T::ZERO), x), log1p_unit(simd, exp_decay(simd, x)))
}
