//! A network that has learned nothing yet predicts what the training rows show on average.
#![allow(clippy::unwrap_used)]

use chainrule::{Compute, Flow, Head};
use chainrule_data::{Column, Table, Values};
use chainrule_model::{Model, Roles, Settings, prepare};

/// 40 rows: a feature, a class of which every fourth row is "b", a number of mean 105, a count of mean 1.5.
fn table() -> Table {
    let column = |name: &str, values| Column { name: name.to_owned(), values };
    let numbers = |value: fn(usize) -> f64| Values::Number((0..40).map(value).collect());
    let class = |row: usize| Some(if row.is_multiple_of(4) { "b" } else { "a" });
    let columns = vec![
        column("x", numbers(|row| (row * 7 % 40) as f64)),
        column("class", Values::Category((0..40).map(class).collect())),
        column("number", numbers(|row| 100.0 + 10.0 * (row % 2) as f64)),
        column("count", numbers(|row| (row % 4) as f64)),
    ];
    Table::new("t", columns).unwrap()
}

/// A model after a step too small to matter.
fn untrained(target: &str, head: Head) -> Model {
    let ignore = ["class", "number", "count"].into_iter().filter(|name| *name != target).map(str::to_owned);
    let roles = Roles { target: target.to_owned(), ignore: ignore.collect(), ..Roles::default() };
    let settings = Settings {
        head: Some(head),
        hidden: vec![16],
        epochs: 1,
        learning_rate: Some(1e-12),
        valid_fraction: 0.0,
        ..Settings::default()
    };
    let prepared = prepare(&table(), None, &roles, &settings).unwrap();
    prepared.train(&mut Compute::new(1), &mut |_, _| Flow::Continue).unwrap().model
}

fn first_row(model: &Model, column: &str) -> f64 {
    let predictions = model.predict(&mut Compute::new(1), &table()).unwrap();
    predictions.column(column).unwrap().values.text(0).unwrap().parse().unwrap()
}

fn named(name: &str) -> Head {
    Head::named(name).unwrap()
}

#[test]
fn every_head_starts_at_the_training_mean() {
    let cases = [
        ("number", Head::gaussian(), "prediction", 105.0),
        ("count", Head::Poisson, "prediction", 1.5),
        ("count", Head::gaussian(), "prediction", 1.5),
        ("count", named("negative_binomial"), "prediction", 1.5),
        ("count", named("tweedie"), "prediction", 1.5),
        ("number", named("gamma"), "prediction", 105.0),
        ("number", named("student_t"), "prediction", 105.0),
        // All events are seen at the times.
        ("number", named("weibull_aft"), "prediction", 105.0),
        // The first of the values that half of the rows do not exceed.
        ("number", named("quantile"), "prediction", 100.0),
        ("number", named("quantile"), "quantile_0.95", 110.0),
        // Half a row more of each class.
        ("class", Head::Bernoulli, "probability_b", 10.5 / 41.0),
        ("class", Head::categorical(), "probability_b", 10.5 / 41.0),
    ];
    for (target, head, column, expected) in cases {
        let found = first_row(&untrained(target, head.clone()), column);
        // Quantiles that share a value start a thousandth of a standard deviation (5) apart, since they must not cross.
        let tolerance = if matches!(head, Head::Quantile { .. }) { 2.0 * 1e-3 * 5.0 + 1e-4 } else { 1e-6 * expected };
        assert!((found - expected).abs() < tolerance, "{head:?}: {found}, not {expected}");
    }
}
