//! ln Gamma and its derivative psi, for x > 0, and their differences, which stay accurate where the values are huge.
//!
//! Stirling's series (Abramowitz, Stegun 6.1.40) holds to the last bit from 8 up; below that the argument is raised by 8:
//! Gamma(x) = Gamma(x + 8) / (x (x + 1) ... (x + 7)).

use super::all;
use super::ln::{ln, log1p};
use crate::kernel::Simd;
use crate::scalar::Scalar;

/// From here on the series holds, and by so much a smaller argument is raised.
const RAISE: f64 = 8.0;

/// B_2k / (2k (2k - 1)), k = 8..1.
const SERIES: [f64; 8] = [
    -3617.0 / 122_400.0,
    1.0 / 156.0,
    -691.0 / 360_360.0,
    1.0 / 1188.0,
    -1.0 / 1680.0,
    1.0 / 1260.0,
    -1.0 / 360.0,
    1.0 / 12.0,
];

/// B_2k / 2k, k = 8..1: minus the derivative's.
const SERIES_PRIME: [f64; 8] =
    [-3617.0 / 8160.0, 1.0 / 12.0, -691.0 / 32_760.0, 1.0 / 132.0, -1.0 / 240.0, 1.0 / 252.0, -1.0 / 120.0, 1.0 / 12.0];

/// x (x + 1) ... (x + 7), the highest power first.
const RISING: [f64; 9] = [1.0, 28.0, 322.0, 1960.0, 6769.0, 13_132.0, 13_068.0, 5040.0, 0.0];

/// Its derivative.
const RISING_PRIME: [f64; 8] = [8.0, 196.0, 1932.0, 9800.0, 27_076.0, 39_396.0, 26_136.0, 5040.0];

const LN_SQRT_2_PI: f64 = 0.918_938_533_204_672_8;

/// The polynomial with these coefficients, the highest power's first.
#[inline(always)]
fn horner<T: Scalar, S: Simd<T>>(simd: S, x: S::Vector, coefficients: &[f64]) -> S::Vector {
    let mut sum = all(simd, coefficients[0]);
    for &coefficient in &coefficients[1..] {
        sum = simd.fma(sum, x, all(simd, coefficient));
    }
    sum
}

/// The terms of a series that matter to the type: three for single precision.
#[inline(always)]
fn terms<T: Scalar>(series: &[f64; 8]) -> &[f64] {
    &series[if T::MANTISSA_BITS < 30 { 5 } else { 0 }..]
}

/// An argument in the range of the series.
struct Raised<V> {
    /// The argument.
    x: V,
    /// By how much it was raised: 8 or 0.
    by: V,
    /// The product that Gamma was multiplied by.
    product: V,
    /// The product's derivative.
    product_prime: V,
}

#[inline(always)]
fn raise<T: Scalar, S: Simd<T>>(simd: S, x: S::Vector) -> Raised<S::Vector> {
    let (zero, one, least) = (simd.splat(T::ZERO), simd.splat(T::ONE), all(simd, RAISE));
    let small = simd.lt(x, least);
    // Above the range the polynomials may overflow; nothing of them is used.
    let bounded = simd.select(small, x, one);
    let by = simd.select(small, least, zero);
    Raised {
        x: simd.add(x, by),
        by,
        product: simd.select(small, horner(simd, bounded, &RISING), one),
        product_prime: simd.select(small, horner(simd, bounded, &RISING_PRIME), zero),
    }
}

/// sum B_2k / (2k (2k - 1) x^(2k-1))
#[inline(always)]
fn series<T: Scalar, S: Simd<T>>(simd: S, x: S::Vector) -> S::Vector {
    let inverse = simd.div(simd.splat(T::ONE), x);
    simd.mul(inverse, horner(simd, simd.mul(inverse, inverse), terms::<T>(&SERIES)))
}

/// 1 / (2 x) + sum B_2k / (2k x^2k) = ln x - psi(x)
#[inline(always)]
fn series_prime<T: Scalar, S: Simd<T>>(simd: S, x: S::Vector) -> S::Vector {
    let inverse = simd.div(simd.splat(T::ONE), x);
    let square = simd.mul(inverse, inverse);
    simd.fma(inverse, all(simd, 0.5), simd.mul(square, horner(simd, square, terms::<T>(&SERIES_PRIME))))
}

