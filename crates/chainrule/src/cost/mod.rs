//! The maximum-likelihood cost J_ML: heads, named after the distribution whose parameters the last layer gives.
//!
//! A head turns z^(L) into the mean o, the negative log-likelihood of the target, and delta^(L) = dJ/dz^(L). With the
//! link that belongs to the distribution delta^(L) = o - y, computed from z^(L) and never from y / o; softmax lives only
//! here, since Eq. (10) as written holds for element-wise outputs alone. Any other pair of cost and element-wise output is
//! [`Head::Pointwise`], which is Eq. (10) to the letter.
//!
//! Costs leave out terms that do not depend on the network (such as ln y! for counts).

mod likelihood;
mod pointwise;

use serde::{Deserialize, Serialize};

use crate::activation::Activation;
use crate::error::{Error, Result};
use crate::kernel::{Columns, Isa, RowFn, Simd, lanes_from, load, map_rows, to_lanes};
use crate::scalar::Scalar;
use likelihood::{Bernoulli, Categorical, Gaussian, Poisson};
pub use pointwise::PointwiseCost;

/// What the outputs mean and how they are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Head {
    /// Real targets, o = z, J = (z - y)^2 / 2 (variance 1). One target for each output.
    Gaussian,
    /// Targets 0 or 1, o = sigmoid z, J = -ln p(y). One target for each output.
    Bernoulli,
    /// One target, the class's number 0..outputs; o = softmax z, J = -ln o_y.
    Categorical,
    /// Targets >= 0, o = exp z, J = o - y ln o. One target for each output.
    Poisson,
    /// Eq. (10) as written: any of these costs of any element-wise output o(z).
    Pointwise {
        /// J(y, o), summed over the outputs.
        cost: PointwiseCost,
        /// o(z).
        output: Activation,
    },
}

/// One likelihood on rows that lie across the lanes of registers: how the recursion starts, Eq. (10).
trait Likelihood: Sync {
    /// Replaces z^(L) in `z` by delta^(L); returns the cost of each row.
    fn cost_and_delta<T: Scalar, S: Simd<T>>(&self, simd: S, z: &mut Columns<'_, T>, y: Rows<'_, T>) -> S::Vector;

    /// Replaces z^(L) in `z` by the mean o.
    fn mean<T: Scalar, S: Simd<T>>(&self, simd: S, z: &mut Columns<'_, T>);
}

/// Evaluates `$body` with `$likelihood` bound to the head's [`Likelihood`].
macro_rules! with_likelihood {
    ($head:expr, $likelihood:ident => $body:expr) => {
        match $head {
            Head::Gaussian => with_likelihood!(@ Gaussian, $likelihood, $body),
            Head::Bernoulli => with_likelihood!(@ Bernoulli, $likelihood, $body),
            Head::Categorical => with_likelihood!(@ Categorical, $likelihood, $body),
            Head::Poisson => with_likelihood!(@ Poisson, $likelihood, $body),
            Head::Pointwise { cost, output } => crate::activation::with_pair!(output, P => {
                with_likelihood!(@ pointwise::Pointwise::<P>::new(cost), $likelihood, $body)
            }),
        }
    };
    (@ $value:expr, $likelihood:ident, $body:expr) => {{
        let $likelihood = &$value;
        $body
    }};
}

impl Head {
    /// The name in specifications and flags.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gaussian => "gaussian",
            Self::Bernoulli => "bernoulli",
            Self::Categorical => "categorical",
            Self::Poisson => "poisson",
            Self::Pointwise { .. } => "pointwise",
        }
    }

    /// Targets of a row for a network with `outputs` outputs.
    pub fn target_width(self, outputs: usize) -> usize {
        if self == Self::Categorical { 1 } else { outputs }
    }

    /// Checks a network's number of outputs against the head.
    pub(crate) fn check_outputs(self, outputs: usize) -> Result<()> {
        let least = if self == Self::Categorical { 2 } else { 1 };
        if outputs >= least {
            return Ok(());
        }
        Err(Error::Setting(format!("the {} head needs at least {least} outputs, got {outputs}", self.name())))
    }

    /// Checks the target of a row (counted from 0) against the support of the distribution.
    pub(crate) fn check_target(self, row: usize, value: f64, outputs: usize) -> Result<()> {
        let (fits, range) = match self {
            Self::Gaussian => (value.is_finite(), "finite numbers".to_owned()),
            Self::Bernoulli => ((0.0..=1.0).contains(&value), "0 to 1".to_owned()),
            Self::Categorical => {
                let class = value >= 0.0 && value < outputs as f64 && value.fract() == 0.0;
                (class, format!("class numbers 0 to {}", outputs - 1))
            }
            Self::Poisson => (value.is_finite() && value >= 0.0, "finite numbers >= 0".to_owned()),
            Self::Pointwise { cost, .. } => cost.support(value),
        };
        if fits {
            return Ok(());
        }
        Err(Error::Target { row: row + 1, value, head: self.name(), range })
    }

    /// delta^(L) of some rows, and the cost of each, both times the row's weight.
    ///
    /// `z` and `delta` are (rows x outputs) in panels.
    #[allow(clippy::too_many_arguments)] // The operands of one equation.
    pub(crate) fn cost_and_delta<T: Scalar>(
        self,
        isa: Isa,
        shape: (usize, usize),
        z: &[T],
        y: Rows<'_, T>,
        delta: &mut [T],
        costs: &mut [T],
        scratch: &mut [T],
    ) {
        with_likelihood!(self, likelihood => {
            map_rows(isa, shape, z, delta, scratch, &mut Start { likelihood, y, costs });
        });
    }

    /// The means o of a batch, (rows x outputs) in panels, as are the pre-activations `z`. `offset` as in [`Rows`].
    pub(crate) fn mean<T: Scalar>(
        self,
        isa: Isa,
        shape: (usize, usize),
        z: &[T],
        offset: Option<&[T]>,
        o: &mut [T],
        scratch: &mut [T],
    ) {
        with_likelihood!(self, likelihood => {
            map_rows(isa, shape, z, o, scratch, &mut Mean { likelihood, offset });
        });
    }
}

