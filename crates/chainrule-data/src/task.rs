//! Which task a target column asks for.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::categories::Categories;
use crate::cell::{Style, classify};
use crate::error::{Error, Result};
use crate::numbers::Numbers;
use crate::table::{Column, ColumnType, Values};

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

/// Whole numbers with more distinct values than this measure or count something, unless each is equally frequent.
const MAX_LABELS: usize = 20;

/// Whole numbers with at most this many distinct values are labels whatever their frequencies.
const ALWAYS_LABELS: usize = 3;

/// Labels repeat: with fewer rows than this for each value, frequencies say nothing.
const MIN_ROWS_FOR_EACH: usize = 5;

/// Text with more distinct values than this is no class when more than half of the values are distinct.
const MAX_DISTINCT_CLASSES: usize = 50;

/// Guesses the task from the target's values in `rows` (0-based), with the reason in a line for the user. `table` is its
/// name in errors.
///
/// Text and truth values are classes; numbers with fractions, or with many distinct values, are a regression. Few
/// distinct whole numbers can be either: frequencies that rise to one peak and fall again are those of a quantity
/// (wine scores), others those of labels (digits). A quantity that starts at 0 and at least halves from each value to
/// the next is a count of rare events.
///
/// # Errors
/// A time, and text of which nearly every row has its own: most likely numbers with a cell that is none.
pub fn infer_task(column: &Column, rows: &[u32], table: &str) -> Result<(Task, String)> {
    let wrong = |message| Error::Column { table: table.to_owned(), column: column.name.clone(), message };
    match &column.values {
        Values::Category(texts) => infer_from_texts(texts, rows).map_err(wrong),
        Values::Boolean(_) => Ok((Task::Classification, "the target is true or false".to_owned())),
        Values::Time(_) => {
            Err(wrong("the target is a time; turn it into a number, such as the days until then".into()))
        }
        Values::Number(numbers) => Ok(infer_from_numbers(numbers, rows)),
    }
}

fn infer_from_texts(texts: &Categories, rows: &[u32]) -> Result<(Task, String), String> {
    let seen = || rows.iter().filter_map(|&row| Some((row, texts.get(row as usize)?)));
    let distinct = seen().map(|(_, text)| text).collect::<HashSet<_>>().len();
    if distinct <= MAX_DISTINCT_CLASSES || 2 * distinct <= seen().count() {
        return Ok((Task::Classification, "the target is text".to_owned()));
    }
    let is_number = |text: &str| classify(text, Style::default()).kind() == Some(ColumnType::Number);
    let numbers = seen().filter(|(_, text)| is_number(text)).count();
    Err(match seen().find(|(_, text)| !is_number(text)) {
        Some((row, text)) if 2 * numbers > seen().count() => {
            format!("the target is a number but in row {}, which holds {text:?}; correct the row or remove it", row + 1)
        }
        first => {
            let example = first.map(|(_, text)| format!(" such as {text:?}")).unwrap_or_default();
            format!(
                "the target has {distinct} distinct texts{example} in {} rows, as an identifier has",
                seen().count()
            )
        }
    })
}

fn infer_from_numbers(numbers: &Numbers, rows: &[u32]) -> (Task, String) {
    let mut values: Vec<f64> = rows.iter().map(|&row| numbers.get(row as usize)).filter(|v| !v.is_nan()).collect();
    if values.iter().any(|value| value.fract() != 0.0) {
        return (Task::Regression, "the target has numbers with fractions".to_owned());
    }
    values.sort_unstable_by(f64::total_cmp);
    let counts: Vec<usize> = values.chunk_by(|a, b| a == b).map(<[f64]>::len).collect();
    let (distinct, first) = (counts.len(), values.first().copied().unwrap_or(0.0));
    let last = values.last().copied().unwrap_or(0.0);
    let span = last - first + 1.0;
    let found = format!("the target has {distinct} distinct whole numbers");
    if distinct == 2 || (distinct <= ALWAYS_LABELS && span <= 2.0 * distinct as f64) {
        return (Task::Classification, found);
    }
    let repeat = values.len() >= MIN_ROWS_FOR_EACH * distinct;
    if repeat && span == distinct as f64 && is_flat(&counts) {
        return (Task::Classification, format!("{found}, equally frequent as labels are"));
    }
    if !repeat || distinct > MAX_LABELS || span > 2.0 * distinct as f64 {
        let counts = if first >= 0.0 { "; the task count suits numbers of events" } else { "" };
        return (Task::Regression, format!("{found} from {first} to {last}{counts}"));
    }
    if is_flat(&counts) || !has_one_peak(&counts) {
        return (Task::Classification, format!("{found}, spread like labels"));
    }
    if first == 0.0 && halves(&counts) {
        return (Task::Count, format!("{found} from 0, each rarer than the one before, as counts are"));
    }
    (Task::Regression, format!("{found} with one peak, as a measured quantity has"))
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
        infer_task(&Column { name: "y".to_owned(), values }, &rows, "t").unwrap().0
    }

    fn of_texts(texts: impl Iterator<Item = String>) -> Result<Task, String> {
        let texts: Vec<String> = texts.collect();
        let values = Values::Category(texts.iter().map(|text| Some(text.as_str())).collect());
        let rows: Vec<u32> = (0..texts.len() as u32).collect();
        let task = infer_task(&Column { name: "y".to_owned(), values }, &rows, "t");
        task.map(|(task, _)| task).map_err(|error| error.to_string())
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
        assert_eq!(of_counts(0, &[750; 26]), Task::Classification, "letters");
        assert_eq!(of_counts(1, &[386, 604, 424, 303, 82].repeat(8)), Task::Regression, "many values");
        assert_eq!(of_counts(0, &[1; 12]), Task::Regression, "each value once");
        assert_eq!(of_values(vec![0.0, 50.0, 100.0, 150.0]), Task::Regression, "far apart");
        assert_eq!(of_values(vec![1.0, 2.5]), Task::Regression);
        assert_eq!(of_values(vec![f64::NAN, f64::NAN]), Task::Regression);
    }

    #[test]
    fn text_is_classes_unless_nearly_every_row_has_its_own() {
        assert_eq!(of_texts((0..1000).map(|i| format!("class {}", i % 300))), Ok(Task::Classification));
        assert_eq!(of_texts((0..40).map(|i| format!("class {i}"))), Ok(Task::Classification));
        let message = of_texts((0..100).map(|i| format!("name {i}"))).unwrap_err();
        assert!(message.contains("100 distinct texts such as \"name 0\" in 100 rows"), "{message}");
        let typo = (0..100).map(|i| if i == 16 { "1O.5".to_owned() } else { format!("{i}.5") });
        let message = of_texts(typo).unwrap_err();
        assert!(message.contains("row 17, which holds \"1O.5\""), "{message}");
    }
}
