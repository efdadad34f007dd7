//! The maximum-likelihood cost J_ML: heads, named after the distribution whose parameters the last layer gives.
//!
//! A head turns z^(L) into the mean o, the negative log-likelihood of the target, and delta^(L) = dJ/dz^(L). With the
//! link that belongs to the distribution delta^(L) = o - y, computed from z^(L) and never from y / o; softmax lives only
//! here, since Eq. (10) as written holds for element-wise outputs alone. Any other pair of cost and element-wise output is
//! [`Head::Pointwise`], which is Eq. (10) to the letter.
//!
//! Costs are whole negative log-likelihoods, with the terms that do not depend on the network, so that those of different
//! heads compare. Costs and deltas are finite for every pre-activation up to 10^4 on either side, and beyond.

mod beta;
mod canonical;
mod categorical;
mod constants;
mod custom;
mod gamma;
mod head;
mod link;
mod location_scale;
mod negative_binomial;
mod ordinal;
mod pointwise;
mod prediction;
mod quantile;
mod scale;
mod support;
mod tweedie;
mod weibull;

use crate::kernel::{Columns, Isa, RowFn, Simd, lanes_from, load, map_rows, store, to_lanes};
use crate::scalar::Scalar;
use canonical::{Bernoulli, Categorical, Gaussian, Poisson};
use categorical::WeightedCategorical;
pub(crate) use constants::Constants;
pub use head::Head;
use link::Second;
pub(crate) use link::{LOG_LIMIT, TANGENT_FROM};
use location_scale::LocationScale;
pub use pointwise::PointwiseCost;
pub use scale::Scale;

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
            Head::Gaussian { scale: Scale::Unit } => with_likelihood!(@ Gaussian, $likelihood, $body),
            head @ (Head::Gaussian { .. } | Head::Laplace { .. } | Head::Huber { .. } | Head::StudentT { .. }) => {
                with_likelihood!(@ LocationScale::new(head), $likelihood, $body)
            }
            Head::Quantile { levels } => with_likelihood!(@ quantile::Quantile { levels }, $likelihood, $body),
            Head::Bernoulli => with_likelihood!(@ Bernoulli, $likelihood, $body),
            Head::Categorical { smoothing: 0.0, class_weights, soft: false } if class_weights.is_empty() => {
                with_likelihood!(@ Categorical, $likelihood, $body)
            }
            &Head::Categorical { smoothing, ref class_weights, soft } => {
                with_likelihood!(@ WeightedCategorical { smoothing, class_weights, soft }, $likelihood, $body)
            }
            Head::Ordinal { .. } => with_likelihood!(@ ordinal::Ordinal, $likelihood, $body),
            Head::Poisson => with_likelihood!(@ Poisson, $likelihood, $body),
            &Head::NegativeBinomial { dispersion } => {
                with_likelihood!(@ negative_binomial::NegativeBinomial(Second::new(dispersion)), $likelihood, $body)
            }
            &Head::Gamma { shape } => with_likelihood!(@ gamma::Gamma(Second::new(shape)), $likelihood, $body),
            &Head::Tweedie { power, dispersion } => {
                let dispersion = dispersion.number().unwrap_or(1.0);
                with_likelihood!(@ tweedie::Tweedie { power, dispersion }, $likelihood, $body)
            }
            &Head::Beta { precision } => with_likelihood!(@ beta::Beta(Second::new(precision)), $likelihood, $body),
            &Head::WeibullAft { shape } => {
                with_likelihood!(@ weibull::Weibull(Second::new(shape)), $likelihood, $body)
            }
            &Head::Pointwise { cost, output } => {
                with_likelihood!(@ pointwise::Pointwise { cost, output }, $likelihood, $body)
            }
            &Head::Custom(head) => with_likelihood!(@ custom::Custom(head), $likelihood, $body),
        }
    };
    (@ $value:expr, $likelihood:ident, $body:expr) => {{
        let $likelihood = &$value;
        $body
    }};
}

