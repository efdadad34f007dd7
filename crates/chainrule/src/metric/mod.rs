//! Scores of predictions on held-out rows, all with row weights.

mod classification;
mod regression;

use serde::{Deserialize, Serialize};

pub use classification::{ClassificationScores, classification, most_probable};
pub use regression::{RegressionScores, regression};

use crate::cost::Head;
use crate::error::{Result, setting};
use crate::spec::NetworkSpec;

/// A score that early stopping can watch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// The mean cost J_ML, what training minimises.
    #[default]
    Cost,
    /// Part of rows whose most probable class is right.
    Accuracy,
    /// Mean over the classes of the part of their rows that is right.
    BalancedAccuracy,
    /// Area under the ROC curve.
    Auc,
    /// F1 of the second class, or the mean over more than two classes.
    F1,
    /// Root of the mean squared error.
    Rmse,
    /// Mean absolute error.
    Mae,
}

impl Metric {
    /// Every metric.
    pub const ALL: [Self; 7] =
        [Self::Cost, Self::Accuracy, Self::BalancedAccuracy, Self::Auc, Self::F1, Self::Rmse, Self::Mae];

    /// The name in settings and flags.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cost => "cost",
            Self::Accuracy => "accuracy",
            Self::BalancedAccuracy => "balanced_accuracy",
            Self::Auc => "auc",
            Self::F1 => "f1",
            Self::Rmse => "rmse",
            Self::Mae => "mae",
        }
    }

    /// Whether larger is better.
    pub fn rises(self) -> bool {
        matches!(self, Self::Accuracy | Self::BalancedAccuracy | Self::Auc | Self::F1)
    }

    /// Refuses a metric that does not fit what a network predicts.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting), naming metric and head.
    pub fn check(self, spec: &NetworkSpec) -> Result<()> {
        if self.fits(&spec.head, spec.outputs) {
            return Ok(());
        }
        setting(format!("the metric {} does not fit a {} head", self.name(), spec.head.name()))
    }

    /// Whether it needs class probabilities.
    fn is_for_classes(self) -> bool {
        self.rises()
    }

    /// Whether it can judge a network with this head.
    fn fits(self, head: &Head, outputs: usize) -> bool {
        let classes = match head {
            Head::Categorical { soft, .. } => !soft,
            Head::Bernoulli => outputs == 1,
            _ => head.is_for_classes(),
        };
        match self {
            Self::Cost => true,
            _ if self.is_for_classes() => classes,
            // Not for targets that are no plain numbers.
            _ => !classes && !matches!(head, Head::WeibullAft { .. } | Head::Custom(_)),
        }
    }

    /// The score of the means `predictions` (rows x outputs) of a head that [`fits`](Self::fits).
    pub(crate) fn score(self, head: &Head, outputs: usize, predictions: &[f64], y: &[f64], w: Option<&[f64]>) -> f64 {
        if !self.is_for_classes() {
            let scores = regression(&head.points(predictions, outputs), y, w);
            return if self == Self::Mae { scores.mae } else { scores.rmse };
        }
        let classes: Vec<u32> = y.iter().map(|&y| y as u32).collect();
        let probabilities = head.class_probabilities(predictions, outputs);
        let count = head.targets(outputs).max(2);
        let scores = classification(&probabilities, count, &classes, w);
        match self {
            Self::Accuracy => scores.accuracy,
            Self::BalancedAccuracy => scores.balanced_accuracy,
            Self::Auc => scores.auc.unwrap_or(f64::NAN),
            _ => scores.f1,
        }
    }
}

/// Row `i`'s weight.
fn weight(weights: Option<&[f64]>, i: usize) -> f64 {
    weights.map_or(1.0, |w| w[i])
}
