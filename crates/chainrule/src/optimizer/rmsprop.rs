//! RMSprop.

use super::LEAST_EPSILON;
use super::step::Gradient;
use crate::kernel::{Simd, VectorFn};
use crate::scalar::Scalar;

/// v <- decay v + (1 - decay) g^2, w <- w - mu g / (sqrt v + epsilon).
#[derive(Clone, Copy)]
pub(super) struct Rmsprop<T> {
    gradient: Gradient<T>,
    decay: T,
    /// 1 - decay
    rest: T,
    epsilon: T,
}

impl<T: Scalar> Rmsprop<T> {
    pub(super) fn new(gradient: Gradient<T>, decay: f64, epsilon: f64) -> Self {
        Self {
            gradient,
            decay: T::from_f64(decay),
            rest: T::from_f64(1.0 - decay),
            epsilon: T::from_f64((epsilon * gradient.epsilon).max(LEAST_EPSILON)),
        }
    }
}

impl<T: Scalar> VectorFn<T, 2, 1> for Rmsprop<T> {
    #[inline(always)]
    fn apply<S: Simd<T>>(&self, simd: S, [w, v]: [S::Vector; 2], [g]: [S::Vector; 1]) -> [S::Vector; 2] {
        let g = self.gradient.of(simd, w, g);
        let v = simd.fma(simd.splat(self.decay), v, simd.mul(simd.splat(self.rest), simd.mul(g, g)));
        let root = simd.add(simd.sqrt(v), simd.splat(self.epsilon));
        let step = simd.mul(simd.splat(self.gradient.learning_rate), g);
        [simd.sub(w, simd.div(step, root)), v]
    }
}
