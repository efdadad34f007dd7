//! Adam and AdamW.

use super::LEAST_EPSILON;
use super::step::Gradient;
use crate::kernel::{Simd, VectorFn};
use crate::scalar::Scalar;

#[derive(Clone, Copy)]
pub(super) struct Adam<T> {
    gradient: Gradient<T>,
    beta1: T,
    beta2: T,
    /// 1 - beta1, 1 - beta2
    rest1: T,
    rest2: T,
    epsilon: T,
    /// 1 - mu decay, but not below 0: more than all there is cannot decay.
    keep: T,
    /// mu / (1 - beta1^t)
    rate: T,
    /// 1 / sqrt(1 - beta2^t)
    root: T,
}

impl<T: Scalar> Adam<T> {
    /// `corrections`: 1 / (1 - beta1^t) and 1 / sqrt(1 - beta2^t).
    pub(super) fn new(
        gradient: Gradient<T>,
        [beta1, beta2, epsilon]: [f64; 3],
        weight_decay: f64,
        corrections: [f64; 2],
    ) -> Self {
        let learning_rate = gradient.learning_rate.to_f64();
        Self {
            gradient,
            beta1: T::from_f64(beta1),
            beta2: T::from_f64(beta2),
            rest1: T::ONE - T::from_f64(beta1),
            rest2: T::ONE - T::from_f64(beta2),
            epsilon: T::from_f64((epsilon * gradient.epsilon).max(LEAST_EPSILON)),
            keep: T::from_f64((1.0 - gradient.decay * weight_decay).max(0.0)),
            rate: T::from_f64(learning_rate * corrections[0]),
            root: T::from_f64(corrections[1]),
        }
    }
}

impl<T: Scalar> VectorFn<T, 3, 1> for Adam<T> {
    #[inline(always)]
    fn apply<S: Simd<T>>(&self, simd: S, [w, m, v]: [S::Vector; 3], [g]: [S::Vector; 1]) -> [S::Vector; 3] {
        let g = self.gradient.of(simd, w, g);
        let (beta1, beta2) = (simd.splat(self.beta1), simd.splat(self.beta2));
        let (rest1, rest2) = (simd.splat(self.rest1), simd.splat(self.rest2));
        let m = simd.fma(beta1, m, simd.mul(rest1, g));
        let v = simd.fma(beta2, v, simd.mul(rest2, simd.mul(g, g)));
        let root = simd.fma(simd.sqrt(v), simd.splat(self.root), simd.splat(self.epsilon));
        let step = simd.mul(simd.splat(self.rate), m);
        [simd.sub(simd.mul(w, simd.splat(self.keep)), simd.div(step, root)), m, v]
    }
}
