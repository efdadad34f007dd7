//! How good predictions are, as one flat record.

use chainrule::metric::{Deviance, classification, regression};
use serde::{Deserialize, Serialize};

use crate::target::Target;

/// Scores on some rows; those that do not apply are absent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    /// Part of rows whose most probable class is right.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accuracy: Option<f64>,
    /// Mean over the classes of the part of their rows that is right.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub balanced_accuracy: Option<f64>,
    /// Mean of -ln p(true class).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_loss: Option<f64>,
    /// Area under the ROC curve; for more than two classes the mean of one against the rest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auc: Option<f64>,
    /// F1 of the second class; for more than two the mean over the classes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub f1: Option<f64>,
    /// Root of the mean squared error, in the target's unit. Where all classes are numbers: of their expected value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rmse: Option<f64>,
    /// Mean absolute error, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mae: Option<f64>,
    /// Part of the variance that is explained, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub r2: Option<f64>,
    /// Mean deviance: of the Poisson distribution for counts, else the squared error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deviance: Option<f64>,
}

/// Scores with the table of true against predicted classes.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// The scores.
    pub metrics: Metrics,
    /// Rows that were scored.
    pub rows: usize,
    /// Total weight of each (true class, predicted class); empty for numbers.
    pub confusion: Vec<Vec<f64>>,
}

impl Metrics {
    /// The scores that apply, with their names, in a fixed order.
    pub fn list(&self) -> Vec<(&'static str, f64)> {
        let all = [
            ("accuracy", self.accuracy),
            ("balanced_accuracy", self.balanced_accuracy),
            ("log_loss", self.log_loss),
            ("auc", self.auc),
            ("f1", self.f1),
            ("rmse", self.rmse),
            ("mae", self.mae),
            ("r2", self.r2),
            ("deviance", self.deviance),
        ];
        all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }
}

/// Scores `predictions` (as [`Target::decode`] gives them) against the true `values`.
pub(crate) fn evaluate(target: &Target, predictions: &[f64], values: &[f64], weights: Option<&[f64]>) -> Evaluation {
    let (metrics, confusion) = match target {
        Target::Classes(_) => of_classes(target.classes(), predictions, values, weights),
        Target::Number(_) => (of_numbers(predictions, values, weights, Deviance::Gaussian), vec![]),
        Target::Count => (of_numbers(predictions, values, weights, Deviance::Poisson), vec![]),
    };
    Evaluation { metrics, rows: values.len(), confusion }
}

fn of_numbers(predictions: &[f64], values: &[f64], weights: Option<&[f64]>, deviance: Deviance) -> Metrics {
    let scores = regression(predictions, values, weights, deviance);
    Metrics {
        rmse: Some(scores.rmse),
        mae: Some(scores.mae),
        r2: scores.r2,
        deviance: Some(scores.deviance),
        ..Metrics::default()
    }
}

fn of_classes(
    names: &[String],
    probabilities: &[f64],
    values: &[f64],
    weights: Option<&[f64]>,
) -> (Metrics, Vec<Vec<f64>>) {
    let y: Vec<u32> = values.iter().map(|&class| class as u32).collect();
    let scores = classification(probabilities, names.len(), &y, weights);
    let numbers: Option<Vec<f64>> =
        names.iter().map(|name| name.parse().ok().filter(|x: &f64| x.is_finite())).collect();
    let mut metrics = match numbers {
        Some(numbers) if numbers.len() > 2 => {
            let expected = |p: &[f64]| p.iter().zip(&numbers).map(|(p, x)| p * x).sum();
            let means: Vec<f64> = probabilities.chunks_exact(numbers.len()).map(expected).collect();
            let truth: Vec<f64> = y.iter().map(|&class| numbers[class as usize]).collect();
            Metrics { deviance: None, ..of_numbers(&means, &truth, weights, Deviance::Gaussian) }
        }
        _ => Metrics::default(),
    };
    metrics.accuracy = Some(scores.accuracy);
    metrics.balanced_accuracy = Some(scores.balanced_accuracy);
    metrics.log_loss = Some(scores.log_loss);
    metrics.auc = scores.auc;
    metrics.f1 = Some(scores.f1);
    (metrics, scores.confusion)
}
