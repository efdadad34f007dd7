//! Accuracy against higher precision, the special values, and the same bits on every instruction set.

use super::reference;
use crate::kernel::{Isa, Simd, VectorJob};
use crate::scalar::Scalar;
use std::hash::{DefaultHasher, Hash, Hasher};

/// One of the functions under test.
trait Function {
    const NAME: &'static str;
    /// The value in double precision, good to a few units in its last place.
    fn truth(x: f64) -> f64;
    /// Arguments and values rounded once from many digits.
    const REFERENCE: &'static [(f64, f64)];
    fn apply<T: Scalar, S: Simd<T>>(simd: S, x: S::Vector) -> S::Vector;
}

/// What is asserted of every function.
trait Check {
    fn check<F: Function>(&self);
}

macro_rules! functions {
    ($($type:ident = $name:ident, $reference:ident, $truth:expr;)*) => {
        $(
            struct $type;
            impl Function for $type {
                const NAME: &'static str = stringify!($name);
                const REFERENCE: &'static [(f64, f64)] = reference::$reference;
                fn truth(x: f64) -> f64 {
                    let truth: fn(f64) -> f64 = $truth;
                    truth(x)
                }
                #[inline(always)]
                fn apply<T: Scalar, S: Simd<T>>(simd: S, x: S::Vector) -> S::Vector {
                    super::$name(simd, x)
                }
            }
        )*

        fn for_each_function(check: &impl Check) {
            $(check.check::<$type>();)*
        }
    };
}

functions! {
    Exp = exp, EXP, f64::exp;
    Expm1 = expm1, EXPM1, f64::exp_m1;
    Ln = ln, LN, f64::ln;
    Log1p = log1p, LOG1P, f64::ln_1p;
    Tanh = tanh, TANH, f64::tanh;
    Sigmoid = sigmoid, SIGMOID, |x| 1.0 / (1.0 + (-x).exp());
    Softplus = softplus, SOFTPLUS, |x| x.max(0.0) + (-x.abs()).exp().ln_1p();
    Erf = erf, ERF, erf_series;
    Sin = sin, SIN, f64::sin;
    Cos = cos, COS, f64::cos;
}

/// erf x = 2 / sqrt(pi) e^(-x^2) sum 2^n x^(2n+1) / (2n+1)!! (Abramowitz, Stegun 7.1.6): no cancellation.
fn erf_series(x: f64) -> f64 {
    if x.is_nan() || x.abs() > 6.0 {
        return x.signum(); // NaN of NaN
    }
    let (mut term, mut sum, mut n) = (x, x, 1.0);
    while sum + term != sum || n < 3.0 {
        term *= 2.0 * x * x / (2.0 * n + 1.0);
        sum += term;
        n += 1.0;
    }
    std::f64::consts::FRAC_2_SQRT_PI * (-x * x).exp() * sum
}

/// A function applied to every element of a slice of whole panels.
struct Map<'a, T, F>(&'a mut [T], std::marker::PhantomData<F>);

impl<T: Scalar, F: Function> VectorJob<T> for Map<'_, T, F> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<T>>(self, simd: S) {
        for register in self.0.chunks_exact_mut(S::LANES) {
            // SAFETY: a chunk has `LANES` elements.
            unsafe { simd.store(register.as_mut_ptr(), F::apply(simd, simd.load(register.as_ptr()))) };
        }
    }
}

/// The function's values at the arguments.
fn values<T: Scalar, F: Function>(isa: Isa, x: &[T]) -> Vec<T> {
    let mut y = x.to_vec();
    y.resize(x.len().next_multiple_of(T::PANEL), T::ONE);
    T::dispatch(isa, Map(&mut y, std::marker::PhantomData::<F>));
    y.truncate(x.len());
    y
}

/// The distance from the truth in units of the last place of a type with so many bits and such a least exponent.
/// The least power of two that is too large stands for infinity.
fn ulps(got: f64, truth: f64, bits: i32, exponents: (i32, i32)) -> f64 {
    if truth.is_nan() || got.is_nan() {
        return if truth.is_nan() && got.is_nan() { 0.0 } else { f64::INFINITY };
    }
    let exponent = (truth.abs().max(f64::MIN_POSITIVE).to_bits() >> 52) as i32 - 1023;
    let unit = f64::from(exponent.clamp(exponents.0, exponents.1) - bits + 1).exp2();
    let limit = f64::from(exponents.1 + 1).exp2();
    let error = got.clamp(-limit, limit) - truth.clamp(-limit, limit);
    if got == truth { 0.0 } else { (error / unit).abs() }
}

/// Every `stride`-th bit pattern in single precision is within 2 units of the truth.
struct SinglePrecision {
    stride: usize,
}

