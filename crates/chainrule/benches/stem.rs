//! Time of a training step with the layers of RealMLP beside that of a plain dense network of the same widths:
//! `cargo bench -p chainrule --bench stem`.

use std::time::Instant;

use chainrule::{
    Activation, Compute, Dataset, Event, Flow, Groups, Head, Hidden, Inputs, Key, Network, NetworkSpec,
    NumericEmbedding, Optimizer, TrainSettings, train,
};

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

/// The fastest of many steps' mean time in an epoch.
fn microseconds(spec: &NetworkSpec, threads: usize) -> f64 {
    let (rows, key) = (BATCH * STEPS, Key::new(1));
    let x: Vec<f32> = (0..rows * spec.inputs).map(|i| 2.0 * key.uniform(i as u64) as f32 - 1.0).collect();
    let y: Vec<f32> = (0..rows).map(|i| (i % 2) as f32).collect();
    let data = Dataset::new(Inputs::numeric(&x, spec.inputs), &y);
    let settings = TrainSettings {
        epochs: 30,
        batch: BATCH,
        optimizer: Optimizer::adamw(0.02),
        learning_rate: 1e-3,
        groups: Groups::realmlp(),
        ..TrainSettings::default()
    };
    let (mut best, mut started) = (f64::INFINITY, Instant::now());
    let result = Network::<f32>::new(spec, 1).and_then(|mut network| {
        train(&mut network, &mut Compute::new(threads), &data, None, &settings, &mut |event| {
            if let Event::Epoch(_) = event {
                best = best.min(started.elapsed().as_secs_f64() / STEPS as f64);
                started = Instant::now();
            }
            Flow::Continue
        })
    });
    result.map_or(f64::NAN, |_| best * 1e6)
}
