//! Targets and weights.
#![allow(clippy::unwrap_used)]

mod common;

use chainrule_data::{
    ClassTarget, Error, TargetScaler, Task, event_column, exposure_column, infer_task, numeric_target, weight_column,
};
use common::table;

fn classes(text: &str) -> Result<ClassTarget, Error> {
    ClassTarget::fit(table(text).column("y").unwrap(), "t")
}

fn encode(target: &ClassTarget, text: &str) -> Result<Vec<u32>, String> {
    target.encode(table(text).column("y").unwrap(), "t").map_err(|error| error.to_string())
}

#[test]
fn classes_of_any_kind_keep_their_names_in_order() {
    assert_eq!(classes("y\n10\n9\n-1.5\n9\n").unwrap().names(), ["-1.5", "9", "10"]);
    assert_eq!(classes("y\nyes\nno\n10\n9\n").unwrap().names(), ["10", "9", "no", "yes"]);
    assert_eq!(classes("y\ntrue\nfalse\n").unwrap().names(), ["false", "true"]);
    assert_eq!(classes("y\n2024-01-02\n2023-01-02\n").unwrap().names(), ["2023-01-02", "2024-01-02"]);
}

#[test]
fn rows_are_encoded_by_name_whatever_else_the_file_holds() {
    let target = classes("y\n0\n1\nx\n").unwrap();
    assert_eq!(encode(&target, "y\n1\n0\n"), Ok(vec![1, 0]));
    assert_eq!(encode(&target, "y\nx\n1\n"), Ok(vec![2, 1]));
    let missing = "t, row 2, column \"y\": the target is missing; fill it in or remove the row";
    assert_eq!(encode(&target, "y,z\n1,0\n,0\n"), Err(missing.to_owned()));
    assert_eq!(encode(&target, "y,z\nx,0\n,0\n"), Err(missing.to_owned()));
    let unknown = "t, row 1, column \"y\": the class \"z\" is none of the known";
    assert_eq!(encode(&target, "y\nz\n"), Err(unknown.to_owned()));
}

#[test]
fn names_that_no_number_has_come_from_text() {
    let is_text = |text| classes(text).unwrap().is_text();
    assert!(is_text("y\nyes\nno\n") && is_text("y\n01\n02\n") && is_text("y\n1.0\nx\n"));
    assert!(!is_text("y\n1.0\n2.50\n") && !is_text("y\nTRUE\nFALSE\n") && !is_text("y\n2024-01-02\n2023-01-02\n"));
}

#[test]
fn one_class_is_nothing_to_learn() {
    let message = |text| classes(text).unwrap_err().to_string();
    assert!(message("y\na\na\n").contains("one class only, \"a\""));
    assert!(message("y,z\n,1\n").ends_with("the target has no value"));
}

#[test]
fn classes_can_be_put_into_an_order() {
    let table = table("y\nlow\nhigh\nmedium\nlow\n");
    let column = table.column("y").unwrap();
    let ordered = |names: &[&str]| {
        let order: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        ClassTarget::fit(column, "t").unwrap().in_order(&order, column, "t").map_err(|error| error.to_string())
    };
    let classes = ordered(&["low", "medium", "high"]).unwrap();
    assert_eq!(classes.encode(column, "t").unwrap(), [0, 2, 1, 0]);
    assert!(ordered(&["low", "high"]).unwrap_err().ends_with("the order of the classes lacks \"medium\""));
    let unknown = ordered(&["low", "mediums", "medium", "high"]).unwrap_err();
    assert!(unknown.contains("\"mediums\", which no row has; did you mean \"medium\"?"), "{unknown}");
    assert!(ordered(&["low", "low", "medium", "high"]).unwrap_err().ends_with("names \"low\" twice"));
}

