//! What one cell of text means.

use crate::amount::{grouped, with_unit};
use crate::date::DateOrder;
use crate::table::{ColumnType, MISSING_TIME};
use crate::time::{parse_time, readable_orders};

/// How the texts of a column are written.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Style {
    /// A decimal comma stands where others have a point.
    pub(crate) comma: bool,
    /// How to read dates such as `8/5/2024`, where that is known.
    pub(crate) dates: Option<DateOrder>,
}

/// The meaning of a cell on its own.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Cell {
    /// Empty, blank, or a word for it such as `NA`.
    Missing,
    /// `None`: missing in a column of numbers, truth values or times, but a level like any other in a column of text.
    Nothing,
    Number(f64),
    /// A number with its unit, a sign such as `%` or `$`.
    Amount(f64, char),
    Boolean(bool),
    Time(i64),
    /// A time of which the month may stand first or the day, where the style does not say it: in which of [`DateOrder::ALL`] it can be read.
    OpenTime([bool; 2]),
    Text,
}

impl Cell {
    /// What a column of such cells holds; `None` for a cell that fits more than one.
    pub(crate) fn kind(self) -> Option<ColumnType> {
        match self {
            Cell::Missing | Cell::Nothing => None,
            Cell::Number(_) | Cell::Amount(..) => Some(ColumnType::Number),
            Cell::Boolean(_) => Some(ColumnType::Boolean),
            Cell::Time(_) | Cell::OpenTime(_) => Some(ColumnType::Time),
            Cell::Text => Some(ColumnType::Category),
        }
    }

    /// The number; missing for any other cell.
    pub(crate) fn number(self) -> f64 {
        if let Cell::Number(value) | Cell::Amount(value, _) = self { value } else { f64::NAN }
    }

    /// A number's unit, if it has one.
    pub(crate) fn unit(self) -> Option<char> {
        if let Cell::Amount(_, unit) = self { Some(unit) } else { None }
    }

    /// The truth value; missing for any other cell.
    pub(crate) fn boolean(self) -> Option<bool> {
        if let Cell::Boolean(value) = self { Some(value) } else { None }
    }

    /// The time; missing for any other cell.
    pub(crate) fn time(self) -> i64 {
        if let Cell::Time(value) = self { value } else { MISSING_TIME }
    }
}

/// Classifies a trimmed cell.
pub(crate) fn classify(text: &str, style: Style) -> Cell {
    let Some(&first) = text.as_bytes().first() else { return Cell::Missing };
    if let Some(value) = short_whole_number(text.as_bytes()) {
        return Cell::Number(value);
    }
    let number = |text: &str| parse_number(text, style.comma).or_else(|| grouped(text, style.comma));
    if (first.is_ascii_digit() || matches!(first, b'-' | b'+' | b'.' | b','))
        && let Some(value) = number(text)
    {
        return Cell::Number(value);
    }
    if first.is_ascii_alphanumeric()
        && let Some(time) = time(text, style.dates)
    {
        return time;
    }
    if let Some((value, unit)) = with_unit(text, number) {
        return Cell::Amount(value, unit);
    }
    word(text)
}

fn time(text: &str, order: Option<DateOrder>) -> Option<Cell> {
    if let Some(time) = parse_time(text, order) {
        return Some(Cell::Time(time));
    }
    let orders = if order.is_none() { readable_orders(text) } else { [false; 2] };
    orders.contains(&true).then_some(Cell::OpenTime(orders))
}

/// Whether a trimmed text stands for a missing value.
pub(crate) fn is_missing(text: &str) -> bool {
    text.is_empty() || word(text) == Cell::Missing
}

/// The cells that are words with a meaning.
fn word(text: &str) -> Cell {
    match text {
        "NA" | "N/A" | "n/a" | "#N/A" | "<NA>" | "NaN" | "nan" | "NAN" | "null" | "NULL" | "Null" | "?" => {
            Cell::Missing
        }
        "None" => Cell::Nothing,
        "true" | "True" | "TRUE" => Cell::Boolean(true),
        "false" | "False" | "FALSE" => Cell::Boolean(false),
        _ => infinity(text).map_or(Cell::Text, Cell::Number),
    }
}

/// Infinity is a number, so that its column stays numeric and the error names the row that holds it.
fn infinity(text: &str) -> Option<f64> {
    let (sign, name) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    ["inf", "infinity"].iter().any(|word| name.eq_ignore_ascii_case(word)).then_some(sign * f64::INFINITY)
}

