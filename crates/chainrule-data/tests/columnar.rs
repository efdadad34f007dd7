//! Parquet and Arrow IPC: every type of column that tables hold, and what is wrong with the others.
#![allow(clippy::unwrap_used)]

mod common;

use std::sync::Arc;

use arrow_array::builder::{Int32Builder, ListBuilder};
use arrow_array::types::Int32Type;
use arrow_array::*;
use arrow_ipc::writer::{FileWriter, StreamWriter};
use chainrule_data::{Categories, Column, ColumnType, ReadOptions, Table, read_batches};
use common::{declare, message, read, shown};
use parquet::arrow::ArrowWriter;

fn parquet(batch: &RecordBatch) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
    bytes
}

fn arrow_file(batch: &RecordBatch) -> Vec<u8> {
    let mut writer = FileWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    writer.write(batch).unwrap();
    writer.finish().unwrap();
    writer.into_inner().unwrap()
}

fn arrow_stream(batch: &RecordBatch) -> Vec<u8> {
    let mut writer = StreamWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    writer.write(batch).unwrap();
    writer.finish().unwrap();
    writer.into_inner().unwrap()
}

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true))).unwrap()
}

fn texts() -> RecordBatch {
    batch(vec![
        ("plain", Arc::new(StringArray::from(vec![Some("a"), None, Some(" a ")]))),
        ("large", Arc::new(LargeStringArray::from(vec![Some("1"), Some("NA"), Some("2.5")]))),
        ("view", Arc::new(StringViewArray::from(vec![Some("2024-01-02"), Some("?"), None]))),
        ("binary", Arc::new(BinaryArray::from_opt_vec(vec![Some(b"true"), None, Some(b"false")]))),
        ("codes", Arc::new(StringArray::from(vec!["007", "12", "None"]))),
        ("levels", Arc::new([Some("x"), None, Some("y")].into_iter().collect::<DictionaryArray<Int32Type>>())),
    ])
}

fn check_texts(found: &Table) {
    assert_eq!(shown(found, "plain"), "category: a - a");
    assert_eq!(shown(found, "large"), "number: 1 - 2.5");
    assert_eq!(shown(found, "view"), "time: 2024-01-02 - -");
    assert_eq!(shown(found, "binary"), "boolean: true - false");
    assert_eq!(shown(found, "codes"), "category: 007 12 None");
    assert_eq!(shown(found, "levels"), "category: x - y");
}

#[test]
fn text_columns_hold_what_their_texts_say_in_every_format() {
    for bytes in [parquet(&texts()), arrow_file(&texts()), arrow_stream(&texts())] {
        check_texts(&read(&bytes, &ReadOptions::default()).unwrap());
    }
}

#[test]
fn batches_in_memory_are_read_as_files_are_but_for_dictionaries() {
    let found = |batch: RecordBatch, options: &ReadOptions| {
        let reader = RecordBatchIterator::new([Ok(batch.clone())], batch.schema());
        read_batches("X", reader, options).map_err(|error| error.to_string())
    };
    check_texts(&found(texts(), &ReadOptions::default()).unwrap());
    let levels = [Some("1"), None, Some("2")].into_iter().collect::<DictionaryArray<Int32Type>>();
    let keys = Int32Array::from(vec![Some(1), None, Some(0)]);
    let numbers = DictionaryArray::new(keys, Arc::new(Int64Array::from(vec![7, 8])));
    let table = batch(vec![("levels", Arc::new(levels)), ("numbers", Arc::new(numbers))]);
    let read = found(table.clone(), &ReadOptions::default()).unwrap();
    assert_eq!(
        (shown(&read, "levels").as_str(), shown(&read, "numbers").as_str()),
        ("category: 1 - 2", "category: 8 - 7")
    );
    let read = found(table.clone(), &declare("levels", ColumnType::Number)).unwrap();
    assert_eq!(shown(&read, "levels"), "number: 1 - 2");
    assert_eq!(found(table.slice(0, 0), &ReadOptions::default()).unwrap_err(), "X: the table has no row");
}

