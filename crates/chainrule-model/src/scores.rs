//! How good predictions are, as one flat record.

use chainrule::Distribution;
use chainrule::metric::{classification, regression};
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
    /// Expected calibration error: how far the probability of the most probable class is from the part of rows where it is
    /// right, on average, in 15 bins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration_error: Option<f64>,
    /// Root of the mean squared error, in the target's unit. Where all classes are numbers: of their expected value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rmse: Option<f64>,
    /// Mean absolute error, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mae: Option<f64>,
    /// Part of the variance that is explained, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub r2: Option<f64>,
    /// Mean unit deviance of the head's distribution: of gaussian the squared error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deviance: Option<f64>,
    /// Mean negative log-likelihood of the target in its own unit, of classes `log_loss`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nll: Option<f64>,
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
            ("calibration_error", self.calibration_error),
            ("rmse", self.rmse),
            ("mae", self.mae),
            ("r2", self.r2),
            ("deviance", self.deviance),
            ("nll", self.nll),
        ];
        all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }
}

/// Rows with what is predicted for them, as [`Target::decode`] gives it, and what is true.
pub(crate) struct Scored<'a> {
    pub(crate) predictions: &'a [f64],
    /// The target in the user's terms.
    pub(crate) values: &'a [f64],
    pub(crate) weights: Option<&'a [f64]>,
    /// Of numbers, the distribution of each row in the target's unit.
    pub(crate) distributions: &'a [Distribution],
    /// Of times, whether the event was seen.
    pub(crate) seen: Option<&'a [bool]>,
}

pub(crate) fn evaluate(target: &Target, rows: &Scored<'_>) -> Evaluation {
    let (metrics, confusion) = match target {
        Target::Classes(_) => of_classes(target.classes(), rows.predictions, rows.values, rows.weights),
        Target::Number(_) | Target::Plain => (rows.of_numbers(), vec![]),
    };
    Evaluation { metrics, rows: rows.values.len(), confusion }
}

impl Scored<'_> {
    fn of_numbers(&self) -> Metrics {
        let deviance =
            |d: &Distribution, y: f64, seen: bool| if seen { d.deviance(y) } else { -2.0 * d.log_survival(y) };
        let loss = |d: &Distribution, y: f64, seen: bool| if seen { -d.log_density(y) } else { -d.log_survival(y) };
        // A time that was cut off is no truth that a prediction could be compared with.
        let means = match self.seen {
            Some(_) => Metrics::default(),
            None => of_means(self.predictions, self.values, self.weights),
        };
        Metrics { deviance: Some(self.mean(deviance)), nll: Some(self.mean(loss)), ..means }
    }

    /// The weighted mean over the rows of a function of distribution, value and whether it was seen.
    fn mean(&self, f: impl Fn(&Distribution, f64, bool) -> f64) -> f64 {
        let (mut sum, mut total) = (0.0, 0.0);
        for (row, (distribution, &y)) in self.distributions.iter().zip(self.values).enumerate() {
            let weight = self.weights.map_or(1.0, |weights| weights[row]);
            sum += weight * f(distribution, y, self.seen.is_none_or(|seen| seen[row]));
            total += weight;
        }
        sum / total
    }
}

/// Scores of predicted means.
fn of_means(predictions: &[f64], values: &[f64], weights: Option<&[f64]>) -> Metrics {
    let scores = regression(predictions, values, weights);
    Metrics { rmse: Some(scores.rmse), mae: Some(scores.mae), r2: scores.r2, ..Metrics::default() }
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
            of_means(&means, &truth, weights)
        }
        _ => Metrics::default(),
    };
    metrics.accuracy = Some(scores.accuracy);
    metrics.balanced_accuracy = Some(scores.balanced_accuracy);
    metrics.log_loss = Some(scores.log_loss);
    metrics.auc = scores.auc;
    metrics.f1 = Some(scores.f1);
    metrics.calibration_error = Some(scores.calibration_error);
    (metrics, scores.confusion)
}
