//! Delimited text: dialects, types found over the whole file, and what is wrong with bad files.
#![allow(clippy::unwrap_used)]

mod common;

use std::io::Write;

use chainrule_data::{ColumnType, ReadOptions, Table, read_table};
use common::{declare, message, read, shown, table};

#[test]
fn every_common_dialect_gives_the_same_table() {
    let expected = table("name,size\nann,1.5\n\"b, o\",-2\n");
    assert_eq!(shown(&expected, "size"), "number: 1.5 -2");
    assert_eq!(shown(&expected, "name"), "category: ann b, o");
    let dialects = [
        "name;size\nann;1,5\nb, o;-2,0\n",
        "name\tsize\r\nann\t1.5\r\nb, o\t-2\r\n",
        "name|size\nann|1.5\nb, o|-2",
        "\u{feff}name,size\nann,1.5\n\"b, o\",-2\n",
        "\u{feff}\"name\",\"size\"\n\"ann\",\"1.5\"\n\"b, o\",\"-2\"\n",
        "name,size\nann,1.5\n'b, o',-2\n'c',0\n",
        " name , size \n ann , 1.5 \n\" b, o \", -2 \n",
    ];
    for text in dialects {
        let Table { columns, .. } = table(text);
        assert_eq!(columns[0].name, "name", "{text:?}");
        assert_eq!(columns[0].values.text(1), Some("b, o".to_owned()), "{text:?}");
        assert_eq!((columns[1].values.text(0), columns[1].values.text(1)), (Some("1.5".into()), Some("-2".into())));
    }
}

#[test]
fn quoted_newlines_and_quotes_stay_in_the_field() {
    let found = table("a,b\n\"x\ny\",1\n\"say \"\"hi\"\"\",2\n");
    assert_eq!(shown(&found, "a"), "category: x\ny say \"hi\"");
    assert_eq!(shown(&found, "b"), "number: 1 2");
}

#[test]
fn types_are_found_over_the_whole_file() {
    let rows: String = (0..50_000).map(|i| format!("{i},{i},{i},2024-01-01,true,x\n")).collect();
    let found = table(&format!("a,b,c,d,e,f\n{rows}0.5,xyz,00123,soon,maybe,1\n"));
    let kinds = ["a", "b", "c", "d", "e", "f"].map(|name| found.column(name).unwrap().values.kind().to_string());
    assert_eq!(kinds, ["number", "category", "category", "category", "category", "category"]);
    let text = |name: &str, row: usize| found.column(name).unwrap().values.text(row).unwrap();
    assert_eq!((text("b", 7), text("b", 50_000)), ("7".to_owned(), "xyz".to_owned()));
    assert_eq!((text("c", 8), text("c", 50_000)), ("8".to_owned(), "00123".to_owned()));
    assert_eq!((text("d", 0), text("e", 0)), ("2024-01-01".to_owned(), "true".to_owned()));
}

#[test]
fn amounts_are_numbers_where_all_have_the_same_unit() {
    let found = table("price;share;mixed;cents\n$1,200.50;12%;12%;5 €\n;-3 %;0.12;NA\n-$5;0.5%;7%;1,000 €\n");
    assert_eq!(shown(&found, "price"), "number: 1200.5 - -5");
    assert_eq!(shown(&found, "share"), "number: 12 -3 0.5");
    assert_eq!(shown(&found, "cents"), "number: 5 - 1000");
    assert_eq!(shown(&found, "mixed"), "category: 12% 0.12 7%", "a fraction is no percentage");
    let declared = read(b"a,b\n12%,x\n0.5,y\n$3,z\n", &declare("a", ColumnType::Number)).unwrap();
    assert_eq!(shown(&declared, "a"), "number: 12 0.5 3");
    let commas = table("a;b\n1,5;1.234\n2,5;12.345,5\n");
    assert_eq!((shown(&commas, "a"), shown(&commas, "b")), ("number: 1.5 2.5".into(), "number: 1234 12345.5".into()));
}

#[test]
fn missing_cells_do_not_change_a_type() {
    let found =
        table("n,b,t,c\n,,,\n ,NA,?,null\n1,TRUE,2024-02-03,x\nNaN,false,NULL,N/A\nnan,NA,2024-02-03 04:05,y\n");
    assert_eq!(shown(&found, "n"), "number: - - 1 - -");
    assert_eq!(shown(&found, "b"), "boolean: - - true false -");
    assert_eq!(shown(&found, "t"), "time: - - 2024-02-03 - 2024-02-03T04:05:00Z");
    assert_eq!(shown(&found, "c"), "category: - - x - y");
}

#[test]
fn the_word_none_is_missing_among_numbers_and_a_level_among_texts() {
    let found = table("n,c,d,e\nNone,None,x,None\n1,x,None,\n");
    assert_eq!(shown(&found, "n"), "number: - 1");
    assert_eq!(shown(&found, "c"), "category: None x");
    assert_eq!(shown(&found, "d"), "category: x None");
    assert_eq!(shown(&found, "e"), "number: - -");
}

