//! What can go wrong between a file and a matrix.

use std::io;
use std::path::Path;

/// An error about data. The message says what is wrong, where, and what to do about it.
///
/// Row numbers count data rows from 1 (a header is not a row); line numbers are lines of the text file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused to open, read or write a file.
    #[error("{file}: {source}")]
    Io {
        /// The file, or `standard input`.
        file: String,
        /// The system's reason.
        source: io::Error,
    },
    /// A file that cannot be read or written as a table.
    #[error("{file}: {message}")]
    File {
        /// The file, or `standard input`.
        file: String,
        /// What is wrong with it.
        message: String,
    },
    /// A line of a text file that cannot be read.
    #[error("{file}, line {line}: {message}")]
    Line {
        /// The file, or `standard input`.
        file: String,
        /// 1-based line of the file.
        line: u64,
        /// What is wrong with it.
        message: String,
    },
    /// One value of a table that cannot be used.
    #[error("{table}, row {row}, column {column:?}: {message}")]
    Cell {
        /// The table's name.
        table: String,
        /// 1-based data row.
        row: usize,
        /// The column's name.
        column: String,
        /// What is wrong with the value.
        message: String,
    },
    /// A whole column that cannot be used.
    #[error("{table}, column {column:?}: {message}")]
    Column {
        /// The table's name.
        table: String,
        /// The column's name.
        column: String,
        /// What is wrong with it.
        message: String,
    },
    /// A column that the table does not have.
    #[error("{table} has no column {column:?}{hint}")]
    UnknownColumn {
        /// The table's name.
        table: String,
        /// The name that was asked for.
        column: String,
        /// The nearest name, or what the table looks like.
        hint: String,
    },
    /// A table from which nothing can be learned.
    #[error("{table}: {message}")]
    Table {
        /// The table's name.
        table: String,
        /// What is wrong with it.
        message: String,
    },
    /// A setting that cannot work.
    #[error("{0}")]
    Setting(String),
}

/// A result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(crate) fn io(path: &Path, source: io::Error) -> Error {
        Error::Io { file: display_name(path), source }
    }

    pub(crate) fn file(path: &Path, message: impl Into<String>) -> Error {
        Error::File { file: display_name(path), message: message.into() }
    }
}

/// How a path is called in messages.
pub(crate) fn display_name(path: &Path) -> String {
    if is_standard_stream(path) { "standard input".to_owned() } else { path.display().to_string() }
}

/// Whether a path means standard input or output.
pub(crate) fn is_standard_stream(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// `; did you mean "x"?` for the name most like `wanted`, or an empty string where none is near.
pub(crate) fn did_you_mean<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> String {
    let similarity = |name: &str| strsim::jaro_winkler(&wanted.to_lowercase(), &name.to_lowercase());
    names
        .map(|name| (similarity(name), name))
        .filter(|(score, _)| *score >= 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map_or_else(String::new, |(_, name)| format!("; did you mean {name:?}?"))
}
