//! Models of several networks: what they say together, what they are judged on, and how they are kept.
#![allow(clippy::unwrap_used)]

use chainrule::{Compute, Event, Flow, Head, Key, Network, NumericEmbedding, Scale};
use chainrule_data::{Column, Table, Values};
use chainrule_model::{Fitted, Model, Recipe, Roles, Settings, prepare};

/// Numbers `x` and `z`, text `c` of 12 levels, a target `y` about 3 x with errors whose size depends on x, classes `k`.
fn table(rows: usize, part: u64) -> Table {
    let column = |name: &str, values| Column { name: name.to_owned(), values };
    let key = Key::new(11).part(part);
    let uniform = |row: usize, at: u64| key.uniform(8 * row as u64 + at);
    let x: Vec<f64> = (0..rows).map(|row| 2.0 * uniform(row, 0) - 1.0).collect();
    let levels: Vec<String> = (0..rows).map(|row| format!("level {}", row % 12)).collect();
    let normal = |row: usize| (0..12).map(|i| key.part(1).uniform(12 * row as u64 + i)).sum::<f64>() - 6.0;
    let y = (0..rows).map(|row| 100.0 + 3.0 * x[row] + (0.2 + x[row].abs()) * normal(row)).collect();
    let class = |row: usize| Some(if uniform(row, 1) < 0.5 + 0.35 * x[row] { "yes" } else { "no" });
    let columns = vec![
        column("x", Values::Number(x.iter().copied().collect())),
        column("z", Values::Number((0..rows).map(|row| uniform(row, 2)).collect())),
        column("c", Values::Category(levels.iter().map(|level| Some(level.as_str())).collect())),
        column("y", Values::Number(y)),
        column("k", Values::Category((0..rows).map(class).collect())),
    ];
    Table::new("t", columns).unwrap()
}

fn roles(target: &str) -> Roles {
    let ignore = ["y", "k"].into_iter().filter(|name| *name != target).map(str::to_owned).collect();
    Roles { target: target.to_owned(), ignore, ..Roles::default() }
}

fn small(members: usize) -> Settings {
    // Of several as many folds as members: every row is held out once.
    let valid_fraction = if members > 1 { 1.0 / members as f64 } else { 0.2 };
    let learning_rate = Some(0.01);
    Settings { hidden: vec![8], epochs: 6, dropout: 0.0, learning_rate, valid_fraction, members, ..Settings::default() }
}

fn fit(table: &Table, target: &str, settings: &Settings) -> Fitted {
    let prepared = prepare(table, None, &roles(target), settings).unwrap();
    prepared.train(&mut Compute::new(1), &mut |_, _| Flow::Continue).unwrap()
}

fn column(model: &Model, table: &Table, name: &str) -> Vec<f64> {
    let predictions = model.predict(&mut Compute::new(1), table).unwrap();
    numbers(&predictions, name)
}

fn numbers(table: &Table, name: &str) -> Vec<f64> {
    match &table.column(name).unwrap().values {
        Values::Number(values) => values.iter().collect(),
        _ => panic!("{name} holds no numbers"),
    }
}

/// The model once more, as it comes from its file.
fn again(model: &Model) -> Model {
    Model::from_bytes(&model.to_bytes().unwrap(), "m").unwrap()
}

#[test]
fn predictions_are_the_mean_of_the_members() {
    let (train, test) = (table(120, 0), table(50, 1));
    for (target, name, head) in [
        ("y", "prediction", Head::gaussian()),
        ("y", "prediction", Head::named("quantile").unwrap()),
        ("y", "quantile_0.95", Head::named("quantile").unwrap()),
        ("k", "probability_yes", Head::Bernoulli),
    ] {
        let settings = Settings { head: Some(head.clone()), ..small(3) };
        let model = fit(&train, target, &settings).model;
        assert_eq!(model.networks().len(), 3);
        let temperature = model.card().temperature.unwrap_or(1.0);
        // Probabilities are averaged before the temperature is applied: back to what they were.
        let plain = |p: f64| match target {
            "k" => p.powf(temperature) / (p.powf(temperature) + (1.0 - p).powf(temperature)),
            _ => p,
        };
        let together = column(&model, &test, name);
        let alone: Vec<Vec<f64>> =
            (1..=3).map(|number| column(&again(&model).member(number).unwrap(), &test, name)).collect();
        assert_ne!(alone[0], alone[1]);
        for (row, &found) in together.iter().enumerate() {
            let mean = alone.iter().map(|one| plain(one[row])).sum::<f64>() / 3.0;
            assert!((plain(found) - mean).abs() < 1e-9 * mean.abs().max(1.0), "{head:?}: {found} {mean}");
        }
    }
}

