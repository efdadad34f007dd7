//! Files into tables.

mod columnar;
mod delimited;
mod sniff;
mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::amount::are_digits;
use crate::error::Result;
use crate::table::{ColumnType, Table, unknown_column};

use source::{Format, Source};

pub use columnar::read_batches;

/// What the reader cannot know from the file alone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReadOptions {
    /// What columns hold; the others are inferred from all their values.
    pub types: BTreeMap<String, ColumnType>,
    /// Columns that are text in this file, if it has them, because they were in another of its kind: codes such as `007` or
    /// `1.0` then mean the same in both, whatever else stands in the column here.
    pub text: BTreeSet<String>,
    /// The character between the fields of a text file; found out where not given.
    pub delimiter: Option<char>,
}

/// Reads a table from a file, or from standard input where `path` is `-`.
///
/// The format is found by the first bytes: Parquet, Arrow IPC (file or stream), else delimited text, plain, gzip or
/// Zstandard. In text, the delimiter (`,` `;` tab `|`), the quote (`"` or `'`) and a decimal comma are found out; the
/// first line names the columns, and a column without a name is called `column 1` after its position. Missing are
/// empty and blank cells, `NA`, `N/A`, `NaN`, `null`, `?`, and `None` unless the column is text. Thousands may stand apart
/// (`1,234.5`), and numbers may have a sign of a currency or `%`, if all of the column have the same: `12%` is 12. Times are ISO
/// 8601 or `DD.MM.YYYY`. Columns that pandas has named `__index_level_0__` and so on, an index without a name, are ignored unless they are
/// declared.
///
/// # Errors
/// A file that cannot be opened or is damaged, a row with too many or too few fields or bytes that are not UTF-8 (with
/// the line), a cell that is not of the declared type, a declared column that is not there, a type of column that no
/// table holds (lists, structures), or no row at all.
pub fn read_table(path: &Path, options: &ReadOptions) -> Result<Table> {
    let source = Source::open(path)?;
    match source.format()? {
        Format::Parquet => columnar::read_parquet(&source, options),
        Format::ArrowFile => columnar::read_arrow_file(&source, options),
        Format::ArrowStream => columnar::read_arrow_stream(&source, options),
        Format::Text(compression) => delimited::read(&source, compression, options),
    }?
    .with_rows()
}

impl ReadOptions {
    /// What the user says about each of `names`.
    fn declared(&self, table: &str, names: &[&str]) -> Result<Vec<Option<ColumnType>>> {
        if let Some(unknown) = self.types.keys().find(|name| !names.contains(&name.as_str())) {
            return Err(unknown_column(table, unknown, names));
        }
        let found = |name: &str| match self.text.contains(name) {
            true => Some(ColumnType::Category),
            false => is_pandas_index(name).then_some(ColumnType::Ignore),
        };
        Ok(names.iter().map(|name| self.types.get(*name).copied().or_else(|| found(name))).collect())
    }
}

/// Whether pandas gives this name to an index that has none: it numbers the rows of some other table.
fn is_pandas_index(name: &str) -> bool {
    let level = name.strip_prefix("__index_level_").and_then(|name| name.strip_suffix("__"));
    level.is_some_and(|level| are_digits(level.as_bytes()))
}