#[test]
fn events_are_one_and_zero_or_true_and_false() {
    let events = |text: &str| {
        let table = table(text);
        event_column(table.column("e").unwrap(), "t").map_err(|error| error.to_string())
    };
    assert_eq!(events("e\n1\n0\n"), Ok(vec![1.0, 0.0]));
    assert_eq!(events("e\ntrue\nfalse\n"), Ok(vec![1.0, 0.0]));
    let error = "t, row 2, column \"e\": an event must be 1 (seen) or 0 (cut off before it)";
    assert_eq!(events("e\n1\n2\n"), Err(error.to_owned()));
    assert!(events("e,x\ntrue,1\n,1\n").unwrap_err().contains("row 2, column \"e\": the event is missing"));
}

#[test]
fn numeric_targets_name_the_row_that_is_no_number() {
    let numbers = |text| {
        let table = table(text);
        numeric_target(table.column("y").unwrap(), "t").map_err(|error| error.to_string())
    };
    assert_eq!(numbers("y\n1.5\n-2\n"), Ok(vec![1.5, -2.0]));
    assert!(numbers("y,z\n1,0\n,0\n").unwrap_err().starts_with("t, row 2, column \"y\": the target is missing"));
    assert_eq!(numbers("y\n1\ninf\n"), Err("t, row 2, column \"y\": the target is infinite".to_owned()));
    assert_eq!(numbers("y\nNA\nabc\n"), Err("t, row 2, column \"y\": \"abc\" where a number is needed".to_owned()));
}

#[test]
fn weights_and_exposures_keep_to_their_ranges() {
    let both = |text: &str| {
        let table = table(text);
        let column = table.column("w").unwrap();
        let words = |result: Result<Vec<f32>, Error>| result.map_err(|error| error.to_string());
        (words(weight_column(column, "t")), words(exposure_column(column, "t")))
    };
    assert_eq!(both("w\n1\n0.5\n"), (Ok(vec![1.0, 0.5]), Ok(vec![1.0, 0.5])));
    let (weight, exposure) = both("w\n1\n0\n");
    assert_eq!(weight, Ok(vec![1.0, 0.0]));
    assert_eq!(exposure, Err("t, row 2, column \"w\": an exposure must be a number above 0".to_owned()));
    for bad in ["-1", "NA", "inf", "1e300"] {
        let (weight, exposure) = both(&format!("w\n1\n{bad}\n"));
        assert_eq!(weight, Err("t, row 2, column \"w\": a weight must be a number of at least 0".to_owned()));
        assert!(exposure.is_err());
    }
    assert_eq!(both("w\n0\n0\n").0, Err("t, column \"w\": every weight is 0".to_owned()));
}

#[test]
fn the_scaler_goes_there_and_back_with_weights() {
    // Weights 3 and 1 at 0 and 4: mean 1, variance (3 * 1 + 1 * 9) / 4 = 3.
    let scaler = TargetScaler::fit(&[0.0, 4.0], Some(&[3.0, 1.0]));
    assert!((scaler.mean - 1.0).abs() < 1e-15 && (scaler.std - 3.0_f64.sqrt()).abs() < 1e-15);
    assert!((scaler.unscale(scaler.scale(7.25)) - 7.25).abs() < 1e-14);
    assert_eq!(TargetScaler::fit(&[5.0, 5.0], None), TargetScaler { mean: 5.0, std: 1.0 });
    let large = TargetScaler::fit(&[1e308, -1e308], None);
    assert!((large.std / 1e308 - 1.0).abs() < 1e-15);
}

#[test]
fn text_and_truth_are_classes_and_fractions_a_regression() {
    let task = |text| infer_task(table(text).column("y").unwrap(), &[0, 1], "t").unwrap().0;
    assert_eq!(task("y\na\nb\n"), Task::Classification);
    assert_eq!(task("y\ntrue\nfalse\n"), Task::Classification);
    assert_eq!(task("y\n1.5\n2\n"), Task::Regression);
    let error = infer_task(table("y\n2024-01-02\n2024-01-03\n").column("y").unwrap(), &[0, 1], "t").unwrap_err();
    assert!(error.to_string().starts_with("t, column \"y\": the target is a time"));
}
