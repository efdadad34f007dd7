//! What a step knows of a gradient: from a sum over the rows of a batch to a derivative and its rates.

use crate::groups::Group;
use crate::kernel::Simd;
use crate::params::Role;
use crate::scalar::Scalar;

/// The numbers of one step that are the same for all parameters.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    /// mu.
    pub(crate) learning_rate: f64,
    /// 1 / total weight of the batch: gradients are sums over rows.
    pub(crate) gradient_scale: f64,
    /// Factor of the penalty (l1) sum |w|, on weights only.
    pub(crate) l1: f64,
    /// Factor of the penalty (l2 / 2) sum w^2, on weights only.
    pub(crate) l2: f64,
    /// Factor of the optimizer's weight decay.
    pub(crate) decay: f64,
}

/// From a sum over rows to the derivative of the mean cost plus penalties, and the learning rate.
#[derive(Clone, Copy)]
pub(super) struct Gradient<T> {
    scale: T,
    l1: T,
    l2: T,
    penalised: bool,
    pub(super) learning_rate: T,
    /// Factor of the weight decay: learning rate, group and schedule.
    pub(super) decay: f64,
    /// Factor of Adam's epsilon.
    pub(super) epsilon: f64,
}

impl<T: Scalar> Gradient<T> {
    pub(super) fn new(step: &Step, group: &Group) -> Self {
        let (l1, l2) = if group.role == Role::Weight { (step.l1, step.l2) } else { (0.0, 0.0) };
        Self {
            scale: T::from_f64(step.gradient_scale),
            l1: T::from_f64(l1),
            l2: T::from_f64(l2),
            penalised: l1 > 0.0 || l2 > 0.0,
            learning_rate: T::from_f64(step.learning_rate * group.rate),
            decay: step.learning_rate * step.decay * group.decay,
            epsilon: group.epsilon,
        }
    }

    /// g / total weight + l2 w + l1 sign w
    #[inline(always)]
    pub(super) fn of<S: Simd<T>>(&self, simd: S, w: S::Vector, g: S::Vector) -> S::Vector {
        let g = simd.mul(g, simd.splat(self.scale));
        if !self.penalised {
            return g;
        }
        let g = simd.fma(simd.splat(self.l2), w, g);
        let (zero, l1) = (simd.splat(T::ZERO), simd.splat(self.l1));
        let falling = simd.select(simd.lt(w, zero), simd.neg(l1), zero);
        simd.add(g, simd.select(simd.lt(zero, w), l1, falling))
    }
}
