//! A table in memory: named columns of one kind each, as compact as their values allow.

use std::collections::HashSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::build::from_texts;
use crate::categories::Categories;
use crate::date::DateOrder;
use crate::error::{Error, Result, did_you_mean};
use crate::numbers::{Numbers, number_text};
use crate::time;

/// Named columns of equal length.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// How messages call the table: the file it came from.
    pub name: String,
    /// The length of every column.
    pub rows: usize,
    /// The columns in file order; names are distinct.
    pub columns: Vec<Column>,
}

/// One column of a [`Table`].
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// The header's name.
    pub name: String,
    /// One value per row.
    pub values: Values,
}

/// The values of a column; any of them may be missing.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// Numbers; NaN is missing.
    Number(Numbers),
    /// Truth values.
    Boolean(Vec<Option<bool>>),
    /// Text.
    Category(Categories),
    /// Dates, with or without a time of day.
    Time(Times),
}

/// Moments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Times {
    /// Microseconds since 1970-01-01 00:00 UTC; [`MISSING_TIME`] is missing.
    pub micros: Vec<i64>,
    /// How they were written, if it was as texts whose month and day had to be told apart.
    pub order: Option<DateOrder>,
}

impl FromIterator<i64> for Times {
    fn from_iter<I: IntoIterator<Item = i64>>(micros: I) -> Times {
        Times { micros: micros.into_iter().collect(), order: None }
    }
}

/// The time that stands for a missing one.
pub const MISSING_TIME: i64 = i64::MIN;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnType {
    /// Numbers.
    Number,
    /// Text, of which each distinct one is a level.
    Category,
    /// True or false.
    Boolean,
    /// Dates, with or without a time of day.
    Time,
    /// Dates of which texts such as `8/5/2024` have the month first. What is read holds [`Time`](Self::Time).
    MonthFirst,
    /// Dates of which texts such as `5/8/2024` have the day first. What is read holds [`Time`](Self::Time).
    DayFirst,
    /// The column is not read.
    Ignore,
}

impl ColumnType {
    const NAMES: [(&'static str, ColumnType); 7] = [
        ("number", ColumnType::Number),
        ("category", ColumnType::Category),
        ("boolean", ColumnType::Boolean),
        ("time", ColumnType::Time),
        ("month_first", ColumnType::MonthFirst),
        ("day_first", ColumnType::DayFirst),
        ("ignore", ColumnType::Ignore),
    ];

    /// What a column declared so holds.
    pub(crate) fn holds(self) -> ColumnType {
        if self.dates().is_some() { ColumnType::Time } else { self }
    }

    /// How the dates of a column declared so are written, if that is said.
    pub(crate) fn dates(self) -> Option<DateOrder> {
        match self {
            ColumnType::MonthFirst => Some(DateOrder::MonthFirst),
            ColumnType::DayFirst => Some(DateOrder::DayFirst),
            _ => None,
        }
    }

    /// What is wrong with a text that a column declared so cannot hold.
    pub(crate) fn refuses(self, text: &str) -> String {
        match self.dates() {
            Some(order) => format!("{text:?} is not a date with the {}", order.words()),
            None => format!("{text:?} is not a {self}"),
        }
    }
}

impl From<DateOrder> for ColumnType {
    fn from(order: DateOrder) -> ColumnType {
        match order {
            DateOrder::MonthFirst => ColumnType::MonthFirst,
            DateOrder::DayFirst => ColumnType::DayFirst,
        }
    }
}

impl fmt::Display for ColumnType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = ColumnType::NAMES.iter().find(|(_, kind)| kind == self).map_or("", |(name, _)| name);
        f.write_str(name)
    }
}

impl FromStr for ColumnType {
    type Err = Error;

    fn from_str(text: &str) -> Result<ColumnType> {
        let found = ColumnType::NAMES.iter().find(|(name, _)| *name == text);
        found.map(|(_, kind)| *kind).ok_or_else(|| {
            let names = ColumnType::NAMES.map(|(name, _)| name);
            let hint = did_you_mean(text, names.into_iter());
            Error::Setting(format!("{text:?} is not a column type: use one of {}{hint}", names.join(", ")))
        })
    }
}

