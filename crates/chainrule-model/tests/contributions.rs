//! What a prediction is made of, column by column.
#![allow(clippy::unwrap_used)]

use chainrule::{Compute, Flow, Head, Key, Network};
use chainrule_data::{Column, MISSING_TIME, Table, Values};
use chainrule_model::{Contributions, Model, Preset, Roles, Settings, prepare};

const ROWS: usize = 150;

fn column(name: &str, values: Values) -> Column {
    Column { name: name.to_owned(), values }
}

/// Numbers and dates with missing cells, a one-hot and an embedded category, truth values, an exposure; targets of every kind.
fn table() -> Table {
    let draw = |part: u64| (0..ROWS).map(move |row| Key::new(3).part(part).uniform(row as u64));
    let hole = |u: f64| ((u * 1e4) as usize).is_multiple_of(7);
    let x: Vec<f64> = draw(0).map(|u| if hole(u) { f64::NAN } else { 30.0 + 4.0 * u }).collect();
    let many: Vec<String> = draw(1).map(|u| format!("level {}", (12.0 * u) as usize)).collect();
    let few: Vec<Option<&str>> = draw(2).map(|u| [Some("a"), Some("b"), Some("c"), None][(4.0 * u) as usize]).collect();
    let z = x.iter().zip(&many).map(|(x, level)| if x.is_nan() { 40.0 } else { 7.0 * x } + level.len() as f64);
    let z: Vec<f64> = z.zip(draw(6)).map(|(z, u)| 1000.0 + z + u).collect();
    let class = |z: &f64| Some(if *z < 1100.0 { "low" } else { ["mid", "high"][usize::from(*z > 1232.0)] });
    let sign = |z: &f64| Some(if *z > 1200.0 { "yes" } else { "no" });
    let columns = vec![
        column("x", Values::Number(x.iter().copied().collect())),
        column("many", Values::Category(many.iter().map(|name| Some(name.as_str())).collect())),
        column("few", Values::Category(few.into_iter().collect())),
        column("flag", Values::Boolean(draw(3).map(|u| Some(u < 0.5)).collect())),
        column("day", Values::Time(draw(4).map(|u| if hole(u) { MISSING_TIME } else { (u * 9e14) as i64 }).collect())),
        column("time", Values::Number(draw(5).map(|u| 0.5 + u).collect())),
        column("z", Values::Number(z.iter().copied().collect())),
        column("class", Values::Category(z.iter().map(class).collect())),
        column("sign", Values::Category(z.iter().map(sign).collect())),
        column("count", Values::Number(draw(7).map(|u| (5.0 * u).floor()).collect())),
    ];
    Table::new("t", columns).unwrap()
}

const TARGETS: [&str; 4] = ["z", "class", "sign", "count"];

fn model(target: &str, settings: Settings) -> Model {
    let ignore = TARGETS.into_iter().filter(|name| *name != target).map(str::to_owned).collect();
    let exposure = (target == "count").then(|| "time".to_owned());
    let roles = Roles { target: target.to_owned(), exposure, ignore, ..Roles::default() };
    let prepared = prepare(&table(), None, &roles, &settings).unwrap();
    prepared.train(&mut Compute::new(1), &mut |_, _| Flow::Continue).unwrap().model
}

fn small() -> Settings {
    Settings { hidden: vec![16, 8], epochs: 30, ..Settings::default() }
}

fn numbers(table: &Table, name: &str) -> Vec<f64> {
    match &table.column(name).unwrap().values {
        Values::Number(numbers) => numbers.iter().collect(),
        other => panic!("{name} holds {}", other.kind()),
    }
}

fn contributions(model: &Model, table: &Table, class: Option<&str>) -> Contributions {
    model.contributions(&mut Compute::new(1), table, class).unwrap()
}

/// Baseline and contributions of each row, summed; the residual taken off.
fn sums(found: &Contributions) -> Vec<f64> {
    let columns: Vec<Vec<f64>> = found
        .table
        .columns
        .iter()
        .filter(|c| c.name == "baseline" || c.name.starts_with("contribution_"))
        .map(|c| numbers(&found.table, &c.name))
        .collect();
    let residual = numbers(&found.table, "completeness_residual");
    (0..residual.len()).map(|row| columns.iter().map(|c| c[row]).sum::<f64>() - residual[row]).collect()
}

