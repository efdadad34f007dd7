//! Intervals of counts and amounts whose spread is not what the head's distribution says: new rows are covered as promised.
#![allow(clippy::unwrap_used)]

use chainrule::{Compute, Distribution, Flow, Head, Key};
use chainrule_data::{Column, Table, Values};
use chainrule_model::{Fitted, Model, Roles, Settings, TaskChoice, prepare};

/// The feature `x`, an exposure, counts per unit of it that vary more than Poisson's, the same in halves, rare ones, amounts and
/// fractions, times and whether they were seen.
fn table(rows: usize, part: u64) -> Table {
    let key = Key::new(3).part(part);
    let x: Vec<f64> = (0..rows as u64).map(|row| 2.0 * key.uniform(row) - 1.0).collect();
    let exposure: Vec<f64> = (0..rows as u64).map(|row| 0.2 + key.part(1).uniform(row)).collect();
    let draw = |number: u64, of: &dyn Fn(usize) -> Distribution| -> Vec<f64> {
        (0..rows).map(|row| of(row).sample(key.part(number), row as u64).unwrap()).collect()
    };
    let mean = |row: usize| (3.0 + x[row]).exp();
    let count = draw(2, &|row| Distribution::NegativeBinomial { mean: exposure[row] * mean(row), dispersion: 0.3 });
    let halves = count.iter().map(|count| count / 2.0).collect();
    let rare = draw(3, &|row| Distribution::Poisson { mean: (-1.0 + x[row]).exp() });
    // A shape that depends on the row, which the head knows nothing of.
    let amount = draw(4, &|row| Distribution::Gamma { mean: mean(row), shape: if row % 2 == 0 { 0.5 } else { 5.0 } });
    let fraction = draw(5, &|row| Distribution::Beta { mean: 1.0 / (1.0 + (-x[row]).exp()), precision: 1.0 });
    let time = draw(6, &|row| Distribution::Weibull { scale: mean(row), shape: 1.5 });
    let columns = [
        ("x", x.clone()),
        ("exposure", exposure),
        ("count", count),
        ("halves", halves),
        ("rare", rare),
        ("amount", amount),
        ("fraction", fraction.into_iter().map(|y| y.clamp(1e-6, 1.0 - 1e-6)).collect()),
        ("time", time),
        ("seen", (0..rows).map(|row| f64::from(u8::from(row % 10 > 0))).collect()),
    ];
    let column = |(name, values): (&str, Vec<f64>)| Column {
        name: name.to_owned(),
        values: Values::Number(values.into_iter().collect()),
    };
    Table::new("t", columns.map(column).into()).unwrap()
}

fn fit(rows: usize, target: &str, head: &str, more: &Roles, members: usize) -> Fitted {
    let columns = ["exposure", "count", "halves", "rare", "amount", "fraction", "time", "seen"];
    let used = [Some(target), more.exposure.as_deref(), more.event.as_deref(), more.weight.as_deref()];
    let ignore = columns.iter().filter(|name| !used.contains(&Some(name))).map(|name| (*name).to_owned()).collect();
    let roles = Roles { target: target.to_owned(), ignore, ..more.clone() };
    let settings = Settings {
        head: Some(Head::named(head).unwrap()),
        task: TaskChoice::Auto,
        hidden: vec![8],
        epochs: 30,
        dropout: 0.0,
        learning_rate: Some(0.01),
        members,
        // Three parts of all rows, so that each is held out once.
        valid_fraction: if members == 3 { 1.0 / 3.0 } else { 0.2 },
        ..Settings::default()
    };
    let prepared = prepare(&table(rows, 0), None, &roles, &settings).unwrap();
    prepared.train(&mut Compute::new(1), &mut |_, _| Flow::Continue).unwrap()
}

