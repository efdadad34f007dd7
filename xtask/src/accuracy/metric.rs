//! Scores of predictions, the same code for every contender.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use chainrule_data::{Column, Table, Values};

use super::sets::{Set, Task};

/// By name; less is better, but for `coverage`, which should be the level of the intervals.
pub type Scores = BTreeMap<String, f64>;

/// The level of the intervals that chainrule gives beside its predictions of numbers.
pub const INTERVAL: f64 = 0.9;

/// Bins of equal width that probabilities are sorted into for the calibration error.
const BINS: usize = 15;

/// No probability counts as less, so that one sure mistake is not infinitely bad.
const LEAST_PROBABILITY: f64 = 1e-7;

/// No predicted mean counts as less than this part of the mean target: a cost without a logarithm may predict less than 0.
const LEAST_MEAN: f64 = 1e-3;

/// Scores `predictions`, which has a row for each of `test`: `probability_<class>` for each class, or `prediction`.
pub fn scores(set: &Set, test: &Table, predictions: &Table) -> Result<Scores> {
    let rows = (predictions.rows, test.rows);
    ensure!(rows.0 == rows.1, "{} predictions for {} test rows", rows.0, rows.1);
    let target = test.column(&set.target)?;
    if matches!(set.task, Task::Binary | Task::Multiclass) {
        return classification(target, predictions);
    }
    let (truth, predicted) = (numbers(target)?, numbers(predictions.column("prediction")?)?);
    let weights = match &set.weight {
        Some(name) => numbers(test.column(name)?)?,
        None => vec![1.0; truth.len()],
    };
    let total: f64 = weights.iter().sum();
    let least = LEAST_MEAN * truth.iter().sum::<f64>() / truth.len() as f64;
    let mean = |cost: &dyn Fn(f64, f64) -> f64| {
        let rows = truth.iter().zip(&predicted).zip(&weights);
        rows.map(|((&y, &p), &weight)| weight * cost(y, p)).sum::<f64>() / total
    };
    let (name, score) = match set.task {
        Task::Count => ("deviance", mean(&|y, p| poisson_deviance(y, p.max(least)))),
        Task::Gamma => ("deviance", mean(&|y, p| gamma_deviance(y, p.max(least)))),
        _ => ("rmse", mean(&|y, p| (y - p).powi(2)).sqrt()),
    };
    ensure!(score.is_finite(), "a prediction is not finite");
    let mut scores = Scores::from([(name.to_owned(), score)]);
    if let (Ok(lower), Ok(upper)) = (predictions.column("lower"), predictions.column("upper")) {
        let (lower, upper) = (numbers(lower)?, numbers(upper)?);
        let inside = truth.iter().zip(lower.iter().zip(&upper)).filter(|(y, (l, u))| (l..=u).contains(&y)).count();
        scores.insert("coverage".to_owned(), inside as f64 / truth.len() as f64);
    }
    Ok(scores)
}

/// Part of the rows whose most probable class is not theirs, the mean of -ln of the probability of theirs, and the expected
/// calibration error: how far, on average, the largest probabilities are from how often they are right, bin by bin.
fn classification(target: &Column, predictions: &Table) -> Result<Scores> {
    let mut classes = BTreeMap::new();
    for column in &predictions.columns {
        if let Some(class) = column.name.strip_prefix("probability_") {
            classes.insert(class.to_owned(), numbers(column)?);
        }
    }
    ensure!(classes.len() > 1, "the predictions have no probabilities");
    let (mut wrong, mut log_loss) = (0, 0.0);
    let mut surplus = [0.0; BINS];
    for row in 0..predictions.rows {
        let truth = target.values.text(row).context("a target is missing")?;
        let best = classes.iter().max_by(|a, b| a.1[row].total_cmp(&b.1[row]));
        let (best, largest) = best.map(|(class, of)| (class, of[row])).context("there are no classes")?;
        let probability = classes.get(&truth).map_or(0.0, |of| of[row]);
        let right = *best == truth;
        wrong += usize::from(!right);
        surplus[bin(largest)] += largest - f64::from(u8::from(right));
        log_loss -= probability.clamp(LEAST_PROBABILITY, 1.0).ln();
    }
    let rows = predictions.rows as f64;
    let calibration = surplus.iter().map(|sum| sum.abs()).sum::<f64>();
    let sums = [("error", wrong as f64), ("log_loss", log_loss), ("calibration_error", calibration)];
    Ok(sums.map(|(name, sum)| (name.to_owned(), sum / rows)).into())
}

/// The bin of a probability: (0, 1/15], (1/15, 2/15], ..., as the engine has them.
fn bin(probability: f64) -> usize {
    ((probability * BINS as f64).ceil() as usize).clamp(1, BINS) - 1
}

fn numbers(column: &Column) -> Result<Vec<f64>> {
    let Values::Number(numbers) = &column.values else { anyhow::bail!("{:?} holds no numbers", column.name) };
    let numbers: Vec<f64> = numbers.iter().collect();
    ensure!(numbers.iter().all(|value| value.is_finite()), "a number of {:?} is missing or not finite", column.name);
    Ok(numbers)
}

fn poisson_deviance(y: f64, mean: f64) -> f64 {
    let entropy = if y > 0.0 { y * (y / mean).ln() } else { 0.0 };
    2.0 * (entropy - y + mean)
}

