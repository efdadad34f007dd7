//! Quantiles at several levels that cannot cross.

use super::{Likelihood, Rows};
use crate::kernel::{Columns, Simd, math};
use crate::scalar::Scalar;

/// For each target as many outputs as levels tau_l: q_0 = z_0, q_l = q_(l-1) + softplus(z_l), so that q ascends.
///
/// The cost of one quantile is the pinball loss (Koenker, Bassett 1978) (q - y) ([y < q] - tau), and as a density that of
/// the asymmetric Laplace distribution, tau (1 - tau) e^(-pinball) (Yu, Moyeed 2001): J = sum_l pinball_l -
/// ln(tau_l (1 - tau_l)). With g_l = dJ/dq_l = [y < q_l] - tau_l: delta_0 = sum_l g_l, and for j > 0
/// delta_j = sigmoid(z_j) sum_(l >= j) g_l.
pub(super) struct Quantile<'a> {
    pub(super) levels: &'a [f64],
}

impl Quantile<'_> {
    /// q_l, from z_l and the quantile below.
    #[inline(always)]
    fn next<T: Scalar, S: Simd<T>>(simd: S, l: usize, z: S::Vector, below: S::Vector) -> S::Vector {
        if l == 0 { z } else { simd.add(below, math::softplus(simd, z)) }
    }
}

impl Likelihood for Quantile<'_> {
    #[inline(always)]
    fn cost_and_delta<T: Scalar, S: Simd<T>>(&self, simd: S, z: &mut Columns<'_, T>, y: Rows<'_, T>) -> S::Vector {
        let number = |x: f64| simd.splat(T::from_f64(x));
        let zero = number(0.0);
        let mut cost = zero;
        for first in (0..z.width()).step_by(self.levels.len()) {
            let y = y.target(simd, z, first / self.levels.len());
            let slope = |l: usize, q: S::Vector| {
                let level = self.levels[l];
                simd.select(simd.lt(y, q), number(1.0 - level), number(-level))
            };
            let (mut q, mut total) = (zero, zero);
            for (l, level) in self.levels.iter().enumerate() {
                q = Self::next(simd, l, z.get(simd, first + l), q);
                let g = slope(l, q);
                cost = simd.fma(simd.sub(q, y), g, simd.sub(cost, number((level * (1.0 - level)).ln())));
                total = simd.add(total, g);
            }
            let mut rest = total;
            for l in 0..self.levels.len() {
                let z_l = z.get(simd, first + l);
                q = Self::next(simd, l, z_l, q);
                let delta = if l == 0 { rest } else { simd.mul(math::sigmoid(simd, z_l), rest) };
                rest = simd.sub(rest, slope(l, q));
                z.set(simd, first + l, delta);
            }
        }
        cost
    }

    /// o_l = q_l.
    #[inline(always)]
    fn mean<T: Scalar, S: Simd<T>>(&self, simd: S, z: &mut Columns<'_, T>) {
        for first in (0..z.width()).step_by(self.levels.len()) {
            let mut q = z.get(simd, first);
            for l in 0..self.levels.len() {
                q = Self::next(simd, l, z.get(simd, first + l), q);
                z.set(simd, first + l, q);
            }
        }
    }
}
