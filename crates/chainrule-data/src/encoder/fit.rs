//! What an encoder learns from the training rows.

use std::collections::HashSet;

use crate::build::why_no_times;
use crate::categories::Categories;
use crate::error::{Error, Result};
use crate::numbers::Numbers;
use crate::table::{Column, MISSING_TIME, Table, Times, Values};
use crate::time::TimeParts;

use super::duplicates::Distinct;
use super::encoding::Encoding;
use super::scale::{NumericScaling, Robust, Scale};
use super::transform::{refuse_infinite, transform};
use super::{EncodedColumn, EncoderSettings, Warning};

/// Text with more levels than this is an identifier when more than half of its training values are distinct.
const MAX_DISTINCT_LEVELS: usize = 50;

/// Fewer training rows than this in steps of one are no running row number but chance.
const MIN_NUMBERED_ROWS: usize = 3;

/// What becomes of a column: an encoding, or the reason why there is none.
type Outcome = Result<Encoding, Reason>;

enum Reason {
    Useless(String),
    /// Integers that count the rows: left out, unless there is nothing else to learn from.
    RowNumber(Encoding),
}

/// What became of the columns of a table.
pub(super) struct Fit {
    pub(super) columns: Vec<EncodedColumn>,
    pub(super) left_out: Vec<Warning>,
    /// What the user should know of columns that are used.
    pub(super) notes: Vec<Warning>,
}

pub(super) fn fit(table: &Table, exclude: &[&str], train_rows: &[u32], settings: &EncoderSettings) -> Result<Fit> {
    settings.validate()?;
    let kept = settings.keep.iter().map(String::as_str);
    exclude.iter().copied().chain(kept).try_for_each(|name| table.column(name).map(drop))?;
    check_rows(table, train_rows)?;
    let (mut columns, mut left_out, mut row_numbers, mut notes) = (vec![], vec![], vec![], vec![]);
    let mut distinct = Distinct::new(train_rows);
    for column in table.columns.iter().filter(|column| !exclude.contains(&column.name.as_str())) {
        let missing_rows = column.values.count_missing(train_rows);
        let encoded = |encoding| EncodedColumn { name: column.name.clone(), missing_rows, encoding, flags: vec![] };
        match fit_column(table, column, train_rows, settings)? {
            Ok(encoding) => match distinct.earlier(column).filter(|_| !settings.keep.contains(&column.name)) {
                None => {
                    columns.push(encoded(encoding));
                    notes.extend(taken_as_text(column));
                }
                Some(earlier) => left_out.push(leave_out(&column.name, &format!("it has the values of {earlier:?}"))),
            },
            Err(Reason::Useless(reason)) => left_out.push(leave_out(&column.name, &reason)),
            Err(Reason::RowNumber(encoding)) => row_numbers.push(encoded(encoding)),
        }
    }
    if columns.is_empty() {
        columns.append(&mut row_numbers);
    }
    left_out.extend(row_numbers.iter().map(|column| leave_out(&column.name, "it numbers the rows")));
    if columns.is_empty() {
        return Err(nothing_to_learn_from(table, &left_out));
    }
    if settings.numeric_scaling == NumericScaling::Robust {
        columns.iter_mut().try_for_each(|column| fit_flags(column, table, train_rows))?;
    }
    Ok(Fit { columns, left_out, notes })
}

/// Learns the scales of the features that are no numbers.
fn fit_flags(column: &mut EncodedColumn, table: &Table, train_rows: &[u32]) -> Result<()> {
    let numbers = column.encoding.numbers();
    if column.encoding.width() > numbers {
        let features = transform(std::slice::from_ref(column), table)?;
        let value = |row: u32, flag| f64::from(features.numeric[row as usize * features.width + flag]);
        let values = |flag| train_rows.iter().map(|&row| value(row, flag)).collect();
        column.flags = (numbers..features.width).map(|flag| Robust::fit(values(flag))).collect();
    }
    Ok(())
}

fn leave_out(column: &str, reason: &str) -> Warning {
    Warning { column: column.to_owned(), message: format!("left out: {reason}") }
}

/// A note of a column of text that seems to hold dates.
fn taken_as_text(column: &Column) -> Option<Warning> {
    let Values::Category(texts) = &column.values else { return None };
    let why = why_no_times(texts)?;
    Some(Warning { column: column.name.clone(), message: format!("its dates are taken as text: {why}") })
}

fn nothing_to_learn_from(table: &Table, left_out: &[Warning]) -> Error {
    let reasons = left_out.iter().map(|warning| format!("; column {:?} {}", warning.column, warning.message));
    let message = format!("there is no column to learn from{}", reasons.collect::<String>());
    Error::Table { table: table.name.clone(), message }
}

fn check_rows(table: &Table, train_rows: &[u32]) -> Result<()> {
    if train_rows.is_empty() {
        return Err(Error::Table { table: table.name.clone(), message: "there is no training row".to_owned() });
    }
    match train_rows.iter().find(|&&row| row as usize >= table.rows) {
        Some(row) => Err(Error::Setting(format!("training row {row} lies past the {} rows of the table", table.rows))),
        None => Ok(()),
    }
}

