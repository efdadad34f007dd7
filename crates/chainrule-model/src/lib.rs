//! The thing a user keeps: encoder, network and metadata in one, fitted on a table, applied to tables, saved to a file.
//!
//! [`prepare`] turns a table into matrices and a network, [`Prepared::train`] trains it, [`Model`] predicts, evaluates, is
//! saved and loaded. The engine and the data crate meet here and only here.

mod certificate;
mod cv;
mod error;
mod explain;
mod file;
mod fit;
mod matrices;
mod model;
mod names;
mod recipe;
mod scores;
mod settings;
mod split;
mod target;

pub use certificate::ModelCertificate;
pub use cv::{Summary, cross_validate, summarize};
pub use error::{Error, Result};
pub use explain::WeightReport;
pub use fit::{Fitted, Prepared, prepare, prepare_rows};
pub use matrices::Roles;
pub use model::{Card, Model, Training};
pub use recipe::{Preset, Recipe, Start};
pub use scores::{Evaluation, Metrics};
pub use settings::{OneOrMany, Settings, TaskChoice};
pub use target::Target;
