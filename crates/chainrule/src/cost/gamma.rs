//! Positive targets whose spread grows with the mean.

use super::link::{Second, exp_or_tangent};
use super::{Likelihood, Rows};
use crate::kernel::{Columns, Simd, math};
use crate::scalar::Scalar;
use crate::special::LN_SQRT_2_PI;

/// o = e^z and shape a: p(y) = (a / o)^a y^(a-1) e^(-a y / o) / Gamma(a), variance o^2 / a.
///
/// With d = z - ln y, y / o = e^-d; with ln Gamma(a) = (a - 1/2) ln a - a + ln sqrt(2 pi) + R(a) all that is large cancels:
///
/// J = a (e^-d - 1 + d) + ln y - ln(a) / 2 + ln sqrt(2 pi) + R(a).
///
/// delta = a (1 - e^-d) = a (1 - y / o), and for s = ln a, from R'(a) = psi(a) - ln a + 1 / (2 a):
/// dJ/ds = a (e^-d - 1 + d) - a (ln a - psi(a)).
///
/// Where -d > 40 its exponential goes on along the tangent.
pub(super) struct Gamma(pub(super) Second);

impl Likelihood for Gamma {
    #[inline(always)]
    fn cost_and_delta<T: Scalar, S: Simd<T>>(&self, simd: S, z: &mut Columns<'_, T>, y: Rows<'_, T>) -> S::Vector {
        let number = |x: f64| simd.splat(T::from_f64(x));
        let (one, half) = (number(1.0), number(0.5));
        let targets = self.0.targets(z);
        let mut cost = number(targets as f64 * LN_SQRT_2_PI);
        for k in 0..targets {
            let (s, outside) = self.0.log(simd, z, k);
            let shape = math::exp(simd, s);
            let ln_y = math::ln(simd, y.target(simd, z, k));
            let d = simd.sub(z.get(simd, k), ln_y);
            let (ratio, slope) = exp_or_tangent(simd, simd.neg(d));
            let excess = simd.mul(shape, simd.add(simd.sub(ratio, one), d));
            let constants = simd.add(math::stirling_rest(simd, shape), simd.fnma(half, s, ln_y));
            cost = simd.add(cost, simd.add(simd.add(excess, constants), simd.abs(outside)));
            z.set(simd, k, simd.mul(shape, simd.sub(one, slope)));
            let second = simd.fnma(shape, math::ln_less_digamma(simd, shape), excess);
            self.0.set_slope(simd, z, k, outside, second);
        }
        cost
    }

    #[inline(always)]
    fn mean<T: Scalar, S: Simd<T>>(&self, simd: S, z: &mut Columns<'_, T>) {
        for k in 0..self.0.targets(z) {
            z.set(simd, k, exp_or_tangent(simd, z.get(simd, k)).1);
            self.0.set_value(simd, z, k);
        }
    }
}
