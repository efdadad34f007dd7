//! What one cell of text means.

use crate::amount::{grouped, with_unit};
use crate::table::{ColumnType, MISSING_TIME};
use crate::time::parse_time;

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
    Text,
}

impl Cell {
    /// What a column of such cells holds; `None` for a cell that fits more than one.
    pub(crate) fn kind(self) -> Option<ColumnType> {
        match self {
            Cell::Missing | Cell::Nothing => None,
            Cell::Number(_) | Cell::Amount(..) => Some(ColumnType::Number),
            Cell::Boolean(_) => Some(ColumnType::Boolean),
            Cell::Time(_) => Some(ColumnType::Time),
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

/// Classifies a trimmed cell. `comma`: a decimal comma stands where others have a point.
pub(crate) fn classify(text: &str, comma: bool) -> Cell {
    let Some(&first) = text.as_bytes().first() else { return Cell::Missing };
    if let Some(value) = short_whole_number(text.as_bytes()) {
        return Cell::Number(value);
    }
    let number = |text: &str| parse_number(text, comma).or_else(|| grouped(text, comma));
    if (first.is_ascii_digit() || matches!(first, b'-' | b'+' | b'.' | b','))
        && let Some(value) = number(text)
    {
        return Cell::Number(value);
    }
    if first.is_ascii_digit()
        && let Some(time) = parse_time(text)
    {
        return Cell::Time(time);
    }
    if let Some((value, unit)) = with_unit(text, number) {
        return Cell::Amount(value, unit);
    }
    word(text)
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

    #[test]
    fn cells_mean_what_they_look_like() {
        for text in ["", "NA", "N/A", "NaN", "nan", "null", "NULL", "?"] {
            assert_eq!(classify(text, false), Cell::Missing, "{text}");
        }
        let numbers =
            [("0", 0.0), ("-1.5", -1.5), ("+2", 2.0), (".5", 0.5), ("5.", 5.0), ("0.25", 0.25), ("-3e-2", -0.03)];
        for (text, value) in numbers {
            assert_eq!(classify(text, false), Cell::Number(value), "{text}");
        }
        for text in [
            "00123", "-007", "1_000", "0x1A", "1,5", "007%", "$ab", "-", "+", ".", "abc", "1-2", "--1", "na", "yes",
            "１",
        ] {
            assert_eq!(classify(text, false), Cell::Text, "{text}");
        }
        assert_eq!(classify("True", false), Cell::Boolean(true));
        assert_eq!(classify("FALSE", false), Cell::Boolean(false));
        assert_eq!(classify("1970-01-01", false), Cell::Time(0));
        assert_eq!(classify("-inf", false), Cell::Number(f64::NEG_INFINITY));
        assert_eq!(classify("Infinity", false), Cell::Number(f64::INFINITY));
        assert_eq!(classify("None", false), Cell::Nothing);
    }

    #[test]
    fn a_decimal_comma_is_read_where_the_file_has_it() {
        assert_eq!(classify("1,5", true), Cell::Number(1.5));
        assert_eq!(classify("-,5e1", true), Cell::Number(-5.0));
        assert_eq!(classify("3", true), Cell::Number(3.0));
        assert_eq!(classify("1.234,5", true), Cell::Number(1234.5));
        assert_eq!(classify("1,5 %", true), Cell::Amount(1.5, '%'));
        for text in ["1.5", "1,2,3", "1,234.5"] {
            assert_eq!(classify(text, true), Cell::Text, "{text}");
        }
    }

    #[test]
    fn numbers_are_read_as_people_write_them() {
        assert_eq!(classify("1,234.5", false), Cell::Number(1234.5));
        assert_eq!(classify("-$1,234.50", false), Cell::Amount(-1234.5, '$'));
        assert_eq!(classify("12%", false), Cell::Amount(12.0, '%'));
    }
}