#[test]
fn the_scores_are_of_rows_that_a_member_did_not_learn_from() {
    let train = table(120, 0);
    let fitted = fit(&train, "y", &small(4));
    let valid = fitted.valid.unwrap();
    let training = &fitted.model.card().training;
    assert_eq!((valid.rows, training.rows, training.valid_rows, training.further.len()), (120, 120, 120, 3));
    // Each member's best score, as training saw it, is that of its fold of 30 rows: a mean square, in units of the target's
    // variance, with the constant of the normal density.
    let folds = training.reports().map(|report| {
        let score = report.history[report.best_epoch.unwrap() - 1].valid_score.unwrap();
        2.0 * (score - 0.5 * (2.0 * std::f64::consts::PI).ln())
    });
    let chainrule_model::Target::Number(scaler) = &fitted.model.card().target else { panic!("no number") };
    let expected = (folds.sum::<f64>() / 4.0).sqrt() * scaler.std;
    let found = valid.metrics.rmse.unwrap();
    assert!((found / expected - 1.0).abs() < 1e-5, "{found} {expected}");
    // All members have seen most of these rows.
    let seen = fitted.model.evaluate(&mut Compute::new(1), &train).unwrap().metrics.rmse.unwrap();
    assert_ne!(seen, found);
}

#[test]
fn one_member_is_the_first_network_and_several_are_saved_under_their_numbers() {
    let train = table(120, 0);
    let model = fit(&train, "y", &small(2)).model;
    let bytes = model.to_bytes().unwrap();
    let text = String::from_utf8_lossy(&bytes);
    for name in ["\"members.0.layers.0.weight\"", "\"members.1.layers.1.bias\"", "chainrule-3"] {
        assert!(text.contains(name), "{name}");
    }
    let loaded = again(&model);
    assert_eq!((loaded.digest().unwrap(), loaded.card()), (model.digest().unwrap(), model.card()));
    assert_eq!(column(&loaded, &train, "prediction"), column(&model, &train, "prediction"));
    let second = loaded.member(2).unwrap();
    assert_eq!(second.card().training.report, model.card().training.further[0]);
    let text = String::from_utf8_lossy(&second.to_bytes().unwrap()).into_owned();
    assert!(text.contains("\"layers.0.weight\"") && !text.contains("members."));
    assert!(
        again(&model).member(3).err().unwrap().to_string().contains("--member 3: the model has the members 1 to 2")
    );
    assert!(again(&model).member(0).is_err());
}

/// Two networks with bins and one with frequencies.
fn of_two_kinds() -> Settings {
    let recipe = Recipe { frequencies: 3, sigma: 0.1, bins: 5, dimension: 4, bins_share: 0.5, ..Recipe::default() };
    Settings { recipe, ..small(3) }
}

