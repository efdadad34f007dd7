//! Gradient descent.

use super::step::Gradient;
use crate::kernel::{Simd, VectorFn};
use crate::scalar::Scalar;

/// Eq. (7): w <- w - mu g.
#[derive(Clone, Copy)]
pub(super) struct Sgd<T> {
    pub(super) gradient: Gradient<T>,
}

impl<T: Scalar> VectorFn<T, 1, 1> for Sgd<T> {
    #[inline(always)]
    fn apply<S: Simd<T>>(&self, simd: S, [w]: [S::Vector; 1], [g]: [S::Vector; 1]) -> [S::Vector; 1] {
        let g = self.gradient.of(simd, w, g);
        [simd.fnma(simd.splat(self.gradient.learning_rate), g, w)]
    }
}
