//! Momentum, and Nesterov's.

use super::step::Gradient;
use crate::kernel::{Simd, VectorFn};
use crate::scalar::Scalar;

#[derive(Clone, Copy)]
pub(super) struct Momentum<T> {
    gradient: Gradient<T>,
    momentum: T,
    nesterov: bool,
}

impl<T: Scalar> Momentum<T> {
    pub(super) fn new(gradient: Gradient<T>, momentum: f64, nesterov: bool) -> Self {
        Self { gradient, momentum: T::from_f64(momentum), nesterov }
    }
}

impl<T: Scalar> VectorFn<T, 2, 1> for Momentum<T> {
    #[inline(always)]
    fn apply<S: Simd<T>>(&self, simd: S, [w, v]: [S::Vector; 2], [g]: [S::Vector; 1]) -> [S::Vector; 2] {
        let (mu, momentum) = (simd.splat(self.gradient.learning_rate), simd.splat(self.momentum));
        let step = simd.mul(mu, self.gradient.of(simd, w, g));
        let v = simd.sub(simd.mul(momentum, v), step);
        let w = if self.nesterov { simd.add(w, simd.sub(simd.mul(momentum, v), step)) } else { simd.add(w, v) };
        [w, v]
    }
}
