//! How far a target strays from its mean, and what it can be.

use super::Distribution;
use crate::special::ln_gamma;

impl Distribution {
    /// The unit in which an error is neither large nor small: the scale where there is one, else the standard deviation. None
    /// for classes, 0 or 1, and quantiles.
    pub fn spread(&self) -> Option<f64> {
        let variance = match *self {
            Self::Quantiles { .. } | Self::Bernoulli { .. } | Self::Classes { .. } => return None,
            Self::Gaussian { scale, .. }
            | Self::Laplace { scale, .. }
            | Self::Huber { scale, .. }
            | Self::StudentT { scale, .. } => return Some(scale),
            Self::Poisson { mean } => mean,
            Self::NegativeBinomial { mean, dispersion } => mean * (1.0 + dispersion * mean),
            Self::Gamma { mean, shape } => return Some(mean / shape.sqrt()),
            Self::Tweedie { mean, power, dispersion } => dispersion * mean.powf(power),
            Self::Beta { mean, precision } => mean * (1.0 - mean) / (1.0 + precision),
            Self::Weibull { scale, shape } => {
                let moment = |order: f64| ln_gamma(1.0 + order / shape);
                let (first, second) = (moment(1.0), moment(2.0));
                // Near 0 the difference of the two is all rounding.
                return Some(scale * first.exp() * (second - 2.0 * first).max(0.0).exp_m1().sqrt());
            }
        };
        Some(variance.sqrt())
    }

    /// The least and the greatest value that the target can have, or come as close to as one likes.
    pub fn support(&self) -> (f64, f64) {
        match self {
            Self::Gaussian { .. }
            | Self::Laplace { .. }
            | Self::Huber { .. }
            | Self::StudentT { .. }
            | Self::Quantiles { .. } => (f64::NEG_INFINITY, f64::INFINITY),
            Self::Bernoulli { .. } | Self::Beta { .. } => (0.0, 1.0),
            Self::Classes { probabilities } => (0.0, probabilities.len() as f64 - 1.0),
            Self::Poisson { .. }
            | Self::NegativeBinomial { .. }
            | Self::Gamma { .. }
            | Self::Tweedie { .. }
            | Self::Weibull { .. } => (0.0, f64::INFINITY),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Key;

    #[test]
    fn draws_stray_as_far_and_stay_in_the_support() {
        let all = [
            Distribution::Gaussian { mean: -1.0, scale: 2.0 },
            Distribution::Poisson { mean: 3.0 },
            Distribution::NegativeBinomial { mean: 3.0, dispersion: 0.5 },
            Distribution::Gamma { mean: 5.0, shape: 2.5 },
            Distribution::Tweedie { mean: 2.0, power: 1.4, dispersion: 0.6 },
            Distribution::Beta { mean: 0.3, precision: 4.0 },
            Distribution::Weibull { scale: 2.0, shape: 1.7 },
        ];
        for distribution in all {
            let draw = |i: u64| distribution.sample(Key::new(9), i).unwrap();
            let variance = (0..40_000).map(|i| (draw(i) - distribution.mean()).powi(2)).sum::<f64>() / 4e4;
            let ratio = variance.sqrt() / distribution.spread().unwrap();
            assert!((ratio - 1.0).abs() < 0.02, "{distribution:?}: {ratio}");
            let (least, most) = distribution.support();
            assert!((0..1000).all(|i| (least..=most).contains(&draw(i))), "{distribution:?}");
        }
    }

    #[test]
    fn what_has_no_unit_has_none() {
        let quantiles = Distribution::Quantiles { levels: vec![0.5], values: vec![1.0] };
        assert_eq!(quantiles.spread(), None);
        assert_eq!(Distribution::Bernoulli { probability: 0.5 }.spread(), None);
    }
}
