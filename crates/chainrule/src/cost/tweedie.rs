//! Targets with a mass at zero and a long tail above.

use super::link::exp_or_tangent;
use super::{Likelihood, Rows};
use crate::kernel::{Columns, Simd};
use crate::scalar::Scalar;

/// A Poisson number of gamma amounts, as an exponential dispersion model with variance dispersion o^p, 1 < p < 2, and
/// o = e^z: ln p(y) = (y theta - kappa) / dispersion + ln a(y, dispersion) with theta = o^(1-p) / (1 - p) and
/// kappa = o^(2-p) / (2 - p). So
///
/// J = [y e^(-(p-1) z) / (p - 1) + e^((2-p) z) / (2 - p)] / dispersion - ln a,
///
/// delta = [e^((2-p) z) - y e^(-(p-1) z)] / dispersion = (o - y) o^(1-p) / dispersion. a is an infinite sum that does
/// not depend on the network, in `constants.rs`.
pub(super) struct Tweedie {
    pub(super) power: f64,
    pub(super) dispersion: f64,
}

impl Likelihood for Tweedie {
    #[inline(always)]
    fn cost_and_delta<T: Scalar, S: Simd<T>>(&self, simd: S, z: &mut Columns<'_, T>, y: Rows<'_, T>) -> S::Vector {
        let number = |x: f64| simd.splat(T::from_f64(x));
        let (below, above) = (self.power - 1.0, 2.0 - self.power);
        let mut cost = number(0.0);
        for k in 0..z.width() {
            let (log_mean, y) = (z.get(simd, k), y.target(simd, z, k));
            let (falling, falling_slope) = exp_or_tangent(simd, simd.mul(log_mean, number(-below)));
            let (rising, rising_slope) = exp_or_tangent(simd, simd.mul(log_mean, number(above)));
            let part = simd.mul(simd.mul(y, falling), number(1.0 / (below * self.dispersion)));
            let part = simd.fma(rising, number(1.0 / (above * self.dispersion)), part);
            cost = simd.add(cost, part);
            let delta = simd.fnma(y, falling_slope, rising_slope);
            z.set(simd, k, simd.mul(delta, number(1.0 / self.dispersion)));
        }
        cost
    }

    #[inline(always)]
    fn mean<T: Scalar, S: Simd<T>>(&self, simd: S, z: &mut Columns<'_, T>) {
        for k in 0..z.width() {
            z.set(simd, k, exp_or_tangent(simd, z.get(simd, k)).1);
        }
    }
}
