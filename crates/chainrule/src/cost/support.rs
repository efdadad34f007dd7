//! Which targets a head takes.

use super::{Head, PointwiseCost};
use crate::error::{Error, Result};

/// How far from 1 the probabilities of a soft target may sum.
const SUM_TOLERANCE: f64 = 1e-3;

impl Head {
    /// Checks the targets `y` of a row (counted from 0) of a network with so many outputs against the support of the
    /// distribution.
    ///
    /// # Errors
    /// [`Error::Target`] with the row, the value and what the head takes.
    pub fn check_targets(&self, row: usize, y: &[f64], outputs: usize) -> Result<()> {
        let refuse = |value: f64, range: &str| {
            Err(Error::Target { row: row + 1, value, head: self.name(), range: range.to_owned() })
        };
        for (k, &value) in y.iter().enumerate() {
            let (fits, range) = self.support(k, value, outputs);
            if !fits {
                return match self {
                    Self::Categorical { soft: false, .. } | Self::Ordinal { .. } => {
                        refuse(value, &format!("class numbers 0 to {}", self.targets(outputs) - 1))
                    }
                    _ => refuse(value, range),
                };
            }
        }
        let sum: f64 = y.iter().sum();
        match self {
            Self::Categorical { soft: true, .. } if (sum - 1.0).abs() > SUM_TOLERANCE => {
                refuse(sum, "probabilities that sum to 1 (this is their sum)")
            }
            _ => Ok(()),
        }
    }

    /// Whether `value` can be number `k` of a row of targets, and what can.
    fn support(&self, k: usize, value: f64, outputs: usize) -> (bool, &'static str) {
        let finite = (value.is_finite(), "finite numbers");
        let count = (value.is_finite() && value >= 0.0, "finite numbers >= 0");
        let positive = (value.is_finite() && value > 0.0, "finite numbers > 0");
        let fraction = ((0.0..=1.0).contains(&value), "0 to 1");
        match self {
            Self::Gaussian { .. }
            | Self::Laplace { .. }
            | Self::Huber { .. }
            | Self::StudentT { .. }
            | Self::Quantile { .. } => finite,
            Self::Bernoulli | Self::Categorical { soft: true, .. } => fraction,
            Self::Categorical { .. } | Self::Ordinal { .. } => {
                (value >= 0.0 && value < self.targets(outputs) as f64 && value.fract() == 0.0, "class numbers")
            }
            Self::Poisson | Self::NegativeBinomial { .. } | Self::Tweedie { .. } => count,
            Self::Gamma { .. } => positive,
            Self::Beta { .. } => (value > 0.0 && value < 1.0, "numbers between 0 and 1, neither of them included"),
            Self::WeibullAft { .. } if k.is_multiple_of(2) => positive,
            Self::WeibullAft { .. } => (value == 0.0 || value == 1.0, "0 (censored) or 1 (seen) for the event"),
            Self::Pointwise { cost, .. } => match cost {
                PointwiseCost::SquaredError | PointwiseCost::AbsoluteError => finite,
                PointwiseCost::CrossEntropy => fraction,
                PointwiseCost::Poisson => count,
            },
            Self::Custom(head) => (value.is_finite() && head.takes(value), "what its author says it takes"),
        }
    }
}
