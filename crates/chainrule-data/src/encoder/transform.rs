//! A fitted encoding applied to a table.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use crate::build::as_category;
use crate::cell::{Style, classify};
use crate::error::{Error, Result};
use crate::numbers::Numbers;
use crate::table::{ColumnType, MISSING_TIME, Table, Values};
use crate::time::TimeParts;

use super::encoding::{Encoding, time_features};
use super::scale::Scale;
use super::{EncodedColumn, Features};

/// Rows filled at a time: a block of a wide matrix stays in the cache while column after column is written into it.
const BLOCK: usize = 256;

pub(super) fn transform(columns: &[EncodedColumn], table: &Table) -> Result<Features> {
    let values = columns.iter().map(|column| values_for(column, table)).collect::<Result<Vec<_>>>()?;
    let sources = columns.iter().zip(&values).map(|(column, values)| Source::new(column, values, table));
    let sources = sources.collect::<Result<Vec<_>>>()?;
    let width = columns.iter().map(|column| column.encoding.width()).sum();
    let codes_width = columns.iter().filter(|column| column.encoding.embedded_levels().is_some()).count();
    let mut numeric = vec![0.0; table.rows * width];
    let mut codes = vec![0; table.rows * codes_width];
    for start in (0..table.rows).step_by(BLOCK) {
        let rows = start..table.rows.min(start + BLOCK);
        let (mut at, mut codes_at) = (0, 0);
        for (source, column) in sources.iter().zip(columns) {
            if let Source::Embedded(slots) = source {
                let block = &mut codes[rows.start * codes_width..rows.end * codes_width];
                let cells = block.chunks_exact_mut(codes_width).map(|row| &mut row[codes_at]);
                rows.clone().zip(cells).for_each(|(row, cell)| *cell = slots.get(row));
                codes_at += 1;
            } else {
                let columns = at..at + column.encoding.width();
                at = columns.end;
                let block = &mut numeric[rows.start * width..rows.end * width];
                source.write(rows.clone(), block.chunks_exact_mut(width).map(|row| &mut row[columns.clone()]));
                column.scale_flags(block.chunks_exact_mut(width).map(|row| &mut row[columns.clone()]));
            }
        }
    }
    Ok(Features { rows: table.rows, width, numeric, codes_width, codes })
}

impl EncodedColumn {
    /// Scales the features that are no numbers, if they are scaled.
    fn scale_flags<'c>(&self, cells: impl Iterator<Item = &'c mut [f32]>) {
        if self.flags.is_empty() {
            return;
        }
        for cell in cells {
            let flags = cell[self.encoding.numbers()..].iter_mut();
            flags.zip(&self.flags).for_each(|(value, scale)| *value = scale.apply(f64::from(*value)) as f32);
        }
    }
}

