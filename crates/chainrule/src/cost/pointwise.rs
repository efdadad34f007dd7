//! Eq. (10) as written: delta^(L) = grad_o J(y, o) ⊙ o'(z) for any cost that is a sum over outputs and any element-wise
//! output.

use serde::{Deserialize, Serialize};

use super::{Likelihood, Rows};
use crate::activation::{Activation, Pair, with_pair};
use crate::kernel::{Columns, Simd, math};
use crate::scalar::Scalar;

/// A cost J(y, o) of one output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PointwiseCost {
    /// (o - y)^2 / 2
    SquaredError,
    /// |o - y|
    AbsoluteError,
    /// -y ln o - (1 - y) ln(1 - o), for 0 < o < 1
    CrossEntropy,
    /// o - y ln o, for o > 0
    Poisson,
}

impl PointwiseCost {
    /// J(y, o) and dJ/do.
    #[inline(always)]
    fn cost_and_gradient<T: Scalar, S: Simd<T>>(self, simd: S, y: S::Vector, o: S::Vector) -> (S::Vector, S::Vector) {
        let one = simd.splat(T::ONE);
        let error = simd.sub(o, y);
        match self {
            Self::SquaredError => (simd.mul(simd.mul(error, error), simd.splat(T::from_f64(0.5))), error),
            Self::AbsoluteError => {
                let zero = simd.splat(T::ZERO);
                let falling = simd.select(simd.lt(error, zero), simd.neg(one), zero);
                (simd.abs(error), simd.select(simd.lt(zero, error), one, falling))
            }
            Self::CrossEntropy => {
                let (rest, unlike) = (simd.sub(one, o), simd.sub(one, y));
                let log_likelihood = simd.fma(unlike, math::ln(simd, rest), simd.mul(y, math::ln(simd, o)));
                (simd.neg(log_likelihood), simd.div(error, simd.mul(o, rest)))
            }
            Self::Poisson => (simd.fnma(y, math::ln(simd, o), o), simd.div(error, o)),
        }
    }
}

/// Any cost of any output. Which they are is asked for each register, not once: it is compiled for all outputs together,
/// and no output layer is so wide that it would matter.
pub(super) struct Pointwise {
    pub(super) cost: PointwiseCost,
    pub(super) output: Activation,
}

impl Likelihood for Pointwise {
    /// Eq. (10): delta^(L) = grad_o J_ML(y, o) ⊙ o'.
    #[inline(always)]
    fn cost_and_delta<T: Scalar, S: Simd<T>>(&self, simd: S, z: &mut Columns<'_, T>, y: Rows<'_, T>) -> S::Vector {
        let mut sum = simd.splat(T::ZERO);
        for k in 0..z.width() {
            let pre_activation = z.get(simd, k);
            let (o, o_prime) = with_pair!(self.output, P => {
                let o = P::phi(simd, pre_activation);
                (o, P::phi_prime(simd, if P::FROM_OUTPUT { o } else { pre_activation }))
            });
            let (cost, gradient) = self.cost.cost_and_gradient(simd, y.target(simd, z, k), o);
            sum = simd.add(sum, cost);
            z.set(simd, k, simd.mul(gradient, o_prime));
        }
        sum
    }

    #[inline(always)]
    fn mean<T: Scalar, S: Simd<T>>(&self, simd: S, z: &mut Columns<'_, T>) {
        for k in 0..z.width() {
            let o = with_pair!(self.output, P => P::phi(simd, z.get(simd, k)));
            z.set(simd, k, o);
        }
    }
}
