//! What is to be predicted: classes with their names, numbers with their scale, and the weights of rows.

use std::collections::{BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use crate::cell::{Cell, Style, classify};
use crate::error::{Error, Result, did_you_mean};
use crate::numbers::number_text;
use crate::table::{Column, Values};
use crate::time::time_text;

/// The classes of a target.
///
/// Names are the values as they stand in the table (`0`, `1`, `yes`), sorted: numbers and times by value, text
/// lexicographically, `false` before `true`. A class's code is its position.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassTarget {
    names: Vec<String>,
}

impl ClassTarget {
    /// The distinct values of `column`, missing ones apart.
    ///
    /// # Errors
    /// A target of fewer than two classes.
    pub fn fit(column: &Column, table: &str) -> Result<ClassTarget> {
        let names = class_names(&column.values);
        if names.len() < 2 {
            let message = match names.first() {
                Some(name) => format!("the target has one class only, {name:?}; there is nothing to learn"),
                None => "the target has no value".to_owned(),
            };
            return Err(column_error(table, column, message));
        }
        Ok(ClassTarget { names })
    }

    /// The same classes in another order, which must name each once.
    ///
    /// # Errors
    /// A class that `order` lacks, or a name in it that is no class or stands twice.
    pub fn in_order(self, order: &[String], column: &Column, table: &str) -> Result<ClassTarget> {
        let problem = |(place, name): (usize, &String)| {
            if order[..place].contains(name) {
                return Some(format!("the order of the classes names {name:?} twice"));
            }
            let hint = did_you_mean(name, self.names.iter().map(String::as_str));
            (!self.names.contains(name))
                .then(|| format!("the order of the classes names {name:?}, which no row has{hint}"))
        };
        let missing = || {
            let missing = self.names.iter().find(|name| !order.contains(name));
            missing.map(|name| format!("the order of the classes lacks {name:?}"))
        };
        match order.iter().enumerate().find_map(problem).or_else(missing) {
            Some(message) => Err(column_error(table, column, message)),
            None => Ok(ClassTarget { names: order.to_vec() }),
        }
    }

    /// The classes' names, in order of their codes.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Whether the names can only come from a column of text: numbers and truth values are written in one way.
    pub fn is_text(&self) -> bool {
        !self.names.iter().all(|name| match classify(name, Style::default()) {
            Cell::Number(value) => number_text(value) == *name,
            Cell::Boolean(value) => value.to_string() == *name,
            Cell::Time(value) => time_text(value) == *name,
            _ => false,
        })
    }

    /// The class of each row, as a position in [`ClassTarget::names`].
    ///
    /// # Errors
    /// The first row whose value is missing or is none of the classes.
    pub fn encode(&self, column: &Column, table: &str) -> Result<Vec<u32>> {
        let code_of: HashMap<&str, u32> = self.names.iter().map(String::as_str).zip(0..).collect();
        let code = |text: Option<&str>| match text {
            None => Err(MISSING_TARGET.to_owned()),
            Some(text) => code_of.get(text).copied().ok_or_else(|| format!("the class {text:?} is none of the known")),
        };
        let codes: Result<Vec<u32>, (usize, String)> = match &column.values {
            Values::Category(categories) => {
                let of_level: Vec<_> = categories.levels.iter().map(|level| code(Some(level))).collect();
                let codes = categories.codes.iter().map(|&c| of_level.get(c as usize).cloned().unwrap_or(code(None)));
                codes.enumerate().map(|(row, code)| code.map_err(|message| (row, message))).collect()
            }
            values => (0..values.len())
                .map(|row| code(values.text(row).as_deref()).map_err(|message| (row, message)))
                .collect(),
        };
        codes.map_err(|(row, message)| cell_error(table, column, row, message))
    }
}

const MISSING_TARGET: &str = "the target is missing; fill it in or remove the row";

fn class_names(values: &Values) -> Vec<String> {
    match values {
        Values::Number(numbers) => {
            let mut distinct: Vec<f64> = numbers.iter().filter(|v| !v.is_nan()).collect();
            distinct.sort_unstable_by(f64::total_cmp);
            distinct.dedup();
            distinct.into_iter().map(number_text).collect()
        }
        Values::Category(categories) => {
            let used: BTreeSet<&str> = (0..categories.codes.len()).filter_map(|row| categories.get(row)).collect();
            used.into_iter().map(str::to_owned).collect()
        }
        Values::Boolean(_) | Values::Time(_) => {
            let distinct: BTreeSet<String> = (0..values.len()).filter_map(|row| values.text(row)).collect();
            distinct.into_iter().collect()
        }
    }
}