#[test]
fn members_may_have_other_vectors_for_numbers() {
    let train = table(120, 0);
    let model = fit(&train, "y", &of_two_kinds()).model;
    let kind = |network: &Network<f32>| match network.spec().numeric_embedding {
        Some(NumericEmbedding::PiecewiseLinear { .. }) => "bins",
        Some(NumericEmbedding::Periodic { .. }) => "frequencies",
        None => "none",
    };
    assert_eq!(model.networks().iter().map(kind).collect::<Vec<_>>(), ["bins", "bins", "frequencies"]);
    let loaded = again(&model);
    assert_eq!((loaded.digest().unwrap(), loaded.card()), (model.digest().unwrap(), model.card()));
    let alone = |number| column(&again(&again(&model).member(number).unwrap()), &train, "prediction");
    let alone = [1, 2, 3].map(alone);
    for (row, &found) in column(&loaded, &train, "prediction").iter().enumerate() {
        let mean = alone.iter().map(|one| one[row]).sum::<f64>() / 3.0;
        assert!((found - mean).abs() < 1e-9 * mean.abs(), "{found} {mean}");
    }
    let certificate = loaded.certify(&mut Compute::new(1), &train, 5, Some(200)).unwrap();
    assert!(certificate.holds && certificate.members == Some(3), "{certificate:?}");
    assert!(loaded.contributions(&mut Compute::new(1), &train, None).is_ok());
    let third = again(&model).member(3).unwrap();
    assert!(third.card().others.is_none() && third.card().network == *model.networks()[2].spec());
}

#[test]
fn of_two_kinds_one_may_be_left() {
    let train = table(120, 0);
    let stop_at = |member: usize| {
        let prepared = prepare(&train, None, &roles("y"), &of_two_kinds()).unwrap();
        let mut begun = 0;
        let fitted = prepared.train(&mut Compute::new(1), &mut |_, event| {
            begun += usize::from(matches!(event, Event::Begin { .. }));
            if begun == member { Flow::Stop } else { Flow::Continue }
        });
        let model = fitted.unwrap().model;
        (again(&model).networks().len(), model.card().others.as_ref().map(|others| others.first))
    };
    assert_eq!([2, 3].map(stop_at), [(1, None), (2, None)]);
    assert_eq!(fit(&train, "y", &of_two_kinds()).model.card().others.as_ref().unwrap().first, 2);
}

#[test]
fn who_is_stopped_keeps_what_is_done() {
    let train = table(120, 0);
    let stop_at = |member: usize, epochs: usize| {
        let prepared = prepare(&train, None, &roles("y"), &small(4)).unwrap();
        let (mut begun, mut done) = (0, 0);
        let fitted = prepared.train(&mut Compute::new(1), &mut |_, event| {
            match event {
                Event::Begin { .. } => (begun, done) = (begun + 1, 0),
                Event::Epoch(_) => done += 1,
                _ => {}
            }
            if begun == member && done == epochs { Flow::Stop } else { Flow::Continue }
        });
        assert_eq!(begun, member);
        fitted.unwrap()
    };
    let whole = fit(&train, "y", &small(4)).model;
    let two = stop_at(3, 0);
    assert_eq!(two.model.networks().len(), 2);
    assert_eq!(two.left_out, ["member 3 of 4: stopped before its first epoch was done"]);
    assert_eq!(two.valid.unwrap().rows, 60);
    assert_eq!(two.model.network().parameter(1), whole.network().parameter(1));
    let three = stop_at(3, 4);
    assert_eq!(three.model.networks().len(), 3);
    assert_eq!(three.model.card().training.further[1].history.len(), 4);
    // The only one is kept even if it has done nothing.
    let one = stop_at(1, 0);
    assert_eq!((one.model.networks().len(), one.left_out.len(), one.valid.unwrap().rows), (1, 0, 30));
}

#[test]
fn side_by_side_they_have_the_same_bits() {
    let (train, settings) = (table(300, 0), Settings { epochs: 18, ..small(5) });
    let model = |threads: usize| {
        let prepared = prepare(&train, None, &roles("k"), &settings).unwrap();
        let mut epochs = [0; 5];
        let fitted = prepared.train(&mut Compute::new(threads), &mut |turn, event| {
            epochs[turn.member - 1] += usize::from(matches!(event, Event::Epoch(_)));
            Flow::Continue
        });
        let model = fitted.unwrap().model;
        assert!(model.card().training.reports().map(|report| report.history.len()).eq(epochs));
        (model.to_bytes().unwrap(), model.digest().unwrap())
    };
    let alone = model(1);
    for threads in [2, 3, 16] {
        assert!(model(threads) == alone, "{threads} threads");
    }
}

