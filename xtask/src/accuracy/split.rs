//! Which rows are learned from and which are predicted, by the row's number alone.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use chainrule_data::{Categories, ColumnType, ReadOptions, Table, Times, Values, read_table, write_table};
use serde::Deserialize;

use super::sets::{Set, Task};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Split {
    /// By a hash of the row number.
    #[serde(rename = "hash")]
    Hash,
    /// The first 60,000 rows are learned from, as their publishers say.
    #[serde(rename = "first-60000")]
    First60000,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Train,
    /// Tells when to stop.
    Validation,
    Test,
}

impl Split {
    /// The part of a row (0-based): 20 % test, and 20 % of the rest validation.
    pub fn part(self, row: usize) -> Part {
        match (self, hash(row as u32)) {
            (Self::First60000, _) if row >= 60_000 => Part::Test,
            (Self::First60000, 0..858_993_460) => Part::Validation,
            (Self::Hash, 0..858_993_460) => Part::Test,
            (Self::Hash, 858_993_460..1_546_188_227) => Part::Validation,
            _ => Part::Train,
        }
    }
}

/// Multiplicative hash (Knuth): rows next to each other lie far apart.
fn hash(row: u32) -> u32 {
    row.wrapping_mul(2_654_435_761)
}

/// A set's rows as files that every contender reads: `train`, `validation`, both of them as `learn`, and `test`.
pub struct Parts {
    pub folder: PathBuf,
    /// The rows of `test`.
    pub test: Table,
}

impl Parts {
    pub fn file(&self, part: &str) -> PathBuf {
        self.folder.join(format!("{part}.parquet"))
    }

    /// Reads the table of a set and writes its parts. Identifiers are left out, and classes are text.
    pub fn write(set: &Set, data: &Path, folder: PathBuf) -> Result<Parts> {
        let mut options = ReadOptions::default();
        if matches!(set.task, Task::Binary | Task::Multiclass) {
            options.types.insert(set.target.clone(), ColumnType::Category);
        }
        let mut table = read_table(&data.join(&set.file), &options)?;
        table.columns.retain(|column| !set.ignore.contains(&column.name));
        let rows = |parts: &[Part]| {
            let rows = (0..table.rows).filter(|&row| parts.contains(&set.split.part(row)));
            select(&table, &rows.collect::<Vec<_>>())
        };
        std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
        let parts = Parts { folder, test: rows(&[Part::Test]) };
        for (name, table) in [
            ("train", &rows(&[Part::Train])),
            ("validation", &rows(&[Part::Validation])),
            ("learn", &rows(&[Part::Train, Part::Validation])),
            ("test", &parts.test),
        ] {
            write_table(table, &parts.file(name))?;
        }
        Ok(parts)
    }
}

/// Some rows of a table.
fn select(table: &Table, rows: &[usize]) -> Table {
    let mut selected = Table { name: table.name.clone(), rows: rows.len(), columns: table.columns.clone() };
    let chosen = rows.iter().copied();
    for column in &mut selected.columns {
        column.values = match &column.values {
            Values::Number(numbers) => Values::Number(chosen.clone().map(|row| numbers.get(row)).collect()),
            Values::Boolean(flags) => Values::Boolean(chosen.clone().map(|row| flags[row]).collect()),
            Values::Time(times) => Values::Time(Times {
                micros: chosen.clone().map(|row| times.micros[row]).collect(),
                order: times.order,
            }),
            Values::Category(Categories { codes, levels }) => Values::Category(Categories {
                codes: chosen.clone().map(|row| codes[row]).collect(),
                levels: levels.clone(),
            }),
        };
    }
    selected
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(split: Split, part: Part, of: std::ops::Range<usize>) -> Vec<usize> {
        of.filter(|&row| split.part(row) == part).collect()
    }

    #[test]
    fn the_hash_is_that_of_the_rule() {
        // From the rule's text, in Python: (i * 2654435761) % 2**32.
        assert_eq!(hash(1), 2_654_435_761);
        assert_eq!(hash(1000), 145972072);
        assert_eq!(rows(Split::Hash, Part::Test, 0..40), [0, 5, 10, 13, 18, 26, 31, 34, 39]);
        assert_eq!(rows(Split::Hash, Part::Validation, 0..20), [2, 7, 15]);
        let count = |part| rows(Split::Hash, part, 0..100_000).len();
        assert_eq!([count(Part::Test), count(Part::Validation), count(Part::Train)], [19999, 16000, 64001]);
    }

    #[test]
    fn an_official_split_keeps_its_test_rows() {
        assert_eq!(rows(Split::First60000, Part::Test, 0..70_000), (60_000..70_000).collect::<Vec<_>>());
        let validation = rows(Split::First60000, Part::Validation, 0..60_000);
        assert_eq!(validation[..5], [0, 5, 10, 13, 18]);
        assert!((11_900..12_100).contains(&validation.len()));
    }

    #[test]
    fn the_parts_hold_the_right_rows_of_the_right_columns() {
        let folder = tempfile::tempdir().unwrap();
        let lines: String = (0..14).map(|row| format!("{row},k{row},{},{}\n", row % 2 == 0, row % 3)).collect();
        std::fs::write(folder.path().join("t.csv"), format!("x,id,flag,y\n{lines}")).unwrap();
        let set = serde_json::from_str(
            r#"{"name": "t", "file": "t.csv", "task": "multiclass", "target": "y", "rows": 14, "ignore": ["id"],
                "split": "hash", "quick": true}"#,
        );
        let set: Set = set.unwrap();
        let parts = Parts::write(&set, folder.path(), folder.path().join("parts")).unwrap();
        let column = |part: &str, name: &str| {
            let table = read_table(&parts.file(part), &ReadOptions::default()).unwrap();
            assert!(table.column("id").is_err());
            let values = &table.column(name).unwrap().values;
            (0..table.rows).map(|row| values.text(row).unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(column("test", "x"), ["0", "5", "10", "13"]);
        assert_eq!(column("test", "y"), ["0", "2", "1", "1"]);
        assert_eq!(column("test", "flag"), ["true", "false", "true", "false"]);
        assert_eq!(column("validation", "x"), ["2", "7"]);
        assert_eq!(column("learn", "x").len(), 10);
        assert_eq!(parts.test.rows, 4);
    }
}
