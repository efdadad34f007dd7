//! What benchmarks of training steps share.

use std::time::Instant;

use chainrule::{Compute, Dataset, Event, Flow, Inputs, Key, Network, NetworkSpec, TrainSettings, train};

/// Seconds for a step of training on `steps` batches of random rows: the mean of the fastest epoch.
pub fn seconds_per_step(spec: &NetworkSpec, settings: &TrainSettings, steps: usize, threads: usize) -> f64 {
    let (rows, key) = (settings.batch * steps, Key::new(1));
    let x: Vec<f32> = (0..rows * spec.inputs).map(|i| 2.0 * key.uniform(i as u64) as f32 - 1.0).collect();
    let y: Vec<f32> = (0..rows).map(|i| (i % 2) as f32).collect();
    let data = Dataset::new(Inputs::numeric(&x, spec.inputs), &y);
    let (mut best, mut started) = (f64::INFINITY, Instant::now());
    let result = Network::<f32>::new(spec, 1).and_then(|mut network| {
        train(&mut network, &mut Compute::new(threads), &data, None, settings, &mut |event| {
            if let Event::Epoch(_) = event {
                best = best.min(started.elapsed().as_secs_f64() / steps as f64);
                started = Instant::now();
            }
            Flow::Continue
        })
    });
    result.map_or(f64::NAN, |_| best)
}
