//! Dates and times as microseconds since 1970-01-01 00:00 UTC.

use chrono::{DateTime, Datelike, NaiveDateTime, SecondsFormat, TimeDelta, Timelike};

use crate::date::{DateOrder, leading_date, number};

const MICROS_PER_DAY: f64 = 86_400e6;

/// Reads a date as [`leading_date`] does, alone or with a time of day behind a blank or `T`: `hh:mm[:ss[.fraction]]`, then `AM` or `PM`, or a
/// zone `Z`, `+hh:mm` or `+hhmm`. A time without a zone is taken as UTC.
pub(crate) fn parse_time(text: &str, order: Option<DateOrder>) -> Option<i64> {
    let (date, rest) = leading_date(text, order)?;
    let (of_day, offset) = match rest.strip_prefix(['T', ' ']) {
        Some(time) => clock(time)?,
        None if rest.is_empty() => (TimeDelta::zero(), TimeDelta::zero()),
        None => return None,
    };
    let utc = date.and_hms_opt(0, 0, 0)? + of_day - offset;
    Some(utc.and_utc().timestamp_micros())
}

/// The time since midnight and the zone's offset from UTC.
fn clock(text: &str) -> Option<(TimeDelta, TimeDelta)> {
    let (text, noon) = half_of_day(text);
    let (time, offset) = match text.rfind(['+', '-', 'Z']) {
        Some(at) => (text.get(..at)?, zone(text.get(at..)?)?),
        None => (text, TimeDelta::zero()),
    };
    let mut parts = time.split(':');
    let hour = number(parts.next()?, 1..=2)?;
    let hour = match noon {
        None => hour,
        Some(noon) if (1..=12).contains(&hour) => hour % 12 + if noon { 12 } else { 0 },
        Some(_) => return None,
    };
    let minute = number(parts.next()?, 2..=2)?;
    let (second, fraction) = match parts.next() {
        Some(second) => second.split_once('.').unwrap_or((second, "0")),
        None => ("00", "0"),
    };
    let second = number(second, 2..=2)?;
    if parts.next().is_some() || hour >= 24 || minute >= 60 || second >= 60 {
        return None;
    }
    let seconds = TimeDelta::seconds(i64::from(hour * 3600 + minute * 60 + second));
    Some((seconds + micros(fraction)?, offset))
}

/// The time before `AM` or `PM`, if one of them stands there, and whether it is the second.
fn half_of_day(text: &str) -> (&str, Option<bool>) {
    let split = text.len().checked_sub(2).and_then(|at| text.split_at_checked(at));
    match split {
        Some((time, half)) if half.eq_ignore_ascii_case("AM") => (time.trim_end(), Some(false)),
        Some((time, half)) if half.eq_ignore_ascii_case("PM") => (time.trim_end(), Some(true)),
        _ => (text, None),
    }
}

/// In which orders of [`DateOrder::ALL`] a text can be read as a time.
pub(crate) fn readable_orders(text: &str) -> [bool; 2] {
    DateOrder::ALL.map(|order| parse_time(text, Some(order)).is_some())
}

/// A fraction of a second, cut to microseconds.
fn micros(fraction: &str) -> Option<TimeDelta> {
    number(fraction, 1..=9)?;
    let padded = format!("{fraction:0<6}");
    Some(TimeDelta::microseconds(i64::from(number(&padded[..6], 6..=6)?)))
}

fn zone(text: &str) -> Option<TimeDelta> {
    if text == "Z" {
        return Some(TimeDelta::zero());
    }
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let (hours, minutes) = match text.len() {
        6 if text.as_bytes()[3] == b':' => (text.get(1..3)?, text.get(4..6)?),
        5 => (text.get(1..3)?, text.get(3..5)?),
        _ => return None,
    };
    let minutes = number(hours, 2..=2)? * 60 + number(minutes, 2..=2).filter(|&m| m < 60)?;
    Some(TimeDelta::minutes(sign * i64::from(minutes)))
}

/// Writes a time as text that [`parse_time`] reads back: a bare date at midnight, else with the time of day.
pub(crate) fn time_text(micros: i64) -> String {
    let time = date_time(micros);
    if time.num_seconds_from_midnight() == 0 && time.nanosecond() == 0 {
        return time.date().format("%Y-%m-%d").to_string();
    }
    time.and_utc().to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// What a network can use of a moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct TimeParts {
    /// Days since 1970, with the fraction of the day.
    pub(crate) days: f64,
    /// Fraction of the year that is past, in whole days: 0 on the first of January.
    pub(crate) year_fraction: f64,
    /// 0 = Monday.
    pub(crate) weekday: usize,
    /// Fraction of the day that is past.
    pub(crate) day_fraction: f64,
}

