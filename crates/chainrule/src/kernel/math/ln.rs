//! ln x and ln(1 + x): the argument is 2^k (1 + f) with 1 + f from the root of 1/2 to the root of 2.

use super::{all, polynomial};
use crate::kernel::Simd;
use crate::scalar::Scalar;

/// A positive normal number as 2^k m, m from the root of 1/2 to the root of 2.
struct Split<S: Simd<T>, T: Scalar> {
    /// k + the exponent's bias.
    biased: S::Bits,
    /// k
    k: S::Vector,
    /// m
    m: S::Vector,
}

#[inline(always)]
fn split<T: Scalar, S: Simd<T>>(simd: S, x: S::Vector) -> Split<S, T> {
    let stored = T::MANTISSA_BITS;
    let one = T::EXPONENT_BIAS << stored;
    // The bits of about the root of 1/2; which number near it exactly is of no matter.
    let root = one - (1 << stored) + ((1_u64 << stored) as f64 * (std::f64::consts::SQRT_2 - 1.0)) as u64;
    let shifted = simd.add_bits(simd.to_bits(x), simd.splat_bits(one - root));
    let biased = simd.shr_bits(shifted, stored);
    // A whole number in the lowest bits of 2^stored is added to it.
    let whole = (1_u64 << stored) as f64;
    let whole_bits = (T::EXPONENT_BIAS + u64::from(stored)) << stored;
    let k = simd.from_bits(simd.or_bits(biased, simd.splat_bits(whole_bits)));
    let m = simd.and_bits(shifted, simd.splat_bits((1 << stored) - 1));
    Split {
        biased,
        k: simd.sub(k, all(simd, whole + T::EXPONENT_BIAS as f64)),
        m: simd.from_bits(simd.add_bits(m, simd.splat_bits(root))),
    }
}

/// ln(2^k (1 + f))
#[inline(always)]
fn ln_reduced<T: Scalar, S: Simd<T>>(simd: S, k: S::Vector, f: S::Vector) -> S::Vector {
    let rest = simd.fma(f, polynomial(simd, f, T::LN), all(simd, -0.5));
    let low = simd.fma(k, simd.splat(T::LN_2[1]), f);
    simd.fma(k, simd.splat(T::LN_2[0]), simd.fma(simd.mul(f, f), rest, low))
}

/// `y` where x > 0 is finite; x where it is infinite, minus infinity at 0, NaN below.
#[inline(always)]
fn ends<T: Scalar, S: Simd<T>>(simd: S, x: S::Vector, y: S::Vector) -> S::Vector {
    let (zero, infinity) = (simd.splat(T::ZERO), simd.splat(T::INFINITY));
    let outside = simd.select(simd.eq(x, zero), simd.neg(infinity), all(simd, f64::NAN));
    let y = simd.select(simd.lt(x, infinity), y, x);
    simd.select(simd.lt(zero, x), y, outside)
}

/// The natural logarithm; minus infinity at 0, NaN below.
#[inline(always)]
pub fn ln<T: Scalar, S: Simd<T>>(simd: S, x: S::Vector) -> S::Vector {
    let subnormal = simd.lt(x, simd.splat(T::MIN_POSITIVE));
    let normal = simd.select(subnormal, simd.mul(x, all(simd, (1_u64 << T::MANTISSA_BITS) as f64)), x);
    let Split { k, m, .. } = split(simd, normal);
    let k = simd.select(subnormal, simd.sub(k, all(simd, f64::from(T::MANTISSA_BITS))), k);
    ends(simd, x, ln_reduced(simd, k, simd.sub(m, simd.splat(T::ONE))))
}

/// ln(1 + x), accurate near 0; minus infinity at -1, NaN below.
#[inline(always)]
pub fn log1p<T: Scalar, S: Simd<T>>(simd: S, x: S::Vector) -> S::Vector {
    let one = simd.splat(T::ONE);
    let sum = simd.add(one, x);
    let Split { biased, k, m } = split(simd, sum);
    // The sum was rounded: f = 2^-k x + (2^-k - 1) isn't, but once. Where 2^-k may be too small, x is the sum.
    let scale = simd.sub_bits(simd.splat_bits(2 * T::EXPONENT_BIAS), biased);
    let scale = simd.from_bits(simd.shl_bits(scale, T::MANTISSA_BITS));
    let large = simd.lt(all(simd, (1_u64 << (T::MANTISSA_BITS + 2)) as f64), x);
    let f = simd.select(large, simd.sub(m, one), simd.fma(scale, x, simd.sub(scale, one)));
    ends(simd, sum, ln_reduced(simd, k, f))
}

/// ln(1 + e) for e from 0 to 1.
#[inline(always)]
pub(super) fn log1p_unit<T: Scalar, S: Simd<T>>(simd: S, e: S::Vector) -> S::Vector {
    simd.fma(simd.mul(e, e), polynomial(simd, e, T::LN_UNIT), e)
}
