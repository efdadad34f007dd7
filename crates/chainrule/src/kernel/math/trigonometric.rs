//! Sine and cosine: x = n pi / 2 + r with |r| <= pi / 4.

use super::coefficients::TWO_OVER_PI;
use super::{all, polynomial, rounder};
use crate::kernel::Simd;
use crate::scalar::Scalar;

/// Up to here three numbers for pi / 2 are precise enough; beyond, the lanes are reduced exactly, one by one.
const FAST_MAX: f64 = 131_072.0;
/// The most elements in a register.
const MAX_LANES: usize = 16;

/// sin x; NaN where x is infinite.
#[inline(always)]
pub fn sin<T: Scalar, S: Simd<T>>(simd: S, x: S::Vector) -> S::Vector {
    sin_after(simd, x, 0)
}

/// cos x; NaN where x is infinite.
#[inline(always)]
pub fn cos<T: Scalar, S: Simd<T>>(simd: S, x: S::Vector) -> S::Vector {
    sin_after(simd, x, 1)
}

/// sin x and cos x for little more than one of them, the same bits.
#[inline(always)]
pub fn sin_cos<T: Scalar, S: Simd<T>>(simd: S, x: S::Vector) -> [S::Vector; 2] {
    sin_after_each(simd, x, [0, 1])
}

/// sin(x + quarters pi / 2)
#[inline(always)]
fn sin_after<T: Scalar, S: Simd<T>>(simd: S, x: S::Vector, quarters: u64) -> S::Vector {
    let [sin] = sin_after_each(simd, x, [quarters]);
    sin
}

/// sin(x + quarters pi / 2) for each of some `quarters`.
#[inline(always)]
fn sin_after_each<T: Scalar, S: Simd<T>, const N: usize>(simd: S, x: S::Vector, quarters: [u64; N]) -> [S::Vector; N] {
    let rounder = all(simd, rounder::<T>().0);
    let mut turns = simd.fma(x, simd.splat(T::FRAC_2_PI), rounder);
    let n = simd.sub(turns, rounder);
    let mut r = T::FRAC_PI_2.iter().fold(x, |r, &part| simd.fnma(n, simd.splat(part), r));
    let large = simd.lt(all(simd, FAST_MAX), simd.abs(x));
    if simd.any(large) {
        let mut lanes = [[T::ZERO; MAX_LANES]; 2];
        // SAFETY: no register has more than `MAX_LANES` elements.
        let [exact_r, exact_turns] = unsafe {
            simd.store(lanes[0].as_mut_ptr(), x);
            reduce_exactly(&mut lanes);
            lanes.map(|lane| simd.load(lane.as_ptr()))
        };
        r = simd.select(large, exact_r, r);
        turns = simd.select(large, exact_turns, turns);
    }

    let square = simd.mul(r, r);
    let sin = simd.fma(simd.mul(square, r), polynomial(simd, square, T::SIN), r);
    let cos = simd.fma(square, all(simd, -0.5), simd.splat(T::ONE));
    let cos = simd.fma(simd.mul(square, square), polynomial(simd, square, T::COS), cos);
    let mut out = [sin; N];
    for (out, quarters) in out.iter_mut().zip(quarters) {
        let turns = simd.add_bits(simd.to_bits(turns), simd.splat_bits(quarters));
        // The lowest bit of the turns, moved to where it makes a number that isn't 0, swaps; the next is the sign.
        let odd = simd.shl_bits(simd.and_bits(turns, simd.splat_bits(1)), T::MANTISSA_BITS);
        let even = simd.eq(simd.from_bits(odd), simd.splat(T::ZERO));
        let sign = simd.and_bits(turns, simd.splat_bits(2));
        let sign = simd.shl_bits(sign, T::SIGN_BIT.trailing_zeros() - 1);
        let magnitude = simd.to_bits(simd.select(even, sin, cos));
        // Adding the highest bit flips it.
        *out = simd.from_bits(simd.add_bits(magnitude, sign));
    }
    out
}

/// In place of each x > `FAST_MAX` in the first row: r there, and n + the rounder in the second.
#[cold]
#[inline(never)]
fn reduce_exactly<T: Scalar>(lanes: &mut [[T; MAX_LANES]; 2]) {
    let [rests, turns] = lanes;
    for (rest, turn) in rests.iter_mut().zip(turns) {
        let x = rest.to_f64();
        let (n, r) = if x.is_finite() && x.abs() > FAST_MAX { payne_hanek(x) } else { (0, f64::NAN) };
        *rest = T::from_f64(r);
        *turn = T::from_f64(rounder::<T>().0 + n as f64);
    }
}

/// A quarter turn, in units of 2^128 (as which the greatest integer is rounded).
const QUARTER: f64 = std::f64::consts::FRAC_PI_2 / u128::MAX as f64;

/// n mod 4 and r of a finite |x| > `FAST_MAX` (Payne, Hanek 1983): the bits of x 2 / pi around the point are those of
/// the significand times a window of 2 / pi, since whole turns drop out.
fn payne_hanek(x: f64) -> (u64, f64) {
    let exponent = (x.abs().to_bits() >> 52) as usize;
    let significand = u128::from((x.to_bits() & ((1 << 52) - 1)) | (1 << 52));
    // x = significand 2^(exponent - 1075), a whole turn is four quarters, and `TWO_OVER_PI` begins with 64 zeros.
    let at = exponent + 64 - 2 - 1075;
    let word = |i: usize| {
        let pair = (u128::from(TWO_OVER_PI[at / 64 + i]) << 64) | u128::from(TWO_OVER_PI[at / 64 + i + 1]);
        (pair >> (64 - at % 64)) & u128::from(u64::MAX)
    };
    // The fraction of a turn, in units of 2^-128; what is above the point wraps away.
    let turn =
        ((significand * word(0)) << 64).wrapping_add(significand * word(1)).wrapping_add((significand * word(2)) >> 64);
    let quarter = turn << 2; // the fraction of a quarter, as a signed number the nearest way round
    let n = ((turn >> 126) as u64 + u64::from(quarter >> 127 == 1)) % 4;
    let r = (quarter as i128) as f64 * QUARTER;
    if x < 0.0 { ((4 - n) % 4, -r) } else { (n, r) }
}
