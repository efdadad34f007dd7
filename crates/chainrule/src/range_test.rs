//! The learning-rate range test (Smith 2017): one short training whose rate grows from far too small to far too large shows
//! which rates lead down.

use serde::{Deserialize, Serialize};

use crate::compute::Compute;
use crate::data::Dataset;
use crate::error::{Error, Result, setting};
use crate::network::Network;
use crate::optimizer::Optimizer;
use crate::rng::Key;
use crate::scalar::Scalar;
use crate::schedule::Schedule;
use crate::train::{Event, Flow, TrainSettings, train};

/// The rates tried.
const LOWEST: f64 = 1e-6;
const HIGHEST: f64 = 10.0;
/// Batches on the way from one to the other, about.
const STEPS: usize = 210;
/// A batch's cost is averaged with those of so many on each side, weighted by their nearness.
const REACH: usize = 12;
/// Batches over which a slope is taken, on each side.
const SPAN: usize = 6;
/// Training has diverged where the smoothed cost is above its start by so many times what it had fallen, and some of the start.
const FALLS: f64 = 1.0;
const STARTS: f64 = 0.5;

/// One batch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RangePoint {
    /// Learning rate of its step.
    pub learning_rate: f64,
    /// Mean cost of the batch before the step.
    pub cost: f64,
    /// The same averaged with its neighbours'.
    pub smoothed: f64,
}

/// What a range test has found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RangeTest {
    /// Every batch, the lowest rate first, up to where the cost diverged.
    pub points: Vec<RangePoint>,
    /// The rate at which the smoothed cost falls fastest, seen over the logarithm of the rate.
    pub steepest: f64,
    /// The rate at which the smoothed cost is lowest.
    pub lowest: f64,
    /// The rate at which the cost diverged, if it did.
    pub diverged: Option<f64>,
    /// The steepest, but no more than a tenth of the rate that diverged.
    pub suggestion: f64,
}

/// Trains a copy of `network` for some 200 batches with rates that grow from 1e-6 to 10, or until the cost diverges. Batch size,
/// optimizer and penalties are those of `settings`, their rate and schedule have no part in it.
///
/// # Errors
/// As [`train`]; an optimizer that has no learning rate; a cost that never falls.
pub fn range_test<T: Scalar>(
    network: &Network<T>,
    compute: &mut Compute,
    data: &Dataset<'_, T>,
    settings: &TrainSettings,
) -> Result<RangeTest> {
    if matches!(settings.optimizer, Optimizer::Lbfgs { .. } | Optimizer::Rprop { .. }) {
        return setting("this optimizer finds the length of its steps itself; there is no learning rate to look for");
    }
    settings.validate()?;
    let mut rows: Vec<u32> = data.rows().collect();
    Key::new(settings.seed).shuffle(&mut rows);
    rows.truncate(STEPS.saturating_mul(settings.batch));
    let batches = rows.len().div_ceil(settings.batch).max(1);
    let epochs = STEPS.div_ceil(batches);
    let schedule = Schedule::Exponential { factor: HIGHEST / LOWEST };
    let settings =
        TrainSettings { epochs, learning_rate: LOWEST, schedule, patience: 0, ema: None, ..settings.clone() };
    let mut tried = vec![];
    let mut watch = |event: &Event| {
        let Event::Batch { cost, .. } = *event else { return Flow::Continue };
        let learning_rate = LOWEST * schedule.factor(tried.len() as u64, (batches * epochs) as u64);
        tried.push((learning_rate, cost));
        if diverges(&tried) { Flow::Stop } else { Flow::Continue }
    };
    let data = Dataset { select: Some(&rows), ..*data };
    train(&mut network.duplicate(), compute, &data, None, &settings, &mut watch)?;
    let complete = tried.len() == batches * epochs;
    RangeTest::new(&tried, !complete)
}

/// Whether the costs so far, each with its rate, have left for good: the mean of the last few is far above the first ones'.
fn diverges(tried: &[(f64, f64)]) -> bool {
    let means: Vec<f64> =
        tried.chunks_exact(SPAN).map(|some| some.iter().map(|(_, c)| c).sum::<f64>() / SPAN as f64).collect();
    let [first, .., last] = means.as_slice() else { return false };
    let lowest = means.iter().copied().fold(f64::INFINITY, f64::min);
    last - first > FALLS * (first - lowest) + STARTS * first.abs()
}

