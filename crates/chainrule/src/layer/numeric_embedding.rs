//! Trainable vectors for numeric features: what they have in common, whatever their kind.

use serde::{Deserialize, Serialize};

use super::periodic_embedding::{self, PeriodicEmbedding};
use super::piecewise_linear_embedding::{MOST_BINS, PiecewiseLinearEmbedding};
use crate::block::{Block, On};
use crate::data::Inputs;
use crate::error::{Result, setting};
use crate::kernel::{Buffer, Isa};
use crate::matrix::Matrix;
use crate::params::Layout;
use crate::scalar::Scalar;

/// Trainable vectors for some numeric features, each with parameters of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", deny_unknown_fields)]
pub enum NumericEmbedding {
    /// [W' cos(2 pi w x + c) + b, x], of length 4: the PBLD embedding of RealMLP (Holzmüller et al. 2024), after Gorishniy et al.
    /// (2022).
    Periodic {
        /// Which features, by their number from 0, ascending.
        features: Vec<usize>,
        /// Length of w and c.
        frequencies: usize,
        /// Standard deviation of the initial w.
        sigma: f64,
    },
    /// x w + b + V' p(x), p the parts of the bins between a feature's edges that lie below x: the piecewise-linear embedding of
    /// TabM (Gorishniy et al. 2025).
    PiecewiseLinear {
        /// Which features, by their number from 0, ascending.
        features: Vec<usize>,
        /// For each of the features 2 to 257 ascending edges, all finite.
        edges: Vec<Vec<f64>>,
        /// Length of the vectors: 1, 2, 4, 8 or 16.
        dimension: usize,
    },
}

impl NumericEmbedding {
    /// The features that are embedded.
    pub fn features(&self) -> &[usize] {
        match self {
            Self::Periodic { features, .. } | Self::PiecewiseLinear { features, .. } => features,
        }
    }

    /// Length of each vector.
    pub fn dimension(&self) -> usize {
        match self {
            Self::Periodic { .. } => periodic_embedding::DIMENSION,
            Self::PiecewiseLinear { dimension, .. } => *dimension,
        }
    }

    /// By how much the input gets wider.
    pub(crate) fn added_width(&self) -> usize {
        self.features().len().saturating_mul(self.dimension().saturating_sub(1))
    }

    /// Refuses what cannot work for a network with `inputs` numeric features.
    pub(crate) fn validate(&self, inputs: usize) -> Result<()> {
        let features = self.features();
        if features.is_empty() || !features.is_sorted_by(|a, b| a < b) || features.iter().any(|&f| f >= inputs) {
            return setting(format!("a numeric embedding needs ascending features among the {inputs}, counted from 0"));
        }
        match self {
            Self::Periodic { frequencies, sigma, .. } => {
                if !((1..=1024).contains(frequencies) && *sigma > 0.0 && sigma.is_finite()) {
                    return setting("a periodic embedding needs 1 to 1024 frequencies and a sigma > 0");
                }
            }
            Self::PiecewiseLinear { edges, dimension, .. } => {
                if ![1, 2, 4, 8, 16].contains(dimension) || edges.len() != features.len() {
                    return setting(
                        "a piecewise-linear embedding needs edges of each feature and 1, 2, 4, 8 or 16 dimensions",
                    );
                }
                let ascend = |edges: &Vec<f64>| {
                    (2..=MOST_BINS + 1).contains(&edges.len())
                        && edges.iter().all(|e| e.is_finite())
                        && edges.is_sorted_by(|a, b| (*a as f32) < *b as f32)
                };
                if let Some(at) = edges.iter().position(|edges| !ascend(edges)) {
                    return setting(format!(
                        "feature {}: needs 2 to {} finite edges that ascend",
                        features[at],
                        MOST_BINS + 1
                    ));
                }
            }
        }
        Ok(())
    }
}

/// The numeric features of some rows, feature by feature.
pub(crate) struct FeatureColumns<T> {
    values: Buffer<T>,
    /// Elements from one feature to the next: whole panels.
    stride: usize,
}

