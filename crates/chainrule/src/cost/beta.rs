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

/// What J has for one of the two parameters, x = a or b of t = x + rest, y or 1 - y its target.
struct Half<V> {
    cost: V,
    /// psi(1 + x) - ln of the target
    slope: V,
}

#[inline(always)]
fn half<T: Scalar, S: Simd<T>>(simd: S, x: S::Vector, rest: S::Vector, ln_y: S::Vector) -> Half<S::Vector> {
    let one = simd.splat(T::ONE);
    let (x_1, t_1) = (simd.add(one, x), simd.add(simd.add(one, x), rest));
    let log_ratio = math::log1p(simd, simd.neg(simd.div(rest, t_1)));
    let cost = simd.fma(simd.splat(T::from_f64(0.5)), math::log1p(simd, x), math::stirling_rest(simd, x_1));
    let cost = simd.fma(x, simd.sub(log_ratio, ln_y), simd.add(cost, ln_y));
    Half { cost, slope: simd.sub(math::digamma(simd, x_1), ln_y) }
}

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
            let upper = half(simd, a, b, math::ln(simd, y));
            let lower = half(simd, b, a, math::log1p(simd, simd.neg(y)));
            let t_1 = simd.add(one, t);
            let whole = simd.fma(number(0.5), math::log1p(simd, t), math::stirling_rest(simd, t_1));
            let links = simd.add(math::softplus(simd, logit), math::softplus(simd, simd.neg(logit)));
            let parts = simd.sub(simd.add(upper.cost, lower.cost), simd.add(whole, s));
            cost = simd.add(cost, simd.add(simd.add(parts, links), simd.abs(outside)));
            let common = simd.mul(simd.mul(t, o), not_o);
            let delta = simd.fma(common, simd.sub(upper.slope, lower.slope), simd.sub(o, not_o));
            z.set(simd, k, delta);
            let psi = math::digamma(simd, t_1);
            let second = simd.fma(a, simd.sub(upper.slope, psi), simd.fma(b, simd.sub(lower.slope, psi), number(-1.0)));
            self.0.set_slope(simd, z, k, outside, second);
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
