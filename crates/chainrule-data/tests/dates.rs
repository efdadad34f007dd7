//! Dates as people write them: read where a column shows in which order, and at prediction in the order of training.

mod common;

use std::collections::BTreeMap;

use chainrule_data::{Categories, Column, ColumnType, Encoder, EncoderSettings, ReadOptions, Table, read_table};

use common::{declare, file, read, shown, table};

/// Reads the column `when` of `cells`.
fn when(cells: &[&str], options: &ReadOptions) -> Result<String, String> {
    let text = format!("when,x\n{}\n", cells.iter().map(|cell| format!("\"{cell}\",1")).collect::<Vec<_>>().join("\n"));
    let (folder, path) = file("t", text.as_bytes());
    let found = read_table(&path, options).map(|table| shown(&table, "when"));
    found.map_err(|error| error.to_string().replace(&format!("{}/", folder.path().display()), ""))
}

/// The same cells as levels of a column in memory.
fn levels(cells: &[&str], kind: Option<ColumnType>) -> Result<String, String> {
    let texts: Vec<String> = cells.iter().map(|&cell| cell.to_owned()).collect();
    let codes: Vec<u32> = (0..).take(cells.len()).collect();
    let table = Column::from_levels("when", &codes, &texts, kind, "t").and_then(|column| Table::new("t", vec![column]));
    table.map(|table| shown(&table, "when")).map_err(|error| error.to_string())
}

#[test]
fn one_row_shows_the_order_of_a_whole_column() {
    let plain = ReadOptions::default();
    for (cells, dates) in [
        (&["8/5/2024", "", "8/25/2024"][..], "time: 2024-08-05 - 2024-08-25"),
        (&["", "NA", "5/8/2024", "25/8/2024"], "time: - - 2024-08-05 2024-08-25"),
        (&["25-8-2024", "2024-08-05", "5-8-2024"], "time: 2024-08-25 2024-08-05 2024-08-05"),
        (&["2024-08-05", "8/25/24 1:30 PM"], "time: 2024-08-05 2024-08-25T13:30:00Z"),
        (&["Aug 5, 2024", "25-Aug-24"], "time: 2024-08-05 2024-08-25"),
    ] {
        assert_eq!(when(cells, &plain).as_deref(), Ok(dates));
        assert_eq!(levels(cells, None).as_deref(), Ok(dates));
    }
}

#[test]
fn dates_whose_order_is_not_one_are_text_unless_it_is_declared() {
    let plain = ReadOptions::default();
    for cells in
        [&["8/5/2024", "9/5/2024"][..], &["13/5/2024", "5/13/2024"], &["8/25/2024", "soon"], &["8/25/2024", "7"]]
    {
        let text = format!("category: {}", cells.join(" "));
        assert_eq!(when(cells, &plain), Ok(text.clone()));
        assert_eq!(levels(cells, None), Ok(text));
    }
    let open = ["8/5/2024", "9/5/2024"];
    for (kind, dates) in [
        (ColumnType::MonthFirst, "time: 2024-08-05 2024-09-05"),
        (ColumnType::DayFirst, "time: 2024-05-08 2024-05-09"),
        (ColumnType::Category, "category: 8/5/2024 9/5/2024"),
    ] {
        assert_eq!(when(&open, &declare("when", kind)).as_deref(), Ok(dates));
        assert_eq!(levels(&open, Some(kind)).as_deref(), Ok(dates));
    }
    let both = "time: 2024-08-25 2024-08-05";
    assert_eq!(when(&["8/25/2024", "8/5/2024"], &declare("when", ColumnType::Time)).as_deref(), Ok(both));
}

