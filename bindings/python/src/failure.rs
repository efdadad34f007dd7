//! The engine's errors as Python's exceptions.

use pyo3::PyErr;
use pyo3::exceptions::PyValueError;

/// Everything that the engine refuses is a wrong value.
pub fn refused(error: chainrule::Error) -> PyErr {
    PyValueError::new_err(error.to_string())
}

/// Text that does not describe what it should.
pub fn unreadable(error: serde_json::Error) -> PyErr {
    PyValueError::new_err(error.to_string())
}

/// An array that is not laid out as the engine reads it.
pub fn layout(what: &str) -> PyErr {
    PyValueError::new_err(format!("{what} must be a C-contiguous array"))
}
