//! Classes in order: cumulative logits.

use super::{Likelihood, Rows};
use crate::kernel::{Columns, Simd, math};
use crate::scalar::Scalar;

/// P(y > k) = sigmoid(c_k) with c_0 = z_0 and c_k = c_(k-1) - softplus(z_k), so that the c descend and no probability is
/// negative. For K classes there are K - 1 outputs.
///
/// A class between the ends has P(y = k) = sigmoid(a) - sigmoid(b), a = c_(k-1) > b = c_k. The difference is
/// sigmoid(a) sigmoid(-b) (1 - e^(b - a)), and with a - b = softplus(z_k) the last factor is sigmoid(z_k): a product of
/// three, in which nothing cancels. So
///
/// J = [y > 0] softplus(-c_(y-1)) + [y < K - 1] softplus(c_y) + [0 < y < K - 1] softplus(-z_y).
///
/// With g_k = dJ/dc_k = -[y = k + 1] sigmoid(-c_k) + [y = k] sigmoid(c_k): delta_0 = sum_k g_k, and for j > 0
/// delta_j = -sigmoid(z_j) sum_(k >= j) g_k - [y = j] sigmoid(-z_j).
///
/// The outputs after the first are thresholds; where they are shared by all rows this is McCullagh's proportional-odds
/// model (1980).
pub(super) struct Ordinal;

impl Likelihood for Ordinal {
    #[inline(always)]
    fn cost_and_delta<T: Scalar, S: Simd<T>>(&self, simd: S, z: &mut Columns<'_, T>, y: Rows<'_, T>) -> S::Vector {
        let zero = simd.splat(T::ZERO);
        let y = y.target(simd, z, 0);
        let where_class =
            |class: usize, x: S::Vector| simd.select(simd.eq(y, simd.splat(T::from_f64(class as f64))), x, zero);
        let (mut cost, mut c, mut total) = (zero, zero, zero);
        let slope = |k: usize, c: S::Vector| {
            simd.sub(where_class(k, math::sigmoid(simd, c)), where_class(k + 1, math::sigmoid(simd, simd.neg(c))))
        };
        let threshold = |k: usize, z_k: S::Vector, c: S::Vector| {
            if k == 0 { z_k } else { simd.sub(c, math::softplus(simd, z_k)) }
        };
        for k in 0..z.width() {
            let z_k = z.get(simd, k);
            c = threshold(k, z_k, c);
            cost = simd.add(cost, where_class(k, math::softplus(simd, c)));
            cost = simd.add(cost, where_class(k + 1, math::softplus(simd, simd.neg(c))));
            if k > 0 {
                cost = simd.add(cost, where_class(k, math::softplus(simd, simd.neg(z_k))));
            }
            total = simd.add(total, slope(k, c));
        }
        let mut rest = total;
        for k in 0..z.width() {
            let z_k = z.get(simd, k);
            c = threshold(k, z_k, c);
            let delta = if k == 0 {
                total
            } else {
                let own = where_class(k, math::sigmoid(simd, simd.neg(z_k)));
                simd.neg(simd.fma(math::sigmoid(simd, z_k), rest, own))
            };
            rest = simd.sub(rest, slope(k, c));
            z.set(simd, k, delta);
        }
        cost
    }

    /// o_k = P(y > k).
    #[inline(always)]
    fn mean<T: Scalar, S: Simd<T>>(&self, simd: S, z: &mut Columns<'_, T>) {
        let mut c = z.get(simd, 0);
        for k in 0..z.width() {
            if k > 0 {
                c = simd.sub(c, math::softplus(simd, z.get(simd, k)));
            }
            z.set(simd, k, math::sigmoid(simd, c));
        }
    }
}
