//! What the encoder makes of a table.
#![allow(clippy::unwrap_used)]

mod common;

use chainrule_data::{ColumnType, Encoder, EncoderSettings, Features, Table};
use common::{shown, table};

fn all_rows(table: &Table) -> Vec<u32> {
    (0..table.rows as u32).collect()
}

/// Fitted on all rows, the column `y` apart.
fn fit(table: &Table) -> Encoder {
    Encoder::fit(table, &["y"], &all_rows(table), &EncoderSettings::default()).unwrap().0
}

fn fit_error(table: &Table) -> String {
    let error = Encoder::fit(table, &["y"], &all_rows(table), &EncoderSettings::default()).unwrap_err().to_string();
    error.rsplit('/').next().unwrap_or_default().to_owned()
}

fn transform_error(encoder: &Encoder, text: &str) -> String {
    let error = encoder.transform(&table(text)).unwrap_err().to_string();
    error.rsplit('/').next().unwrap_or_default().to_owned()
}

/// One column of the numeric matrix.
fn feature(encoder: &Encoder, features: &Features, name: &str) -> Vec<f32> {
    let at = encoder.feature_names().iter().position(|other| other == name);
    let at = at.unwrap_or_else(|| panic!("no {name:?} in {:?}", encoder.feature_names()));
    features.numeric.chunks(features.width).map(|row| row[at]).collect()
}

#[test]
fn numbers_are_standardised_by_training_rows_and_imputed() {
    let all = table("x,y\n1,0\n3,0\n,0\n100,0\n");
    let (encoder, warnings) = Encoder::fit(&all, &["y"], &[0, 1, 2], &EncoderSettings::default()).unwrap();
    assert!(warnings.is_empty());
    let features = encoder.transform(&all).unwrap();
    // Mean 2 and standard deviation 1 of the values 1 and 3.
    assert_eq!(encoder.feature_names(), ["x", "x is missing"]);
    assert_eq!(features.numeric, [-1.0, 0.0, 1.0, 0.0, 0.0, 1.0, 98.0, 0.0]);
    assert_eq!((features.rows, features.width, encoder.numeric_width(), features.codes_width), (4, 2, 2, 0));
}

#[test]
fn a_number_missing_only_at_prediction_is_imputed_without_an_indicator() {
    let encoder = fit(&table("x,z,y\n1,5,0\n3,6,0\n"));
    let features = encoder.transform(&table("z,x\n5.5,\n5.5,2\n")).unwrap();
    assert_eq!(encoder.feature_names(), ["x", "z"]);
    assert_eq!(features.numeric, [0.0; 4]);
    assert_eq!(encoder.transform(&table("x,z\n,\n")).unwrap().numeric, [0.0; 2]);
}

#[test]
fn extreme_numbers_stay_finite() {
    let all = table("x,w,y\n1e308,1e-300,0\n-1e308,3e-300,0\n1.7e308,2e-300,0\n");
    let encoder = fit(&all);
    let features = encoder.transform(&all).unwrap();
    assert!(features.numeric.iter().all(|v| v.is_finite() && v.abs() < 2.0), "{:?}", features.numeric);
    assert!((feature(&encoder, &features, "w")[0] + 1.224_744_9).abs() < 1e-6, "-1 / sqrt(2/3)");
    let far = encoder.transform(&table("x,w\n0,1e300\n0,-1e300\n")).unwrap();
    assert_eq!(feature(&encoder, &far, "w"), [1e6, -1e6]);
}

#[test]
fn an_infinite_number_is_an_error_with_its_row() {
    assert_eq!(
        fit_error(&table("x,y\n1,0\n2,0\ninf,0\n")),
        "t, row 3, column \"x\": the number is infinite; correct it or leave it empty"
    );
    let encoder = fit(&table("x,y\n1,0\n3,0\n"));
    assert!(transform_error(&encoder, "x\n1\n1e999\n").starts_with("t, row 2, column \"x\": the number is infinite"));
}

