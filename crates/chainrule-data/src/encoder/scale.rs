//! How a number becomes a network's input: three scales, each fitted on the training values of one column.

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::numbers::number_text;

use super::normal::normal_quantile;

/// No training value of fewer than 10^12 rows can lie so many standard deviations from the mean (it is at most
/// sqrt(rows - 1)), so the bound only holds back what is far outside of training from overflowing in `f32`.
const LIMIT: f64 = 1e6;

/// How numbers are scaled. Statistics are those of the training rows, each row counted once, whatever its weight: a
/// weight says how much a row's error matters, not how the inputs lie.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NumericScaling {
    /// Mean 0 and standard deviation 1.
    #[default]
    Standard,
    /// Robust scale and smooth clip of RealMLP (arXiv 2407.04491): z = (x - median) / (q75 - q25), then
    /// z / sqrt(1 + (z/3)^2), which is between -3 and 3. Where the quartiles are equal, z = 2 (x - median) / (max - min).
    /// The features of categories, truth values and indicators are scaled in the same way.
    Robust,
    /// Normal scores of the ranks, by interpolation between max(min(n/30, 1000), 10) quantiles of the n training values,
    /// as TabM has them (arXiv 2410.24210). So that equal values get the middle of their ranks, they are drawn apart by a
    /// normal distribution of 10^-5 standard deviations first, evenly where TabM draws noise.
    QuantileNormal,
}

impl NumericScaling {
    /// Every scaling with its name.
    pub const ALL: [(&'static str, NumericScaling); 3] = [
        ("standard", NumericScaling::Standard),
        ("robust", NumericScaling::Robust),
        ("quantile_normal", NumericScaling::QuantileNormal),
    ];
}

/// A fitted scale.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Scale {
    Standard(Standard),
    Robust(Robust),
    Normal(Normal),
}

impl Scale {
    /// Learns the scale of `values`, of which none is missing and one at least is there.
    pub(super) fn fit(values: Vec<f64>, scaling: NumericScaling) -> Scale {
        match scaling {
            NumericScaling::Standard => Scale::Standard(Standard::fit(&values)),
            NumericScaling::Robust => Scale::Robust(Robust::fit(values)),
            NumericScaling::QuantileNormal => Scale::Normal(Normal::fit(values)),
        }
    }

    /// The scaled value, finite for every value that is not NaN; a missing one is 0, where the mean or median lies.
    #[inline]
    pub(super) fn apply(&self, value: f64) -> f32 {
        let z = match self {
            Scale::Standard(scale) => scale.apply(value),
            Scale::Robust(scale) => scale.apply(value),
            Scale::Normal(scale) => scale.apply(value),
        };
        if z.is_nan() { 0.0 } else { z as f32 }
    }

    pub(super) fn check(&self) -> Result<(), String> {
        match self {
            Scale::Standard(scale) => scale.check(),
            Scale::Robust(scale) => scale.check(),
            Scale::Normal(scale) => scale.check(),
        }
    }

    pub(super) fn description(&self) -> &'static str {
        match self {
            Scale::Standard(_) => "standardised",
            Scale::Robust(_) => "robust scale, smooth clip",
            Scale::Normal(_) => "normal scores",
        }
    }

    /// What the training rows showed.
    pub(super) fn words(&self, unit: &str) -> String {
        let short = |value: f64| number_text(format!("{value:.4e}").parse().unwrap_or(value));
        match self {
            Scale::Standard(Standard { mean, std }) => {
                format!("mean {}{unit}, standard deviation {}", short(*mean), short(*std))
            }
            Scale::Robust(Robust { median, factor }) => {
                format!("median {}{unit}, factor {}", short(*median), short(*factor))
            }
            Scale::Normal(Normal { quantiles }) => {
                let [first, last] = [quantiles[0], quantiles[quantiles.len() - 1]].map(short);
                format!("{} quantiles from {first} to {last}{unit}", quantiles.len())
            }
        }
    }
}

/// A shift and a scale that give training values mean 0 and standard deviation 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Standard {
    mean: f64,
    std: f64,
}

impl Standard {
    /// Mean and standard deviation, in units of the largest value, so that squares neither overflow nor vanish.
    fn fit(values: &[f64]) -> Standard {
        let unit = values.iter().fold(0.0_f64, |largest, v| largest.max(v.abs()));
        if unit == 0.0 {
            return Standard { mean: 0.0, std: 1.0 };
        }
        let count = values.len() as f64;
        let mean = values.iter().map(|v| v / unit).sum::<f64>() / count;
        let variance = values.iter().map(|v| (v / unit - mean).powi(2)).sum::<f64>() / count;
        let std = variance.sqrt() * unit;
        Standard { mean: mean * unit, std: if std > 0.0 { std } else { 1.0 } }
    }

