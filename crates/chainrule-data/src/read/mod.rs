//! Files into tables.

mod columnar;
mod delimited;
mod sniff;
mod source;

use std::collections::BTreeMap;
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
    /// What columns hold in this file, if it has them, because they did so in another of its kind: codes such as `007` or `1.0` are text
    /// then in both, and dates such as `8/5/2024` are read the same way, whatever else stands in the column here.
    pub known: BTreeMap<String, ColumnType>,
    /// The character between the fields of a text file; found out where not given.
    pub delimiter: Option<char>,
}

/// Reads a table from a file, or from standard input where `path` is `-`.
///
/// The format is found by the first bytes: Parquet, Arrow IPC (file or stream), else delimited text, plain, gzip or
/// Zstandard. In text, the delimiter (`,` `;` tab `|`), the quote (`"` or `'`) and a decimal comma are found out; the
/// first line names the columns, and a column without a name is called `column 1` after its position. Missing are
/// empty and blank cells, `NA`, `N/A`, `NaN`, `null`, `?`, and `None` unless the column is text. Thousands may stand apart
/// (`1,234.5`), and numbers may have a sign of a currency or `%`, if all of the column have the same: `12%` is 12. Times are
/// ISO 8601, `31.12.2024`, `31 Dec 2024` and `Dec 31, 2024`, alone or with a time of day, and `12/31/2024` or `31/12/2024` where one row or
/// more shows which of both the column has, or the user says it. Columns that pandas has named `__index_level_0__` and so on,
/// an index without a name, are ignored unless they are declared.
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
        let declared = |name: &str| match self.types.get(name).or_else(|| self.known.get(name)) {
            Some(kind) => Some(*kind),
            None => is_pandas_index(name).then_some(ColumnType::Ignore),
        };
        Ok(names.iter().map(|name| declared(name)).collect())
    }
}

/// Whether pandas gives this name to an index that has none: it numbers the rows of some other table.
fn is_pandas_index(name: &str) -> bool {
    let level = name.strip_prefix("__index_level_").and_then(|name| name.strip_suffix("__"));
    level.is_some_and(|level| are_digits(level.as_bytes()))
}
