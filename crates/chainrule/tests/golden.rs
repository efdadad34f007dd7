//! Gradients and optimizers beside PyTorch and JAX: the golden values and the scripts that made them lie in `golden/`,
//! `cargo xtask golden` makes them anew.
#![allow(clippy::unwrap_used)]

use chainrule::{Activation, Compute, Dataset, Flow, Head, Hidden, Inputs, Network, NetworkSpec, TrainSettings, train};
use serde::Deserialize;

const INPUTS: usize = 3;

/// A network with its data, and what the other library says of it.
#[derive(Deserialize)]
struct Case {
    head: Head,
    activation: Activation,
    outputs: usize,
    x: Vec<f64>,
    y: Vec<f64>,
    weights: Option<Vec<f64>>,
    offset: Option<Vec<f64>>,
    parameters: Vec<Vec<f64>>,
    cost: f64,
    gradients: Vec<Vec<f64>>,
}

fn network(inputs: usize, hidden: &[usize], activation: Activation, outputs: usize, head: Head) -> Network<f64> {
    let hidden = hidden.iter().map(|&width| Hidden::new(width, activation)).collect();
    Network::new(&NetworkSpec::new(inputs, hidden, outputs, head), 0).unwrap()
}

fn set(network: &mut Network<f64>, parameters: &[Vec<f64>]) {
    assert_eq!(parameters.len(), network.views().len());
    parameters.iter().enumerate().for_each(|(p, values)| network.set_parameter(p, values).unwrap());
}

impl Case {
    /// The relative error of the cost, and the largest of a gradient's element relative to that gradient's largest.
    fn errors(&self) -> (f64, f64) {
        let mut network = network(INPUTS, &[5, 4], self.activation, self.outputs, self.head.clone());
        set(&mut network, &self.parameters);
        let inputs = Inputs { offset: self.offset.as_deref(), ..Inputs::numeric(&self.x, INPUTS) };
        let data = Dataset { weights: self.weights.as_deref(), ..Dataset::new(inputs, &self.y) };
        let (cost, gradients) = network.gradient(&mut Compute::new(1), &data).unwrap();
        let worst = gradients.iter().zip(&self.gradients).map(|(own, golden)| {
            assert_eq!(own.len(), golden.len());
            let largest = golden.iter().fold(0.0f64, |most, g| most.max(g.abs()));
            let distance = own.iter().zip(golden).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            if distance == 0.0 { 0.0 } else { distance / largest }
        });
        ((cost - self.cost).abs() / self.cost.abs(), worst.fold(0.0, f64::max))
    }
}

/// Compares all cases; returns how many there are.
fn compare(library: &str, text: &str) -> usize {
    let cases: Vec<Case> = serde_json::from_str(text).unwrap();
    let (mut worst_cost, mut worst_gradient) = (0.0f64, 0.0f64);
    for case in &cases {
        let (cost, gradient) = case.errors();
        let name = format!("{:?}, {}", case.head, case.activation.name());
        assert!(cost <= 1e-12, "{library}: {name}: cost off by {cost:.1e}");
        assert!(gradient <= 1e-12, "{library}: {name}: gradient off by {gradient:.1e}");
        (worst_cost, worst_gradient) = (worst_cost.max(cost), worst_gradient.max(gradient));
    }
    println!("{library}: {} cases, worst cost {worst_cost:.1e}, worst gradient {worst_gradient:.1e}", cases.len());
    cases.len()
}

#[test]
fn costs_and_gradients_are_those_of_pytorch() {
    assert_eq!(compare("PyTorch", include_str!("golden/gradients_torch.json")), 70);
}

#[test]
fn costs_and_gradients_are_those_of_jax() {
    assert!(compare("JAX", include_str!("golden/gradients_jax.json")) > 45);
}

#[derive(Deserialize)]
struct Optimizers {
    widths: Vec<usize>,
    batch: usize,
    steps: usize,
    x: Vec<f64>,
    y: Vec<f64>,
    start: Vec<Vec<f64>>,
    runs: Vec<Run>,
}

#[derive(Deserialize)]
struct Run {
    name: String,
    settings: TrainSettings,
    end: Vec<Vec<f64>>,
}

#[test]
fn ten_steps_of_every_optimizer_are_pytorchs() {
    let golden: Optimizers = serde_json::from_str(include_str!("golden/optimizers.json")).unwrap();
    assert_eq!(golden.runs.len(), 17);
    let [inputs, hidden @ .., outputs] = golden.widths.as_slice() else { panic!("widths") };
    let data = Dataset::new(Inputs::numeric(&golden.x, *inputs), &golden.y);
    for run in &golden.runs {
        let mut network = network(*inputs, hidden, Activation::Tanh, *outputs, Head::gaussian());
        set(&mut network, &golden.start);
        let epochs = golden.steps * golden.batch / data.inputs.rows;
        let settings = TrainSettings { epochs, batch: golden.batch, shuffle: false, ..run.settings.clone() };
        train(&mut network, &mut Compute::new(1), &data, None, &settings, &mut |_| Flow::Continue).unwrap();
        let worst = run.end.iter().enumerate().map(|(p, golden)| {
            let largest = golden.iter().fold(0.0f64, |most, w| most.max(w.abs()));
            let own = network.parameter(p);
            own.iter().zip(golden).map(|(a, b)| (a - b).abs() / largest).fold(0.0, f64::max)
        });
        let worst = worst.fold(0.0, f64::max);
        println!("{:<24} {worst:.1e}", run.name);
        assert!(worst <= 1e-10, "{}: {worst:.1e}", run.name);
    }
}
