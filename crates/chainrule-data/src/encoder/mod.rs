//! From a table's columns to the matrices a network reads, with everything that prediction needs kept inside.

mod duplicates;
mod encoding;
mod fit;
mod normal;
mod scale;
mod transform;

use std::collections::BTreeSet;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::table::{ColumnType, Table};

use encoding::Encoding;
use scale::Robust;

pub use scale::NumericScaling;

/// How columns become features.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EncoderSettings {
    /// How numbers are scaled. Default: mean 0 and standard deviation 1.
    pub numeric_scaling: NumericScaling,
    /// Whether a text or truth value that was missing in training gets a feature of its own, unseen levels being taken for
    /// missing ones. Without, missing and unseen are all zeros. Default true.
    pub category_indicator: bool,
    /// Text with at most so many levels in the training rows is one-hot; with more it is embedded. Default 8.
    pub one_hot_max_levels: usize,
    /// A level of an embedded column seen in fewer training rows than this shares slot 0 with the missing and the
    /// unseen, so that this slot is trained. Default 2: levels seen once.
    pub min_level_rows: usize,
    /// Columns to use even where they look like identifiers.
    pub keep: Vec<String>,
}

impl Default for EncoderSettings {
    fn default() -> Self {
        EncoderSettings {
            numeric_scaling: NumericScaling::Standard,
            category_indicator: true,
            one_hot_max_levels: 8,
            min_level_rows: 2,
            keep: Vec::new(),
        }
    }
}

impl EncoderSettings {
    /// Checks the ranges.
    ///
    /// # Errors
    /// [`Error::Setting`], naming the setting and its range.
    pub fn validate(&self) -> Result<()> {
        if self.one_hot_max_levels > 1000 {
            return Err(Error::Setting("one_hot_max_levels must be at most 1000; embed larger columns".to_owned()));
        }
        if self.min_level_rows == 0 {
            return Err(Error::Setting("min_level_rows must be at least 1".to_owned()));
        }
        Ok(())
    }
}

/// Something the user should know about a column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// The column's name.
    pub column: String,
    /// What happened to it and why.
    pub message: String,
}

/// A column that a network reads as one code per row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmbeddedColumn {
    /// The column's name.
    pub name: String,
    /// How many codes there are. Code 0 stands for a missing, rare or unseen level.
    pub levels: usize,
}

/// Where a column's features stand in the matrices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnPlace {
    /// The column's name.
    pub name: String,
    /// Its columns of [`Features::numeric`]; empty for one that is embedded.
    pub features: Range<usize>,
    /// Its column of [`Features::codes`], if it is embedded.
    pub code: Option<usize>,
}

/// What became of one column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnSummary {
    /// The column's name.
    pub name: String,
    /// What it held in training.
    pub kind: ColumnType,
    /// How it is encoded, in words.
    pub encoding: String,
    /// What was learned from the training rows, in words.
    pub statistics: String,
}

/// The matrices of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Features {
    /// Rows of both matrices.
    pub rows: usize,
    /// Columns of `numeric`.
    pub width: usize,
    /// `rows` x `width`, row-major; every value is finite.
    pub numeric: Vec<f32>,
    /// Columns of `codes`.
    pub codes_width: usize,
    /// `rows` x `codes_width`, row-major; below the column's [`EmbeddedColumn::levels`].
    pub codes: Vec<u32>,
}

/// A fitted encoder: prediction needs nothing else.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parts")]
pub struct Encoder {
    columns: Vec<EncodedColumn>,
    left_out: Vec<Warning>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EncodedColumn {
    name: String,
    /// Training rows without a value.
    missing_rows: usize,
    encoding: Encoding,
    /// How the features that are no numbers are scaled; empty: not at all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    flags: Vec<Robust>,
}

impl EncodedColumn {
    /// Whether the column can be used, for one that comes from a file.
    fn check(&self) -> Result<(), String> {
        let width = self.encoding.width() - self.encoding.numbers();
        if ![0, width].contains(&self.flags.len()) {
            return Err(format!("{} scales for {width} features", self.flags.len()));
        }
        self.flags.iter().try_for_each(Robust::check)?;
        self.encoding.check()
    }
}

/// An encoder as it stands in a file, not yet checked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    columns: Vec<EncodedColumn>,
    left_out: Vec<Warning>,
}

impl TryFrom<Parts> for Encoder {
    type Error = String;

