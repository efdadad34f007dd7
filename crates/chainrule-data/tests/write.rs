//! What is written reads back as the same table.
#![allow(clippy::unwrap_used)]

mod common;

use std::path::Path;

use chainrule_data::{Categories, Column, MISSING_TIME, ReadOptions, Table, Values, read_table, write_table};
use common::{shown, table};
use proptest::prelude::*;

fn written_and_read(table: &Table, name: &str) -> Table {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    write_table(table, &path).unwrap();
    let found = read_table(&path, &ReadOptions::default()).unwrap();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing but the file is left");
    Table { name: table.name.clone(), ..found }
}

const NAMES: [&str; 4] = ["t.csv", "t.CSV.gz", "t.parquet", "t.arrow"];

#[test]
fn every_kind_of_column_reads_back_from_every_format() {
    let expected = table(
        "n,i,b,c,t\n\
         0.1,1,true,\"a \"\"b\"\"\n, c\",2024-01-01\n,,,,\n-1e300,-5,false,x;y,2024-01-01T05:06:07.000008Z\n",
    );
    for name in NAMES {
        let found = written_and_read(&expected, name);
        for column in ["n", "i", "b", "c", "t"] {
            assert_eq!(shown(&found, column), shown(&expected, column), "{name}");
        }
    }
    assert_eq!(shown(&expected, "t"), "time: 2024-01-01 - 2024-01-01T05:06:07.000008Z");
}

#[test]
fn an_unknown_ending_or_folder_is_refused() {
    let table = table("a\n1\n");
    let error = |path: &str| write_table(&table, Path::new(path)).unwrap_err().to_string();
    assert_eq!(error("out.xlsx"), "out.xlsx: name the file .csv, .csv.gz, .parquet or .arrow to say its format");
    assert_eq!(error("no/such/out.csv"), "no/such/out.csv: there is no folder \"no/such\"");
}

/// Text that no reader takes for anything else: it starts with a letter and is no word with a meaning.
fn text() -> impl Strategy<Value = String> {
    "x[ -~\n\r\té∂]{0,12}y"
}

fn values(rows: usize) -> impl Strategy<Value = Values> {
    let number = prop_oneof![
        any::<f64>().prop_map(|v| if v.is_finite() { v } else { f64::NAN }),
        (-9i32..999).prop_map(f64::from)
    ];
    let time = prop_oneof![Just(MISSING_TIME), -60_000_000_000_000_000i64..200_000_000_000_000_000];
    prop_oneof![
        prop::collection::vec(number, rows).prop_map(|v| Values::Number(v.into_iter().collect())),
        prop::collection::vec(any::<Option<bool>>(), rows).prop_map(Values::Boolean),
        prop::collection::vec(time, rows).prop_map(|times| Values::Time(times.into_iter().collect())),
        prop::collection::vec(prop::option::of(text()), rows)
            .prop_map(|v| Values::Category(v.iter().map(Option::as_deref).collect::<Categories>())),
    ]
}

/// Tables whose columns have a value each; a column without one has no kind in a text file.
fn tables() -> impl Strategy<Value = Table> {
    let columns = (1usize..30).prop_flat_map(|rows| prop::collection::vec(values(rows), 1..6));
    let has_value = |values: &Values| (0..values.len()).any(|row| !values.is_missing(row));
    columns.prop_filter_map("a column without a value", move |columns| {
        let named = columns.into_iter().enumerate();
        let named = named.map(|(at, values)| Column { name: format!("c, \"{at}\""), values });
        let table = Table::new("t", named.collect()).ok()?;
        table.columns.iter().all(|column| has_value(&column.values)).then_some(table)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn any_table_reads_back(table in tables()) {
        for name in NAMES {
            let found = written_and_read(&table, name);
            prop_assert_eq!(found.rows, table.rows);
            for (found, expected) in found.columns.iter().zip(&table.columns) {
                prop_assert_eq!(&found.name, &expected.name);
                prop_assert_eq!(found.values.kind(), expected.values.kind());
                for row in 0..table.rows {
                    prop_assert_eq!(found.values.text(row), expected.values.text(row), "{} row {}", name, row);
                }
            }
        }
    }
}
