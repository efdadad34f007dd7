//! The extension module `chainrule._chainrule`: arrays in, arrays out. The mathematics is the engine's, the interface that
//! users see is Python's.

mod custom;
mod failure;
mod lead;
mod model;
mod network;
mod signals;
mod tabular;

use pyo3::prelude::*;

/// What `python/chainrule` is written on.
#[pymodule]
mod _chainrule {
    use super::*;

    #[pymodule_export]
    use super::network::Network;

    #[pymodule_export]
    use super::custom::{CustomActivation, CustomHead};

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        tabular::register(module)?;
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
