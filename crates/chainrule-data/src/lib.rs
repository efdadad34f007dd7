//! Tables into matrices: readers, column types, encoders and targets. Knows no network.
//!
//! [`read_table`] turns a CSV, Parquet or Arrow file into a [`Table`]; an [`Encoder`], fitted on the training rows,
//! turns a table into [`Features`]: a matrix of `f32` and a matrix of category codes. [`ClassTarget`],
//! [`numeric_target`] and [`TargetScaler`] do the same for what is to be predicted, and [`write_table`] writes
//! predictions.
//!
//! Memory: a column takes the fewest bytes that hold its values exactly (see [`Numbers`]), files are read batch by
//! batch straight into columns, and a matrix is filled in place.

mod amount;
mod atomic;
mod build;
mod categories;
mod cell;
mod date;
mod encoder;
mod error;
mod numbers;
mod read;
mod rows;
mod table;
mod target;
mod task;
mod time;
mod write;

pub use atomic::{check_place, write_atomically};
pub use categories::Categories;
pub use date::DateOrder;
pub use encoder::{
    ColumnPlace, ColumnSummary, EmbeddedColumn, Encoder, EncoderSettings, Features, NumericScaling, Warning,
};
pub use error::{Error, Result};
pub use numbers::{Numbers, number_text};
pub use read::{ReadOptions, read_batches, read_table};
pub use rows::counted_rows;
pub use table::{Column, ColumnType, MISSING_TIME, Table, Times, Values};
pub use target::{ClassTarget, TargetScaler, event_column, exposure_column, numeric_target, weight_column};
pub use task::{Task, infer_task};
pub use write::{check_table_path, write_table};
