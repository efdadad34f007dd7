//! Resilient backpropagation.

use super::step::Gradient;
use crate::kernel::{Simd, VectorFn};
use crate::scalar::Scalar;

/// Every parameter has a step of its own: longer while the sign of its derivative stays, shorter where it has turned, and there
/// one rest. Only the sign of the derivative counts.
#[derive(Clone, Copy)]
pub(super) struct Rprop<T> {
    gradient: Gradient<T>,
    shrink: T,
    grow: T,
    shortest: T,
    longest: T,
}

impl<T: Scalar> Rprop<T> {
    pub(super) fn new(gradient: Gradient<T>, [shrink, grow]: [f64; 2], [shortest, longest]: [f64; 2]) -> Self {
        let [shrink, grow, shortest, longest] = [shrink, grow, shortest, longest].map(T::from_f64);
        Self { gradient, shrink, grow, shortest, longest }
    }
}

impl<T: Scalar> VectorFn<T, 3, 1> for Rprop<T> {
    #[inline(always)]
    fn apply<S: Simd<T>>(&self, simd: S, [w, before, length]: [S::Vector; 3], [g]: [S::Vector; 1]) -> [S::Vector; 3] {
        let zero = simd.splat(T::ZERO);
        let g = self.gradient.of(simd, w, g);
        // A length of 0 is one not set yet.
        let length = simd.select(simd.lt(zero, length), length, simd.splat(self.gradient.learning_rate));
        let kept = simd.mul(g, before);
        let turned = simd.lt(kept, zero);
        let grow = simd.select(simd.lt(zero, kept), simd.splat(self.grow), simd.splat(T::ONE));
        let length = simd.mul(length, simd.select(turned, simd.splat(self.shrink), grow));
        let length = simd.min(simd.max(length, simd.splat(self.shortest)), simd.splat(self.longest));
        let g = simd.select(turned, zero, g);
        let down = simd.select(simd.lt(g, zero), simd.neg(length), zero);
        [simd.sub(w, simd.select(simd.lt(zero, g), length, down)), g, length]
    }
}
