//! The categorical cost with everything a user may add to it: probabilities as targets, smoothing, class weights.

use super::canonical::Categorical;
use super::{Likelihood, Rows};
use crate::kernel::{Columns, Simd, math};
use crate::scalar::Scalar;

/// o = softmax z, J = -sum_k c_k q_k ln o_k, with class weights c and target probabilities q.
///
/// From ln o_k = z_k - ln sum_j e^(z_j) and d ln o_k / dz_i = [i = k] - o_i: delta_i = o_i sum_k c_k q_k - c_i q_i, which
/// is o - q for equal weights. A smoothing s mixes q with the uniform distribution: (1 - s) q_k + s / classes.
pub(super) struct WeightedCategorical<'a> {
    pub(super) smoothing: f64,
    /// Empty: all 1.
    pub(super) class_weights: &'a [f64],
    pub(super) soft: bool,
}

impl WeightedCategorical<'_> {
    /// c_k q_k
    #[inline(always)]
    fn weight<T: Scalar, S: Simd<T>>(&self, simd: S, z: &Columns<'_, T>, y: Rows<'_, T>, k: usize) -> S::Vector {
        let number = |x: f64| simd.splat(T::from_f64(x));
        let q = if self.soft {
            y.target(simd, z, k)
        } else {
            let is_target = simd.eq(y.target(simd, z, 0), number(k as f64));
            simd.select(is_target, number(1.0), number(0.0))
        };
        let q = simd.fma(q, number(1.0 - self.smoothing), number(self.smoothing / z.width() as f64));
        self.class_weights.get(k).map_or(q, |&weight| simd.mul(q, number(weight)))
    }
}

impl Likelihood for WeightedCategorical<'_> {
    #[inline(always)]
    fn cost_and_delta<T: Scalar, S: Simd<T>>(&self, simd: S, z: &mut Columns<'_, T>, y: Rows<'_, T>) -> S::Vector {
        let zero = simd.splat(T::ZERO);
        let (mut total, mut weighted) = (zero, zero);
        let mut max = z.get(simd, 0);
        for k in 1..z.width() {
            max = simd.max(max, z.get(simd, k));
        }
        for k in 0..z.width() {
            let weight = self.weight(simd, z, y, k);
            total = simd.add(total, weight);
            // Away from the largest, so that large pre-activations do not cancel.
            weighted = simd.fma(weight, simd.sub(z.get(simd, k), max), weighted);
        }
        let (_, sum) = Categorical::exponentials(simd, z);
        for k in 0..z.width() {
            let o = simd.div(z.get(simd, k), sum);
            let weight = self.weight(simd, z, y, k);
            z.set(simd, k, simd.sub(simd.mul(o, total), weight));
        }
        simd.sub(simd.mul(total, math::ln(simd, sum)), weighted)
    }

    #[inline(always)]
    fn mean<T: Scalar, S: Simd<T>>(&self, simd: S, z: &mut Columns<'_, T>) {
        Categorical.mean(simd, z);
    }
}
