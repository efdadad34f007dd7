//! How much time a model may take, in words.

use std::str::FromStr;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::recipe::Preset;

/// How much time a good model may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// Two hidden layers, Adam, early stopping.
    Fast,
    /// The recipe that suits the table.
    Default,
    /// Several such networks, averaged.
    Best,
}

impl Effort {
    /// Every effort with its name.
    pub const ALL: [(&'static str, Self); 3] = [("fast", Self::Fast), ("default", Self::Default), ("best", Self::Best)];

    /// The preset that it is.
    pub fn preset(self) -> Preset {
        match self {
            Self::Fast => Preset::Plain,
            Self::Default => Preset::Auto,
            Self::Best => Preset::Best,
        }
    }
}

impl FromStr for Effort {
    type Err = Error;

    /// # Errors
    /// [`Error::Setting`] with the names that there are.
    fn from_str(name: &str) -> Result<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, effort)| *effort).ok_or_else(|| {
            let names = Self::ALL.map(|(known, _)| known).join(", ");
            Error::Setting(format!("unknown effort {name:?}; there are {names}"))
        })
    }
}

/// A time as `90s`, `10m` or `1h30m`.
///
/// # Errors
/// [`Error::Setting`] for any other text, and for no time at all.
pub fn parse_time(text: &str) -> Result<Duration> {
    let wrong = || Error::Setting(format!("{text:?} is no time; write it as 90s, 10m or 1h30m"));
    let (mut seconds, mut rest) = (0.0, text);
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(wrong)?;
        let number: f64 = rest[..end].parse().map_err(|_| wrong())?;
        let unit = rest[end..].chars().next().ok_or_else(wrong)?;
        seconds += match unit {
            's' => number,
            'm' => 60.0 * number,
            'h' => 3600.0 * number,
            _ => return Err(wrong()),
        };
        rest = &rest[end + 1..];
    }
    Duration::try_from_secs_f64(seconds).ok().filter(|time| !time.is_zero()).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        let seconds = |text: &str| parse_time(text).unwrap().as_secs_f64();
        assert_eq!(["90s", "10m", "1h30m", "0.5h"].map(seconds), [90.0, 600.0, 5400.0, 1800.0]);
        for text in ["abc", "", "10", "0s", "-5m", "1.2.3s", "m", "5 m", "9m9", "1e400h", "5ü"] {
            let message = parse_time(text).unwrap_err().to_string();
            assert!(message.contains("is no time; write it as 90s, 10m or 1h30m"), "{text}: {message}");
        }
    }

    #[test]
    fn efforts_have_names() {
        assert_eq!("best".parse::<Effort>().unwrap().preset(), Preset::Best);
        let message = "much".parse::<Effort>().unwrap_err().to_string();
        assert!(message.contains("unknown effort \"much\"; there are fast, default, best"), "{message}");
    }
}
