//! A distribution's second parameter: how far around the mean.

use std::fmt;

use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The second parameter of a distribution: a scale, shape, dispersion or precision, always > 0.
///
/// As data `"unit"`, `"shared"`, `"learned"`, or the number.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Scale {
    /// 1. Where it does not change the mean that is learned, it can be estimated afterwards.
    #[default]
    Unit,
    /// This number.
    Fixed(f64),
    /// One number for all rows, learned: the network has a second output for each target, the number's logarithm, of
    /// which only the bias moves.
    Shared,
    /// A function of the row: the network has a second output for each target, the logarithm.
    Learned,
}

impl Scale {
    pub(super) fn shared() -> Self {
        Self::Shared
    }

    /// Whether it is an output of the network.
    pub(crate) fn is_output(self) -> bool {
        matches!(self, Self::Shared | Self::Learned)
    }

    /// The number, where it is no output.
    pub(crate) fn number(self) -> Option<f64> {
        match self {
            Self::Unit => Some(1.0),
            Self::Fixed(value) => Some(value),
            Self::Shared | Self::Learned => None,
        }
    }
}

impl Serialize for Scale {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Unit => serializer.serialize_str("unit"),
            Self::Fixed(value) => serializer.serialize_f64(*value),
            Self::Shared => serializer.serialize_str("shared"),
            Self::Learned => serializer.serialize_str("learned"),
        }
    }
}

impl<'de> Deserialize<'de> for Scale {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScaleVisitor)
    }
}

struct ScaleVisitor;

impl Visitor<'_> for ScaleVisitor {
    type Value = Scale;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number or one of `unit`, `shared`, `learned`")
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Scale, E> {
        Ok(Scale::Fixed(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Scale, E> {
        Ok(Scale::Fixed(value as f64))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Scale, E> {
        Ok(Scale::Fixed(value as f64))
    }

    fn visit_str<E: Error>(self, word: &str) -> Result<Scale, E> {
        match word {
            "unit" => Ok(Scale::Unit),
            "shared" => Ok(Scale::Shared),
            "learned" => Ok(Scale::Learned),
            _ => Err(E::invalid_value(Unexpected::Str(word), &self)),
        }
    }
}