/// The first two may have ended before their last epoch is told.
#[test]
fn who_says_stop_once_is_heard() {
    let train = table(120, 0);
    let prepared = prepare(&train, None, &roles("y"), &small(4)).unwrap();
    let mut last = 0;
    let fitted = prepared.train(&mut Compute::new(2), &mut |turn, event| {
        last = last.max(turn.member);
        let ends = matches!(event, Event::Epoch(record) if (turn.member, record.epoch) == (2, 6));
        if ends { Flow::Stop } else { Flow::Continue }
    });
    assert_eq!((last, fitted.unwrap().model.networks().len()), (2, 2));
}

#[test]
fn a_class_may_be_missing_in_folds() {
    let mut train = table(60, 0);
    let mut classes: Vec<Option<&str>> = (0..60).map(|row| Some(["a", "b"][row % 2])).collect();
    classes[7] = Some("rare");
    train.columns[4].values = Values::Category(classes.into_iter().collect());
    let fitted = fit(&train, "k", &Settings { metric: Some(chainrule::Metric::Auc), ..small(5) });
    assert_eq!(fitted.model.networks().len(), 5);
    let metrics = fitted.valid.unwrap().metrics;
    assert!(metrics.log_loss.unwrap().is_finite() && metrics.calibration_error.is_some());
    let p = column(&fitted.model, &train, "probability_rare");
    assert!(p.iter().all(|p| (0.0..0.5).contains(p)), "{p:?}");
}

#[test]
fn with_a_table_for_validation_all_learn_from_all_rows() {
    let (train, valid) = (table(120, 0), table(40, 1));
    let prepared = prepare(&train, Some(&valid), &roles("y"), &small(2)).unwrap();
    assert_eq!((prepared.train_rows(), prepared.valid_rows(), prepared.members()), (120, 40, 2));
    let fitted = prepared.train(&mut Compute::new(1), &mut |_, _| Flow::Continue).unwrap();
    // The scores are then those of the whole model.
    let scores = fitted.model.evaluate(&mut Compute::new(1), &valid).unwrap().metrics;
    assert_eq!(fitted.valid.unwrap().metrics.rmse, scores.rmse);
    let none = fit(&train, "y", &Settings { valid_fraction: 0.0, ..small(2) });
    assert_eq!((none.model.networks().len(), none.valid.is_none()), (2, true));
    assert_ne!(none.model.networks()[0].parameter(1), none.model.networks()[1].parameter(1));
}

#[test]
fn members_beyond_the_rows_are_refused() {
    let error = prepare(&table(20, 0), None, &roles("y"), &small(21)).err().unwrap().to_string();
    assert_eq!(error, "members must be 1 to 20 (the rows of the table), got 21");
    let error = prepare(&table(20, 0), None, &roles("y"), &small(0)).err().unwrap().to_string();
    assert_eq!(error, "members must be at least 1");
}

/// Twenty passes with large steps over few rows with noisy classes: a network that is far too sure of itself.
#[test]
fn an_overconfident_network_gets_a_temperature() {
    let (train, test) = (table(400, 0), table(3000, 1));
    let settings = Settings { hidden: vec![64], epochs: 60, patience: 0, learning_rate: Some(0.02), ..small(1) };
    let settings = Settings { metric: Some(chainrule::Metric::Accuracy), ..settings };
    for members in [1, 4] {
        let fitted = fit(&train, "k", &Settings { members, ..settings.clone() });
        let temperature = fitted.model.card().temperature.unwrap();
        assert!(temperature > 1.2, "{temperature}");
        let scores = fitted.model.evaluate(&mut Compute::new(1), &test).unwrap().metrics;
        let yes = column(&fitted.model, &test, "probability_yes");
        let Values::Category(classes) = &test.column("k").unwrap().values else { panic!("no classes") };
        let truth: Vec<bool> = (0..3000).map(|row| classes.levels[classes.codes[row] as usize] == "yes").collect();
        // p^T undoes what the temperature did.
        let untouched = |p: f64| p.powf(temperature) / (p.powf(temperature) + (1.0 - p).powf(temperature));
        let loss = |of: &dyn Fn(f64) -> f64| {
            let row = |(&p, &yes): (&f64, &bool)| -if yes { of(p) } else { 1.0 - of(p) }.max(1e-15).ln();
            yes.iter().zip(&truth).map(row).sum::<f64>() / 3000.0
        };
        assert!((loss(&|p| p) - scores.log_loss.unwrap()).abs() < 1e-9);
        let (before, after) = (loss(&untouched), loss(&|p| p));
        assert!(after < 0.98 * before, "{before} {after}");
        assert!(yes.iter().all(|&p| (p > 0.5) == (untouched(p) > 0.5)));
    }
}

