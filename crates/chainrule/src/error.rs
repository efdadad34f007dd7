//! What can go wrong in the engine.

/// An error of the engine. The message says what is wrong and what to do.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A specification or setting that cannot work.
    #[error("{0}")]
    Setting(String),
    /// Data whose size does not fit the network or its own other parts.
    #[error("{what}: expected {expected}, got {got}")]
    Shape {
        /// Which size.
        what: String,
        /// The size that fits.
        expected: usize,
        /// The size found.
        got: usize,
    },
    /// An input that is infinite or NaN.
    #[error("row {row}, feature {feature}: {value} is not a finite number; impute or remove such values first")]
    Input {
        /// 1-based row.
        row: usize,
        /// 1-based feature.
        feature: usize,
        /// The value found.
        value: f64,
    },
    /// A target outside the support of the head's distribution.
    #[error("row {row}: target {value} is outside the {head} head's range: {range}")]
    Target {
        /// 1-based row.
        row: usize,
        /// The value found.
        value: f64,
        /// The head.
        head: &'static str,
        /// What it takes.
        range: String,
    },
    /// A user's activation or head whose derivative is wrong.
    #[error(
        "{name} is refused: at {point} the derivative given is {analytic}, the numeric one is {numeric} ({method})"
    )]
    Unproven {
        /// The function's name.
        name: String,
        /// Where.
        point: String,
        /// The derivative given.
        analytic: f64,
        /// The numeric one.
        numeric: f64,
        /// How it was found.
        method: &'static str,
    },
    /// A row weight that is negative, infinite or NaN, or weights that are all zero.
    #[error("{0}")]
    Weight(String),
}

/// A result with the engine's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

pub(crate) fn expect_len(what: &str, expected: usize, got: usize) -> Result<()> {
    if expected == got {
        return Ok(());
    }
    Err(Error::Shape { what: what.to_owned(), expected, got })
}

pub(crate) fn setting<T>(message: impl Into<String>) -> Result<T> {
    Err(Error::Setting(message.into()))
}