#[test]
fn truth_values_are_signs() {
    let encoder = fit(&table("b,c,y\ntrue,true,0\nfalse,NA,0\n"));
    let features = encoder.transform(&table("b,c\ntrue,false\n,\nfalse,true\n")).unwrap();
    assert_eq!(encoder.feature_names(), ["b", "c", "c is missing"]);
    assert_eq!(features.numeric, [1.0, -1.0, 0.0, 0.0, 0.0, 1.0, -1.0, 1.0, 0.0]);
}

#[test]
fn few_levels_are_one_hot() {
    let encoder = fit(&table("job,sex,city,y\nb,f,r,0\na,m,s,0\nc,f,,0\na,f,r,0\n"));
    let names = ["job = a", "job = b", "job = c", "sex = m", "city = r", "city = s", "city is missing"];
    assert_eq!(encoder.feature_names(), names);
    let features = encoder.transform(&table("sex,job,city\nm,a,s\nf,new,new\n,,\nf,c,r\n")).unwrap();
    let rows: Vec<&[f32]> = features.numeric.chunks(7).collect();
    assert_eq!(rows[0], [1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0]);
    assert_eq!(rows[1], [0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 1.0], "an unseen level counts as missing where that was seen");
    assert_eq!(rows[2], [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0]);
    assert_eq!(rows[3], [0.0, 0.0, 1.0, -1.0, 1.0, 0.0, 0.0]);
}

#[test]
fn many_levels_are_embedded_and_rare_ones_share_slot_0() {
    let rows: String = (0..24).map(|i| format!("l{:02},0\n", i % 12)).collect();
    let all = table(&format!("c,y\n{rows}rare,0\n,0\n"));
    let encoder = fit(&all);
    assert_eq!((encoder.embedded()[0].name.as_str(), encoder.embedded()[0].levels), ("c", 13));
    assert_eq!(encoder.numeric_width(), 0);
    let features = encoder.transform(&all).unwrap();
    assert_eq!((features.width, features.codes_width), (0, 1));
    assert_eq!(features.codes[..3], [1, 2, 3]);
    assert_eq!(features.codes[24..], [0, 0], "a level seen once, and a missing one");
    assert_eq!(encoder.transform(&table("c\nl11\nnever\n")).unwrap().codes, [12, 0]);
}

#[test]
fn levels_come_from_training_rows_only_whatever_their_order() {
    let all = table("c,y\nz,0\nb,0\na,0\nz,0\nunseen,0\n");
    let names = |rows: &[u32]| Encoder::fit(&all, &["y"], rows, &EncoderSettings::default()).unwrap().0.feature_names();
    assert_eq!(names(&[0, 1, 2, 3]), ["c = a", "c = b", "c = z"]);
    assert_eq!(names(&[2, 3, 1]), ["c = a", "c = b", "c = z"]);
}

#[test]
fn a_category_that_looks_like_numbers_at_prediction_still_matches() {
    let encoder = fit(&table("c,y\n1,0\n2,0\nx,0\n"));
    assert_eq!(encoder.transform(&table("c\n2\n1\n")).unwrap().numeric, [0.0, 1.0, 0.0, 1.0, 0.0, 0.0]);
    assert_eq!(encoder.known_columns().collect::<Vec<_>>(), [("c", ColumnType::Category)]);
}

#[test]
fn a_time_gives_the_parts_that_vary() {
    let days = fit(&table("t,y\n2024-01-01,0\n2024-01-02,0\n2024-01-04,0\n"));
    let names = days.feature_names();
    assert_eq!(names[..3], ["t day", "t sin of year", "t cos of year"]);
    assert_eq!((names[3].as_str(), names.len()), ("t is Monday", 10));
    let hours = fit(&table("t,y\n2024-01-01T00:00,0\n2024-01-01T06:00,0\n,0\n"));
    assert_eq!(hours.feature_names(), ["t day", "t sin of day", "t cos of day", "t is missing"]);
    let features = hours.transform(&table("t\n2024-01-01T06:00\n2024-01-01T12:00\nNA\n")).unwrap();
    let close = |found: &[f32], expected: [f32; 4]| found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6);
    // The training times lie at 0 and 6 hours: mean 3 hours, standard deviation 3 hours.
    assert!(close(&features.numeric[..4], [1.0, 1.0, 0.0, 0.0]), "{:?}", features.numeric);
    assert!(close(&features.numeric[4..8], [3.0, 0.0, -1.0, 0.0]), "{:?}", features.numeric);
    assert_eq!(features.numeric[8..], [0.0, 0.0, 0.0, 1.0]);
    let week = days.transform(&table("t\n2024-01-07\n")).unwrap();
    assert_eq!(week.numeric[3..], [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0], "a Sunday");
}