#[test]
fn what_is_wrong_with_declared_dates_is_said() {
    let unclear = "month and day of the dates cannot be told apart; write them as 2024-12-31, or declare the column month_first or day_first";
    let mixed = "some dates can only have the month first and others only the day";
    for (cells, kind, row, message) in [
        (["8/5/2024", "9/5/2024"], ColumnType::Time, None, unclear),
        (["13/5/2024", "5/13/2024"], ColumnType::Time, None, mixed),
        (
            ["5/13/2024", "13/5/2024"],
            ColumnType::MonthFirst,
            Some(2),
            "\"13/5/2024\" is not a date with the month first",
        ),
        (["13/5/2024", "soon"], ColumnType::DayFirst, Some(2), "\"soon\" is not a date with the day first"),
        (["13/5/2024", "soon"], ColumnType::Time, Some(2), "\"soon\" is not a time"),
    ] {
        let at = |row: Option<u32>| row.map(|row| format!(", row {row}")).unwrap_or_default();
        let expected = |row| Err(format!("t{}, column \"when\": {message}", at(row)));
        assert_eq!(when(&cells, &declare("when", kind)), expected(row));
        assert_eq!(levels(&cells, Some(kind)), expected(row.or(Some(1))));
    }
}

#[test]
fn prediction_reads_dates_in_the_order_of_training() {
    let training = table("when,y\n8/5/2024,0\n8/25/2024,1\n9/1/2024,0\n");
    let encoder = Encoder::fit(&training, &["y"], &[0, 1, 2], &EncoderSettings::default()).unwrap().0;
    assert!(encoder.columns()[0].encoding.ends_with("; written month first"), "{:?}", encoder.columns()[0]);
    let stored = serde_json::to_string(&encoder).unwrap();
    let encoder: Encoder = serde_json::from_str(&stored).unwrap();
    let known: BTreeMap<String, ColumnType> =
        encoder.known_columns().map(|(name, kind)| (name.to_owned(), kind)).collect();
    assert_eq!(known, [("when".to_owned(), ColumnType::MonthFirst)].into());
    assert_eq!(training.known_columns().collect::<Vec<_>>(), [("when", ColumnType::MonthFirst)]);
    let options = ReadOptions { known, ..ReadOptions::default() };
    let open = read(b"when\n8/5/2024\n", &options).unwrap();
    let features = |table: &Table| encoder.transform(table).unwrap().numeric;
    assert_eq!(features(&open), features(&table("when\n2024-08-05\n")));
    assert_ne!(features(&open), features(&table("when\n2024-05-08\n")));
    let error =
        |table: Table| encoder.transform(&table).unwrap_err().to_string().rsplit('/').next().unwrap().to_owned();
    let wrong =
        "t, row 2, column \"when\": \"soon\" is not a date with the month first, which this column held in training";
    assert_eq!(error(table("when\n8/5/2024\nsoon\n")), wrong);
}

#[test]
fn dates_taken_as_text_are_noted() {
    let notes = |cells: [&str; 3]| {
        let codes = (0..12).map(|row| row % 3).collect::<Vec<u32>>();
        let levels = cells.map(str::to_owned);
        let when = Column::from_levels("when", &codes, &levels, None, "t").unwrap();
        assert!(matches!(&when.values, chainrule_data::Values::Category(Categories { .. })), "{cells:?}");
        let table = Table::new("t", vec![when]).unwrap();
        let rows: Vec<u32> = (0..12).collect();
        let (encoder, notes) = Encoder::fit(&table, &[], &rows, &EncoderSettings::default()).unwrap();
        assert!(encoder.left_out().is_empty());
        notes.into_iter().map(|note| format!("{} {}", note.column, note.message)).collect::<Vec<_>>()
    };
    let noted = |why: &str| vec![format!("when its dates are taken as text: {why}")];
    let unclear = "month and day of the dates cannot be told apart; write them as 2024-12-31, or declare the column month_first or day_first";
    assert_eq!(notes(["1/1/2024", "2/1/2024", "3/1/2024"]), noted(unclear));
    assert_eq!(
        notes(["13/1/2024", "1/13/2024", "3/1/2024"]),
        noted("some dates can only have the month first and others only the day")
    );
    assert_eq!(notes(["13/1/2024", "unknown", "3/1/2024"]), noted("\"unknown\" is not a date"));
    assert_eq!(notes(["13/1/2024", "unknown", "no"]), Vec::<String>::new());
    assert_eq!(notes(["red", "green", "blue"]), Vec::<String>::new());
}
