//! From pre-activations to distributions.

use super::Distribution;
use crate::block::Blocks;
use crate::compute::Compute;
use crate::cost::{Head, LOG_LIMIT, Scale, TANGENT_FROM};
use crate::data::Inputs;
use crate::error::{Error, Result, setting};
use crate::network::Network;
use crate::predict::chunk;
use crate::scalar::Scalar;

impl Head {
    /// The distribution of each target of a row with pre-activations `z` (offset included); None for a pair of cost and
    /// output that is no distribution, and for a user's head.
    pub fn distributions(&self, z: &[f64]) -> Option<Vec<Distribution>> {
        let second = self.scale().unwrap_or(Scale::Unit);
        let m = z.len() / if second.is_output() { 2 } else { 1 };
        let spread = |k: usize| second.number().unwrap_or_else(|| z[m + k].clamp(-LOG_LIMIT, LOG_LIMIT).exp());
        let each = |of: &dyn Fn(f64, f64) -> Distribution| Some((0..m).map(|k| of(z[k], spread(k))).collect());
        match *self {
            Self::Gaussian { .. } => each(&|mean, scale| Distribution::Gaussian { mean, scale }),
            Self::Laplace { .. } => each(&|mean, scale| Distribution::Laplace { mean, scale }),
            Self::Huber { threshold, .. } => each(&|mean, scale| Distribution::Huber { mean, scale, threshold }),
            Self::StudentT { degrees, .. } => each(&|mean, scale| Distribution::StudentT { mean, scale, degrees }),
            Self::Bernoulli => each(&|z, _| Distribution::Bernoulli { probability: sigmoid(z) }),
            Self::Poisson => each(&|z, _| Distribution::Poisson { mean: exp(z) }),
            Self::NegativeBinomial { .. } => {
                each(&|z, dispersion| Distribution::NegativeBinomial { mean: exp(z), dispersion })
            }
            Self::Gamma { .. } => each(&|z, shape| Distribution::Gamma { mean: exp(z), shape }),
            Self::Tweedie { power, .. } => {
                each(&|z, dispersion| Distribution::Tweedie { mean: exp(z), power, dispersion })
            }
            Self::Beta { .. } => each(&|z, precision| Distribution::Beta { mean: sigmoid(z), precision }),
            Self::WeibullAft { .. } => each(&|z, shape| Distribution::Weibull { scale: exp(z), shape }),
            Self::Quantile { ref levels } => {
                let of = |z: &[f64]| Distribution::Quantiles { levels: levels.clone(), values: ascending(z) };
                Some(z.chunks_exact(levels.len()).map(of).collect())
            }
            Self::Categorical { .. } | Self::Ordinal { .. } => {
                let probabilities = self.probabilities_of(z)?;
                Some(vec![Distribution::Classes { probabilities }])
            }
            Self::Pointwise { .. } | Self::Custom(_) => None,
        }
    }

    /// The probability of each class from a row's pre-activations `z`: that of the second of two keeps its digits also near
    /// 0, where 1 - o has none left. None for heads that are not for one target of several classes.
    pub fn probabilities_of(&self, z: &[f64]) -> Option<Vec<f64>> {
        match self {
            Self::Bernoulli if z.len() == 1 => Some(vec![sigmoid(-z[0]), sigmoid(z[0])]),
            Self::Categorical { .. } => Some(softmax(z)),
            Self::Ordinal { .. } => Some(ordered(z)),
            _ => None,
        }
    }
}

fn exp(z: f64) -> f64 {
    z.min(TANGENT_FROM).exp()
}

fn sigmoid(z: f64) -> f64 {
    1.0 / (1.0 + (-z).exp())
}

fn softplus(z: f64) -> f64 {
    z.max(0.0) + (-z.abs()).exp().ln_1p()
}

fn softmax(z: &[f64]) -> Vec<f64> {
    let largest = z.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let e: Vec<f64> = z.iter().map(|z| (z - largest).exp()).collect();
    let sum: f64 = e.iter().sum();
    e.into_iter().map(|e| e / sum).collect()
}

