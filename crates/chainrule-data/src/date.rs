//! Dates as people write them.

use std::ops::RangeInclusive;

use chrono::{Month, NaiveDate};
use serde::{Deserialize, Serialize};

use crate::amount::are_digits;

/// Which part comes first in dates such as `8/5/2024`, where two could be the month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DateOrder {
    /// The month, then the day.
    MonthFirst,
    /// The day, then the month.
    DayFirst,
}

impl DateOrder {
    pub(crate) const ALL: [DateOrder; 2] = [DateOrder::MonthFirst, DateOrder::DayFirst];

    /// For messages.
    pub(crate) fn words(self) -> &'static str {
        match self {
            DateOrder::MonthFirst => "month first",
            DateOrder::DayFirst => "day first",
        }
    }
}

/// Two digits of a year from this on are of the twentieth century, as POSIX has it.
const PIVOT: i32 = 69;

/// Reads the date that a text begins with, and gives what stands behind it.
///
/// The year comes first (`2024-08-05`, `2024/8/5`, `2024.8.5`), or the day where points stand between (`5.8.2024`) or the month has
/// its English name (`5 Aug 2024`, `5-Aug-24`, `August 5, 2024`). Of two numbers and a year (`8/5/2024`, `8/5/24`, `8-5-2024`) the `order`
/// says which is the month; without, they are no date.
pub(crate) fn leading_date(text: &str, order: Option<DateOrder>) -> Option<(NaiveDate, &str)> {
    let (first, rest) = part(text)?;
    let mark = rest.chars().next().filter(|mark| matches!(mark, '-' | '/' | '.' | ' '))?;
    let (second, rest) = part(&rest[1..])?;
    let rest = if mark == ' ' { rest.strip_prefix(',').unwrap_or(rest) } else { rest };
    let (third, rest) = part(rest.strip_prefix(mark)?)?;
    let named = |part: &str| part.starts_with(|c: char| c.is_ascii_alphabetic());
    let [year, month, day] = match mark {
        _ if named(second) => [third, second, first],
        ' ' if named(first) => [third, first, second],
        ' ' => return None,
        _ if first.len() == 4 => [first, second, third],
        '.' => [third, second, first],
        _ => match order? {
            DateOrder::MonthFirst => [third, first, second],
            DateOrder::DayFirst => [third, second, first],
        },
    };
    let short = mark == '/' || named(month);
    let date = NaiveDate::from_ymd_opt(parse_year(year, short)?, parse_month(month)?, number(day, 1..=2)?)?;
    Some((date, rest))
}

/// The digits or the letters that a text begins with, at least one, and the rest.
fn part(text: &str) -> Option<(&str, &str)> {
    let like: fn(&u8) -> bool = match text.bytes().next()? {
        b'0'..=b'9' => u8::is_ascii_digit,
        _ => u8::is_ascii_alphabetic,
    };
    let end = text.bytes().position(|byte| !like(&byte)).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

/// Four digits, or two where the rest shows a date (`short`).
fn parse_year(text: &str, short: bool) -> Option<i32> {
    let year = number(text, if short { 2..=4 } else { 4..=4 })? as i32;
    match text.len() {
        2 if year < PIVOT => Some(2000 + year),
        2 => Some(1900 + year),
        4 => Some(year),
        _ => None,
    }
}

fn parse_month(text: &str) -> Option<u32> {
    number(text, 1..=2).or_else(|| text.parse().ok().map(|month: Month| month.number_from_month()))
}

/// A whole number of so many digits.
pub(crate) fn number(text: &str, digits: RangeInclusive<usize>) -> Option<u32> {
    if digits.contains(&text.len()) && are_digits(text.as_bytes()) { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(year: i32, month: u32, day: u32) -> Option<NaiveDate> {
        NaiveDate::from_ymd_opt(year, month, day)
    }

    fn whole(text: &str, order: Option<DateOrder>) -> Option<NaiveDate> {
        leading_date(text, order).filter(|(_, rest)| rest.is_empty()).map(|(date, _)| date)
    }

    #[test]
    fn dates_that_can_be_read_in_one_way_need_no_order() {
        for text in [
            "2024-08-05",
            "2024/08/05",
            "2024.8.5",
            "2024-8-5",
            "05.08.2024",
            "5.8.2024",
            "5 Aug 2024",
            "5 August 2024",
            "05-Aug-2024",
            "5-aug-24",
            "5/AUG/2024",
            "Aug 5, 2024",
            "August 05 2024",
        ] {
            for order in [None, Some(DateOrder::MonthFirst), Some(DateOrder::DayFirst)] {
                assert_eq!(whole(text, order), date(2024, 8, 5), "{text}");
            }
        }
        assert_eq!(whole("5-Aug-69", None), date(1969, 8, 5));
        assert_eq!(whole("5-Aug-68", None), date(2068, 8, 5));
        assert_eq!(leading_date("Aug 5, 2024 13:30", None), Some((date(2024, 8, 5).unwrap(), " 13:30")));
    }

    #[test]
    fn two_numbers_and_a_year_need_an_order() {
        for text in ["8/5/2024", "08/05/2024", "8/5/24", "8-5-2024", "08-05-2024"] {
            assert_eq!(whole(text, None), None, "{text}");
            assert_eq!(whole(text, Some(DateOrder::MonthFirst)), date(2024, 8, 5), "{text}");
            assert_eq!(whole(text, Some(DateOrder::DayFirst)), date(2024, 5, 8), "{text}");
        }
        assert_eq!(whole("25/12/2024", Some(DateOrder::MonthFirst)), None);
        assert_eq!(whole("25/12/2024", Some(DateOrder::DayFirst)), date(2024, 12, 25));
    }

    #[test]
    fn other_text_is_no_date() {
        for text in [
            "",
            "2024",
            "2024-08",
            "8/5",
            "2024-13-01",
            "2023-02-29",
            "2024-08/05",
            "24-08-05",
            "8-5-24",
            "1.2.24",
            "5 8 2024",
            "August 2024",
            "Augst 5, 2024",
            "5 Aug, 20245",
            "5. Aug 2024",
            "555-123-4567",
            "123-45-6789",
            "8//2024",
            "2024-08-005",
            "8/5/024",
            "１/2/2024",
            "202é-01-01",
            "+970-01-01",
            "a-b-c",
            "Aug-Aug-2024",
            "Aug 5,, 2024",
            "Aug, 5 2024",
        ] {
            for order in [None, Some(DateOrder::MonthFirst), Some(DateOrder::DayFirst)] {
                assert_eq!(whole(text, order), None, "{text}");
            }
        }
    }
}
