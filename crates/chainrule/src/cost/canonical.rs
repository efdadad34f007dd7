//! Distributions with the link that belongs to them: delta^(L) = o - y.

use super::link::exp_or_tangent;
use super::{Likelihood, Rows};
use crate::kernel::{Columns, Simd, math};
use crate::scalar::Scalar;
use crate::special::LN_SQRT_2_PI;

/// J = -ln N(y; z, 1) = (z - y)^2 / 2 + ln sqrt(2 pi), o = z, delta = z - y.
pub(super) struct Gaussian;

impl Likelihood for Gaussian {
    #[inline(always)]
    fn cost_and_delta<T: Scalar, S: Simd<T>>(&self, simd: S, z: &mut Columns<'_, T>, y: Rows<'_, T>) -> S::Vector {
        let mut cost = simd.splat(T::from_f64(z.width() as f64 * LN_SQRT_2_PI));
        for k in 0..z.width() {
            let delta = simd.sub(z.get(simd, k), y.target(simd, z, k));
            cost = simd.fma(simd.mul(delta, simd.splat(T::from_f64(0.5))), delta, cost);
            z.set(simd, k, delta);
        }
        cost
    }

    #[inline(always)]
    fn mean<T: Scalar, S: Simd<T>>(&self, _: S, _: &mut Columns<'_, T>) {}
}

/// o = sigmoid z, J = -y ln o - (1 - y) ln(1 - o) = ln(1 + e^z) - y z, delta = o - y.
pub(super) struct Bernoulli;

impl Likelihood for Bernoulli {
    #[inline(always)]
    fn cost_and_delta<T: Scalar, S: Simd<T>>(&self, simd: S, z: &mut Columns<'_, T>, y: Rows<'_, T>) -> S::Vector {
        let mut cost = simd.splat(T::ZERO);
        for k in 0..z.width() {
            let (logit, y) = (z.get(simd, k), y.target(simd, z, k));
            cost = simd.add(cost, simd.fnma(y, logit, math::softplus(simd, logit)));
            z.set(simd, k, simd.sub(math::sigmoid(simd, logit), y));
        }
        cost
    }

    #[inline(always)]
    fn mean<T: Scalar, S: Simd<T>>(&self, simd: S, z: &mut Columns<'_, T>) {
        for k in 0..z.width() {
            z.set(simd, k, math::sigmoid(simd, z.get(simd, k)));
        }
    }
}

/// o = e^z, J = -ln(e^-o o^y / y!) = o - y z + ln y!, delta = o - y; ln y! is in `constants.rs`. Beyond z = 40 o goes on
/// along its tangent.
pub(super) struct Poisson;

impl Likelihood for Poisson {
    #[inline(always)]
    fn cost_and_delta<T: Scalar, S: Simd<T>>(&self, simd: S, z: &mut Columns<'_, T>, y: Rows<'_, T>) -> S::Vector {
        let mut cost = simd.splat(T::ZERO);
        for k in 0..z.width() {
            let (log_mean, y) = (z.get(simd, k), y.target(simd, z, k));
            let (mean, slope) = exp_or_tangent(simd, log_mean);
            cost = simd.add(cost, simd.fnma(y, log_mean, mean));
            z.set(simd, k, simd.sub(slope, y));
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

/// o = softmax z, J = -ln o_y = ln sum_k e^(z_k) - z_y, delta_k = o_k - [k = y]: the Jacobian of the softmax,
/// diag(o) - o o', times grad_o J. Eq. (10) with an element-wise o' would be zero at every class but the target's.
pub(super) struct Categorical;

impl Categorical {
    /// Replaces z_k by e_k = e^(z_k - max z); returns max z and the sum of e.
    #[inline(always)]
    pub(super) fn exponentials<T: Scalar, S: Simd<T>>(simd: S, z: &mut Columns<'_, T>) -> (S::Vector, S::Vector) {
        let mut max = z.get(simd, 0);
        for k in 1..z.width() {
            max = simd.max(max, z.get(simd, k));
        }
        let mut sum = simd.splat(T::ZERO);
        for k in 0..z.width() {
            let e = math::exp(simd, simd.sub(z.get(simd, k), max));
            sum = simd.add(sum, e);
            z.set(simd, k, e);
        }
        (max, sum)
    }
}

impl Likelihood for Categorical {
    #[inline(always)]
    fn cost_and_delta<T: Scalar, S: Simd<T>>(&self, simd: S, z: &mut Columns<'_, T>, y: Rows<'_, T>) -> S::Vector {
        let y = y.target(simd, z, 0);
        let class = |k: usize| simd.splat(T::from_f64(k as f64));
        let mut z_y = simd.splat(T::ZERO);
        for k in 0..z.width() {
            z_y = simd.select(simd.eq(y, class(k)), z.get(simd, k), z_y);
        }
        let (max, sum) = Self::exponentials(simd, z);
        let (one, zero) = (simd.splat(T::ONE), simd.splat(T::ZERO));
        for k in 0..z.width() {
            let o = simd.div(z.get(simd, k), sum);
            z.set(simd, k, simd.sub(o, simd.select(simd.eq(y, class(k)), one, zero)));
        }
        simd.add(simd.sub(max, z_y), math::ln(simd, sum))
    }

    #[inline(always)]
    fn mean<T: Scalar, S: Simd<T>>(&self, simd: S, z: &mut Columns<'_, T>) {
        let (_, sum) = Self::exponentials(simd, z);
        for k in 0..z.width() {
            z.set(simd, k, simd.div(z.get(simd, k), sum));
        }
    }
}