/// The passes of the heads over rows. Not generic, so that they are compiled once and not again in every crate that
/// trains a network.
#[doc(hidden)]
pub trait Costs: Sized {
    /// delta^(L) of some rows, and the cost of each, both times the row's weight.
    ///
    /// `z` and `delta` are (rows x outputs) in panels or, if `in_lines`, in lines.
    #[allow(clippy::too_many_arguments)] // The operands of one equation.
    fn start(
        head: &Head,
        isa: Isa,
        shape: (usize, usize),
        in_lines: bool,
        z: &[Self],
        y: &Rows<'_, Self>,
        delta: &mut [Self],
        costs: &mut [Self],
        scratch: &mut [Self],
    );

    /// The means o of some rows, stored as the pre-activations `z` are, see [`start`](Self::start). `offset` as in [`Rows`].
    #[allow(clippy::too_many_arguments)] // As above.
    fn mean(
        head: &Head,
        isa: Isa,
        shape: (usize, usize),
        in_lines: bool,
        z: &[Self],
        offset: Option<&[Self]>,
        o: &mut [Self],
        scratch: &mut [Self],
    );
}

macro_rules! costs {
    ($t:ty) => {
        impl Costs for $t {
            fn start(
                head: &Head,
                isa: Isa,
                shape: (usize, usize),
                in_lines: bool,
                z: &[Self],
                y: &Rows<'_, Self>,
                delta: &mut [Self],
                costs: &mut [Self],
                scratch: &mut [Self],
            ) {
                let located = head.offset_outputs(shape.1);
                with_likelihood!(head, likelihood => {
                    map_rows(isa, shape, in_lines, z, delta, scratch, &mut Start { likelihood, y, located, costs });
                });
            }

            fn mean(
                head: &Head,
                isa: Isa,
                shape: (usize, usize),
                in_lines: bool,
                z: &[Self],
                offset: Option<&[Self]>,
                o: &mut [Self],
                scratch: &mut [Self],
            ) {
                let located = head.offset_outputs(shape.1);
                with_likelihood!(head, likelihood => {
                    map_rows(isa, shape, in_lines, z, o, scratch, &mut Mean { likelihood, offset, located });
                });
            }
        }
    };
}

costs!(f32);
costs!(f64);

/// The targets of a batch.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub struct Rows<'a, T> {
    /// (rows x width), row-major.
    pub(crate) targets: &'a [T],
    /// Targets of a row.
    pub(crate) width: usize,
    /// One weight for each row; 1 if absent.
    pub(crate) weights: Option<&'a [T]>,
    /// Added to the pre-activation of each output that is a location (a log-exposure); 0 if absent.
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

/// The outputs that take the offset.
type Located = std::iter::StepBy<std::ops::Range<usize>>;

/// How the recursion starts, Eq. (10).
struct Start<'a, T, L> {
    likelihood: &'a L,
    y: &'a Rows<'a, T>,
    located: Located,
    costs: &'a mut [T],
}

impl<T: Scalar, L: Likelihood> RowFn<T> for Start<'_, T, L> {
    #[inline(always)]
    fn apply<S: Simd<T>>(&mut self, simd: S, columns: &mut Columns<'_, T>) {
        add_offset(simd, columns, self.y.offset, &self.located);
        let cost = self.likelihood.cost_and_delta(simd, columns, *self.y);
        let (first, count) = (columns.first, columns.count);
        if self.y.weights.is_none() && count == S::LANES {
            return store(simd, cost, &mut self.costs[first..]);
        }
        let mut cost = to_lanes(simd, cost);
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
    located: Located,
}

impl<T: Scalar, L: Likelihood> RowFn<T> for Mean<'_, T, L> {
    #[inline(always)]
    fn apply<S: Simd<T>>(&mut self, simd: S, columns: &mut Columns<'_, T>) {
        add_offset(simd, columns, self.offset, &self.located);
        self.likelihood.mean(simd, columns);
    }
}

#[inline(always)]
fn add_offset<T: Scalar, S: Simd<T>>(simd: S, columns: &mut Columns<'_, T>, offset: Option<&[T]>, located: &Located) {
    if let Some(offset) = offset {
        let offset = lanes_from(simd, columns.count, |i| offset[columns.first + i]);
        for k in located.clone() {
            columns.set(simd, k, simd.add(columns.get(simd, k), offset));
        }
    }
}
