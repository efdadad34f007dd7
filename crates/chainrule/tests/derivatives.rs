//! Gradients against differences of the cost, for every activation, head and parameter, in double precision.
//!
//! The differences are extrapolated (Richardson, from steps h, h / 2 and h / 4), so that their own error is far below the
//! bound. Networks are small and inputs random, so no pre-activation lies within a step of a kink.
#![allow(clippy::unwrap_used)]

use chainrule::{
    Activation, Compute, Dataset, Embedding, Head, Hidden, Inputs, Key, Network, NetworkSpec, PointwiseCost,
};

const ROWS: usize = 7;
const BOUND: f64 = 1e-8;

fn heads() -> Vec<(Head, usize)> {
    let mut heads = vec![(Head::Gaussian, 3), (Head::Bernoulli, 2), (Head::Categorical, 5), (Head::Poisson, 2)];
    // Eq. (10) as written, each cost with an output inside its range.
    let pairs = [
        (PointwiseCost::SquaredError, Activation::Sigmoid),
        (PointwiseCost::SquaredError, Activation::Tanh),
        (PointwiseCost::AbsoluteError, Activation::Identity),
        (PointwiseCost::CrossEntropy, Activation::Sigmoid),
        (PointwiseCost::Poisson, Activation::Softplus),
    ];
    heads.extend(pairs.map(|(cost, output)| (Head::Pointwise { cost, output }, 2)));
    heads
}

/// A target inside the head's support.
fn target(head: Head, outputs: usize, u: f64) -> f64 {
    match head {
        Head::Categorical => (u * outputs as f64).floor(),
        Head::Bernoulli | Head::Pointwise { cost: PointwiseCost::CrossEntropy, .. } => (u * 2.0).floor(),
        Head::Poisson | Head::Pointwise { cost: PointwiseCost::Poisson, .. } => (u * 5.0).floor(),
        // Far on either side of every output, since the cost has a kink where they meet.
        Head::Pointwise { cost: PointwiseCost::AbsoluteError, .. } => 40.0 * (u - 0.5).signum(),
        _ => 2.0 * u - 1.0,
    }
}

struct Rows {
    numeric: Vec<f64>,
    codes: Vec<u32>,
    targets: Vec<f64>,
    weights: Vec<f64>,
    offset: Vec<f64>,
}

impl Rows {
    fn new(spec: &NetworkSpec) -> Self {
        let key = Key::new(11);
        let draws = |part: u64, n: usize| (0..n).map(|i| key.part(part).uniform(i as u64)).collect::<Vec<_>>();
        let width = spec.head.target_width(spec.outputs);
        Self {
            numeric: draws(0, ROWS * spec.inputs).iter().map(|u| 4.0 * u - 2.0).collect(),
            codes: draws(1, ROWS * spec.embeddings.len()).iter().map(|u| (u * 3.0) as u32).collect(),
            targets: draws(2, ROWS * width).iter().map(|&u| target(spec.head, spec.outputs, u)).collect(),
            weights: draws(3, ROWS).iter().map(|u| 0.5 + u).collect(),
            offset: draws(4, ROWS).iter().map(|u| u - 0.5).collect(),
        }
    }

    fn dataset(&self, spec: &NetworkSpec) -> Dataset<'_, f64> {
        let inputs = Inputs {
            rows: ROWS,
            width: spec.inputs,
            numeric: &self.numeric,
            categories: spec.embeddings.len(),
            codes: &self.codes,
            offset: Some(&self.offset),
        };
        Dataset { inputs, targets: &self.targets, weights: Some(&self.weights), select: None }
    }
}

/// d cost / d w by differences, where `cost(shift)` is the cost with w shifted.
fn difference(mut cost: impl FnMut(f64) -> f64) -> f64 {
    let mut central = |h: f64| (cost(h) - cost(-h)) / (2.0 * h);
    let h = 2e-3;
    let (a, b, c) = (central(h), central(h / 2.0), central(h / 4.0));
    let (ab, bc) = ((4.0 * b - a) / 3.0, (4.0 * c - b) / 3.0);
    (16.0 * bc - ab) / 15.0
}

fn worst(spec: &NetworkSpec) -> (f64, String) {
    let rows = Rows::new(spec);
    let data = rows.dataset(spec);
    let mut compute = Compute::new(1);
    let mut network = Network::<f64>::new(spec, 5).unwrap();
    let (_, gradient) = network.gradient(&mut compute, &data).unwrap();
    let mut worst = (0.0f64, String::new());
    for (p, gradient) in gradient.iter().enumerate() {
        let start = network.parameter(p);
        let scale = gradient.iter().fold(1.0f64, |m, g| m.max(g.abs()));
        for (i, analytic) in gradient.iter().enumerate() {
            let numeric = difference(|shift| {
                let mut moved = start.clone();
                moved[i] += shift;
                network.set_parameter(p, &moved).unwrap();
                network.gradient(&mut compute, &data).unwrap().0
            });
            network.set_parameter(p, &start).unwrap();
            let error = (analytic - numeric).abs() / scale;
            if error >= worst.0 {
                worst = (error, format!("{}[{i}]: {analytic} against {numeric}", network.views()[p].name));
            }
        }
    }
    worst
}

#[test]
fn every_gradient_agrees_with_differences() {
    let mut combinations = 0;
    for (head, outputs) in heads() {
        for activation in Activation::ALL {
            let spec = NetworkSpec {
                inputs: 3,
                embeddings: vec![Embedding { levels: 3, dimension: 2 }],
                hidden: vec![Hidden::new(5, activation), Hidden::new(4, activation)],
                outputs,
                head,
            };
            let (error, place) = worst(&spec);
            assert!(error < BOUND, "{head:?}, {}: {error:e} at {place}", activation.name());
            combinations += 1;
        }
    }
    assert_eq!(combinations, 9 * 11);
}