#[test]
fn a_column_of_levels_holds_what_its_texts_say() {
    let missing = Categories::MISSING;
    let column = |codes: &[u32], levels: &[&str], kind| {
        let levels: Vec<String> = levels.iter().map(|&level| level.to_owned()).collect();
        let column = Column::from_levels("c", codes, &levels, kind, "X").map_err(|error| error.to_string())?;
        Ok::<_, String>(shown(&Table::new("X", vec![column]).unwrap(), "c"))
    };
    assert_eq!(column(&[1, missing, 0], &["2", "1.5", "unused"], None).unwrap(), "number: 1.5 - 2");
    assert_eq!(column(&[1, missing, 0], &["2", "1.5"], Some(ColumnType::Category)).unwrap(), "category: 1.5 - 2");
    assert_eq!(column(&[0, 1, 2], &[" a", "a", "NA"], None).unwrap(), "category: a a -");
    assert_eq!(column(&[0, 1], &["2024-01-02", "True"], None).unwrap(), "category: 2024-01-02 True");
    assert_eq!(column(&[0, 1], &["$1,000", "$5"], None).unwrap(), "number: 1000 5");
    assert_eq!(column(&[0, 1], &["12%", "5"], None).unwrap(), "category: 12% 5");
    assert_eq!(column(&[0, 1], &["12%", "5"], Some(ColumnType::Number)).unwrap(), "number: 12 5");
    let wrong = column(&[0, 1], &["1", "x"], Some(ColumnType::Number)).unwrap_err();
    assert_eq!(wrong, "X, row 2, column \"c\": \"x\" is not a number");
    assert_eq!(column(&[0, 3], &["a"], None).unwrap_err(), "X, row 2, column \"c\": code 3 where there are 1 levels");
}

#[test]
fn every_number_and_time_is_read() {
    let decimal = Decimal128Array::from(vec![Some(12345), None]).with_precision_and_scale(10, 2).unwrap();
    let zoned = TimestampMillisecondArray::from(vec![Some(3_600_000), None]).with_timezone("+02:00");
    let columns: Vec<(&str, ArrayRef, &str)> = vec![
        ("i8", Arc::new(Int8Array::from(vec![Some(-1), None])), "number: -1 -"),
        ("u8", Arc::new(UInt8Array::from(vec![0, 255])), "number: 0 255"),
        ("i64", Arc::new(Int64Array::from(vec![Some(1 << 40), None])), "number: 1099511627776 -"),
        ("u64", Arc::new(UInt64Array::from(vec![1, 2])), "number: 1 2"),
        ("f32", Arc::new(Float32Array::from(vec![0.5, f32::NAN])), "number: 0.5 -"),
        ("f64", Arc::new(Float64Array::from(vec![Some(0.1), None])), "number: 0.1 -"),
        ("decimal", Arc::new(decimal), "number: 123.45 -"),
        ("bool", Arc::new(BooleanArray::from(vec![Some(true), None])), "boolean: true -"),
        ("date", Arc::new(Date32Array::from(vec![Some(1), None])), "time: 1970-01-02 -"),
        ("seconds", Arc::new(TimestampSecondArray::from(vec![60, 0])), "time: 1970-01-01T00:01:00Z 1970-01-01"),
        ("zoned", Arc::new(zoned), "time: 1970-01-01T01:00:00Z -"),
        ("clock", Arc::new(Time64MicrosecondArray::from(vec![Some(5), None])), "number: 5 -"),
        ("null", Arc::new(NullArray::new(2)), "number: - -"),
    ];
    let table = batch(columns.iter().map(|(name, array, _)| (*name, Arc::clone(array))).collect());
    for bytes in [parquet(&table), arrow_file(&table)] {
        let found = read(&bytes, &ReadOptions::default()).unwrap();
        for (name, _, expected) in &columns {
            assert_eq!(shown(&found, name), *expected, "{name}");
        }
    }
}