/// The part of the rows of a new table whose target is between `lower` and `upper`, and where it is for small and large |x|.
fn coverage(model: &Model) -> [f64; 3] {
    let test = table(8000, 1);
    let intervals = model.predict_with_interval(&mut Compute::new(1), &test, 0.9).unwrap();
    let (lower, upper) = (numbers(&intervals, "lower"), numbers(&intervals, "upper"));
    let (x, y) = (numbers(&test, "x"), numbers(&test, "y"));
    let part = |of: &dyn Fn(f64) -> bool| {
        let rows: Vec<usize> = (0..x.len()).filter(|&row| of(x[row].abs())).collect();
        rows.iter().filter(|&&row| lower[row] <= y[row] && y[row] <= upper[row]).count() as f64 / rows.len() as f64
    };
    [part(&|_| true), part(&|x| x < 0.3), part(&|x| x > 0.7)]
}

#[test]
fn intervals_hold_what_they_promise() {
    let train = table(3000, 0);
    let settings = Settings { epochs: 60, hidden: vec![16], ..small(1) };
    for members in [1, 3] {
        let constant = fit(&train, "y", &Settings { members, ..settings.clone() }).model;
        assert_eq!(constant.card().conformal.as_ref().unwrap().rows, if members == 1 { 600 } else { 1800 });
        let [all, small, large] = coverage(&constant);
        assert!((0.88..0.92).contains(&all), "{members}: {all}");
        // One width for all rows: too wide where the errors are small, too narrow where they are large.
        assert!(small > 0.97 && large < 0.86, "{members}: {small} {large}");
        let head = Some(Head::Gaussian { scale: Scale::Learned });
        let learned = fit(&train, "y", &Settings { members, head, ..settings.clone() }).model;
        let parts = coverage(&learned);
        assert!((0.88..0.92).contains(&parts[0]), "{members}: {parts:?}");
        assert!(parts.iter().all(|part| (0.85..0.95).contains(part)), "{members}: {parts:?}");
    }
}

#[test]
fn few_rows_and_scales_that_are_given_leave_intervals_to_the_head() {
    let width = |model: &Model| {
        let intervals = model.predict_with_interval(&mut Compute::new(1), &table(3, 1), 0.9).unwrap();
        numbers(&intervals, "upper")[0] - numbers(&intervals, "lower")[0]
    };
    // Four held-out rows cannot tell what one of ten does.
    let few = fit(&table(20, 0), "y", &small(1)).model;
    let scale = few.card().network.head.scale();
    let chainrule_model::Target::Number(scaler) = &few.card().target else { panic!("no number") };
    let Some(Scale::Fixed(scale)) = scale else { panic!("no scale") };
    assert!((width(&few) / (2.0 * 1.644_853_6 * scale * scaler.std) - 1.0).abs() < 1e-4);
    let head = Some(Head::Gaussian { scale: Scale::Fixed(10.0) });
    let given = fit(&table(200, 0), "y", &Settings { head, ..small(1) }).model;
    assert!((width(&given) / (2.0 * 1.644_853_6 * 10.0) - 1.0).abs() < 1e-4 && given.card().conformal.is_none());
}
