//! Time of a training step of an ensemble with TabM's layers beside a single network of the same widths on as many rows as the
//! members have together, whose products are the least that the ensemble must do: `cargo bench -p chainrule --bench ensemble`.

mod common;

use chainrule::{
    Activation, Ensemble, EnsembleKind, Groups, Head, Hidden, NetworkSpec, NumericEmbedding, Optimizer, TrainSettings,
};

use common::seconds_per_step;

const BATCH: usize = 256;
const STEPS: usize = 4;
const EPOCHS: usize = 3;
const FEATURES: usize = 30;
const DIMENSION: usize = 16;
const MEMBERS: usize = 32;

fn main() {
    let hidden = vec![Hidden { dropout: 0.1, ..Hidden::new(512, Activation::Relu) }; 2];
    let network = |inputs| NetworkSpec::new(inputs, hidden.clone(), 1, Head::Bernoulli);
    let edges = vec![(0..=48).map(|i| f64::from(i) / 24.0 - 1.0).collect(); FEATURES];
    let embedding =
        NumericEmbedding::PiecewiseLinear { features: (0..FEATURES).collect(), edges, dimension: DIMENSION };
    let ensemble = |kind| NetworkSpec {
        numeric_embedding: Some(embedding.clone()),
        ensemble: Some(Ensemble { members: MEMBERS, kind }),
        ..network(FEATURES)
    };
    let cases = [
        ("dense 480-512-512-1, 8192 rows", network(FEATURES * DIMENSION), BATCH * MEMBERS),
        ("TabM 30 x 16-512-512-1, 32 x 256 rows", ensemble(EnsembleKind::Full), BATCH),
        ("TabM-mini, the same", ensemble(EnsembleKind::Mini), BATCH),
    ];
    for threads in [1, 2] {
        println!("\n{threads} threads, batch {BATCH}: milliseconds for a step, seconds for an epoch of 1000 rows");
        for (name, spec, batch) in &cases {
            let milliseconds = milliseconds(spec, *batch, threads);
            println!("{name:<40} {milliseconds:>8.1} {:>8.2}", milliseconds / BATCH as f64);
        }
    }
}

fn milliseconds(spec: &NetworkSpec, batch: usize, threads: usize) -> f64 {
    let settings = TrainSettings {
        epochs: EPOCHS,
        batch,
        optimizer: Optimizer::adamw(3e-4),
        learning_rate: 2e-3,
        groups: Groups { decay_all: true, ..Groups::default() },
        clip_norm: Some(1.0),
        ..TrainSettings::default()
    };
    1e3 * seconds_per_step(spec, &settings, STEPS, threads)
}