    fn try_from(parts: Parts) -> Result<Encoder, String> {
        let mut names = BTreeSet::new();
        for column in &parts.columns {
            if !names.insert(&column.name) {
                return Err(format!("the column {:?} stands twice in the encoder", column.name));
            }
            column.check().map_err(|message| format!("column {:?} of the encoder: {message}", column.name))?;
        }
        if parts.columns.is_empty() {
            return Err("the encoder has no column".to_owned());
        }
        Ok(Encoder { columns: parts.columns, left_out: parts.left_out })
    }
}

impl Encoder {
    /// Learns the encoding of every column of `table` from `train_rows` (0-based) only.
    ///
    /// `exclude` names the columns that are no features: target, weight, exposure, ignored. The warnings name the
    /// columns left out: constant, without any value, like an identifier (a running row number, or text of which more than
    /// half the values are distinct), or the same as an earlier column. Others name columns of dates that are taken as text.
    ///
    /// # Errors
    /// An unknown name in `exclude` or `settings.keep`, an infinite number, no training row, or no usable column.
    pub fn fit(
        table: &Table,
        exclude: &[&str],
        train_rows: &[u32],
        settings: &EncoderSettings,
    ) -> Result<(Encoder, Vec<Warning>)> {
        let fit::Fit { columns, left_out, notes } = fit::fit(table, exclude, train_rows, settings)?;
        let warnings = left_out.iter().cloned().chain(notes).collect();
        Ok((Encoder { columns, left_out }, warnings))
    }

    /// The matrices of `table`, which may have more columns than the encoder uses, in any order.
    ///
    /// # Errors
    /// A column that is missing, or that holds something else than in training (text where numbers were, with the first
    /// such row), or an infinite number.
    pub fn transform(&self, table: &Table) -> Result<Features> {
        transform::transform(&self.columns, table)
    }

    /// Columns of [`Features::numeric`].
    pub fn numeric_width(&self) -> usize {
        self.columns.iter().map(|column| column.encoding.width()).sum()
    }

    /// Which columns of [`Features::numeric`] are numbers: neither signs, indicators, levels nor cycles.
    pub fn number_features(&self) -> Vec<usize> {
        let (mut features, mut first) = (vec![], 0);
        for EncodedColumn { encoding, .. } in &self.columns {
            features.extend(first..first + encoding.numbers());
            first += encoding.width();
        }
        features
    }

    /// Where each used column's features stand, in the order of [`columns`](Self::columns).
    pub fn places(&self) -> Vec<ColumnPlace> {
        let (mut feature, mut code) = (0, 0);
        let place = |column: &EncodedColumn| {
            let first = feature;
            feature += column.encoding.width();
            let embedded = column.encoding.embedded_levels().map(|_| code);
            code += usize::from(embedded.is_some());
            ColumnPlace { name: column.name.clone(), features: first..feature, code: embedded }
        };
        self.columns.iter().map(place).collect()
    }

    /// The columns of [`Features::codes`].
    pub fn embedded(&self) -> Vec<EmbeddedColumn> {
        let embedded = |column: &EncodedColumn| {
            let levels = column.encoding.embedded_levels()?;
            Some(EmbeddedColumn { name: column.name.clone(), levels })
        };
        self.columns.iter().filter_map(embedded).collect()
    }

    /// The names of the columns of [`Features::numeric`].
    pub fn feature_names(&self) -> Vec<String> {
        self.columns.iter().flat_map(|column| column.encoding.feature_names(&column.name)).collect()
    }

    /// The used columns, in the order of the table the encoder was fitted on.
    pub fn columns(&self) -> Vec<ColumnSummary> {
        let summary = |column: &EncodedColumn| ColumnSummary {
            name: column.name.clone(),
            kind: column.encoding.kind(),
            encoding: column.encoding.description(),
            statistics: column.encoding.statistics(column.missing_rows),
        };
        self.columns.iter().map(summary).collect()
    }

    /// The columns left out, and why.
    pub fn left_out(&self) -> &[Warning] {
        &self.left_out
    }

    /// What the used columns held in training where cells alone do not say it, for [`ReadOptions::known`](crate::ReadOptions::known).
    pub fn known_columns(&self) -> impl Iterator<Item = (&str, ColumnType)> {
        self.columns.iter().filter_map(|column| Some((column.name.as_str(), column.encoding.known()?)))
    }
}
