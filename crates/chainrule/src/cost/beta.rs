//! Fractions between 0 and 1.

use super::link::Second;
use super::{Likelihood, Rows};
use crate::kernel::{Columns, Simd, math};
use crate::scalar::Scalar;
use crate::special::LN_SQRT_2_PI;

/// o = sigmoid z and precision t: the beta distribution with a = o t and b = (1 - o) t,
/// p(y) = Gamma(t) / (Gamma(a) Gamma(b)) y^(a-1) (1 - y)^(b-1), variance o (1 - o) / (1 + t).
///
/// a or b may be 0 to rounding: ln Gamma(a) = ln Gamma(1 + a) - ln a, and ln a = ln t - softplus(-z) is never rounded. With
/// ln Gamma(1 + x) = (x + 1/2) ln(1 + x) - 1 - x + ln sqrt(2 pi) + R(1 + x) what is large cancels:
///
/// J = a [ln((1 + a) / (1 + t)) - ln y] + b [ln((1 + b) / (1 + t)) - ln(1 - y)]
///   + [ln(1 + a) + ln(1 + b) - ln(1 + t)] / 2 + R(1 + a) + R(1 + b) - R(1 + t) - 1 + ln sqrt(2 pi)
///   - ln t + softplus(-z) + softplus(z) + ln y + ln(1 - y).
///
/// From da/dz = -db/dz = t o (1 - o) and psi(a) = psi(1 + a) - 1 / a:
/// delta = t o (1 - o) [psi(1 + a) - psi(1 + b) - ln y + ln(1 - y)] + o - (1 - o), and for s = ln t, from da/ds = a:
/// dJ/ds = a [psi(1 + a) - psi(1 + t) - ln y] + b [psi(1 + b) - psi(1 + t) - ln(1 - y)] - 1.
pub(super) struct Beta(pub(super) Second);

impl Likelihood for Beta {
    #[inline(always)]
    fn cost_and_delta<T: Scalar, S: Simd<T>>(&self, simd: S, z: &mut Columns<'_, T>, y: Rows<'_, T>) -> S::Vector {
        let number = |x: f64| simd.splat(T::from_f64(x));
        let one = number(1.0);
        let targets = self.0.targets(z);
        let mut cost = number(targets as f64 * (LN_SQRT_2_PI - 1.0));
        for k in 0..targets {
            let (logit, y) = (z.get(simd, k), y.target(simd, z, k));
            let (s, outside) = self.0.log(simd, z, k);
            let t = math::exp(simd, s);
            let (o, not_o) = (math::sigmoid(simd, logit), math::sigmoid(simd, simd.neg(logit)));
            let (a, b) = (simd.mul(o, t), simd.mul(not_o, t));
            let (ln_y, ln_not_y) = (math::ln(simd, y), math::log1p(simd, simd.neg(y)));
            // ln(1 + x) / 2 + R(1 + x), added up, and psi(1 + x), for t, a and b: one piece of code.
            let (mut rest, mut psi) = (number(0.0), [number(0.0); 3]);
            for ((x, sign), psi) in [(t, -1.0), (a, 1.0), (b, 1.0)].into_iter().zip(&mut psi) {
                let x_1 = simd.add(one, x);
                let part = simd.fma(number(0.5), math::log1p(simd, x), math::stirling_rest(simd, x_1));
                rest = simd.fma(number(sign), part, rest);
                *psi = math::digamma(simd, x_1);
            }
            let [psi_t, psi_a, psi_b] = psi;
            let t_1 = simd.add(one, t);
            // x ln((1 + x) / (1 + t)) - x ln of the target
            let part = |x: S::Vector, ln_y: S::Vector| {
                simd.mul(x, simd.sub(math::ln(simd, simd.div(simd.add(one, x), t_1)), ln_y))
            };
            let parts = simd.add(part(a, ln_y), part(b, ln_not_y));
            // softplus(-z) + softplus(z) = 2 softplus(z) - z
            let softplus = math::softplus(simd, logit);
            let links = simd.sub(simd.sub(simd.add(softplus, softplus), logit), s);
            let logs = simd.add(simd.add(ln_y, ln_not_y), simd.abs(outside));
            cost = simd.add(cost, simd.add(simd.add(parts, rest), simd.add(links, logs)));
            let (slope_a, slope_b) = (simd.sub(psi_a, ln_y), simd.sub(psi_b, ln_not_y));
            let delta = simd.fma(simd.mul(a, not_o), simd.sub(slope_a, slope_b), simd.sub(o, not_o));
            z.set(simd, k, delta);
            let second = simd.fma(b, simd.sub(slope_b, psi_t), number(-1.0));
            self.0.set_slope(simd, z, k, outside, simd.fma(a, simd.sub(slope_a, psi_t), second));
        }
        cost
    }

    #[inline(always)]
    fn mean<T: Scalar, S: Simd<T>>(&self, simd: S, z: &mut Columns<'_, T>) {
        for k in 0..self.0.targets(z) {
            z.set(simd, k, math::sigmoid(simd, z.get(simd, k)));
            self.0.set_value(simd, z, k);
        }
    }
}
