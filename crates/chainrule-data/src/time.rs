//! Dates and times as microseconds since 1970-01-01 00:00 UTC.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, SecondsFormat, TimeDelta, Timelike};

const MICROS_PER_DAY: f64 = 86_400e6;

/// Reads an ISO 8601 date `YYYY-MM-DD` (also `YYYY/MM/DD` and `DD.MM.YYYY`), alone or with a time `hh:mm[:ss[.fraction]]` after a blank
/// or `T`, and the time with a zone `Z`, `+hh:mm` or `+hhmm`. A time without a zone is taken as UTC.
pub(crate) fn parse_time(text: &str) -> Option<i64> {
    let (date, rest) = text.split_at_checked(10)?;
    let [year, month, day] = match date.as_bytes() {
        [_, _, _, _, b'-', _, _, b'-', ..] | [_, _, _, _, b'/', _, _, b'/', ..] => [0..4, 5..7, 8..10],
        [_, _, b'.', _, _, b'.', ..] => [6..10, 3..5, 0..2],
        _ => return None,
    }
    .map(|range| date.get(range).and_then(digits));
    let date = NaiveDate::from_ymd_opt(i32::try_from(year?).ok()?, month?, day?)?;
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
    let (time, offset) = match text.rfind(['+', '-', 'Z']) {
        Some(at) => (text.get(..at)?, zone(text.get(at..)?)?),
        None => (text, TimeDelta::zero()),
    };
    let (whole, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let mut parts = whole.split(':');
    let mut part = |limit: u32| parts.next().filter(|p| p.len() == 2).and_then(digits).filter(|&p| p < limit);
    let (hour, minute) = (part(24)?, part(60)?);
    let second = if whole.len() > 5 { part(60)? } else { 0 };
    if whole.len() > 8 || (whole.len() == 5 && time.len() > 5) {
        return None;
    }
    let seconds = TimeDelta::seconds(i64::from(hour * 3600 + minute * 60 + second));
    Some((seconds + micros(fraction)?, offset))
}

/// A fraction of a second, cut to microseconds.
fn micros(fraction: &str) -> Option<TimeDelta> {
    if fraction.is_empty() || fraction.len() > 9 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let padded = format!("{fraction:0<6}");
    Some(TimeDelta::microseconds(i64::from(digits(&padded[..6])?)))
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
    let minutes = digits(hours)? * 60 + digits(minutes).filter(|&m| m < 60)?;
    Some(TimeDelta::minutes(sign * i64::from(minutes)))
}

/// Whether a text may be a date in a form that is not read, since month and day could not be told apart or a zero is missing: `8/25/2024`.
pub(crate) fn looks_like_date(text: &str) -> bool {
    let date = text.split([' ', 'T']).next().unwrap_or_default();
    ['/', '.', '-'].iter().any(|&mark| {
        let parts: Vec<&str> = date.split(mark).collect();
        let of_length = |part: &&str| matches!(part.len(), 1 | 2 | 4) && digits(part).is_some();
        parts.len() == 3 && parts.iter().all(of_length) && parts.iter().filter(|part| part.len() == 4).count() <= 1
    })
}

fn digits(text: &str) -> Option<u32> {
    if text.bytes().all(|b| b.is_ascii_digit()) { text.parse().ok() } else { None }
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
            assert_eq!(parse_time(text), Some(micros), "{text}");
            assert_eq!(parse_time(&time_text(micros)), Some(micros), "{text}");
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
            "1.2.1970",
            "1970-01-01T1:02",
            "1970-01-01T25:00",
            "1970-01-01T00:00:60",
            "1970-01-01T00:00.5",
            "1970-01-01T00:00:00.",
            "1970-01-01T00:00:00+1",
            "1970-01-01T00:00:00:00",
            "+970-01-01",
            "197é-01-01",
            "1970-01-01 00:00 PM",
        ];
        for text in texts {
            assert_eq!(parse_time(text), None, "{text}");
        }
    }

    #[test]
    fn what_may_be_a_date_is_known() {
        for text in ["8/25/2024", "1.2.2024", "25-12-24", "8/25/2024 1:30 PM"] {
            assert!(looks_like_date(text), "{text}");
        }
        for text in ["", "a/b/c", "1/2", "555-123-4567", "2024/2024/1", "1.2.3.4", "8//2024", "１/2/2024"] {
            assert!(!looks_like_date(text), "{text}");
        }
    }

    #[test]
    fn parts_of_a_known_moment() {
        // 2024-03-01 18:00 was a Friday; 60 days of the leap year 2024 were past.
        let parts = TimeParts::new(parse_time("2024-03-01T18:00:00Z").unwrap());
        assert_eq!((parts.weekday, parts.day_fraction), (4, 0.75));
        assert_eq!(parts.year_fraction, 60.0 / 366.0);
        assert_eq!(parts.days, 19_783.75);
        assert!(TimeParts::new(i64::MAX).days.is_finite() && TimeParts::new(i64::MIN + 1).days.is_finite());
    }
}