fn close(a: &[f64], b: &[f64], tolerance: f64) {
    assert_eq!(a.len(), b.len());
    for (row, (a, b)) in a.iter().zip(b).enumerate() {
        assert!((a - b).abs() <= tolerance, "row {row}: {a} {b}");
    }
}

#[test]
fn they_add_up_to_a_number_in_its_unit() {
    let table = table();
    let realmlp = Settings { epochs: 20, hidden: vec![16, 8], ..Settings::preset(Preset::Realmlp) };
    for settings in [small(), realmlp] {
        let mut settings = settings;
        settings.recipe.clip = false;
        let model = model("z", settings);
        let found = contributions(&model, &table, None);
        let names: Vec<&str> = found.table.columns.iter().map(|c| c.name.as_str()).collect();
        let parts = ["x", "many", "few", "flag", "day", "time"].map(|name| format!("contribution_{name}"));
        assert_eq!(names[0], "baseline");
        assert_eq!(names[1..7], parts.each_ref().map(String::as_str));
        assert_eq!(names[7..], ["completeness_residual"]);
        let predictions = model.predict(&mut Compute::new(1), &table).unwrap();
        close(&sums(&found), &numbers(&predictions, "prediction"), 2e-3);
        let residual = numbers(&found.table, "completeness_residual");
        assert!(found.coarse < 5 && residual.iter().all(|r| r.abs() < 1.0), "{} {residual:?}", found.coarse);
        let baseline = numbers(&found.table, "baseline");
        assert!(baseline.iter().all(|b| *b == baseline[0] && (1000.0..1400.0).contains(b)), "{}", baseline[0]);
    }
}

#[test]
fn they_add_up_to_the_logits_of_classes() {
    let table = table();
    for (target, classes) in [("sign", vec!["no", "yes"]), ("class", vec!["high", "low", "mid"])] {
        let model = model(target, small());
        let predictions = model.predict(&mut Compute::new(1), &table).unwrap();
        let p: Vec<Vec<f64>> = classes.iter().map(|c| numbers(&predictions, &format!("probability_{c}"))).collect();
        let logits: Vec<Vec<f64>> =
            classes.iter().map(|class| sums(&contributions(&model, &table, Some(class)))).collect();
        let predicted = sums(&contributions(&model, &table, None));
        for row in 0..ROWS {
            let best = (0..classes.len()).max_by(|&a, &b| p[a][row].total_cmp(&p[b][row])).unwrap();
            assert!((predicted[row] - logits[best][row]).abs() < 1e-9, "{target} {row}");
            // Differences of logits are logarithms of odds; the two of one output are each other's opposite.
            for k in 1..classes.len() {
                let odds = (p[k][row] / p[0][row]).ln();
                let between = if classes.len() == 2 { logits[1][row] } else { logits[k][row] - logits[0][row] };
                assert!((between - odds).abs() < 1e-3, "{target} {row}: {between} {odds}");
            }
        }
    }
}

#[test]
fn a_count_has_the_logarithm_of_its_rate() {
    let table = table();
    let model = model("count", small());
    let predictions = model.predict(&mut Compute::new(1), &table).unwrap();
    let rates = numbers(&predictions, "prediction").into_iter().zip(numbers(&table, "time"));
    let found = contributions(&model, &table, None);
    assert!(found.table.column("contribution_time").is_err(), "the exposure is no feature");
    close(&sums(&found), &rates.map(|(mean, time)| (mean / time).ln()).collect::<Vec<_>>(), 1e-4);
}