impl Check for SinglePrecision {
    fn check<F: Function>(&self) {
        let mut worst = (0.0, 0.0, 0.0);
        let patterns: Vec<u32> = (0..=u32::MAX).step_by(self.stride).collect();
        for patterns in patterns.chunks(4096) {
            let x: Vec<f32> = patterns.iter().copied().map(f32::from_bits).collect();
            for (x, y) in x.iter().zip(values::<f32, F>(Isa::detect(), &x)) {
                let error = ulps(f64::from(y), F::truth(f64::from(*x)), 24, (-126, 127));
                if error > worst.0 {
                    worst = (error, *x, y);
                }
            }
        }
        let (error, x, y) = worst;
        println!("{}: {error:.3} ulp at {x:e}", F::NAME);
        assert!(error <= 2.0, "{}({x:e}) = {y:e} is off by {error} ulp", F::NAME);
    }
}

#[test]
fn single_precision_is_within_two_ulp() {
    for_each_function(&SinglePrecision { stride: 1009 });
}

#[test]
#[ignore = "all of single precision takes some minutes"]
fn single_precision_is_within_two_ulp_everywhere() {
    for_each_function(&SinglePrecision { stride: 1 });
}

/// Double precision is within 4 units of many digits.
struct DoublePrecision;

impl Check for DoublePrecision {
    fn check<F: Function>(&self) {
        let x: Vec<f64> = F::REFERENCE.iter().map(|point| point.0).collect();
        let mut worst = (0.0, 0.0);
        for (&(x, truth), y) in F::REFERENCE.iter().zip(values::<f64, F>(Isa::detect(), &x)) {
            let error = ulps(y, truth, 53, (-1022, 1023));
            assert!(error <= 4.0, "{}({x:e}) = {y:e}, not {truth:e}: {error} ulp", F::NAME);
            worst = if error > worst.0 { (error, x) } else { worst };
        }
        println!("{}: {:.3} ulp at {:e}", F::NAME, worst.0, worst.1);
    }
}

#[test]
fn double_precision_is_within_four_ulp() {
    for_each_function(&DoublePrecision);
}

/// Zeros, subnormals, the greatest numbers, infinities, NaN and the ends of the domains.
struct Edges;

macro_rules! edges {
    ($t:ident, $function:ident, $bits:literal, $exponents:expr) => {
        let points =
            [0.0, 1.0, $t::from_bits(1), $t::MIN_POSITIVE, $t::EPSILON, 0.5, 30.0, 1000.0, $t::MAX, $t::INFINITY];
        let points: Vec<$t> = points.into_iter().flat_map(|x| [x, -x]).chain([$t::NAN]).collect();
        for (&x, y) in points.iter().zip(values::<$t, $function>(Isa::detect(), &points)) {
            let truth = $function::truth(f64::from(x));
            let error = ulps(f64::from(y), truth, $bits, $exponents);
            assert!(error <= 2.0, "{}({x:e}) = {y:e}, not {truth:e}", $function::NAME);
        }
    };
}

impl Check for Edges {
    fn check<F: Function>(&self) {
        edges!(f32, F, 24, (-126, 127));
        edges!(f64, F, 53, (-1022, 1023));
    }
}

#[test]
fn the_edges_of_the_range_are_right() {
    for_each_function(&Edges);
}

/// The values' hash is the same on every instruction set.
struct SameBits;

impl SameBits {
    fn check_type<T: Scalar, F: Function>(x: &[T]) {
        let hash = |isa| {
            let mut hasher = DefaultHasher::new();
            for y in values::<T, F>(isa, x) {
                // Which NaN it is, the instruction sets choose themselves.
                let y = y.to_f64();
                if y.is_nan() { f64::NAN.to_bits() } else { y.to_bits() }.hash(&mut hasher);
            }
            hasher.finish()
        };
        let expected = hash(Isa::detect());
        for isa in Isa::available() {
            assert_eq!(hash(isa), expected, "{} differs on {isa}", F::NAME);
        }
    }
}

impl Check for SameBits {
    fn check<F: Function>(&self) {
        // Equally spaced bit patterns, all magnitudes alike; then ordinary numbers, from -20 to 20.
        let spread = |i: u64| i.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let patterns = (0..50_000).map(spread);
        let ordinary = patterns.clone().map(|i| (i >> 11) as f64 * (-53_f64).exp2() * 40.0 - 20.0);
        let single = patterns.clone().map(|i| f32::from_bits((i >> 32) as u32));
        Self::check_type::<f32, F>(&single.chain(ordinary.clone().map(|x| x as f32)).collect::<Vec<_>>());
        Self::check_type::<f64, F>(&patterns.map(f64::from_bits).chain(ordinary).collect::<Vec<_>>());
    }
}

#[test]
fn every_instruction_set_gives_the_same_bits() {
    for_each_function(&SameBits);
}