#[test]
fn useless_columns_are_left_out_with_a_warning() {
    let row = |i: i32| format!("{},{},id{i},{},5,,{},8/9/{},{}\n", i + 1, i * i, i % 3, i % 20, 1960 + i, i % 2);
    let rows: String = (0..60).map(row).collect();
    let all = table(&format!("row,square,id,c,constant,empty,code,when,y\n{rows}"));
    let (encoder, warnings) = Encoder::fit(&all, &["y"], &all_rows(&all), &EncoderSettings::default()).unwrap();
    let used: Vec<String> = encoder.columns().into_iter().map(|column| column.name).collect();
    assert_eq!(used, ["square", "c", "code"]);
    let mut reasons: Vec<(&str, &str)> = warnings.iter().map(|w| (w.column.as_str(), w.message.as_str())).collect();
    reasons.sort_unstable();
    assert_eq!(reasons[0], ("constant", "left out: it is constant in the training rows"));
    assert_eq!(reasons[1], ("empty", "left out: it has no value in the training rows"));
    let of_its_own = "left out: nearly every row has a text of its own, such as";
    assert_eq!(reasons[2], ("id", &*format!("{of_its_own} \"id0\", as an identifier has")));
    assert_eq!(reasons[3], ("row", "left out: it numbers the rows"));
    let hint = "; month and day of the dates cannot be told apart; write them as 2024-12-31, or declare the column month_first or day_first";
    assert_eq!(reasons[4], ("when", &*format!("{of_its_own} \"8/9/1960\"{hint}")));
    assert_eq!(encoder.left_out(), warnings);
    let keep = EncoderSettings { keep: vec!["row".to_owned()], ..EncoderSettings::default() };
    let (encoder, _) = Encoder::fit(&all, &["y"], &all_rows(&all), &keep).unwrap();
    assert!(encoder.feature_names().contains(&"row".to_owned()));
}

#[test]
fn a_row_number_is_seen_through_gaps_and_used_where_there_is_nothing_else() {
    let all = table("n,x,y\n7,1,0\n8,5,0\n9,2,0\n10,5,0\n11,4,0\n");
    let fit =
        |excluded: &[&str], rows: &[u32]| Encoder::fit(&all, excluded, rows, &EncoderSettings::default()).unwrap();
    assert_eq!(fit(&["y"], &[4, 0, 2]).0.feature_names(), ["x"]);
    let (encoder, warnings) = fit(&["y", "x"], &[4, 0, 2]);
    assert_eq!((encoder.feature_names(), warnings.len()), (vec!["n".to_owned()], 0));
}

#[test]
fn high_cardinality_that_repeats_is_kept_and_near_unique_text_is_not() {
    let with_levels = |levels: usize| {
        let rows: String = (0..300).map(|i| format!("l{},{},0\n", i % levels, i % 7)).collect();
        Encoder::fit(
            &table(&format!("c,x,y\n{rows}")),
            &["y"],
            &(0..300).collect::<Vec<_>>(),
            &EncoderSettings::default(),
        )
    };
    assert_eq!(with_levels(140).unwrap().0.embedded().len(), 1);
    assert_eq!(with_levels(160).unwrap().0.embedded().len(), 0);
}

#[test]
fn nothing_to_learn_from_is_an_error() {
    assert_eq!(
        fit_error(&table("x,y\n1,0\n1,1\n")),
        "t: there is no column to learn from; column \"x\" left out: it is constant in the training rows"
    );
    let all = table("x,y\n1,0\n2,1\n");
    let error = |exclude: &[&str], rows: &[u32]| {
        Encoder::fit(&all, exclude, rows, &EncoderSettings::default()).unwrap_err().to_string()
    };
    assert!(error(&["Y"], &[0]).ends_with("has no column \"Y\"; did you mean \"y\"?"));
    assert!(error(&["y"], &[]).ends_with("there is no training row"));
    assert!(error(&["y"], &[2]).ends_with("training row 2 lies past the 2 rows of the table"));
}

