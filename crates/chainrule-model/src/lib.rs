//! The thing a user keeps: encoder, network and metadata in one, fitted on a table, applied to tables, saved to a file.
//!
//! [`prepare`] turns a table into matrices and a network, [`Prepared::train`] trains it, or several side by side, [`Model`] predicts, evaluates, is
//! saved and loaded. The engine and the data crate meet here and only here.

mod bins;
mod calibration;
mod certificate;
mod choice;
mod conformal;
mod contributions;
mod cv;
mod effort;
mod error;
mod explain;
mod file;
mod fit;
mod importance;
mod matrices;
mod members;
mod model;
mod names;
mod others;
mod predictions;
mod recipe;
mod score;
mod scores;
mod settings;
mod split;
mod target;
mod training;
pub mod tune;
mod turns;

pub use certificate::ModelCertificate;
pub use choice::Choice;
pub use conformal::Conformal;
pub use contributions::Contributions;
pub use cv::{Summary, cross_validate, summarize};
pub use effort::{Effort, parse_time};
pub use error::{Error, Result};
pub use explain::WeightReport;
pub use fit::{Prepared, prepare, prepare_rows};
pub use importance::{ColumnImportance, Importance};
pub use matrices::Roles;
pub use model::{Card, Model, Training};
pub use others::Others;
pub use recipe::{Preset, Recipe, Start};
pub use score::Score;
pub use scores::{Evaluation, Metrics};
pub use settings::{OneOrMany, Settings, TaskChoice};
pub use target::Target;
pub use training::Fitted;
pub use turns::{Observer, Turn};