fn fit_column(table: &Table, column: &Column, train_rows: &[u32], settings: &EncoderSettings) -> Result<Outcome> {
    let keep = settings.keep.contains(&column.name);
    Ok(match &column.values {
        Values::Number(numbers) => {
            refuse_infinite(table, &column.name, numbers)?;
            fit_numbers(numbers, train_rows, settings.numeric_scaling, keep)
        }
        Values::Boolean(flags) => fit_boolean(flags, train_rows, settings),
        Values::Category(categories) => fit_category(categories, train_rows, settings, keep),
        Values::Time(times) => fit_time(times, train_rows, settings.numeric_scaling),
    })
}

/// Refuses a column whose training values are all missing, or all the same with none missing.
fn check_varies(distinct: usize, missing: bool) -> Result<(), Reason> {
    match distinct {
        0 => Err(Reason::Useless("it has no value in the training rows".to_owned())),
        1 if !missing => Err(Reason::Useless("it is constant in the training rows".to_owned())),
        _ => Ok(()),
    }
}

fn fit_numbers(numbers: &Numbers, train_rows: &[u32], scaling: NumericScaling, keep: bool) -> Outcome {
    let values: Vec<f64> = train_rows.iter().map(|&row| numbers.get(row as usize)).filter(|v| !v.is_nan()).collect();
    let missing = values.len() < train_rows.len();
    let varies = values.iter().any(|&value| value != values[0]);
    check_varies(usize::from(!values.is_empty()) + usize::from(varies), missing)?;
    let encoding = Encoding::Number { scale: Scale::fit(values, scaling), missing };
    if !keep && !missing && is_row_number(numbers, train_rows) {
        return Err(Reason::RowNumber(encoding));
    }
    Ok(encoding)
}

/// Integers that grow by one from row to row, counting the rows between the training rows too.
fn is_row_number(numbers: &Numbers, train_rows: &[u32]) -> bool {
    let start = |row: u32| numbers.get(row as usize) - f64::from(row);
    let first = start(train_rows[0]);
    first.fract() == 0.0 && train_rows.len() >= MIN_NUMBERED_ROWS && train_rows.iter().all(|&row| start(row) == first)
}

fn fit_boolean(flags: &[Option<bool>], train_rows: &[u32], settings: &EncoderSettings) -> Outcome {
    let seen: HashSet<Option<bool>> = train_rows.iter().map(|&row| flags[row as usize]).collect();
    let missing = seen.contains(&None);
    check_varies(seen.len() - usize::from(missing), missing)?;
    Ok(Encoding::Boolean { missing: missing && settings.category_indicator })
}

fn fit_category(categories: &Categories, train_rows: &[u32], settings: &EncoderSettings, keep: bool) -> Outcome {
    let mut counts = vec![0_usize; categories.levels.len()];
    let mut present = 0;
    for &row in train_rows {
        if let Some(count) = counts.get_mut(categories.codes[row as usize] as usize) {
            *count += 1;
            present += 1;
        }
    }
    let missing = present < train_rows.len();
    let distinct = counts.iter().filter(|&&count| count > 0).count();
    check_varies(distinct, missing)?;
    let at_least = |rows: usize| levels_seen(&categories.levels, &counts, rows);
    if distinct <= settings.one_hot_max_levels {
        return Ok(Encoding::OneHot { levels: at_least(1), missing: missing && settings.category_indicator });
    }
    if !keep && (distinct == present || (distinct > MAX_DISTINCT_LEVELS && 2 * distinct > present)) {
        let example = train_rows.iter().find_map(|&row| categories.get(row as usize)).unwrap_or_default();
        let hint =
            why_no_times(categories).map_or_else(|| ", as an identifier has".to_owned(), |why| format!("; {why}"));
        return Err(Reason::Useless(format!("nearly every row has a text of its own, such as {example:?}{hint}")));
    }
    match at_least(settings.min_level_rows) {
        levels if levels.is_empty() => Err(Reason::Useless("every level is too rare to learn from".to_owned())),
        levels => Ok(Encoding::Embedded { levels }),
    }
}

/// The levels seen at least `rows` times, sorted: the encoding does not depend on the order of the rows.
fn levels_seen(levels: &[String], counts: &[usize], rows: usize) -> Vec<String> {
    let seen = levels.iter().zip(counts).filter(|&(_, &count)| count >= rows).map(|(level, _)| level.clone());
    let mut seen: Vec<String> = seen.collect();
    seen.sort_unstable();
    seen
}

fn fit_time(times: &Times, train_rows: &[u32], scaling: NumericScaling) -> Outcome {
    let present = train_rows.iter().map(|&row| times.micros[row as usize]).filter(|&time| time != MISSING_TIME);
    let parts: Vec<TimeParts> = present.map(TimeParts::new).collect();
    let missing = parts.len() < train_rows.len();
    let varies = |part: fn(&TimeParts) -> f64| parts.iter().any(|p| part(p) != part(&parts[0]));
    check_varies(usize::from(!parts.is_empty()) + usize::from(varies(|p| p.days)), missing)?;
    let days: Vec<f64> = parts.iter().map(|p| p.days).collect();
    Ok(Encoding::Time {
        days: Scale::fit(days, scaling),
        year: varies(|p| p.year_fraction),
        weekday: varies(|p| p.weekday as f64),
        clock: varies(|p| p.day_fraction),
        missing,
        order: times.order,
    })
}