impl Table {
    /// A table of `columns`.
    ///
    /// # Errors
    /// [`Error::Table`] where a name stands twice, [`Error::Column`] where a column's length differs from the first's.
    pub fn new(name: impl Into<String>, columns: Vec<Column>) -> Result<Table> {
        let name = name.into();
        let rows = columns.first().map_or(0, |column| column.values.len());
        if let Some(odd) = columns.iter().find(|column| column.values.len() != rows) {
            let message = format!("{} rows where the first column has {rows}", odd.values.len());
            return Err(Error::Column { table: name, column: odd.name.clone(), message });
        }
        let mut seen = HashSet::new();
        if let Some(column) = columns.iter().find(|column| !seen.insert(column.name.as_str())) {
            let message = format!("the column name {:?} stands twice", column.name);
            return Err(Error::Table { table: name, message });
        }
        Ok(Table { name, rows, columns })
    }

    /// What columns hold where cells of another table like this may not say it, for [`ReadOptions::known`](crate::ReadOptions::known).
    pub fn known_columns(&self) -> impl Iterator<Item = (&str, ColumnType)> {
        let known = |column: &Column| match &column.values {
            Values::Category(_) => Some(ColumnType::Category),
            Values::Time(times) => times.order.map(ColumnType::from),
            Values::Number(_) | Values::Boolean(_) => None,
        };
        self.columns.iter().filter_map(move |column| Some((column.name.as_str(), known(column)?)))
    }

    /// The table itself, if it has a row.
    pub(crate) fn with_rows(self) -> Result<Table> {
        if self.rows == 0 {
            return Err(Error::Table { table: self.name, message: "the table has no row".to_owned() });
        }
        Ok(self)
    }

    /// The column called `name`.
    ///
    /// # Errors
    /// [`Error::UnknownColumn`], naming the nearest column.
    pub fn column(&self, name: &str) -> Result<&Column> {
        self.columns.iter().find(|column| column.name == name).ok_or_else(|| {
            let names = self.columns.iter().map(|column| column.name.as_str());
            unknown_column(&self.name, name, &names.collect::<Vec<_>>())
        })
    }
}

/// The error for a column that is not among `names`, with the best hint there is.
pub(crate) fn unknown_column(table: &str, wanted: &str, names: &[&str]) -> Error {
    let hint = match names {
        [only] if only.contains(|c: char| !c.is_alphanumeric() && !"_-.".contains(c)) => {
            format!(": its only column is {only:?}; if that is several, name the delimiter between them")
        }
        _ => match did_you_mean(wanted, names.iter().copied()) {
            hint if hint.is_empty() => format!("; it has {}", list_names(names)),
            hint => hint,
        },
    };
    Error::UnknownColumn { table: table.to_owned(), column: wanted.to_owned(), hint }
}

/// The first few of `names`, for a message.
fn list_names(names: &[&str]) -> String {
    const SHOWN: usize = 10;
    let shown: Vec<String> = names.iter().take(SHOWN).map(|name| format!("{name:?}")).collect();
    let more = names.len().saturating_sub(SHOWN);
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    shown.join(", ") + &rest
}

impl Column {
    /// A column of texts given as distinct `levels` and, for each row, its level's position or [`Categories::MISSING`].
    /// What it holds is told from the texts, as for a file's column of text, unless `kind` says it.
    ///
    /// # Errors
    /// A code past the levels, or [`Error::Cell`] for a text that is not of the `kind`; `table` is its name in errors.
    pub fn from_levels(
        name: &str,
        codes: &[u32],
        levels: &[String],
        kind: Option<ColumnType>,
        table: &str,
    ) -> Result<Column> {
        let error = |row: usize, message| Error::Cell {
            table: table.to_owned(),
            row: row + 1,
            column: name.to_owned(),
            message,
        };
        let past = codes.iter().position(|&code| code != Categories::MISSING && code as usize >= levels.len());
        if let Some(row) = past {
            return Err(error(row, format!("code {} where there are {} levels", codes[row], levels.len())));
        }
        let text = |code: &u32| levels.get(*code as usize).map(|level| level.trim());
        let values =
            from_texts(codes.iter().map(text).collect(), kind).map_err(|(row, message)| error(row, message))?;
        Ok(Column { name: name.to_owned(), values })
    }
}

