//! Which task a target column asks for.

use serde::{Deserialize, Serialize};

use crate::numbers::Numbers;
use crate::table::{Column, Values};

/// What a network is trained to predict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// A number.
    Regression,
    /// One of several classes.
    Classification,
    /// How often something happens: 0, 1, 2, ...
    Count,
}

/// Whole numbers with more distinct values than this measure or count something; they are no labels.
const MAX_LABELS: usize = 20;

/// Whole numbers with at most this many distinct values are labels whatever their frequencies.
const ALWAYS_LABELS: usize = 3;

/// Guesses the task from the target's values in `rows` (0-based), with the reason in a line for the user.
///
/// Text and truth values are classes; numbers with fractions, or with many distinct values, are a regression. Few
/// distinct whole numbers can be either: frequencies that rise to one peak and fall again are those of a quantity
/// (wine scores), others those of labels (digits). A quantity that starts at 0 and at least halves from each value to
/// the next is a count of rare events.
pub fn infer_task(column: &Column, rows: &[u32]) -> (Task, String) {
    match &column.values {
        Values::Category(_) => (Task::Classification, "the target is text".to_owned()),
        Values::Boolean(_) => (Task::Classification, "the target is true or false".to_owned()),
        Values::Time(_) => (Task::Regression, "the target is a time".to_owned()),
        Values::Number(numbers) => infer_from_numbers(numbers, rows),
    }
}

fn infer_from_numbers(numbers: &Numbers, rows: &[u32]) -> (Task, String) {
    let mut values: Vec<f64> = rows.iter().map(|&row| numbers.get(row as usize)).filter(|v| !v.is_nan()).collect();
    if values.iter().any(|value| value.fract() != 0.0) {
        return (Task::Regression, "the target has numbers with fractions".to_owned());
    }
    values.sort_unstable_by(f64::total_cmp);
    let counts: Vec<usize> = values.chunk_by(|a, b| a == b).map(<[f64]>::len).collect();
    let (distinct, first) = (counts.len(), values.first().copied().unwrap_or(0.0));
    let span = values.last().map_or(0.0, |last| last - first) + 1.0;
    let labels = format!("the target has {distinct} distinct whole numbers");
    if distinct == 2 || (distinct <= ALWAYS_LABELS && span <= 2.0 * distinct as f64) {
        return (Task::Classification, labels);
    }
    if distinct > MAX_LABELS || span > 2.0 * distinct as f64 {
        return (Task::Regression, format!("{labels} from {first} to {}", first + span - 1.0));
    }
    if is_flat(&counts) || !has_one_peak(&counts) {
        return (Task::Classification, format!("{labels}, spread like labels"));
    }
    if first == 0.0 && halves(&counts) {
        return (Task::Count, format!("{labels} from 0, each rarer than the one before, as counts are"));
    }
    (Task::Regression, format!("{labels} with one peak, as a measured quantity has"))
}

/// Every value about equally frequent, as in balanced classes.
fn is_flat(counts: &[usize]) -> bool {
    let (least, most) = counts.iter().fold((usize::MAX, 0), |(least, most), &c| (least.min(c), most.max(c)));
    2 * most <= 3 * least
}

/// No value is rarer than one before and one after it by more than three standard deviations of chance.
fn has_one_peak(counts: &[usize]) -> bool {
    (1..counts.len().saturating_sub(1)).all(|at| {
        let before = counts[..at].iter().max();
        let after = counts[at + 1..].iter().max();
        let side = before.min(after).copied().unwrap_or(0) as f64;
        counts[at] as f64 >= side - 3.0 * side.sqrt()
    })
}

/// Each count at most half of the one before, but for chance.
fn halves(counts: &[usize]) -> bool {
    counts.windows(2).all(|pair| pair[1] as f64 <= 0.5 * pair[0] as f64 + 3.0 * (pair[0] as f64).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The task of a target in which `first`, `first + 1`, ... stand so many times.
    fn of_counts(first: usize, counts: &[usize]) -> Task {
        let values = counts.iter().enumerate().flat_map(|(i, &count)| std::iter::repeat_n((first + i) as f64, count));
        of_values(values.collect())
    }

    fn of_values(values: Vec<f64>) -> Task {
        let rows: Vec<u32> = (0..values.len() as u32).collect();
        let values = Values::Number(values.into_iter().collect());
        infer_task(&Column { name: "y".to_owned(), values }, &rows).0
    }

    #[test]
    fn whole_numbers_are_told_apart_by_their_frequencies() {
        assert_eq!(of_counts(0, &[500, 300]), Task::Classification);
        assert_eq!(of_counts(1, &[59, 71, 48]), Task::Classification);
        assert_eq!(of_counts(0, &[6903, 7877, 6990, 7141, 6824]), Task::Classification, "digits");
        assert_eq!(of_counts(1, &[33000, 45000, 5700, 400, 1500, 2700]), Task::Classification, "cover types");
        assert_eq!(of_counts(3, &[30, 216, 2138, 2836, 1079, 193, 5]), Task::Regression, "wine scores");
        assert_eq!(of_counts(1, &[10186, 12951, 17609, 16921, 15754]), Task::Regression, "ratings");
        assert_eq!(of_counts(0, &[145000, 16000, 1500, 120, 11, 2]), Task::Count, "claims");
        assert_eq!(of_counts(0, &[10; 40]), Task::Regression, "many values");
        assert_eq!(of_values(vec![0.0, 50.0, 100.0, 150.0]), Task::Regression, "far apart");
        assert_eq!(of_values(vec![1.0, 2.5]), Task::Regression);
        assert_eq!(of_values(vec![f64::NAN, f64::NAN]), Task::Regression);
    }
}