/// The targets of a batch.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a, T> {
    /// (rows x width), row-major.
    pub(crate) targets: &'a [T],
    /// Targets of a row.
    pub(crate) width: usize,
    /// One weight for each row; 1 if absent.
    pub(crate) weights: Option<&'a [T]>,
    /// Added to every output's pre-activation (a log-exposure); 0 if absent.
    pub(crate) offset: Option<&'a [T]>,
}

impl<T: Scalar> Rows<'_, T> {
    /// Target `k` of the rows in `group`.
    #[inline(always)]
    fn target<S: Simd<T>>(&self, simd: S, group: &Columns<'_, T>, k: usize) -> S::Vector {
        let from = &self.targets[group.first * self.width + k..];
        if self.width == 1 && group.count == S::LANES {
            return load(simd, from);
        }
        lanes_from(simd, group.count, |i| from[i * self.width])
    }
}

/// How the recursion starts, Eq. (10).
struct Start<'a, T, L> {
    likelihood: &'a L,
    y: Rows<'a, T>,
    costs: &'a mut [T],
}

impl<T: Scalar, L: Likelihood> RowFn<T> for Start<'_, T, L> {
    #[inline(always)]
    fn apply<S: Simd<T>>(&mut self, simd: S, columns: &mut Columns<'_, T>) {
        add_offset(simd, columns, self.y.offset);
        let cost = self.likelihood.cost_and_delta(simd, columns, self.y);
        let mut cost = to_lanes(simd, cost);
        let (first, count) = (columns.first, columns.count);
        if let Some(weights) = self.y.weights {
            let weights = &weights[first..first + count];
            let lanes = lanes_from(simd, count, |i| weights[i]);
            for k in 0..columns.width() {
                columns.set(simd, k, simd.mul(columns.get(simd, k), lanes));
            }
            cost.iter_mut().zip(weights).for_each(|(cost, &weight)| *cost = *cost * weight);
        }
        self.costs[first..first + count].copy_from_slice(&cost[..count]);
    }
}

struct Mean<'a, T, L> {
    likelihood: &'a L,
    offset: Option<&'a [T]>,
}

impl<T: Scalar, L: Likelihood> RowFn<T> for Mean<'_, T, L> {
    #[inline(always)]
    fn apply<S: Simd<T>>(&mut self, simd: S, columns: &mut Columns<'_, T>) {
        add_offset(simd, columns, self.offset);
        self.likelihood.mean(simd, columns);
    }
}

#[inline(always)]
fn add_offset<T: Scalar, S: Simd<T>>(simd: S, columns: &mut Columns<'_, T>, offset: Option<&[T]>) {
    if let Some(offset) = offset {
        let offset = lanes_from(simd, columns.count, |i| offset[columns.first + i]);
        for k in 0..columns.width() {
            columns.set(simd, k, simd.add(columns.get(simd, k), offset));
        }
    }
}
