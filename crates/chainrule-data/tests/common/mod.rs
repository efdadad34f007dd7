//! What the tests share.
#![allow(dead_code)] // each test file uses its part
#![allow(clippy::unwrap_used)]

use std::path::PathBuf;

use chainrule_data::{ColumnType, Error, ReadOptions, Table, Values, read_table};
use tempfile::TempDir;

/// A file of `bytes` in a folder that goes away with the first value.
pub fn file(name: &str, bytes: &[u8]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    (folder, path)
}

/// The table of a file that holds `bytes`.
pub fn read(bytes: &[u8], options: &ReadOptions) -> Result<Table, Error> {
    let (_folder, path) = file("t", bytes);
    read_table(&path, options)
}

/// The table of a text.
pub fn table(text: &str) -> Table {
    read(text.as_bytes(), &ReadOptions::default()).unwrap()
}

/// The message of the error that a file gives, without its folder.
pub fn message(bytes: &[u8]) -> String {
    let (folder, path) = file("t", bytes);
    let error = read_table(&path, &ReadOptions::default()).unwrap_err();
    error.to_string().replace(&format!("{}/", folder.path().display()), "")
}

/// What the user says about one column.
pub fn declare(column: &str, kind: ColumnType) -> ReadOptions {
    ReadOptions { types: [(column.to_owned(), kind)].into(), ..ReadOptions::default() }
}

/// A column's values as text, `-` where one is missing, after its kind.
pub fn shown(table: &Table, column: &str) -> String {
    let values: &Values = &table.column(column).unwrap().values;
    let texts = (0..table.rows).map(|row| values.text(row).unwrap_or_else(|| "-".to_owned()));
    format!("{}: {}", values.kind(), texts.collect::<Vec<_>>().join(" "))
}