impl Values {
    /// `rows` missing values of a kind.
    pub(crate) fn missing(kind: ColumnType, rows: usize) -> Values {
        match kind {
            ColumnType::Number | ColumnType::Ignore => Values::Number(std::iter::repeat_n(f64::NAN, rows).collect()),
            ColumnType::Boolean => Values::Boolean(vec![None; rows]),
            ColumnType::Category => Values::Category(std::iter::repeat_n(None, rows).collect()),
            ColumnType::Time | ColumnType::MonthFirst | ColumnType::DayFirst => {
                Values::Time(std::iter::repeat_n(MISSING_TIME, rows).collect())
            }
        }
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        match self {
            Values::Number(values) => values.len(),
            Values::Boolean(values) => values.len(),
            Values::Category(values) => values.codes.len(),
            Values::Time(values) => values.micros.len(),
        }
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What the column holds.
    pub fn kind(&self) -> ColumnType {
        match self {
            Values::Number(_) => ColumnType::Number,
            Values::Boolean(_) => ColumnType::Boolean,
            Values::Category(_) => ColumnType::Category,
            Values::Time(_) => ColumnType::Time,
        }
    }

    /// Whether the value in `row` (0-based) is missing.
    pub fn is_missing(&self, row: usize) -> bool {
        match self {
            Values::Number(values) => values.get(row).is_nan(),
            Values::Boolean(values) => values[row].is_none(),
            Values::Category(values) => values.codes[row] == Categories::MISSING,
            Values::Time(values) => values.micros[row] == MISSING_TIME,
        }
    }

    /// How many of `rows` (0-based) have no value.
    pub(crate) fn count_missing(&self, rows: &[u32]) -> usize {
        match self {
            Values::Number(values) if values.never_missing() => 0,
            _ => rows.iter().filter(|&&row| self.is_missing(row as usize)).count(),
        }
    }

    /// The value in `row` (0-based) as text that reads back as the same value; `None` where it is missing.
    pub fn text(&self, row: usize) -> Option<String> {
        if self.is_missing(row) {
            return None;
        }
        match self {
            Values::Number(values) => Some(number_text(values.get(row))),
            Values::Boolean(values) => values[row].map(|value| value.to_string()),
            Values::Category(values) => values.get(row).map(str::to_owned),
            Values::Time(values) => Some(time::time_text(values.micros[row])),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(name: &str, values: &[f64]) -> Column {
        Column { name: name.to_owned(), values: Values::Number(values.iter().copied().collect()) }
    }

    #[test]
    fn an_unknown_column_names_the_nearest() {
        let table = Table::new("t.csv", vec![numbers("species", &[1.0]), numbers("size", &[2.0])]).unwrap();
        let message = |name: &str| table.column(name).unwrap_err().to_string();
        assert_eq!(message("Specis"), "t.csv has no column \"Specis\"; did you mean \"species\"?");
        assert_eq!(message("q"), "t.csv has no column \"q\"; it has \"species\", \"size\"");
        let one = Table::new("t.csv", vec![numbers("a~b", &[1.0])]).unwrap();
        assert!(one.column("b").unwrap_err().to_string().contains("name the delimiter"));
    }

    #[test]
    fn unequal_columns_and_equal_names_are_refused() {
        let error = Table::new("t", vec![numbers("a", &[1.0]), numbers("b", &[])]).unwrap_err();
        assert_eq!(error.to_string(), "t, column \"b\": 0 rows where the first column has 1");
        let error = Table::new("t", vec![numbers("a", &[1.0]), numbers("a", &[2.0])]).unwrap_err();
        assert_eq!(error.to_string(), "t: the column name \"a\" stands twice");
    }

    #[test]
    fn a_column_type_reads_back_and_a_typing_slip_is_explained() {
        for (name, kind) in ColumnType::NAMES {
            assert_eq!((name.parse::<ColumnType>().unwrap(), kind.to_string().as_str()), (kind, name));
        }
        let error = "categorical".parse::<ColumnType>().unwrap_err().to_string();
        assert!(
            error.ends_with(
                "number, category, boolean, time, month_first, day_first, ignore; did you mean \"category\"?"
            ),
            "{error}"
        );
    }
}
