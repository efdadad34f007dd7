//! What a network, or the average of several, says about one target of one row: a distribution, with its mean, density,
//! quantiles, intervals, deviance and draws.
//!
//! [`Network::distributions`](crate::Network::distributions) gives one for each target of each row. All in double
//! precision; nothing here runs in training.

mod average;
mod cumulative;
mod density;
mod ensemble;
mod estimate;
mod from_head;
mod sample;
mod spread;

pub use estimate::estimate_scale;

use crate::special::ln_gamma;

/// The distribution of a target.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Distribution {
    /// Normal.
    Gaussian {
        /// Mean.
        mean: f64,
        /// Standard deviation.
        scale: f64,
    },
    /// Laplace's.
    Laplace {
        /// Mean and median.
        mean: f64,
        /// Mean absolute deviation.
        scale: f64,
    },
    /// Normal in the middle, exponential in the tails (Huber 1964).
    Huber {
        /// Mean and median.
        mean: f64,
        /// Standard deviation of the normal part.
        scale: f64,
        /// Where the tails begin, in units of the scale.
        threshold: f64,
    },
    /// Student's t.
    StudentT {
        /// Centre: the median, and the mean where there is one.
        mean: f64,
        /// Scale.
        scale: f64,
        /// Degrees of freedom.
        degrees: f64,
    },
    /// Known by some of its quantiles only.
    Quantiles {
        /// Probabilities, ascending.
        levels: Vec<f64>,
        /// The quantiles, not descending.
        values: Vec<f64>,
    },
    /// 0 or 1.
    Bernoulli {
        /// P(1).
        probability: f64,
    },
    /// A class.
    Classes {
        /// The probability of each.
        probabilities: Vec<f64>,
    },
    /// Counts.
    Poisson {
        /// Mean and variance.
        mean: f64,
    },
    /// Counts with variance mean + dispersion mean^2.
    NegativeBinomial {
        /// Mean.
        mean: f64,
        /// Dispersion.
        dispersion: f64,
    },
    /// Positive, with variance mean^2 / shape.
    Gamma {
        /// Mean.
        mean: f64,
        /// Shape.
        shape: f64,
    },
    /// Zero or positive, with variance dispersion mean^power.
    Tweedie {
        /// Mean.
        mean: f64,
        /// Power, between 1 and 2.
        power: f64,
        /// Dispersion.
        dispersion: f64,
    },
    /// Between 0 and 1, with variance mean (1 - mean) / (1 + precision).
    Beta {
        /// Mean.
        mean: f64,
        /// Precision.
        precision: f64,
    },
    /// Positive, with P(> t) = exp(-(t / scale)^shape).
    Weibull {
        /// Scale.
        scale: f64,
        /// Shape.
        shape: f64,
    },
}

impl Distribution {
    /// The mean; of a Student's t without one the centre, of quantiles that nearest the median, of classes NaN.
    pub fn mean(&self) -> f64 {
        match self {
            Self::Gaussian { mean, .. }
            | Self::Laplace { mean, .. }
            | Self::Huber { mean, .. }
            | Self::StudentT { mean, .. }
            | Self::Poisson { mean }
            | Self::NegativeBinomial { mean, .. }
            | Self::Gamma { mean, .. }
            | Self::Tweedie { mean, .. }
            | Self::Beta { mean, .. } => *mean,
            Self::Bernoulli { probability } => *probability,
            Self::Quantiles { levels, values } => {
                let from_median = |l: &usize| (levels[*l] - 0.5).abs();
                let nearest = (0..levels.len()).min_by(|a, b| from_median(a).total_cmp(&from_median(b)));
                nearest.map_or(f64::NAN, |l| values[l])
            }
            Self::Classes { .. } => f64::NAN,
            Self::Weibull { scale, shape } => scale * ln_gamma(1.0 + 1.0 / shape).exp(),
        }
    }

    /// The interval that leaves (1 - `level`) / 2 on either side; None for classes, and for quantiles where these two are
    /// not among them. A count's interval holds at least `level`.
    pub fn interval(&self, level: f64) -> Option<(f64, f64)> {
        let tail = (1.0 - level) / 2.0;
        Some((self.quantile(tail)?, self.quantile(1.0 - tail)?))
    }

    /// The distribution of `unit` y + `shift` for one that can be moved and stretched; others as they are.
    #[must_use]
    pub fn rescaled(mut self, unit: f64, shift: f64) -> Self {
        match &mut self {
            Self::Gaussian { mean, scale }
            | Self::Laplace { mean, scale }
            | Self::Huber { mean, scale, .. }
            | Self::StudentT { mean, scale, .. } => {
                *mean = *mean * unit + shift;
                *scale *= unit;
            }
            Self::Quantiles { values, .. } => values.iter_mut().for_each(|value| *value = *value * unit + shift),
            _ => {}
        }
        self
    }
}
