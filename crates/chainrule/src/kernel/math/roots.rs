//! sqrt x and 1 / x by Newton's method and its cubic kin, much faster than the processor's root and division where throughput
//! counts.
//!
//! The first guess comes from the bits: those of a floating-point number are close to its logarithm, so that halving and
//! negating them halves and negates that (Lomont 2003; the constants of the first step are Kadlec's, 2010).

use super::all;
use crate::kernel::Simd;
use crate::scalar::Scalar;

/// sqrt x within 2 units in the last place, for normal x > 0; about 0 for x = 0 and subnormal x.
#[inline(always)]
pub fn root<T: Scalar, S: Simd<T>>(simd: S, x: S::Vector) -> S::Vector {
    // y, about 1 / sqrt x
    let bits = simd.shr_bits(simd.to_bits(x), 1);
    let guess = simd.from_bits(simd.sub_bits(simd.splat_bits(T::INVERSE_SQRT_GUESS), bits));
    // The product with x comes first: the square of the guess would overflow for the smallest x.
    let factor = simd.sub(all(simd, 2.389_244_56), simd.mul(simd.mul(x, guess), guess));
    let mut y = simd.mul(simd.mul(guess, all(simd, 0.703_952_253)), factor);
    let mut root = simd.mul(x, y);
    for step in 1..T::CUBIC_STEPS {
        // Halley's step: y (15 - 10 t + 3 t^2) / 8 with t = x y^2.
        let t = simd.mul(root, y);
        let factor = simd.fma(t, simd.fma(t, all(simd, 0.375), all(simd, -1.25)), all(simd, 1.875));
        if step + 1 < T::CUBIC_STEPS {
            y = simd.mul(y, factor);
            root = simd.mul(x, y);
        } else {
            root = simd.mul(root, factor);
        }
    }
    root
}

/// 1 / x within 2 units in the last place, for x > 0 with 1e-30 <= x <= 1e30.
#[inline(always)]
pub fn reciprocal<T: Scalar, S: Simd<T>>(simd: S, x: S::Vector) -> S::Vector {
    let one = simd.splat(T::ONE);
    let mut y = simd.from_bits(simd.sub_bits(simd.splat_bits(T::RECIPROCAL_GUESS), simd.to_bits(x)));
    for _ in 0..T::CUBIC_STEPS {
        // y (1 + e + e^2), e the relative error: of third order.
        let e = simd.fnma(x, y, one);
        y = simd.fma(y, simd.fma(e, e, e), y);
    }
    y
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::{Isa, VectorJob};

    struct Both<'a, T>(&'a mut [T], &'a mut [T]);

    impl<T: Scalar> VectorJob<T> for Both<'_, T> {
        type Output = ();

        #[inline(always)]
        fn run<S: Simd<T>>(self, simd: S) {
            for (a, b) in self.0.chunks_exact_mut(S::LANES).zip(self.1.chunks_exact_mut(S::LANES)) {
                // SAFETY: a chunk has `LANES` elements.
                unsafe {
                    let x = simd.load(a.as_ptr());
                    simd.store(a.as_mut_ptr(), root(simd, x));
                    simd.store(b.as_mut_ptr(), reciprocal(simd, x));
                }
            }
        }
    }

    /// The largest relative errors, in units of `epsilon`, over numbers from 1e-30 to 1e30.
    fn worst<T: Scalar>(isa: Isa, epsilon: f64) -> (f64, f64) {
        let x: Vec<T> =
            (0..1 << 17).map(|i| T::from_f64(10f64.powf(f64::from(i) / f64::from(1 << 17) * 60.0 - 30.0))).collect();
        let (mut a, mut b) = (x.clone(), x.clone());
        T::dispatch(isa, Both(&mut a, &mut b));
        let mut worst = (0.0f64, 0.0f64);
        for ((x, a), b) in x.iter().zip(a).zip(b) {
            let x = x.to_f64();
            worst.0 = worst.0.max((a.to_f64() / x.sqrt() - 1.0).abs() / epsilon);
            worst.1 = worst.1.max((b.to_f64() * x - 1.0).abs() / epsilon);
        }
        worst
    }

    #[test]
    fn roots_and_reciprocals_are_within_two_units() {
        for isa in Isa::available() {
            let single = worst::<f32>(isa, f64::from(f32::EPSILON));
            assert!(single.0 < 2.0 && single.1 < 2.0, "{isa}: {single:?}");
            let double = worst::<f64>(isa, f64::EPSILON);
            assert!(double.0 < 3.0 && double.1 < 3.0, "{isa}: {double:?}");
        }
    }

    #[test]
    fn the_root_of_nothing_is_nothing() {
        for isa in Isa::available() {
            for x in [0.0, f32::from_bits(1)] {
                let (mut root, mut other) = (vec![x; 32], vec![1.0; 32]);
                f32::dispatch(isa, Both(&mut root, &mut other));
                assert!((0.0..1e-20).contains(&root[0]), "{isa}: root of {x:e} {:e}", root[0]);
            }
        }
    }
}
