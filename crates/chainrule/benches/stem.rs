//! Time of a training step with the layers of RealMLP beside that of a plain dense network of the same widths:
//! `cargo bench -p chainrule --bench stem`.

mod common;

use chainrule::{Activation, Groups, Head, Hidden, NetworkSpec, NumericEmbedding, Optimizer, TrainSettings};

use common::seconds_per_step;

const BATCH: usize = 256;
const STEPS: usize = 16;
const FEATURES: usize = 30;

fn main() {
    let hidden = |parametric, dropout| vec![Hidden { parametric, dropout, ..Hidden::new(256, Activation::Selu) }; 3];
    let network = |inputs, hidden| NetworkSpec::new(inputs, hidden, 2, Head::categorical());
    let periodic = NumericEmbedding::Periodic { features: (0..FEATURES).collect(), frequencies: 16, sigma: 0.1 };
    let edges = vec![(0..=48).map(|i| f64::from(i) / 24.0 - 1.0).collect(); FEATURES];
    let linear = NumericEmbedding::PiecewiseLinear { features: (0..FEATURES).collect(), edges, dimension: 16 };
    let with = |numeric_embedding, scale, spec| NetworkSpec { numeric_embedding, scale, ..spec };
    let cases = [
        ("dense 120-256-256-256-2", network(4 * FEATURES, hidden(false, 0.0))),
        ("  dropout", network(4 * FEATURES, hidden(false, 0.15))),
        ("  dropout, parametric", network(4 * FEATURES, hidden(true, 0.15))),
        ("  dropout, parametric, scale", with(None, true, network(4 * FEATURES, hidden(true, 0.15)))),
        ("RealMLP: all that, periodic", with(Some(periodic), true, network(FEATURES, hidden(true, 0.15)))),
        ("dense 480-256-256-256-2", network(16 * FEATURES, hidden(false, 0.0))),
        ("  piecewise-linear", with(Some(linear), false, network(FEATURES, hidden(false, 0.0)))),
    ];
    for threads in [1, 2] {
        println!("\n{threads} threads, batch {BATCH}: microseconds for a step");
        for (name, spec) in &cases {
            println!("{name:<32} {:>8.1}", microseconds(spec, threads));
        }
    }
}

fn microseconds(spec: &NetworkSpec, threads: usize) -> f64 {
    let settings = TrainSettings {
        epochs: 30,
        batch: BATCH,
        optimizer: Optimizer::adamw(0.02),
        learning_rate: 1e-3,
        groups: Groups::realmlp(),
        ..TrainSettings::default()
    };
    1e6 * seconds_per_step(spec, &settings, STEPS, threads)
}