/// Lower and upper bounds of new rows and their targets.
fn bounds(model: &Model, target: &str) -> Vec<[f64; 3]> {
    let test = table(8000, 1);
    let intervals = model.predict_with_interval(&mut Compute::new(1), &test, 0.9).unwrap();
    let numbers = |table: &Table, name: &str| match &table.column(name).unwrap().values {
        Values::Number(values) => values.iter().collect::<Vec<f64>>(),
        _ => panic!("{name} holds no numbers"),
    };
    let (lower, upper, y) = (numbers(&intervals, "lower"), numbers(&intervals, "upper"), numbers(&test, target));
    (0..y.len()).map(|row| [lower[row], upper[row], y[row]]).collect()
}

fn coverage(bounds: &[[f64; 3]]) -> f64 {
    bounds.iter().filter(|[lower, upper, y]| lower <= y && y <= upper).count() as f64 / bounds.len() as f64
}

#[test]
fn counts_and_amounts_are_covered_as_promised() {
    let exposure = Roles { exposure: Some("exposure".into()), ..Roles::default() };
    let weight = Roles { weight: Some("exposure".into()), ..Roles::default() };
    let none = Roles::default();
    let cases = [
        ("count", "poisson", &exposure),
        ("count", "negative_binomial", &exposure),
        ("halves", "poisson", &none),
        ("amount", "gamma", &weight),
        ("amount", "tweedie", &none),
        ("time", "weibull_aft", &none),
        ("fraction", "beta", &none),
    ];
    for (target, head, more) in cases {
        for members in [1, 3] {
            let model = fit(3000, target, head, more, members).model;
            assert!(model.card().conformal.is_some(), "{head}");
            let bounds = bounds(&model, target);
            let part = coverage(&bounds);
            println!("{target} {head} {members}: {part}");
            assert!((0.88..0.925).contains(&part), "{target}, {head}, {members}: {part}");
            let most = if head == "beta" { 1.0 } else { f64::INFINITY };
            assert!(bounds.iter().all(|[lower, upper, _]| *lower >= 0.0 && lower <= upper && *upper <= most), "{head}");
            let whole = bounds.iter().all(|[lower, upper, _]| lower.fract() == 0.0 && upper.fract() == 0.0);
            assert_eq!(whole, target == "count", "{target}");
        }
    }
}

/// Of counts that are mostly 0 the intervals are 0 alone or 0 and 1, and no wider than they must be.
#[test]
fn rare_counts_have_no_more_than_they_need() {
    let model = fit(6000, "rare", "poisson", &Roles::default(), 1).model;
    let bounds = bounds(&model, "rare");
    let part = coverage(&bounds);
    assert!((0.88..0.95).contains(&part), "{part}");
    assert!(bounds.iter().all(|[lower, upper, _]| *lower == 0.0 && upper.fract() == 0.0));
    // The head's own 5 % and 95 % quantiles hold more.

    let quantiles = model.predict_quantiles(&mut Compute::new(1), &table(8000, 1), &[0.95]).unwrap();
    let Values::Number(upper) = &quantiles.columns[0].values else { panic!("no numbers") };
    let mean = |all: &mut dyn Iterator<Item = f64>| all.sum::<f64>() / 8000.0;
    assert!(mean(&mut bounds.iter().map(|bound| bound[1])) < mean(&mut upper.iter()));
}

/// Times that were cut off say nothing of the errors, and few rows nothing of a level: the head's quantiles are left.
#[test]
fn what_held_out_rows_do_not_say_the_head_does() {
    let event = Roles { event: Some("seen".into()), ..Roles::default() };
    assert!(fit(300, "time", "weibull_aft", &event, 1).model.card().conformal.is_none());
    let few = fit(20, "count", "poisson", &Roles::default(), 1).model;
    let test = table(5, 1);
    let mut compute = Compute::new(1);
    let intervals = few.predict_with_interval(&mut compute, &test, 0.9).unwrap();
    let quantiles = few.predict_quantiles(&mut compute, &test, &[0.05, 0.95]).unwrap();
    assert_eq!(intervals.column("lower").unwrap().values, quantiles.columns[0].values);
    assert_eq!(intervals.column("upper").unwrap().values, quantiles.columns[1].values);
}