impl<T: Scalar> FeatureColumns<T> {
    /// Room for `capacity` rows; none without features.
    pub(crate) fn new(features: usize, capacity: usize) -> Self {
        let stride = capacity.next_multiple_of(T::PANEL);
        Self { values: Buffer::zeros(features * stride), stride }
    }

    /// Whether there are any.
    pub(crate) fn is_used(&self) -> bool {
        !self.values.is_empty()
    }

    /// Gathers the selected rows.
    pub(crate) fn load(&mut self, inputs: &Inputs<'_, T>, select: &[u32]) {
        if !matches!(inputs.numeric, Matrix::Dense(_)) {
            self.values.fill(T::ZERO);
        }
        for (place, &row) in select.iter().enumerate() {
            let keep = |feature: usize, x| self.values[feature * self.stride + place] = x;
            inputs.numeric.for_each(inputs.width, row as usize, keep);
        }
    }

    /// Feature number `feature` of all rows, and of what is behind the last of them.
    pub(crate) fn feature(&self, feature: usize) -> &[T] {
        &self.values[feature * self.stride..][..self.stride]
    }
}

/// The layer of a [`NumericEmbedding`].
pub(crate) enum NumericLayer {
    Periodic(PeriodicEmbedding),
    PiecewiseLinear(PiecewiseLinearEmbedding),
}

/// Evaluates `$body`, which all kinds have in common.
macro_rules! each {
    ($self:ident, $layer:ident => $body:expr) => {
        match $self {
            Self::Periodic($layer) => $body,
            Self::PiecewiseLinear($layer) => $body,
        }
    };
}

impl NumericLayer {
    /// Appends the parameters to `layout`.
    pub(crate) fn new<T: Scalar>(spec: &NumericEmbedding, layout: &mut Layout) -> Self {
        match spec {
            NumericEmbedding::Periodic { features, frequencies, .. } => {
                Self::Periodic(PeriodicEmbedding::new::<T>(features, *frequencies, layout))
            }
            NumericEmbedding::PiecewiseLinear { features, edges, dimension } => {
                Self::PiecewiseLinear(PiecewiseLinearEmbedding::new::<T>(features, edges, *dimension, layout))
            }
        }
    }

    /// Writes the vectors of all rows into the first columns of `out`, (rows x width of the input) in panels. `parameters` is
    /// the flat buffer.
    pub(crate) fn forward<T: Scalar>(
        &self,
        isa: Isa,
        rows: usize,
        parameters: &[T],
        x: &FeatureColumns<T>,
        out: &mut [T],
    ) {
        each!(self, layer => layer.forward(isa, rows, parameters, x, out));
    }

    /// dJ/dx of feature number `i` of those that are embedded for the rows of a block, into whole panels of `dx`. No training
    /// needs it.
    pub(crate) fn input_delta<T: Scalar>(&self, isa: Isa, i: usize, parameters: &[T], block: &Block<T>, dx: &mut [T]) {
        each!(self, layer => layer.input_delta(isa, i, parameters, block, dx));
    }

    /// Elements of the sums that [`gradient`](Self::gradient) makes, and of the piece of them that is one of its tasks.
    pub(crate) fn sums<T: Scalar>(&self) -> (usize, usize) {
        each!(self, layer => layer.sums::<T>())
    }

    /// Adds to `gradient`, which begins like the flat buffer of parameters, what belongs to the embedding. `sums` is zeroed.
    pub(crate) fn gradient<T: Scalar>(
        &self,
        on: On<'_>,
        parameters: &[T],
        blocks: &[Block<T>],
        sums: &mut [T],
        gradient: &mut [T],
    ) {
        let (_, piece) = self.sums::<T>();
        let (team, isa) = on;
        let task = |number: usize, sums: &mut [T]| {
            each!(self, layer => layer.add_to_sums(isa, number, parameters, blocks, sums));
        };
        match team {
            Some(team) => team.for_each_chunk(sums, piece, &task),
            None => sums.chunks_mut(piece).enumerate().for_each(|(number, sums)| task(number, sums)),
        }
        each!(self, layer => layer.finish(sums, gradient));
    }
}