/// Without hidden layers: weight times distance from the training mean, in the target's unit.
#[test]
fn of_a_linear_model_they_are_exact() {
    let draw = |part: u64| (0..60).map(move |row| Key::new(9).part(part).uniform(row as u64));
    let (a, b): (Vec<f64>, Vec<f64>) = (draw(0).map(|u| 50.0 * u).collect(), draw(1).collect());
    let y = a.iter().zip(&b).map(|(a, b)| 3.0 * a - 20.0 * b + 7.0);
    let numbers_of = |values: &[f64]| Values::Number(values.iter().copied().collect());
    let columns =
        vec![column("a", numbers_of(&a)), column("b", numbers_of(&b)), column("y", Values::Number(y.collect()))];
    let table = Table::new("t", columns).unwrap();
    let roles = Roles { target: "y".to_owned(), ..Roles::default() };
    let settings =
        Settings { hidden: vec![], valid_fraction: 0.0, epochs: 400, learning_rate: Some(0.02), ..Settings::default() };
    let prepared = prepare(&table, None, &roles, &settings).unwrap();
    let model = prepared.train(&mut Compute::new(1), &mut |_, _| Flow::Continue).unwrap().model;
    let found = contributions(&model, &table, None);
    let network: &Network<f32> = model.network();
    let (weights, moments) = (network.parameter(0), |x: &[f64]| {
        let mean = x.iter().sum::<f64>() / 60.0;
        (mean, (x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 60.0).sqrt())
    });
    let y: Vec<f64> = numbers(&table, "y");
    for (name, x, w) in [("contribution_a", &a, weights[0]), ("contribution_b", &b, weights[1])] {
        let ((mean, std), (_, unit)) = (moments(x), moments(&y));
        let expected: Vec<f64> = x.iter().map(|x| unit * f64::from(w) * (x - mean) / std).collect();
        close(&numbers(&found.table, name), &expected, 1e-3);
    }
    close(&numbers(&found.table, "completeness_residual"), &[0.0; 60], 1e-9);
    // And so near the law itself.
    let mean_a = moments(&a).0;
    close(&numbers(&found.table, "contribution_a"), &a.iter().map(|a| 3.0 * (a - mean_a)).collect::<Vec<_>>(), 0.5);
}

/// A row of which nothing is known contributes nothing, but for what tells that it is missing.
#[test]
fn a_level_never_seen_is_the_baseline() {
    let mut rows = table();
    let model = model("z", small());
    rows.columns[1].values = Values::Category(std::iter::repeat_n(Some("never seen"), ROWS).collect());
    let found = contributions(&model, &rows, None);
    assert!(numbers(&found.table, "contribution_many").iter().all(|&c| c == 0.0));
    // Missing numbers are taken for the mean and have an indicator, which does contribute.
    let x = numbers(&rows, "x");
    let missing = numbers(&found.table, "contribution_x").into_iter().zip(&x).filter(|(_, x)| x.is_nan());
    assert!(missing.clone().count() > 5 && missing.clone().all(|(c, _)| c != 0.0));
}

#[test]
fn threads_make_no_difference() {
    let model = model("class", small());
    let found = |threads| model.contributions(&mut Compute::new(threads), &table(), None).unwrap().table;
    assert_eq!(found(1), found(3));
}

#[test]
fn what_there_is_not_is_refused() {
    let table = table();
    let message = |model: &Model, table: &Table, class: Option<&str>| {
        model.contributions(&mut Compute::new(1), table, class).err().unwrap().to_string()
    };
    let (number, classes) = (model("z", small()), model("class", small()));
    assert!(message(&number, &table, Some("low")).contains("only where classes are predicted"));
    let text = message(&classes, &table, Some("lowest"));
    assert!(text.contains("no class \"lowest\"; the classes are high, low, mid"), "{text}");
    let columns = table.columns.iter().filter(|c| c.name != "few").cloned().collect();
    let without = Table::new("u", columns).unwrap();
    assert!(message(&number, &without, None).contains("u has no column \"few\""));
    let head = Some(Head::Ordinal { proportional: true });
    let order = ["low", "mid", "high"].map(str::to_owned).to_vec();
    let ordinal = model("class", Settings { head, class_order: order, ..small() });
    assert!(message(&ordinal, &table, Some("low")).contains("one score for all classes"));
    assert!(contributions(&ordinal, &table, None).coarse < 5);
}