#[test]
fn nested_columns_are_refused_by_name_and_can_be_ignored() {
    let mut lists = ListBuilder::new(Int32Builder::new());
    lists.append_value([Some(1), Some(2)]);
    let table = batch(vec![("x", Arc::new(Int32Array::from(vec![7]))), ("tags", Arc::new(lists.finish()))]);
    for bytes in [parquet(&table), arrow_file(&table)] {
        let found = message(&bytes);
        assert!(found.starts_with("t, column \"tags\": cannot use values of type List("), "{found}");
        let found = read(&bytes, &declare("tags", ColumnType::Ignore)).unwrap();
        assert_eq!((shown(&found, "x").as_str(), found.columns.len()), ("number: 7", 1));
    }
}

#[test]
fn the_index_without_a_name_that_pandas_writes_is_ignored_unless_it_is_declared() {
    let numbers = || Arc::new(Int32Array::from(vec![7]));
    let (index, other) = ("__index_level_0__", "__index_level_of__");
    let bytes = parquet(&batch(vec![("x", numbers()), (index, numbers()), (other, numbers())]));
    let names = |table: Table| table.columns.into_iter().map(|column| column.name).collect::<Vec<_>>();
    assert_eq!(names(read(&bytes, &ReadOptions::default()).unwrap()), ["x", other]);
    assert_eq!(names(read(&bytes, &declare(index, ColumnType::Number)).unwrap()), ["x", index, other]);
}

#[test]
fn declared_types_win() {
    let table = batch(vec![
        ("id", Arc::new(Int32Array::from(vec![Some(7), None]))),
        ("text", Arc::new(StringArray::from(vec!["1.50", "x"]))),
        ("none", Arc::new(Int32Array::from(vec![None, None]))),
    ]);
    let bytes = parquet(&table);
    let declared = |column: &str, kind| read(&bytes, &declare(column, kind));
    assert_eq!(shown(&declared("id", ColumnType::Category).unwrap(), "id"), "category: 7 -");
    assert_eq!(shown(&declared("text", ColumnType::Category).unwrap(), "text"), "category: 1.50 x");
    assert_eq!(shown(&declared("none", ColumnType::Time).unwrap(), "none"), "time: - -");
    let wrong = |column: &str, kind| declared(column, kind).unwrap_err().to_string();
    assert!(wrong("text", ColumnType::Number).ends_with("row 2, column \"text\": \"x\" is not a number"));
    assert!(wrong("id", ColumnType::Time).ends_with("row 1, column \"id\": \"7\" is not a time"));
    assert!(wrong("ID", ColumnType::Time).ends_with("did you mean \"id\"?"));
}

#[test]
fn damaged_and_empty_files_are_refused() {
    let table = texts();
    assert_eq!(message(&parquet(&table.slice(0, 0))), "t: the table has no row");
    assert_eq!(message(&arrow_file(&table.slice(0, 0))), "t: the table has no row");
    let (parquet, arrow) = (parquet(&table), arrow_file(&table));
    for cut in [5, 50, parquet.len() / 2, parquet.len() - 1] {
        assert!(message(&parquet[..cut]).starts_with("t: cannot be read: "), "cut at {cut}");
    }
    for cut in [9, 50, arrow.len() / 2, arrow.len() - 1] {
        assert!(message(&arrow[..cut]).starts_with("t: cannot be read: "), "cut at {cut}");
    }
}

#[test]
fn a_table_of_several_batches_is_one() {
    let numbers: ArrayRef = Arc::new(Int32Array::from_iter_values(0..20_000));
    let texts: ArrayRef = Arc::new(StringArray::from_iter_values((0..20_000).map(|i| format!("l{}", i % 3))));
    let found = read(&parquet(&batch(vec![("n", numbers), ("c", texts)])), &ReadOptions::default()).unwrap();
    assert_eq!(found.rows, 20_000);
    let text = |name: &str, row: usize| found.column(name).unwrap().values.text(row).unwrap();
    assert!((0..20_000).all(|row| text("n", row) == row.to_string() && text("c", row) == format!("l{}", row % 3)));
}
