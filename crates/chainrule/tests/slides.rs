//! chainrule's training steps against the same steps written in numpy straight from the equations
//! (`golden/slides.py`), in double precision.
#![allow(clippy::unwrap_used)]

use chainrule::{
    Activation, Compute, Dataset, Flow, Head, Hidden, Inputs, Network, NetworkSpec, Optimizer, TrainSettings, train,
};
use serde::Deserialize;

#[derive(Deserialize)]
struct Golden {
    steps: usize,
    batch: usize,
    learning_rate: f64,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    activation: Activation,
    head: Head,
    widths: Vec<usize>,
    x: Vec<f64>,
    y: Vec<f64>,
    start: Vec<Vec<f64>>,
    end: Vec<Vec<f64>>,
}

#[test]
fn twenty_steps_give_numpys_weights() {
    let golden: Golden = serde_json::from_str(include_str!("golden/slides.json")).expect("the golden file is JSON");
    assert_eq!(golden.cases.len(), 6);
    for case in &golden.cases {
        let error = largest_error(&golden, case);
        println!("{:?} {:?}: {error:.1e}", case.activation, case.head);
        assert!(error < 1e-12, "{:?} {:?}: {error:e}", case.activation, case.head);
    }
}

/// max |w - expected| / max(1, |expected|) over all parameters.
fn largest_error(golden: &Golden, case: &Case) -> f64 {
    let (inputs, rest) = case.widths.split_first().expect("widths");
    let (outputs, hidden) = rest.split_last().expect("widths");
    let hidden = hidden.iter().map(|&width| Hidden::new(width, case.activation));
    let spec = NetworkSpec::new(*inputs, hidden.collect(), *outputs, case.head.clone());
    let mut network = Network::<f64>::new(&spec, 0).expect("the spec is valid");
    for (i, values) in case.start.iter().enumerate() {
        network.set_parameter(i, values).expect("the shapes agree");
    }
    let data = Dataset::new(Inputs::numeric(&case.x, *inputs), &case.y);
    let settings = TrainSettings {
        epochs: golden.steps * golden.batch / data.inputs.rows,
        batch: golden.batch,
        optimizer: Optimizer::Sgd,
        learning_rate: golden.learning_rate,
        shuffle: false,
        ..TrainSettings::default()
    };
    train(&mut network, &mut Compute::new(1), &data, None, &settings, &mut |_| Flow::Continue).expect("training runs");
    let mut worst = 0.0f64;
    for (i, expected) in case.end.iter().enumerate() {
        for (w, e) in network.parameter(i).iter().zip(expected) {
            worst = worst.max((w - e).abs() / e.abs().max(1.0));
        }
    }
    worst
}
