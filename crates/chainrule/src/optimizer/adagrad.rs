//! AdaGrad.

use super::LEAST_EPSILON;
use super::step::Gradient;
use crate::kernel::{Simd, VectorFn};
use crate::scalar::Scalar;

/// v <- v + g^2, w <- w - mu g / (sqrt v + epsilon).
#[derive(Clone, Copy)]
pub(super) struct Adagrad<T> {
    gradient: Gradient<T>,
    epsilon: T,
}

impl<T: Scalar> Adagrad<T> {
    pub(super) fn new(gradient: Gradient<T>, epsilon: f64) -> Self {
        let epsilon = T::from_f64((epsilon * gradient.epsilon).max(LEAST_EPSILON));
        Self { gradient, epsilon }
    }
}

impl<T: Scalar> VectorFn<T, 2, 1> for Adagrad<T> {
    #[inline(always)]
    fn apply<S: Simd<T>>(&self, simd: S, [w, v]: [S::Vector; 2], [g]: [S::Vector; 1]) -> [S::Vector; 2] {
        let g = self.gradient.of(simd, w, g);
        let v = simd.fma(g, g, v);
        let root = simd.add(simd.sqrt(v), simd.splat(self.epsilon));
        let step = simd.mul(simd.splat(self.gradient.learning_rate), g);
        [simd.sub(w, simd.div(step, root)), v]
    }
}