#[test]
fn a_column_missing_or_of_another_kind_is_an_error() {
    let encoder = fit(&table("age,flag,day,y\n1,true,2024-01-01,0\n3,false,2024-01-02,0\n"));
    assert_eq!(
        transform_error(&encoder, "Age,flag,day\n1,true,2024-01-01\n"),
        "t has no column \"age\"; did you mean \"Age\"?"
    );
    let wrong = [
        ("4,true,2024-01-01\n,true,2024-01-01\nold,true,2024-01-01", "row 3, column \"age\": \"old\" is not a number"),
        ("4,1,2024-01-01", "row 1, column \"flag\": \"1\" is not a boolean"),
        ("4,true,7", "row 1, column \"day\": \"7\" is not a time"),
    ];
    for (rows, message) in wrong {
        let found = transform_error(&encoder, &format!("age,flag,day\n{rows}\n"));
        assert_eq!(found, format!("t, {message}, which this column held in training"));
    }
}

#[test]
fn an_encoder_survives_json_and_a_hostile_one_is_refused() {
    let rows: String = (0..30).map(|i| format!("{i}.5,l{},2024-01-{:02},{},0\n", i % 10, i + 1, i % 3 == 0)).collect();
    let encoder = fit(&table(&format!("x,c,t,b,y\n{rows}")));
    let json = serde_json::to_string(&encoder).unwrap();
    assert_eq!(serde_json::from_str::<Encoder>(&json).unwrap(), encoder);
    let hostile = [
        (r#""name":"c""#, r#""name":"x""#, "stands twice"),
        (r#""l1","#, r#""l2","#, "a level stands twice"),
        (r#""std":"#, r#""std":-"#, "cannot scale"),
        (r#""mean":"#, r#""unknown":0,"mean":"#, "did not match any variant"),
    ];
    for (from, to, reason) in hostile {
        assert!(json.contains(from), "{from} in {json}");
        let error = serde_json::from_str::<Encoder>(&json.replace(from, to)).unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    }
    assert!(serde_json::from_str::<Encoder>(r#"{"columns":[],"left_out":[]}"#).is_err());
}

#[test]
fn settings_are_checked() {
    let all = table("x,y\n1,0\n2,0\n");
    for settings in [
        EncoderSettings { min_level_rows: 0, ..EncoderSettings::default() },
        EncoderSettings { one_hot_max_levels: 1001, ..EncoderSettings::default() },
        EncoderSettings { keep: vec!["z".to_owned()], ..EncoderSettings::default() },
    ] {
        assert!(Encoder::fit(&all, &["y"], &[0, 1], &settings).is_err());
    }
    assert_eq!(shown(&all, "x"), "number: 1 2");
}

#[test]
fn every_column_has_its_place_in_the_matrices() {
    let row =
        |i: usize| format!("{},{},level {},{},0\n", i * 7 % 40, ["a", "b", ""][i % 3], i % 12, i.is_multiple_of(2));
    let text = "x,few,many,flag,y\n".to_owned() + &(0..40).map(row).collect::<String>();
    let encoder = fit(&table(&text));
    let (names, embedded) = (encoder.feature_names(), encoder.embedded());
    for place in encoder.places() {
        match place.code {
            Some(code) => assert_eq!((&embedded[code].name, place.features.len()), (&place.name, 0)),
            None => {
                assert!(names[place.features.clone()].iter().all(|name| name.starts_with(&place.name)), "{place:?}")
            }
        }
    }
    let widths: Vec<(String, usize)> = encoder.places().into_iter().map(|p| (p.name, p.features.len())).collect();
    let expected = [("x", 1), ("few", 3), ("many", 0), ("flag", 1)].map(|(name, width)| (name.to_owned(), width));
    assert_eq!(widths, expected);
    assert_eq!(encoder.places()[3].features, 4..5);
}