/// ln Gamma(x), x > 0.
#[inline(always)]
pub fn ln_gamma<T: Scalar, S: Simd<T>>(simd: S, x: S::Vector) -> S::Vector {
    let raised = raise(simd, x);
    let rest = simd.add(series(simd, raised.x), simd.sub(all(simd, LN_SQRT_2_PI), raised.x));
    let value = simd.fma(simd.sub(raised.x, all(simd, 0.5)), ln(simd, raised.x), rest);
    simd.sub(value, ln(simd, raised.product))
}

/// psi(x) = d ln Gamma(x) / dx, x > 0.
#[inline(always)]
pub fn digamma<T: Scalar, S: Simd<T>>(simd: S, x: S::Vector) -> S::Vector {
    let raised = raise(simd, x);
    let value = simd.sub(ln(simd, raised.x), series_prime(simd, raised.x));
    simd.sub(value, simd.div(raised.product_prime, raised.product))
}

/// ln Gamma(x) - (x - 1/2) ln x + x - ln sqrt(2 pi): what Stirling's formula leaves, about 1 / (12 x).
#[inline(always)]
pub fn stirling_rest<T: Scalar, S: Simd<T>>(simd: S, x: S::Vector) -> S::Vector {
    let half = all(simd, 0.5);
    let raised = raise(simd, x);
    let from_raising = simd.fnma(simd.sub(x, half), ln(simd, x), simd.sub(x, raised.x));
    let from_raising = simd.fma(simd.sub(raised.x, half), ln(simd, raised.x), from_raising);
    let from_raising = simd.sub(from_raising, ln(simd, raised.product));
    let zero = simd.splat(T::ZERO);
    simd.add(series(simd, raised.x), simd.select(simd.lt(zero, raised.by), from_raising, zero))
}

/// ln x - psi(x), about 1 / (2 x).
#[inline(always)]
pub fn ln_less_digamma<T: Scalar, S: Simd<T>>(simd: S, x: S::Vector) -> S::Vector {
    let raised = raise(simd, x);
    let from_raising =
        simd.add(simd.div(raised.product_prime, raised.product), simd.neg(log1p(simd, simd.div(raised.by, x))));
    simd.add(series_prime(simd, raised.x), from_raising)
}

/// ln Gamma(x + y) - ln Gamma(x) and psi(x + y) - psi(x), for x > 0 and y >= 0, however large x is beside y.
#[inline(always)]
pub fn gamma_differences<T: Scalar, S: Simd<T>>(simd: S, x: S::Vector, y: S::Vector) -> (S::Vector, S::Vector) {
    let half = all(simd, 0.5);
    let (low, high) = (raise(simd, x), raise(simd, simd.add(x, y)));
    // high.x - low.x, from parts that are not rounded
    let step = simd.add(y, simd.sub(high.by, low.by));
    let log_ratio = log1p(simd, simd.div(step, low.x));
    let value = simd.fma(simd.sub(low.x, half), log_ratio, simd.sub(series(simd, high.x), series(simd, low.x)));
    let value = simd.fma(step, ln(simd, high.x), simd.sub(value, step));
    let value = simd.sub(value, ln(simd, simd.div(high.product, low.product)));
    let slope = simd.sub(log_ratio, simd.sub(series_prime(simd, high.x), series_prime(simd, low.x)));
    let slope = simd.add(slope, simd.div(low.product_prime, low.product));
    (value, simd.sub(slope, simd.div(high.product_prime, high.product)))
}

#[cfg(test)]
#[allow(clippy::approx_constant)] // values that happen to be constants
mod tests {
    use super::*;
    use crate::kernel::{Isa, VectorJob};

    /// (x, ln Gamma, psi, what Stirling's formula leaves, ln x - psi) of mpmath, 40 digits.
    const VALUES: [(f64, f64, f64, f64, f64); 12] = [
        (9.5367431640625e-07, 13.8629430607239, -1048576.5772140962, 6.012546896327362, 1048562.714270485),
        (0.125, 2.0194183575537963, -8.388492663295855, 0.44568924621918515, 6.309051121616019),
        (0.5, 0.5723649429247001, -1.9635100260214235, 0.15342640972002736, 1.2703628454614782),
        (1.0, 0.0, -0.5772156649015329, 0.08106146679532726, 0.5772156649015329),
        (1.5, -0.12078223763524522, 0.03648997397857652, 0.05481412105191765, 0.3689751341295879),
        (2.0, 0.0, 0.42278433509846713, 0.0413406959554093, 0.27036284546147815),
        (4.75, 2.8085714185757364, 1.4492040552784629, 0.017518258673226934, 0.10894056276808695),
        (7.875, 8.274252119110479, 1.9988595242685323, 0.010576348657041722, 0.06483366044316456),
        (8.0, 8.525161361065415, 2.01564147795561, 0.010411265261972096, 0.06380006372422593),
        (30.5, 72.9534711841694, 3.401243668961661, 0.002732142563757402, 0.016483014651704854),
        (1000.0, 5905.220423209181, 6.907255195648812, 8.333333055555635e-05, 0.000500083333325),
        (16777216.0, 262320695.83425725, 16.635532303636364, 4.967053731282552e-09, 2.980232268375479e-08),
    ];

