//! Times until an event, some of them censored.

use super::link::{Second, exp_or_tangent};
use super::{Likelihood, Rows};
use crate::kernel::{Columns, Simd, math};
use crate::scalar::Scalar;

/// ln t = z + e / k with e from the standard Gumbel distribution (of minima): Weibull's distribution of scale e^z and shape
/// k, P(T > t) = exp(-(t / e^z)^k). The features accelerate or slow down time, hence accelerated failure time.
///
/// With u = k (ln t - z) the density is (k / t) e^(u - e^u) and P(T > t) = e^(-e^u). A row has an event (d = 1) or was
/// censored at t (d = 0):
///
/// J = e^u + d (ln t - ln k - u).
///
/// delta = k (d - e^u), and for s = ln k, from du/ds = u: dJ/ds = u (e^u - d) - d. Beyond u = 40 the exponential goes on
/// along its tangent.
pub(super) struct Weibull(pub(super) Second);

impl Likelihood for Weibull {
    #[inline(always)]
    fn cost_and_delta<T: Scalar, S: Simd<T>>(&self, simd: S, z: &mut Columns<'_, T>, y: Rows<'_, T>) -> S::Vector {
        let mut cost = simd.splat(T::ZERO);
        for k in 0..self.0.targets(z) {
            let (time, event) = (y.target(simd, z, 2 * k), y.target(simd, z, 2 * k + 1));
            let (s, outside) = self.0.log(simd, z, k);
            let (shape, ln_t) = (math::exp(simd, s), math::ln(simd, time));
            let u = simd.mul(shape, simd.sub(ln_t, z.get(simd, k)));
            let (hazard, slope) = exp_or_tangent(simd, u);
            let seen = simd.fma(event, simd.sub(simd.sub(ln_t, s), u), hazard);
            cost = simd.add(cost, simd.add(seen, simd.abs(outside)));
            let rest = simd.sub(slope, event);
            z.set(simd, k, simd.neg(simd.mul(shape, rest)));
            self.0.set_slope(simd, z, k, outside, simd.fma(u, rest, simd.neg(event)));
        }
        cost
    }

    /// o = e^z Gamma(1 + 1 / k).
    #[inline(always)]
    fn mean<T: Scalar, S: Simd<T>>(&self, simd: S, z: &mut Columns<'_, T>) {
        let one = simd.splat(T::ONE);
        for k in 0..self.0.targets(z) {
            let (s, _) = self.0.log(simd, z, k);
            let ln_gamma = math::ln_gamma(simd, simd.add(one, math::exp(simd, simd.neg(s))));
            z.set(simd, k, exp_or_tangent(simd, simd.add(z.get(simd, k), ln_gamma)).1);
            self.0.set_value(simd, z, k);
        }
    }
}