fn gamma_deviance(y: f64, mean: f64) -> f64 {
    2.0 * ((mean / y).ln() + y / mean - 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(task: &str, weight: &str) -> Set {
        let json = format!(
            r#"{{"name": "t", "file": "", "task": "{task}", "target": "y", "rows": 3, {weight} "split": "hash", "quick": true}}"#
        );
        serde_json::from_str(&json).unwrap()
    }

    fn table(columns: &[(&str, &[f64])]) -> Table {
        let column = |(name, values): &(&str, &[f64])| Column {
            name: (*name).to_owned(),
            values: Values::Number(values.iter().copied().collect()),
        };
        Table::new("t", columns.iter().map(column).collect()).unwrap()
    }

    fn assert_close(scores: &Scores, name: &str, expected: f64) {
        assert!((scores[name] - expected).abs() < 1e-12, "{name}: {scores:?}");
    }

    #[test]
    fn classes_are_found_by_their_names_whatever_the_order() {
        let classes = Values::Category([Some("b"), Some("a"), Some("c")].into_iter().collect());
        let test = Table::new("t", vec![Column { name: "y".into(), values: classes }]).unwrap();
        let predictions = table(&[("probability_b", &[0.7, 0.6, 0.5]), ("probability_a", &[0.3, 0.4, 0.5])]);
        let scores = scores(&set("multiclass", ""), &test, &predictions).unwrap();
        assert_close(&scores, "error", 2.0 / 3.0);
        // 0.7 is right, 0.6 and 0.5 are wrong; the last two bins of 0.5 and 0.6 are neighbours.
        assert_close(&scores, "calibration_error", (0.3 + 0.6 + 0.5) / 3.0);
        // The class c was never learned.
        assert_close(&scores, "log_loss", -(0.7_f64.ln() + 0.4_f64.ln() + 1e-7_f64.ln()) / 3.0);
    }

    #[test]
    fn numbers_have_the_scores_of_scikit_learn() {
        // mean_poisson_deviance([0, 2, 5], [0.5, 1, 6]), mean_gamma_deviance([1, 2, 5], [0.5, 1, 6], sample_weight=[1, 2, 3])
        let test = table(&[("y", &[0.0, 2.0, 5.0])]);
        let predicted = table(&[("prediction", &[0.5, 1.0, 6.0])]);
        assert_close(&scores(&set("count", ""), &test, &predicted).unwrap(), "deviance", 0.6497910514334119);
        let root = scores(&set("regression", ""), &test, &predicted).unwrap();
        assert_close(&root, "rmse", (2.25_f64 / 3.0).sqrt());
        let test = table(&[("y", &[1.0, 2.0, 5.0]), ("w", &[1.0, 2.0, 3.0])]);
        let scores = scores(&set("gamma", r#""weight": "w","#), &test, &predicted).unwrap();
        assert_close(&scores, "deviance", 0.32250770956734254);
    }

    #[test]
    fn sure_and_unsure_rows_of_one_bin_make_up_for_each_other() {
        let classes = Values::Category([Some("a"), Some("b"), Some("a"), Some("a")].into_iter().collect());
        let test = Table::new("t", vec![Column { name: "y".into(), values: classes }]).unwrap();
        let a = [0.74, 0.75, 0.76, 0.75];
        let predictions = table(&[("probability_a", &a), ("probability_b", &a.map(|p| 1.0 - p))]);
        assert_close(&scores(&set("binary", ""), &test, &predictions).unwrap(), "calibration_error", 0.0);
    }

    #[test]
    fn a_probability_on_a_border_belongs_to_the_bin_below() {
        let classes = Values::Category([Some("a"), Some("b")].into_iter().collect());
        let test = Table::new("t", vec![Column { name: "y".into(), values: classes }]).unwrap();
        // 0.6 is nine fifteenths: it is right and shares the bin of 0.58, which is wrong.
        let predictions = table(&[("probability_a", &[0.6, 0.58]), ("probability_b", &[0.4, 0.42])]);
        let scores = scores(&set("binary", ""), &test, &predictions).unwrap();
        assert_close(&scores, "calibration_error", (0.6 + 0.58 - 1.0) / 2.0);
    }

    #[test]
    fn coverage_is_the_part_of_the_rows_inside_their_interval() {
        let test = table(&[("y", &[0.0, 3.0, 5.0, 7.0])]);
        let predicted =
            table(&[("prediction", &[0.0; 4]), ("lower", &[0.0, 3.1, 4.0, 0.0]), ("upper", &[1.0, 4.0, 5.0, 6.9])]);
        assert_close(&scores(&set("regression", ""), &test, &predicted).unwrap(), "coverage", 0.5);
    }

    #[test]
    fn means_below_zero_are_raised_and_what_is_not_finite_is_refused() {
        let test = table(&[("y", &[0.0, 3.0])]);
        let found = scores(&set("count", ""), &test, &table(&[("prediction", &[-1.0, 3.0])])).unwrap();
        assert_close(&found, "deviance", 1.5e-3);
        for bad in [&[f64::NAN, 3.0][..], &[f64::INFINITY, 3.0], &[3.0]] {
            assert!(scores(&set("count", ""), &test, &table(&[("prediction", bad)])).is_err(), "{bad:?}");
        }
        assert!(scores(&set("count", ""), &test, &table(&[("guess", &[1.0, 2.0])])).is_err());
    }
}