/// z_0, z_0 + softplus(z_1), ...
fn ascending(z: &[f64]) -> Vec<f64> {
    let step = |q: &mut f64, (l, &z): (usize, &f64)| {
        *q += if l == 0 { z } else { softplus(z) };
        Some(*q)
    };
    z.iter().enumerate().scan(0.0, step).collect()
}

/// The classes' probabilities sigmoid(c_(k-1)) - sigmoid(c_k), c_k = z_0 - softplus(z_1) - ... - softplus(z_k): products of
/// three, as in the cost.
fn ordered(z: &[f64]) -> Vec<f64> {
    let c: Vec<f64> = ascending(z).iter().map(|q| 2.0 * z[0] - q).collect();
    let class = |k: usize| match k {
        0 => sigmoid(-c[0]),
        last if last == c.len() => sigmoid(c[last - 1]),
        k => sigmoid(c[k - 1]) * sigmoid(-c[k]) * sigmoid(z[k]),
    };
    (0..=c.len()).map(class).collect()
}

impl<T: Scalar> Network<T> {
    /// The distribution of every target of every row, row after row.
    ///
    /// # Errors
    /// As [`predict`](Self::predict), and where the head is no distribution.
    pub fn distributions(&self, compute: &mut Compute, inputs: &Inputs<'_, T>) -> Result<Vec<Distribution>> {
        let head = &self.spec().head;
        if head.distributions(&vec![0.0; self.spec().outputs]).is_none() {
            return setting(format!("the {} head gives means only, no distribution", head.name()));
        }
        let z = self.pre_activations(compute, inputs, None)?;
        let rows = z.chunks_exact(self.spec().outputs);
        Ok(rows.flat_map(|z| head.distributions(z).into_iter().flatten()).collect())
    }

    /// The pre-activations z^(L) of every row, or of those with the numbers `select`, offsets included: (rows x outputs),
    /// row-major. Of an ensemble those of one network that predicts what it does, see `distribution/ensemble.rs`.
    ///
    /// # Errors
    /// As [`predict_selected`](Self::predict_selected).
    pub fn pre_activations(
        &self,
        compute: &mut Compute,
        inputs: &Inputs<'_, T>,
        select: Option<&[u32]>,
    ) -> Result<Vec<f64>> {
        inputs.check(self.spec())?;
        let all: Vec<u32>;
        let rows = match select {
            Some(rows) => rows,
            None => {
                all = (0..inputs.rows as u32).collect();
                &all
            }
        };
        if let Some(&row) = rows.iter().find(|&&row| row as usize >= inputs.rows) {
            return Err(Error::Shape { what: "selected row".into(), expected: inputs.rows, got: row as usize });
        }
        let Network { spec, topology, parameters, .. } = self;
        let outputs = spec.outputs;
        let most = chunk(spec);
        let mut blocks = Blocks::new(spec, topology, rows.len().clamp(1, most), compute, false);
        let mut z = Vec::with_capacity(rows.len() * outputs);
        for rows in rows.chunks(most) {
            blocks.each(compute, rows, &|on, block, select, first| {
                block.load((None, on.1), inputs, select, first);
                topology.forward(on, parameters, block, None);
            });
            let mut of_members = vec![T::ZERO; spec.members() * rows.len() * outputs];
            blocks.used().iter().for_each(|block| block.write_pre_activations(outputs, &mut of_members));
            let mut of_members: Vec<f64> = of_members.iter().map(|z| z.to_f64()).collect();
            if let Some(offset) = inputs.offset {
                for (z, &row) in of_members.chunks_exact_mut(outputs).zip(rows.iter().cycle()) {
                    spec.head.offset_outputs(outputs).for_each(|k| z[k] += offset[row as usize].to_f64());
                }
            }
            if spec.members() == 1 {
                z.append(&mut of_members);
                continue;
            }
            let of_row = |row: usize| of_members.chunks_exact(outputs).skip(row).step_by(rows.len());
            (0..rows.len()).for_each(|row| z.extend(spec.head.pooled(&of_row(row).collect::<Vec<_>>())));
        }
        Ok(z)
    }
}