/// A column of the table beside what its encoding needs.
enum Source<'a> {
    Number { numbers: &'a Numbers, scale: &'a Scale, missing: bool },
    Boolean { flags: &'a [Option<bool>], missing: bool },
    TwoWay(Slots<'a>),
    OneHot { slots: Slots<'a>, levels: usize, missing: bool },
    Embedded(Slots<'a>),
    Time { times: &'a [i64], days: &'a Scale, uses: [bool; 3], missing: bool },
}

/// Codes of the table's levels as codes of the encoding's.
struct Slots<'a> {
    codes: &'a [u32],
    /// For each level of the table 1 + its position in the encoding, or 0 for an unseen level.
    slot_of: Vec<u32>,
}

impl<'a> Slots<'a> {
    fn new(levels: &[String], table_levels: &[String], codes: &'a [u32]) -> Slots<'a> {
        let position: HashMap<&str, u32> = levels.iter().map(String::as_str).zip(1..).collect();
        let slot = |level: &String| position.get(level.as_str()).copied().unwrap_or(0);
        Slots { codes, slot_of: table_levels.iter().map(slot).collect() }
    }

    /// 0 for a missing or unseen level, else 1 + its position in the encoding.
    fn get(&self, row: usize) -> u32 {
        self.slot_of.get(self.codes[row] as usize).copied().unwrap_or(0)
    }
}

impl<'a> Source<'a> {
    fn new(column: &'a EncodedColumn, values: &'a Values, table: &Table) -> Result<Source<'a>> {
        Ok(match (&column.encoding, values) {
            (Encoding::Number { scale, missing }, Values::Number(numbers)) => {
                refuse_infinite(table, &column.name, numbers)?;
                Source::Number { numbers, scale, missing: *missing }
            }
            (&Encoding::Boolean { missing }, Values::Boolean(flags)) => Source::Boolean { flags, missing },
            (Encoding::Time { days, year, weekday, clock, missing, .. }, Values::Time(times)) => {
                Source::Time { times: &times.micros, days, uses: [*year, *clock, *weekday], missing: *missing }
            }
            (Encoding::Embedded { levels }, Values::Category(c)) => {
                Source::Embedded(Slots::new(levels, &c.levels, &c.codes))
            }
            (Encoding::OneHot { levels, missing }, Values::Category(c)) => {
                let slots = Slots::new(levels, &c.levels, &c.codes);
                match column.encoding.is_two_way() {
                    true => Source::TwoWay(slots),
                    false => Source::OneHot { slots, levels: levels.len(), missing: *missing },
                }
            }
            (encoding, values) => return Err(wrong_kind(table, &column.name, values, encoding)),
        })
    }

    /// Writes the features of `rows` into `cells`, which are 0.
    fn write<'c>(&self, rows: Range<usize>, cells: impl Iterator<Item = &'c mut [f32]>) {
        let rows = rows.zip(cells);
        match self {
            Source::Number { numbers, scale, missing } => rows.for_each(|(row, cell)| {
                let value = numbers.get(row);
                cell[0] = scale.apply(value);
                indicate(cell, *missing, value.is_nan());
            }),
            Source::Boolean { flags, missing } => rows.for_each(|(row, cell)| {
                cell[0] = flags[row].map_or(0.0, |flag| if flag { 1.0 } else { -1.0 });
                indicate(cell, *missing, flags[row].is_none());
            }),
            Source::TwoWay(slots) => rows.for_each(|(row, cell)| cell[0] = [0.0, -1.0, 1.0][slots.get(row) as usize]),
            Source::OneHot { slots, levels, missing } => rows.for_each(|(row, cell)| match slots.get(row) {
                0 => indicate(cell, *missing, true),
                slot => cell[..*levels][slot as usize - 1] = 1.0,
            }),
            Source::Time { times, days, uses, missing } => rows.for_each(|(row, cell)| {
                if times[row] != MISSING_TIME {
                    time_features(cell, &TimeParts::new(times[row]), days, *uses);
                }
                indicate(cell, *missing, times[row] == MISSING_TIME);
            }),
            Source::Embedded(_) => {}
        }
    }
}

/// The indicator stands last.
fn indicate(cell: &mut [f32], has_indicator: bool, is_missing: bool) {
    if let (true, true, Some(last)) = (has_indicator, is_missing, cell.last_mut()) {
        *last = 1.0;
    }
}

/// The table's column, as text where the encoding knows levels; a column without any value fits every encoding.
fn values_for<'a>(column: &EncodedColumn, table: &'a Table) -> Result<Cow<'a, Values>> {
    let values = &table.column(&column.name)?.values;
    let kind = column.encoding.kind();
    if values.kind() == kind {
        return Ok(Cow::Borrowed(values));
    }
    if (0..table.rows).all(|row| values.is_missing(row)) {
        return Ok(Cow::Owned(Values::missing(kind, table.rows)));
    }
    if kind == ColumnType::Category { Ok(Cow::Owned(as_category(values))) } else { Ok(Cow::Borrowed(values)) }
}

/// The error for a column of another kind than in training, at the first value that does not fit.
fn wrong_kind(table: &Table, column: &str, values: &Values, encoding: &Encoding) -> Error {
    let wanted = encoding.known().unwrap_or(encoding.kind());
    let style = Style { dates: wanted.dates(), ..Style::default() };
    let texts = || (0..table.rows).filter_map(|row| values.text(row).map(|text| (row, text)));
    let fits = |text: &str| classify(text, style).kind() == Some(encoding.kind());
    let (row, text) = texts().find(|(_, text)| !fits(text)).or_else(|| texts().next()).unwrap_or_default();
    let message = format!("{}, which this column held in training", wanted.refuses(&text));
    Error::Cell { table: table.name.clone(), row: row + 1, column: column.to_owned(), message }
}

/// Refuses a column with an infinite number.
pub(super) fn refuse_infinite(table: &Table, column: &str, numbers: &Numbers) -> Result<()> {
    let Some(row) = numbers.first_infinite() else { return Ok(()) };
    let message = "the number is infinite; correct it or leave it empty".to_owned();
    Err(Error::Cell { table: table.name.clone(), row: row + 1, column: column.to_owned(), message })
}