/// The numbers of a regression or count target. `table` is its name in errors.
///
/// # Errors
/// A column that holds no numbers, or the first row whose number is missing or infinite.
pub fn numeric_target(column: &Column, table: &str) -> Result<Vec<f64>> {
    let check = |value: f64| match value {
        v if v.is_nan() => Err(MISSING_TARGET),
        v if v.is_infinite() => Err("the target is infinite"),
        v => Ok(v),
    };
    checked_numbers(column, table, check)
}

/// Row weights: finite and not negative, and not all zero.
///
/// # Errors
/// A column that holds no numbers, or the first row whose weight cannot be one.
pub fn weight_column(column: &Column, table: &str) -> Result<Vec<f32>> {
    let weights = checked_numbers(column, table, |value| match value as f32 {
        weight if weight.is_finite() && weight >= 0.0 => Ok(weight),
        _ => Err("a weight must be a number of at least 0"),
    })?;
    if weights.iter().all(|&weight| weight == 0.0) {
        return Err(column_error(table, column, "every weight is 0".to_owned()));
    }
    Ok(weights)
}

/// Exposures: finite and above zero.
///
/// # Errors
/// A column that holds no numbers, or the first row whose exposure cannot be one.
pub fn exposure_column(column: &Column, table: &str) -> Result<Vec<f32>> {
    checked_numbers(column, table, |value| match value as f32 {
        exposure if exposure.is_finite() && exposure > 0.0 => Ok(exposure),
        _ => Err("an exposure must be a number above 0"),
    })
}

/// Whether the event of each row was seen: 1 or true, or 0 or false where the time was cut off before it.
///
/// # Errors
/// A column that holds something else, or the first row that does.
pub fn event_column(column: &Column, table: &str) -> Result<Vec<f32>> {
    let Values::Boolean(flags) = &column.values else {
        return checked_numbers(column, table, |value| match value {
            0.0 | 1.0 => Ok(value as f32),
            _ => Err("an event must be 1 (seen) or 0 (cut off before it)"),
        });
    };
    let event = |(row, flag): (usize, &Option<bool>)| match flag {
        Some(seen) => Ok(f32::from(u8::from(*seen))),
        None => Err(cell_error(table, column, row, "the event is missing".to_owned())),
    };
    flags.iter().enumerate().map(event).collect()
}

/// Every number of a column through `check`.
fn checked_numbers<T>(column: &Column, table: &str, check: impl Fn(f64) -> Result<T, &'static str>) -> Result<Vec<T>> {
    let Values::Number(numbers) = &column.values else {
        let row = (0..column.values.len()).find(|&row| !column.values.is_missing(row)).unwrap_or(0);
        let text = column.values.text(row).unwrap_or_default();
        return Err(cell_error(table, column, row, format!("{text:?} where a number is needed")));
    };
    let checked = |(row, value)| check(value).map_err(|message| cell_error(table, column, row, message.to_owned()));
    numbers.iter().enumerate().map(checked).collect()
}

fn cell_error(table: &str, column: &Column, row: usize, message: String) -> Error {
    Error::Cell { table: table.to_owned(), row: row + 1, column: column.name.clone(), message }
}

fn column_error(table: &str, column: &Column, message: String) -> Error {
    Error::Column { table: table.to_owned(), column: column.name.clone(), message }
}

/// Shift and scale between a target's own unit and one of mean 0 and standard deviation 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetScaler {
    /// The weighted mean of the training rows.
    pub mean: f64,
    /// Their weighted standard deviation; 1 where they are all the same.
    pub std: f64,
}

impl TargetScaler {
    /// Learned from training targets, all finite, each with a weight (`None`: all 1).
    pub fn fit(targets: &[f64], weights: Option<&[f32]>) -> TargetScaler {
        let weight = |row: usize| weights.map_or(1.0, |weights| f64::from(weights[row]));
        let average = |value: &dyn Fn(f64) -> f64| {
            let total = (0..targets.len()).map(weight).sum::<f64>().max(f64::MIN_POSITIVE);
            targets.iter().enumerate().map(|(row, &target)| weight(row) / total * value(target)).sum::<f64>()
        };
        // In units of the largest target, so that squares neither overflow nor vanish.
        let unit = targets.iter().fold(0.0_f64, |largest, target| largest.max(target.abs()));
        let unit = if unit > 0.0 { unit } else { 1.0 };
        let mean = average(&|target| target / unit);
        let std = average(&|target| (target / unit - mean).powi(2)).sqrt() * unit;
        TargetScaler { mean: mean * unit, std: if std > 0.0 { std } else { 1.0 } }
    }

    /// From the target's unit to the scaled one.
    pub fn scale(&self, target: f64) -> f64 {
        (target - self.mean) / self.std
    }

    /// From the scaled unit back to the target's.
    pub fn unscale(&self, scaled: f64) -> f64 {
        scaled * self.std + self.mean
    }
}