/// At most 15 digits without a leading zero, as most numbers of most tables are.
fn short_whole_number(text: &[u8]) -> Option<f64> {
    if text.len() > 15 || (text[0] == b'0' && text.len() > 1) {
        return None;
    }
    let mut number = 0;
    for byte in text {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        number = 10 * number + u64::from(digit);
    }
    Some(number as f64)
}

/// A decimal number. Integers with leading zeros, such as the code `00123`, are text.
fn parse_number(text: &str, comma: bool) -> Option<f64> {
    if comma && text.contains([',', '.']) {
        let point = text.replacen(',', ".", 1);
        return if text.contains('.') { None } else { parse_number(&point, false) };
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text).as_bytes();
    match unsigned {
        [b'0', b'0'..=b'9', ..] => None,
        [b'0'..=b'9' | b'.', ..] => text.parse().ok(),
        _ => infinity(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMA: Style = Style { comma: true, dates: None };

    #[test]
    fn cells_mean_what_they_look_like() {
        for text in ["", "NA", "N/A", "NaN", "nan", "null", "NULL", "?"] {
            assert_eq!(classify(text, Style::default()), Cell::Missing, "{text}");
        }
        let numbers =
            [("0", 0.0), ("-1.5", -1.5), ("+2", 2.0), (".5", 0.5), ("5.", 5.0), ("0.25", 0.25), ("-3e-2", -0.03)];
        for (text, value) in numbers {
            assert_eq!(classify(text, Style::default()), Cell::Number(value), "{text}");
        }
        for text in [
            "00123", "-007", "1_000", "0x1A", "1,5", "007%", "$ab", "-", "+", ".", "abc", "1-2", "--1", "na", "yes",
            "１",
        ] {
            assert_eq!(classify(text, Style::default()), Cell::Text, "{text}");
        }
        assert_eq!(classify("True", Style::default()), Cell::Boolean(true));
        assert_eq!(classify("FALSE", Style::default()), Cell::Boolean(false));
        assert_eq!(classify("1970-01-01", Style::default()), Cell::Time(0));
        assert_eq!(classify("-inf", Style::default()), Cell::Number(f64::NEG_INFINITY));
        assert_eq!(classify("Infinity", Style::default()), Cell::Number(f64::INFINITY));
        assert_eq!(classify("None", Style::default()), Cell::Nothing);
    }

    #[test]
    fn a_decimal_comma_is_read_where_the_file_has_it() {
        assert_eq!(classify("1,5", COMMA), Cell::Number(1.5));
        assert_eq!(classify("-,5e1", COMMA), Cell::Number(-5.0));
        assert_eq!(classify("3", COMMA), Cell::Number(3.0));
        assert_eq!(classify("1.234,5", COMMA), Cell::Number(1234.5));
        assert_eq!(classify("1,5 %", COMMA), Cell::Amount(1.5, '%'));
        for text in ["1.5", "1,2,3", "1,234.5"] {
            assert_eq!(classify(text, COMMA), Cell::Text, "{text}");
        }
    }

    #[test]
    fn numbers_are_read_as_people_write_them() {
        assert_eq!(classify("1,234.5", Style::default()), Cell::Number(1234.5));
        assert_eq!(classify("-$1,234.50", Style::default()), Cell::Amount(-1234.5, '$'));
        assert_eq!(classify("12%", Style::default()), Cell::Amount(12.0, '%'));
    }

    #[test]
    fn a_date_with_the_month_first_or_the_day_is_open_without_an_order() {
        let ordered = |order| Style { dates: Some(order), ..Style::default() };
        for (text, month_first, day_first) in
            [("2/1/1970", Some(31), Some(1)), ("1/14/1970", Some(13), None), ("14/1/1970", None, Some(13))]
        {
            assert_eq!(
                classify(text, Style::default()),
                Cell::OpenTime([month_first.is_some(), day_first.is_some()]),
                "{text}"
            );
            let cell = |days: Option<i64>| days.map_or(Cell::Text, |days| Cell::Time(days * 86_400_000_000));
            assert_eq!(classify(text, ordered(DateOrder::MonthFirst)), cell(month_first), "{text}");
            assert_eq!(classify(text, ordered(DateOrder::DayFirst)), cell(day_first), "{text}");
        }
        assert_eq!(classify("Jan 2, 1970", Style::default()), Cell::Time(86_400_000_000));
    }
}
