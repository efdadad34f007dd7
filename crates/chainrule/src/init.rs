//! Initial weights.

use serde::{Deserialize, Serialize};

use crate::activation::Activation;
use crate::layer::numeric_embedding::NumericEmbedding;
use crate::params::{Role, View};
use crate::rng::Key;
use crate::spec::NetworkSpec;

/// How the weights of a layer start. With n inputs and m outputs the variance of a weight is 2 / (n + m) (Glorot, Bengio
/// 2010), 2 / n (He et al. 2015) or 1 / n (LeCun et al. 1998). Biases start at zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Initializer {
    /// Uniform, variance 2 / (n + m).
    GlorotUniform,
    /// Normal, variance 2 / (n + m).
    GlorotNormal,
    /// Uniform, variance 2 / n.
    HeUniform,
    /// Normal, variance 2 / n.
    HeNormal,
    /// Uniform, variance 1 / n.
    LecunUniform,
    /// Normal, variance 1 / n.
    LecunNormal,
}

impl Initializer {
    /// The usual choice for a layer followed by `activation`.
    pub fn for_activation(activation: Activation) -> Self {
        match activation {
            Activation::Relu
            | Activation::LeakyRelu
            | Activation::Elu
            | Activation::Gelu
            | Activation::Silu
            | Activation::Mish => Self::HeUniform,
            Activation::Selu => Self::LecunNormal,
            Activation::Identity
            | Activation::Softplus
            | Activation::Tanh
            | Activation::Sigmoid
            | Activation::Custom(_) => Self::GlorotUniform,
        }
    }

    /// An (inputs x outputs) weight matrix in row-major order.
    pub(crate) fn draw(self, inputs: usize, outputs: usize, key: Key) -> Vec<f64> {
        let (n, m) = (inputs.max(1) as f64, outputs as f64);
        let variance = match self {
            Self::GlorotUniform | Self::GlorotNormal => 2.0 / (n + m),
            Self::HeUniform | Self::HeNormal => 2.0 / n,
            Self::LecunUniform | Self::LecunNormal => 1.0 / n,
        };
        let count = (inputs * outputs) as u64;
        match self {
            Self::GlorotUniform | Self::HeUniform | Self::LecunUniform => {
                let bound = (3.0 * variance).sqrt();
                (0..count).map(|i| bound * (2.0 * key.uniform(i) - 1.0)).collect()
            }
            Self::GlorotNormal | Self::HeNormal | Self::LecunNormal => {
                let deviation = variance.sqrt();
                (0..count).map(|i| deviation * normal(key, i)).collect()
            }
        }
    }
}

/// The initial values of a parameter that is no layer's W or b, row-major; None for those.
pub(crate) fn beside_layers(spec: &NetworkSpec, view: &View, key: Key) -> Option<Vec<f64>> {
    let draws = |f: &dyn Fn(u64) -> f64| (0..(view.rows * view.cols) as u64).map(f).collect();
    let uniform = |bound: f64| move |i| bound * (2.0 * key.uniform(i) - 1.0);
    Some(match (view.role, &spec.numeric_embedding) {
        (Role::Weight | Role::Bias, _) => return None,
        (Role::Table, _) => draws(&|i| normal(key, i)),
        (Role::Scale | Role::Alpha, _) => draws(&|_| 1.0),
        (Role::Adapter, _) if view.name == "layers.0.r" => entrance_factors(spec, key),
        (Role::Adapter, _) => draws(&|_| 1.0),
        // As in the published embeddings: x w + b uniform, the bins' part zero.
        (_, Some(NumericEmbedding::PiecewiseLinear { dimension, .. })) => {
            let bins = view.name.ends_with("bins");
            draws(&uniform(if bins { 0.0 } else { 1.0 / (*dimension as f64).sqrt() }))
        }
        (_, Some(NumericEmbedding::Periodic { sigma, .. })) if view.name.ends_with("frequency") => {
            draws(&|i| sigma * normal(key, i))
        }
        (_, Some(NumericEmbedding::Periodic { .. })) if view.name.ends_with("phase") => {
            draws(&uniform(std::f64::consts::PI))
        }
        (_, Some(NumericEmbedding::Periodic { frequencies, .. })) => {
            draws(&uniform(1.0 / (*frequencies as f64).sqrt()))
        }
        (_, None) => return None,
    })
}

/// r of the first layer (members x inputs): one number for each member and feature, the same for all elements of a feature's vector;
/// 1 or -1, or normal where numbers have vectors (Gorishniy et al. 2025).
fn entrance_factors(spec: &NetworkSpec, key: Key) -> Vec<f64> {
    let embedding = spec.numeric_embedding.as_ref();
    let (vectors, dimension) = embedding.map_or((0, 1), |e| (e.features().len(), e.dimension()));
    let mut widths = vec![dimension; vectors];
    widths.resize(spec.inputs, 1);
    widths.extend(spec.embeddings.iter().map(|e| e.dimension));
    let number = |i: u64| match embedding {
        Some(_) => normal(key, i),
        None if key.uniform(i) < 0.5 => -1.0,
        None => 1.0,
    };
    let features = (0..spec.members()).flat_map(|_| &widths).zip(0..);
    features.flat_map(|(&width, i)| std::iter::repeat_n(number(i), width)).collect()
}

/// A draw from N(0, 1): the sum of twelve uniforms less 6 in every bit reproducible, unlike a library's logarithm. Its
/// tails end at 6 deviations, which no initial weight needs.
pub(crate) fn normal(key: Key, index: u64) -> f64 {
    let key = key.part(index);
    (0..12).map(|i| key.uniform(i)).sum::<f64>() - 6.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variances_are_those_of_the_papers() {
        let (n, m) = (200, 300);
        for (initializer, expected) in [
            (Initializer::GlorotUniform, 2.0 / 500.0),
            (Initializer::GlorotNormal, 2.0 / 500.0),
            (Initializer::HeUniform, 2.0 / 200.0),
            (Initializer::HeNormal, 2.0 / 200.0),
            (Initializer::LecunUniform, 1.0 / 200.0),
            (Initializer::LecunNormal, 1.0 / 200.0),
        ] {
            let w = initializer.draw(n, m, Key::new(1));
            let mean = w.iter().sum::<f64>() / w.len() as f64;
            let variance = w.iter().map(|w| (w - mean).powi(2)).sum::<f64>() / w.len() as f64;
            assert!((variance / expected - 1.0).abs() < 0.02, "{initializer:?}: {variance} for {expected}");
            assert!(mean.abs() < 3.0 * (expected / w.len() as f64).sqrt(), "{initializer:?}: mean {mean}");
        }
    }
}
