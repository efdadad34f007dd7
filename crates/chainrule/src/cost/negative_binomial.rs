//! Overdispersed counts.

use super::link::{Second, exp_or_tangent};
use super::{Likelihood, Rows};
use crate::kernel::{Columns, Simd, math};
use crate::scalar::Scalar;

/// A Poisson distribution whose mean is gamma distributed around o = e^z: with dispersion a and r = 1 / a the variance is
/// o + a o^2 (NB2), and P(y) = Gamma(y + r) / (y! Gamma(r)) p^y (1 - p)^r, p = a o / (1 + a o) = sigmoid(w), w = z + ln a.
/// So
///
/// J = (y + r) softplus(w) - y w - [ln Gamma(y + r) - ln Gamma(r)] + ln y!
///
/// (ln y! is in `constants.rs`), delta = (y + r) sigmoid(w) - y = (o - y) / (1 + a o), and for s = ln a, from dr/ds = -r:
/// dJ/ds = delta - r softplus(w) + r [psi(y + r) - psi(r)].
pub(super) struct NegativeBinomial(pub(super) Second);

impl Likelihood for NegativeBinomial {
    #[inline(always)]
    fn cost_and_delta<T: Scalar, S: Simd<T>>(&self, simd: S, z: &mut Columns<'_, T>, y: Rows<'_, T>) -> S::Vector {
        let mut cost = simd.splat(T::ZERO);
        for k in 0..self.0.targets(z) {
            let y = y.target(simd, z, k);
            let (s, outside) = self.0.log(simd, z, k);
            let r = math::exp(simd, simd.neg(s));
            let w = simd.add(z.get(simd, k), s);
            let softplus = math::softplus(simd, w);
            let (difference, slope) = math::gamma_differences(simd, r, y);
            let rest = simd.sub(simd.abs(outside), difference);
            let count = simd.add(y, r);
            cost = simd.add(cost, simd.add(simd.fma(count, softplus, simd.neg(simd.mul(y, w))), rest));
            let delta = simd.sub(simd.mul(count, math::sigmoid(simd, w)), y);
            z.set(simd, k, delta);
            self.0.set_slope(simd, z, k, outside, simd.fma(r, simd.sub(slope, softplus), delta));
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