impl RangeTest {
    /// From rates and costs; `diverged` if the last of them is where training broke off.
    fn new(tried: &[(f64, f64)], diverged: bool) -> Result<Self> {
        let smoothed = smooth(&tried.iter().map(|(_, cost)| *cost).collect::<Vec<_>>());
        let point =
            |(&(learning_rate, cost), &smoothed): (&(f64, f64), &f64)| RangePoint { learning_rate, cost, smoothed };
        let points: Vec<RangePoint> = tried.iter().zip(&smoothed).map(point).collect();
        let lowest = (0..points.len()).min_by(|&a, &b| smoothed[a].total_cmp(&smoothed[b])).unwrap_or(0);
        // All steps are the same on the logarithm of the rate, so that differences are slopes.
        let slope = |i: usize| smoothed[(i + SPAN).min(smoothed.len() - 1)] - smoothed[i.saturating_sub(SPAN)];
        let steepest = (0..lowest).min_by(|&a, &b| slope(a).total_cmp(&slope(b))).filter(|&i| slope(i) < 0.0);
        let Some(steepest) = steepest else {
            return Err(Error::Setting(
                "the cost falls at no learning rate: the features do not tell the target".into(),
            ));
        };
        let [steepest, lowest] = [steepest, lowest].map(|i| points[i].learning_rate);
        let diverged = points.last().filter(|_| diverged).map(|last| last.learning_rate);
        let suggestion = diverged.map_or(steepest, |rate| steepest.min(rate / 10.0));
        Ok(Self { points, steepest, lowest, diverged, suggestion })
    }
}

/// Each value averaged with its neighbours, the near ones counting more.
fn smooth(values: &[f64]) -> Vec<f64> {
    let around = |i: usize| {
        let (from, to) = (i.saturating_sub(REACH), (i + REACH).min(values.len() - 1));
        let (sum, total) = (from..=to).fold((0.0, 0.0), |(sum, total), j| {
            let weight = (REACH + 1 - i.abs_diff(j)) as f64;
            (sum + weight * values[j], total + weight)
        });
        sum / total
    };
    (0..values.len()).map(around).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activation::Activation;
    use crate::cost::Head;
    use crate::data::Inputs;
    use crate::spec::{Hidden, NetworkSpec};

    /// A cost that falls around 1e-3 and leaves at 1.
    #[test]
    fn the_fastest_fall_is_found() {
        let rate = |i: usize| 10f64.powf(-6.0 + i as f64 / 30.0);
        let cost = |rate: f64| 1.0 - 0.8 / (1.0 + 1e-3 / rate) + rate.powi(2);
        let tried: Vec<_> = (0..185).map(|i| (rate(i), cost(rate(i)))).collect();
        let found = RangeTest::new(&tried, true).unwrap();
        assert!((0.7e-3..1.5e-3).contains(&found.steepest), "{found:?}");
        assert!(found.lowest > 1e-2 && found.suggestion == found.steepest);
        let early = RangeTest::new(&tried[..120], true).unwrap();
        assert_eq!(early.suggestion, early.diverged.unwrap() / 10.0);
        let rising: Vec<_> = (0..50).map(|i| (rate(i), i as f64)).collect();
        assert!(RangeTest::new(&rising, false).is_err());
    }

    #[test]
    fn a_cost_that_leaves_is_seen_and_noise_is_not() {
        let flat: Vec<_> = (0..200).map(|i| (1e-6, 1.0 + 0.4 * f64::from(i % 2))).collect();
        assert!(!diverges(&flat) && !diverges(&flat[..3]));
        let leaving: Vec<_> = (0..60).map(|i| (1e-6, 1.0 + (f64::from(i) - 30.0).max(0.0))).collect();
        assert!(diverges(&leaving));
    }

    /// The rate found trains better than a hundredth and than a thousand times of it, and the network is untouched.
    #[test]
    fn the_suggestion_trains() {
        let key = Key::new(1);
        let x: Vec<f32> = (0..400 * 4).map(|i| key.uniform(i) as f32 * 2.0 - 1.0).collect();
        let y: Vec<f32> = x.chunks(4).map(|x| (3.0 * x[0]).sin() + x[1] * x[2]).collect();
        let data = Dataset::new(Inputs::numeric(&x, 4), &y);
        let hidden = vec![Hidden::new(32, Activation::Relu)];
        let spec = NetworkSpec::new(4, hidden, 1, Head::gaussian());
        for optimizer in [Optimizer::Sgd, Optimizer::adam()] {
            let settings = TrainSettings { batch: 32, epochs: 20, optimizer, ..TrainSettings::default() };
            let network = Network::<f32>::new(&spec, 1).unwrap();
            let found = range_test(&network, &mut Compute::new(1), &data, &settings).unwrap();
            let cost = |learning_rate| {
                let settings = TrainSettings { learning_rate, ..settings.clone() };
                let mut copy = network.duplicate();
                let report =
                    train(&mut copy, &mut Compute::new(1), &data, None, &settings, &mut |_| Flow::Continue).unwrap();
                report.history.last().map_or(f64::INFINITY, |last| last.train_cost)
            };
            let [low, good, high] = [0.01, 1.0, 1000.0].map(|factor| cost(factor * found.suggestion));
            assert!(found.diverged.is_some_and(|rate| found.suggestion <= rate / 10.0));
            assert!(good < low && good < high, "{optimizer:?} {low} {good} {high}");
            assert_eq!(network.parameter(0), Network::<f32>::new(&spec, 1).unwrap().parameter(0));
        }
        let settings = TrainSettings { optimizer: Optimizer::rprop(), ..TrainSettings::default() };
        let network = Network::<f32>::new(&spec, 1).unwrap();
        assert!(range_test(&network, &mut Compute::new(1), &data, &settings).is_err());
    }
}
