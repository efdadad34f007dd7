//! Models that are ensembles, from a table to predictions.
#![allow(clippy::unwrap_used)]

use chainrule::{Compute, Flow, NumericEmbedding};
use chainrule_data::{Column, Table, Values};
use chainrule_model::{Model, OneOrMany, Preset, Roles, Settings, prepare};

/// 200 rows: a number of many values, one of three, one of two, a text, a class that depends on the first, and a count.
fn table() -> Table {
    let column = |name: &str, values| Column { name: name.to_owned(), values };
    let x = |row: i32| f64::from(row * 37 % 200) / 50.0;
    let text = |row: i32| Some(["a", "b", "c"][(row % 3) as usize]);
    let columns = vec![
        column("x", Values::Number((0..200).map(x).collect())),
        column("three", Values::Number((0..200).map(|row| f64::from(row * 7 % 3)).collect())),
        column("two", Values::Number((0..200).map(|row| if row % 5 == 0 { 3.5 } else { -1.0 }).collect())),
        column("text", Values::Category((0..200).map(text).collect())),
        column(
            "class",
            Values::Category((0..200).map(|row| Some(if (x(row) - 2.0).abs() < 1.0 { "in" } else { "out" })).collect()),
        ),
        column("count", Values::Number((0..200).map(|row| (40.0 * x(row)).floor()).collect())),
    ];
    Table::new("t", columns).unwrap()
}

fn settings(preset: Preset) -> Settings {
    Settings { hidden: vec![16, 16], epochs: 40, batch: Some(32), dropout: 0.0, ..Settings::preset(preset) }
}

fn roles(target: &str) -> Roles {
    let ignore = ["class", "count"].into_iter().filter(|name| *name != target).map(str::to_owned).collect();
    Roles { target: target.to_owned(), ignore, ..Roles::default() }
}

fn fit(target: &str, settings: &Settings) -> Model {
    let prepared = prepare(&table(), None, &roles(target), settings).unwrap();
    prepared.train(&mut Compute::new(1), &mut |_, _| Flow::Continue).unwrap().model
}

#[test]
fn the_presets_learn_and_their_models_survive_a_file() {
    let mut compute = Compute::new(1);
    for preset in [Preset::Tabm, Preset::TabmMini] {
        let model = fit("class", &settings(preset));
        let ensemble = model.card().network.ensemble.unwrap();
        assert_eq!((ensemble.members, model.card().network.outputs), (32, 1));
        let accuracy = model.evaluate(&mut compute, &table()).unwrap().metrics.accuracy.unwrap();
        assert!(accuracy > 0.95, "{preset:?}: {accuracy}");
        let bytes = model.to_bytes().unwrap();
        let again = Model::from_bytes(&bytes, "m").unwrap();
        assert_eq!(again.card(), model.card());
        let predict = |model: &Model| model.predict(&mut Compute::new(1), &table()).unwrap();
        assert_eq!(predict(&again), predict(&model));
        let certificate = model.certify(&mut compute, &table(), 10, Some(60)).unwrap();
        assert!(certificate.holds, "{certificate:?}");
        // Older programs must not take it for one of theirs.
        assert!(String::from_utf8_lossy(&bytes[..20_000.min(bytes.len())]).contains("chainrule-3"));
    }
}

/// The bins' edges are values of the encoded training rows, with equally many rows between them.
#[test]
fn bins_hold_equal_shares_of_the_rows() {
    let settings = Settings { valid_fraction: 0.0, ..settings(Preset::Tabm) };
    let prepared = prepare(&table(), None, &roles("class"), &settings).unwrap();
    let Some(NumericEmbedding::PiecewiseLinear { features, edges, dimension }) = &prepared.network().numeric_embedding
    else {
        panic!("no bins");
    };
    assert_eq!((features.len(), *dimension), (2, 16));
    // A number of three values has these as edges.
    assert_eq!((edges[0].len(), edges[1].len()), (49, 3));
    assert!(edges.iter().all(|edges| edges.is_sorted_by(|a, b| a < b)));
    // Normal scores: the middle is the median, the ends are alike.
    assert!(edges[0][24].abs() < 0.05 && (edges[0][0] + edges[0][48]).abs() < 1e-6, "{:?}", edges[0]);
}

/// In an ensemble it could say no more than the number does.
#[test]
fn a_number_of_two_values_has_no_vector() {
    let embedded = |preset, ignored: &[&str]| {
        let ignore = roles("class").ignore.into_iter().chain(ignored.iter().map(|&name| name.to_owned())).collect();
        let prepared = prepare(&table(), None, &Roles { ignore, ..roles("class") }, &settings(preset)).unwrap();
        prepared.network().numeric_embedding.as_ref().map(|embedding| embedding.features().to_vec())
    };
    assert_eq!(embedded(Preset::TabmMini, &[]), Some(vec![0, 1]));
    assert_eq!(embedded(Preset::Tabm, &["x", "three"]), None);
    assert_eq!(embedded(Preset::Realmlp, &[]), Some(vec![0, 1, 2]));
}

/// A count far from 1 starts at its mean, and its interval is that of the mean's distribution.
#[test]
fn counts_start_at_their_mean() {
    let mut compute = Compute::new(1);
    let settings = Settings {
        epochs: 1,
        learning_rate: Some(1e-9),
        task: chainrule_model::TaskChoice::Count,
        activation: Some(OneOrMany::One(chainrule::Activation::Relu)),
        ..settings(Preset::Tabm)
    };
    let predictions = fit("count", &settings).predict_with_interval(&mut compute, &table(), 0.9).unwrap();
    let column = |name: &str| match &predictions.column(name).unwrap().values {
        Values::Number(values) => values.iter().collect::<Vec<f64>>(),
        _ => panic!("numbers"),
    };
    let (means, lower, upper) = (column("prediction"), column("lower"), column("upper"));
    let mean = means.iter().sum::<f64>() / 200.0;
    assert!((mean / 79.3 - 1.0).abs() < 0.2, "{mean}");
    assert!((0..200).all(|row| lower[row] < means[row] && means[row] < upper[row]));
}

#[test]
fn what_cannot_be_combined_is_refused() {
    for (text, expected) in [
        ("preset = \"tabm\"\n[recipe]\nstart = \"data\"\n", "is for single networks"),
        ("preset = \"tabm\"\n[recipe]\nfrequencies = 4\nsigma = 1.0\n", "one kind of vectors"),
        ("preset = \"tabm\"\n[recipe]\ndimension = 3\n", "dimension 1, 2, 4, 8 or 16"),
        ("preset = \"tabm\"\n[recipe]\nbins = 1000\n", "bins must be 0 to 256"),
    ] {
        let message = Settings::from_toml(text, None).unwrap().validate().unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
    }
    let text = "preset = \"tabm\"\n[recipe.ensemble]\nmembers = 0\nkind = \"full\"\n";
    let message = match prepare(&table(), None, &roles("class"), &Settings::from_toml(text, None).unwrap()) {
        Ok(_) => panic!("no members"),
        Err(error) => error.to_string(),
    };
    assert!(message.contains("1 to 1024 members"), "{message}");
}
