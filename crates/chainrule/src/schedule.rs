//! Learning rates and other strengths over the course of a training.

use serde::{Deserialize, Serialize};

use crate::error::{Result, setting};

/// The factor that multiplies the base value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", deny_unknown_fields)]
pub enum Schedule {
    /// 1.
    #[default]
    Constant,
    /// (1 + cos(pi t)) / 2, t the part of all steps that is done.
    Cosine,
    /// 1 in the first half, then (1 + cos(pi (2 t - 1))) / 2.
    FlatCosine,
    /// (1 - cos(2 pi log2(1 + 15 t))) / 2: four waves, each as long as all before it, from 0 and back to 0 (Holzmüller et al. 2024).
    CosineWaves,
    /// Rises linearly from 0 over the first `fraction` of all steps, then falls like a cosine.
    WarmUp {
        /// 0 < fraction < 1.
        fraction: f64,
    },
    /// factor^t, t the part of all steps that is done: rises or falls by the same ratio in every step.
    Exponential {
        /// Where it goes, > 0.
        factor: f64,
    },
    /// 1 / (1 + step)^power, as in scikit-learn's `invscaling`.
    InverseScaling {
        /// > 0.
        power: f64,
    },
}

impl Schedule {
    /// Refuses constants that cannot work.
    pub fn validate(&self) -> Result<()> {
        match *self {
            Self::WarmUp { fraction } if !(fraction > 0.0 && fraction < 1.0) => {
                setting(format!("the warm-up's fraction must be in (0, 1), got {fraction}"))
            }
            Self::InverseScaling { power } if !(power > 0.0 && power.is_finite()) => {
                setting(format!("the power of inverse scaling must be > 0, got {power}"))
            }
            Self::Exponential { factor } if !(factor > 0.0 && factor.is_finite()) => {
                setting(format!("the factor of an exponential schedule must be > 0, got {factor}"))
            }
            _ => Ok(()),
        }
    }

    /// The factor for step `step` of `steps`, counted from 0.
    pub fn factor(&self, step: u64, steps: u64) -> f64 {
        if *self == Self::Constant {
            return 1.0;
        }
        let t = step as f64 / steps.max(1) as f64;
        let cosine = |t: f64| 0.5 * (1.0 + (std::f64::consts::PI * t).cos());
        match *self {
            Self::Constant => 1.0,
            Self::Cosine => cosine(t),
            Self::FlatCosine => cosine((2.0 * t - 1.0).max(0.0)),
            Self::CosineWaves => 1.0 - cosine(2.0 * (1.0 + 15.0 * t).log2()),
            // The first step moves too: it has the rate of step 1.
            Self::WarmUp { fraction } if t < fraction => (step + 1) as f64 / (fraction * steps as f64 + 1.0),
            Self::WarmUp { fraction } => cosine((t - fraction) / (1.0 - fraction)),
            Self::Exponential { factor } => factor.powf(t),
            Self::InverseScaling { power } => (1.0 + step as f64).powf(-power),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors_at_the_borders() {
        assert_eq!(Schedule::Constant.factor(7, 10), 1.0);
        assert_eq!(Schedule::Cosine.factor(0, 10), 1.0);
        assert!((Schedule::Cosine.factor(5, 10) - 0.5).abs() < 1e-15);
        let flat = [0, 5, 10].map(|step| Schedule::FlatCosine.factor(step, 10));
        assert!(flat[..2] == [1.0, 1.0] && flat[2].abs() < 1e-15 && Schedule::FlatCosine.factor(75, 100) - 0.5 < 1e-15);
        // 15 t = 2^k - 1 ends a wave, log2(1 + 15 t) = k + 1/2 is its top.
        for (step, factor) in [(0, 0.0), (1, 0.0), (3, 0.0), (7, 0.0), (15, 0.0)] {
            assert!((Schedule::CosineWaves.factor(step, 15) - factor).abs() < 1e-12, "{step}");
        }
        let top = (2f64.sqrt() - 1.0) / 15.0;
        assert!((Schedule::CosineWaves.factor((top * 1e9) as u64, 1_000_000_000) - 1.0).abs() < 1e-12);
        let warm = Schedule::WarmUp { fraction: 0.5 };
        assert!((warm.factor(0, 10) - 1.0 / 6.0).abs() < 1e-15 && (warm.factor(4, 10) - 5.0 / 6.0).abs() < 1e-15);
        assert_eq!(warm.factor(5, 10), 1.0);
        let falling = Schedule::Exponential { factor: 0.01 };
        assert!(falling.factor(0, 10) == 1.0 && (falling.factor(5, 10) - 0.1).abs() < 1e-15);
        assert_eq!(Schedule::InverseScaling { power: 0.5 }.factor(3, 10), 0.5);
    }

    #[test]
    fn impossible_constants_are_refused() {
        assert!(Schedule::WarmUp { fraction: 1.0 }.validate().is_err());
        assert!(Schedule::InverseScaling { power: f64::NAN }.validate().is_err());
        assert!(Schedule::Exponential { factor: 0.0 }.validate().is_err());
        assert!(Schedule::Cosine.validate().is_ok());
    }
}