    fn apply(&self, value: f64) -> f64 {
        ((value - self.mean) / self.std).clamp(-LIMIT, LIMIT)
    }

    fn check(&self) -> Result<(), String> {
        if self.mean.is_finite() && self.std.is_finite() && self.std > 0.0 {
            return Ok(());
        }
        Err(format!("mean {} and standard deviation {} cannot scale a column", self.mean, self.std))
    }
}

/// Shift by the median, scale by the distance of the quartiles, smooth clip.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Robust {
    median: f64,
    /// 0 for a constant column.
    factor: f64,
}

impl Robust {
    pub(super) fn fit(mut values: Vec<f64>) -> Robust {
        values.sort_unstable_by(f64::total_cmp);
        let [least, low, median, high, greatest] = [0.0, 0.25, 0.5, 0.75, 1.0].map(|level| quantile(&values, level));
        let factor = match (high - low, greatest - least) {
            (quartiles, _) if quartiles > 0.0 => 1.0 / quartiles,
            (_, range) if range > 0.0 => 2.0 / range,
            _ => 0.0,
        };
        Robust { median, factor: factor.min(f64::MAX) }
    }

    pub(super) fn apply(&self, value: f64) -> f64 {
        let z = ((value - self.median) * self.factor).clamp(-LIMIT, LIMIT);
        z / (1.0 + (z / 3.0).powi(2)).sqrt()
    }

    pub(super) fn check(&self) -> Result<(), String> {
        if self.median.is_finite() && self.factor.is_finite() && self.factor >= 0.0 {
            return Ok(());
        }
        Err(format!("median {} and factor {} cannot scale a column", self.median, self.factor))
    }
}

/// Equally spaced quantiles of the training values, from the least to the greatest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Normal {
    quantiles: Vec<f64>,
}

impl Normal {
    fn fit(mut values: Vec<f64>) -> Normal {
        let width = 1e-5 * Standard::fit(&values).std;
        values.sort_unstable_by(f64::total_cmp);
        for equal in values.chunk_by_mut(|a, b| a == b) {
            let count = equal.len() as f64;
            for (place, value) in equal.iter_mut().enumerate() {
                *value += width * normal_quantile((place as f64 + 0.5) / count);
            }
        }
        // Neighbours may have met.
        values.sort_unstable_by(f64::total_cmp);
        let count = (values.len() / 30).clamp(10, 1000);
        let levels = (0..count).map(|place| place as f64 / (count - 1) as f64);
        Normal { quantiles: levels.map(|level| quantile(&values, level)).collect() }
    }

    fn apply(&self, value: f64) -> f64 {
        /// The least and greatest probability, so that scores are between -5.2 and 5.2.
        const EDGE: f64 = 1e-7;
        if value.is_nan() {
            return value;
        }
        normal_quantile(self.rank(value).clamp(EDGE, 1.0 - EDGE))
    }

    /// Between 0 at the least quantile and 1 at the greatest.
    fn rank(&self, value: f64) -> f64 {
        let below = self.quantiles.partition_point(|&quantile| quantile < value);
        let up_to = self.quantiles.partition_point(|&quantile| quantile <= value);
        let place = match (below, up_to) {
            (0, 0) => 0.0,
            (below, up_to) if below < up_to => (below + up_to - 1) as f64 / 2.0,
            (below, _) if below == self.quantiles.len() => (below - 1) as f64,
            (below, _) => {
                let [low, high] = [self.quantiles[below - 1], self.quantiles[below]];
                // Halved, so that the distances are finite.
                (below - 1) as f64 + (value / 2.0 - low / 2.0) / (high / 2.0 - low / 2.0)
            }
        };
        place / (self.quantiles.len() - 1) as f64
    }

    fn check(&self) -> Result<(), String> {
        let sorted = self.quantiles.windows(2).all(|pair| pair[0] <= pair[1]);
        if self.quantiles.len() >= 2 && sorted && self.quantiles.iter().all(|quantile| quantile.is_finite()) {
            return Ok(());
        }
        Err("its quantiles are not two or more numbers in order".to_owned())
    }
}

/// The quantile of sorted values, linear between neighbours.
fn quantile(sorted: &[f64], level: f64) -> f64 {
    let place = level * (sorted.len() - 1) as f64;
    let [low, high] = [place.floor(), place.ceil()].map(|place| sorted[place as usize]);
    let share = place.fract();
    // Rounding must not put a quantile out of order; halves do not overflow.
    (2.0 * (low / 2.0 * (1.0 - share) + high / 2.0 * share)).clamp(low, high)
}