impl TimeParts {
    pub(crate) fn new(micros: i64) -> TimeParts {
        let time = date_time(micros);
        let days_in_year = if time.date().leap_year() { 366.0 } else { 365.0 };
        let seconds = f64::from(time.num_seconds_from_midnight()) + f64::from(time.nanosecond()) * 1e-9;
        TimeParts {
            days: micros as f64 / MICROS_PER_DAY,
            year_fraction: f64::from(time.ordinal0()) / days_in_year,
            weekday: time.weekday().num_days_from_monday() as usize,
            day_fraction: seconds / 86_400.0,
        }
    }
}

/// The calendar ends 262,000 years from now; what lies beyond is taken as its end.
fn date_time(micros: i64) -> NaiveDateTime {
    let end = if micros < 0 { NaiveDateTime::MIN } else { NaiveDateTime::MAX };
    DateTime::from_timestamp_micros(micros).map_or(end, |time| time.naive_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iso_forms_are_read() {
        let day = 86_400_000_000;
        let cases = [
            ("1970-01-01", 0),
            ("1970/01/02", day),
            ("02.01.1970", day),
            ("02.01.1970 00:01", day + 60_000_000),
            ("1969-12-31", -day),
            ("2000-02-29", 11_016 * day),
            ("1970-01-01T01:02", 3_720_000_000),
            ("1970-01-01 01:02:03", 3_723_000_000),
            ("1970-01-01T00:00:00.5Z", 500_000),
            ("1970-01-01T00:00:00.123456789", 123_456),
            ("1970-01-01T02:00+02:00", 0),
            ("1969-12-31T22:00:00-0200", 0),
        ];
        for (text, micros) in cases {
            assert_eq!(parse_time(text, None), Some(micros), "{text}");
            assert_eq!(parse_time(&time_text(micros), None), Some(micros), "{text}");
        }
    }

    #[test]
    fn other_text_is_not_a_time() {
        let texts = [
            "",
            "1970",
            "1970-01",
            "1970-13-01",
            "2001-02-29",
            "1970-01/01",
            "1970-01-01x",
            "1970-01-01T",
            "01-02-1970",
            "32.01.1970",
            "1970-01-01T1:2",
            "1970-01-01T001:02",
            "1970-01-01T1",
            "1970-01-01T25:00",
            "1970-01-01T00:00:60",
            "1970-01-01T00:00.5",
            "1970-01-01T00:00:00.",
            "1970-01-01T00:00:00+1",
            "1970-01-01T00:00:00:00",
            "+970-01-01",
            "197é-01-01",
            "1970-01-01 00:00 PM",
            "1970-01-01 13:00 PM",
            "1970-01-01 PM",
            "1970-01-01 1:00 XM",
        ];
        for text in texts {
            assert_eq!(parse_time(text, None), None, "{text}");
        }
    }

    #[test]
    fn a_date_in_any_form_may_have_a_time_of_day() {
        let order = Some(DateOrder::MonthFirst);
        let noon = parse_time("2024-08-25T12:00", None);
        for text in [
            "8/25/2024 12:00",
            "8/25/24 12:00 PM",
            "8/25/2024 12:00:00pm",
            "25 Aug 2024 12:00",
            "Aug 25, 2024 12:00 pm",
        ] {
            assert_eq!(parse_time(text, order), noon, "{text}");
        }
        for (text, hours) in [
            ("8/25/2024 12:00 AM", -12),
            ("8/25/2024 1:00 AM", -11),
            ("8/25/2024 1:00 PM", 1),
            ("8/25/2024 11:00 PM", 11),
        ] {
            assert_eq!(parse_time(text, order), noon.map(|noon| noon + hours * 3_600_000_000), "{text}");
        }
        assert_eq!(parse_time("8/25/2024 12:00", None), None);
        assert_eq!(readable_orders("8/25/2024 1:30 PM"), [true, false]);
        assert_eq!(readable_orders("25/8/2024"), [false, true]);
        assert_eq!(readable_orders("8/5/2024"), [true, true]);
        assert_eq!(readable_orders("8/5"), [false, false]);
    }

    #[test]
    fn parts_of_a_known_moment() {
        // 2024-03-01 18:00 was a Friday; 60 days of the leap year 2024 were past.
        let parts = TimeParts::new(parse_time("2024-03-01T18:00:00Z", None).unwrap());
        assert_eq!((parts.weekday, parts.day_fraction), (4, 0.75));
        assert_eq!(parts.year_fraction, 60.0 / 366.0);
        assert_eq!(parts.days, 19_783.75);
        assert!(TimeParts::new(i64::MAX).days.is_finite() && TimeParts::new(i64::MIN + 1).days.is_finite());
    }
}
