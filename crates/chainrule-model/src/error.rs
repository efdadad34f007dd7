//! What can go wrong between a table and a model.

/// An error about a model. The message says what is wrong, where, and what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// In the data.
    #[error(transparent)]
    Data(#[from] chainrule_data::Error),
    /// In the network, its settings or its training.
    #[error(transparent)]
    Engine(#[from] chainrule::Error),
    /// A setting that cannot work, alone or with this table.
    #[error("{0}")]
    Setting(String),
    /// A model file that cannot be used.
    #[error("{file}: {message}")]
    ModelFile {
        /// The file.
        file: String,
        /// What is wrong with it.
        message: String,
    },
}

/// A result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

pub(crate) fn setting<T>(message: impl Into<String>) -> Result<T> {
    Err(Error::Setting(message.into()))
}