#[test]
fn codes_with_leading_zeros_stay_text() {
    assert_eq!(shown(&table("zip,n\n00123,0\n10245,0.5\n"), "zip"), "category: 00123 10245");
    assert_eq!(shown(&table("zip,n\n10245,1\n00123,2\n"), "zip"), "category: 10245 00123");
    assert_eq!(shown(&table("zip,n\n00123,0\n10245,0.5\n"), "n"), "number: 0 0.5");
}

#[test]
fn declared_types_win() {
    let text = b"a,b\n1.50,x\n2,y\n";
    assert_eq!(shown(&read(text, &declare("a", ColumnType::Category)).unwrap(), "a"), "category: 1.50 2");
    let ignored = read(text, &declare("b", ColumnType::Ignore)).unwrap();
    assert_eq!(ignored.columns.len(), 1);
    let wrong = read(b"a,b\n1,x\n2,y\nz,z\n", &declare("a", ColumnType::Number)).unwrap_err().to_string();
    assert!(wrong.ends_with("row 3, column \"a\": \"z\" is not a number"), "{wrong}");
    let unknown = read(text, &declare("aa", ColumnType::Number)).unwrap_err().to_string();
    assert!(unknown.ends_with("has no column \"aa\"; did you mean \"a\"?"), "{unknown}");
    let spaced = ReadOptions { delimiter: Some(' '), ..ReadOptions::default() };
    assert_eq!(shown(&read(b"a b\n1 2\n", &spaced).unwrap(), "b"), "number: 2");
    let odd = ReadOptions { delimiter: Some('é'), ..ReadOptions::default() };
    assert!(read(text, &odd).unwrap_err().to_string().contains("one ASCII character"));
}

#[test]
fn columns_without_a_name_are_called_after_their_position() {
    let found = table(",a, \n0,5,x\n1,6,y\n");
    let names: Vec<&str> = found.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names, ["column 1", "a", "column 3"]);
}

#[test]
fn compressed_text_is_known_by_its_first_bytes() {
    let text = "a,b\n1,x\n2,3\n";
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(text.as_bytes()).unwrap();
    let gzip = gzip.finish().unwrap();
    let zstandard = zstd::encode_all(text.as_bytes(), 0).unwrap();
    for bytes in [&gzip, &zstandard] {
        let found = read(bytes, &ReadOptions::default()).unwrap();
        assert_eq!((shown(&found, "a"), shown(&found, "b")), ("number: 1 2".to_owned(), "category: x 3".to_owned()));
    }
    assert_eq!(message(&gzip[..gzip.len() - 9]), "t: ends too early: the file is cut off");
    assert_eq!(message(&zstandard[..zstandard.len() - 3]), "t: ends too early: the file is cut off");
    let mut damaged = gzip.clone();
    damaged[14] ^= 0xff;
    assert!(message(&damaged).starts_with("t: the compressed file is damaged"), "{}", message(&damaged));
}

#[test]
fn a_column_known_to_hold_text_stays_text_if_the_file_has_it() {
    let known = ["a", "other"].map(|name| (name.to_owned(), ColumnType::Category)).into();
    let options = ReadOptions { known, ..ReadOptions::default() };
    let found = read(b"a,b\n1.0,1.0\n007,NA\n", &options).unwrap();
    assert_eq!((shown(&found, "a"), shown(&found, "b")), ("category: 1.0 007".to_owned(), "number: 1 -".to_owned()));
}

#[test]
fn bad_files_say_where_and_why() {
    assert_eq!(message(b""), "t: is empty");
    assert_eq!(message(b"a,b\n"), "t: the table has no row");
    assert_eq!(message(b"a,b\n1,2\n3\n"), "t, line 3: 1 field where the header has 2");
    assert_eq!(message(b"a,b\n\"x\ny\",2\n\n\n1,2,3\n"), "t, line 6: 3 fields where the header has 2");
    assert_eq!(message(b"a,b\n1,2\n3,\xe9t\xe9\n"), "t, line 3: field 2 is not UTF-8 text; save the file as UTF-8");
    assert_eq!(message(b"a,a\n1,2\n"), "t: the column name \"a\" stands twice");
    assert_eq!(message(b"\xff\xfea\0"), "t: is UTF-16 text; save it as UTF-8");
    assert!(message(b"PK\x03\x04....").contains("Excel"));
    let folder = tempfile::tempdir().unwrap();
    let error = |path| read_table(path, &ReadOptions::default()).unwrap_err().to_string();
    assert!(error(folder.path()).ends_with("is a folder, not a file"));
    assert!(error(&folder.path().join("none.csv")).contains("none.csv: No such file"));
}

#[test]
fn a_strange_delimiter_is_hinted_at_where_the_target_is_not_found() {
    let error = table("a~b~c\n1~2~3\n").column("c").unwrap_err().to_string();
    assert!(error.contains("its only column is \"a~b~c\"; if that is several, name the delimiter"), "{error}");
}
