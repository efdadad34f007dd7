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

/// Masks for the rows whose class has c_k below it (y = k), and above it (y = k + 1).
struct Sides<M> {
    below: M,
    above: M,
}

#[inline(always)]
fn sides<T: Scalar, S: Simd<T>>(simd: S, y: S::Vector, k: usize) -> Sides<S::Mask> {
    let is = |class: usize| simd.eq(y, simd.splat(T::from_f64(class as f64)));
    Sides { below: is(k), above: is(k + 1) }
}

/// c_k from z_k and c_(k-1), and softplus(z_k).
#[inline(always)]
fn threshold<T: Scalar, S: Simd<T>>(simd: S, k: usize, z: S::Vector, c: S::Vector) -> (S::Vector, S::Vector) {
    let step = math::softplus(simd, z);
    (if k == 0 { z } else { simd.sub(c, step) }, step)
}

impl Likelihood for Ordinal {
    #[inline(always)]
    fn cost_and_delta<T: Scalar, S: Simd<T>>(&self, simd: S, z: &mut Columns<'_, T>, y: Rows<'_, T>) -> S::Vector {
        let (zero, one) = (simd.splat(T::ZERO), simd.splat(T::ONE));
        let y = y.target(simd, z, 0);
        // c where the class lies below it, else -c: softplus and sigmoid are then needed once.
        let toward = |side: &Sides<S::Mask>, c: S::Vector| simd.select(side.below, c, simd.neg(c));
        let slope = |side: &Sides<S::Mask>, c: S::Vector| {
            let sigmoid = math::sigmoid(simd, toward(side, c));
            simd.select(side.below, sigmoid, simd.select(side.above, simd.neg(sigmoid), zero))
        };
        let (mut cost, mut c, mut total) = (zero, zero, zero);
        for k in 0..z.width() {
            let (z_k, side) = (z.get(simd, k), sides(simd, y, k));
            let step;
            (c, step) = threshold(simd, k, z_k, c);
            let own = math::softplus(simd, toward(&side, c));
            cost = simd.add(cost, simd.select(side.below, own, simd.select(side.above, own, zero)));
            if k > 0 {
                // softplus(-z) = softplus(z) - z
                cost = simd.add(cost, simd.select(side.below, simd.sub(step, z_k), zero));
            }
            total = simd.add(total, slope(&side, c));
        }
        let mut rest = total;
        for k in 0..z.width() {
            let (z_k, side) = (z.get(simd, k), sides(simd, y, k));
            (c, _) = threshold(simd, k, z_k, c);
            let sigmoid = math::sigmoid(simd, z_k);
            let own = simd.select(side.below, simd.sub(one, sigmoid), zero);
            let delta = simd.neg(simd.fma(sigmoid, rest, own));
            rest = simd.sub(rest, slope(&side, c));
            z.set(simd, k, if k == 0 { total } else { delta });
        }
        cost
    }

    /// o_k = P(y > k).
    #[inline(always)]
    fn mean<T: Scalar, S: Simd<T>>(&self, simd: S, z: &mut Columns<'_, T>) {
        let mut c = simd.splat(T::ZERO);
        for k in 0..z.width() {
            (c, _) = threshold(simd, k, z.get(simd, k), c);
            z.set(simd, k, math::sigmoid(simd, c));
        }
    }
}
