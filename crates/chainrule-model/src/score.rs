//! One score out of all, to rank by.

use std::str::FromStr;

use crate::error::{Error, Result, setting};
use crate::scores::Metrics;
use crate::target::Target;

/// One of the scores of [`Metrics`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Score(&'static str);

impl Score {
    /// The names of all scores, in the order of [`Metrics::list`].
    pub const NAMES: [&'static str; 10] =
        ["accuracy", "balanced_accuracy", "log_loss", "auc", "f1", "rmse", "mae", "r2", "deviance", "nll"];

    /// The score that says most of a model with this target: the log loss of classes, the root mean squared error of a number,
    /// the mean deviance of a count, an amount or a time.
    pub fn main(target: &Target) -> Self {
        Self(match target {
            Target::Classes(_) => "log_loss",
            Target::Number(_) => "rmse",
            Target::Plain => "deviance",
        })
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        self.0
    }

    /// Whether larger is better.
    pub fn rises(self) -> bool {
        ["accuracy", "balanced_accuracy", "auc", "f1", "r2"].contains(&self.0)
    }

    /// Its value among `metrics`.
    ///
    /// # Errors
    /// If it is not among them.
    pub fn of(self, metrics: &Metrics) -> Result<f64> {
        let list = metrics.list();
        match list.iter().find(|(name, _)| *name == self.0) {
            Some((_, value)) => Ok(*value),
            None => {
                let names = list.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
                setting(format!("these rows have no {}: take one of {names}", self.0))
            }
        }
    }

    /// By how much `after` is worse than `before`; negative where it is better.
    pub fn loss(self, before: f64, after: f64) -> f64 {
        if self.rises() { before - after } else { after - before }
    }
}

impl FromStr for Score {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match Self::NAMES.into_iter().find(|name| *name == text) {
            Some(name) => Ok(Self(name)),
            None => setting(format!("{text:?} is no score: take one of {}", Self::NAMES.join(", "))),
        }
    }
}
