//! Errors as Python's: rows count from 0 there.

use std::io;

use chainrule_data::Error as DataError;
use chainrule_model::Error;
use pyo3::PyErr;
use pyo3::exceptions::{PyOSError, PyValueError};

pub(super) fn data_error(error: DataError) -> PyErr {
    match error {
        DataError::Cell { table, row, column, message } => {
            let row = row.saturating_sub(1);
            PyValueError::new_err(format!("{table}, row {row} (counted from 0), column {column:?}: {message}"))
        }
        DataError::Io { ref source, .. } => io_error(source.kind(), error.to_string()),
        error => PyValueError::new_err(error.to_string()),
    }
}

pub(super) fn model_error(error: Error) -> PyErr {
    match error {
        Error::Data(error) => data_error(error),
        error => PyValueError::new_err(error.to_string()),
    }
}

/// The subclass of `OSError` that Python has for the reason, with the whole message.
fn io_error(kind: io::ErrorKind, message: String) -> PyErr {
    match kind {
        io::ErrorKind::NotFound => pyo3::exceptions::PyFileNotFoundError::new_err(message),
        io::ErrorKind::PermissionDenied => pyo3::exceptions::PyPermissionError::new_err(message),
        _ => PyOSError::new_err(message),
    }
}