    /// (x, y, ln Gamma(x + y) - ln Gamma(x), psi(x + y) - psi(x)).
    const DIFFERENCES: [(f64, f64, f64, f64); 9] = [
        (9.5367431640625e-07, 3.0, -13.169795000128055, 1048577.499998808),
        (0.5, 0.0, 0.0, 0.0),
        (0.5, 1.0, -0.6931471805599453, 2.0),
        (3.0, 40.0, 117.07873421918512, 2.8267428066483387),
        (7.5, 1.0, 2.0149030205422647, 0.13333333333333333),
        (9.0, 100.0, 390.3263453761705, 2.5461122343693203),
        (1000.0, 5.0, 34.54876142815578, 0.004990029900352705),
        (1048576.0, 17.0, 235.67017108940814, 1.6212339688924365e-05),
        (16777216.0, 1.0, 16.635532333438686, 5.960464477539063e-08),
    ];

    struct All<'a, T>(&'a [T; 2], &'a mut [T; 6]);

    impl<T: Scalar> VectorJob<T> for All<'_, T> {
        type Output = ();

        #[inline(always)]
        fn run<S: Simd<T>>(self, simd: S) {
            let (x, y) = (simd.splat(self.0[0]), simd.splat(self.0[1]));
            let (value, slope) = gamma_differences(simd, x, y);
            let all =
                [ln_gamma(simd, x), digamma(simd, x), stirling_rest(simd, x), ln_less_digamma(simd, x), value, slope];
            for (to, from) in self.1.iter_mut().zip(all) {
                *to = crate::kernel::to_lanes(simd, from)[0];
            }
        }
    }

    fn values<T: Scalar>(isa: Isa, x: f64, y: f64) -> [f64; 6] {
        let mut out = [T::ZERO; 6];
        T::dispatch(isa, All(&[x, y].map(T::from_f64), &mut out));
        out.map(Scalar::to_f64)
    }

    fn check<T: Scalar>(bound: f64) {
        let close = |what: &str, got: f64, truth: f64, scale: f64| {
            let error = (got - truth).abs() / truth.abs().max(scale);
            assert!(error < bound, "{what}: {got:e}, not {truth:e} ({error:e})");
        };
        for (x, gamma, psi, rest, less) in VALUES {
            let x = T::from_f64(x).to_f64();
            let got = values::<T>(Isa::detect(), x, 1.0);
            let names = ["ln_gamma", "digamma", "stirling_rest", "ln_less_digamma"];
            for ((name, got), truth) in names.iter().zip(got).zip([gamma, psi, rest, less]) {
                close(&format!("{name}({x})"), got, truth, 1.0);
            }
        }
        for (x, y, value, slope) in DIFFERENCES {
            let got = values::<T>(Isa::detect(), x, y);
            close(&format!("the difference of ln Gamma at {x}, {y}"), got[4], value, 1.0);
            close(&format!("the difference of psi at {x}, {y}"), got[5], slope, 1.0 / x.max(1.0));
        }
    }

    #[test]
    fn values_have_the_digits_of_mpmath() {
        check::<f64>(4e-14);
        check::<f32>(1e-5);
    }

    #[test]
    fn every_instruction_set_gives_the_same_bits() {
        let bits = |isa| {
            let points = (0..400).map(|i| (1.05f64.powi(i - 200), f64::from(i % 7)));
            points
                .flat_map(|(x, y)| [values::<f32>(isa, x, y), values::<f64>(isa, x, y)].concat())
                .map(f64::to_bits)
                .collect::<Vec<_>>()
        };
        let expected = bits(Isa::detect());
        Isa::available().into_iter().for_each(|isa| assert!(bits(isa) == expected, "{isa}"));
    }
}
