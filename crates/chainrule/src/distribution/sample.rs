//! Draws.

use super::Distribution;
use super::density::{Compound, huber_area};
use crate::rng::Key;

impl Distribution {
    /// Draw number `index` of `key`; of classes a class's number. None for quantiles, which do not say enough.
    ///
    /// A count takes time in proportion to its value.
    pub fn sample(&self, key: Key, index: u64) -> Option<f64> {
        let mut draws = Draws { key: key.part(index), used: 0 };
        Some(match *self {
            Self::Gaussian { mean, scale } => mean + scale * draws.normal(),
            Self::Laplace { mean, scale } => mean + scale * (draws.exponential() - draws.exponential()),
            Self::Huber { mean, scale, threshold } => mean + scale * draws.huber(threshold),
            Self::StudentT { mean, scale, degrees } => {
                let chi_square = 2.0 * draws.gamma(0.5 * degrees);
                mean + scale * draws.normal() / (chi_square / degrees).sqrt()
            }
            Self::Quantiles { .. } => return None,
            Self::Bernoulli { probability } => f64::from(u8::from(draws.uniform() < probability)),
            Self::Classes { ref probabilities } => draws.class(probabilities),
            Self::Poisson { mean } => draws.poisson(mean),
            Self::NegativeBinomial { mean, dispersion } => {
                let rate = mean * dispersion * draws.gamma(1.0 / dispersion);
                draws.poisson(rate)
            }
            Self::Gamma { mean, shape } => mean / shape * draws.gamma(shape),
            Self::Tweedie { mean, power, dispersion } => {
                let compound = Compound::new(mean, power, dispersion);
                let amounts = draws.poisson(compound.rate);
                if amounts > 0.0 { compound.scale * draws.gamma(amounts * compound.shape) } else { 0.0 }
            }
            Self::Beta { mean, precision } => {
                let (a, b) = (draws.gamma(mean * precision), draws.gamma((1.0 - mean) * precision));
                a / (a + b)
            }
            Self::Weibull { scale, shape } => scale * draws.exponential().powf(1.0 / shape),
        })
    }
}

/// Random numbers one after another.
struct Draws {
    key: Key,
    used: u64,
}

impl Draws {
    /// Between 0 and 1, neither included.
    fn uniform(&mut self) -> f64 {
        self.used += 1;
        self.key.uniform(self.used).max(f64::EPSILON / 4.0)
    }

    fn exponential(&mut self) -> f64 {
        -self.uniform().ln()
    }

    /// Standard normal (Box, Muller 1958).
    fn normal(&mut self) -> f64 {
        let radius = (2.0 * self.exponential()).sqrt();
        radius * (2.0 * std::f64::consts::PI * self.uniform()).cos()
    }

    /// Gamma of scale 1 (Marsaglia, Tsang 2000); a shape below 1 from that above it.
    fn gamma(&mut self, shape: f64) -> f64 {
        if shape < 1.0 {
            let power = self.uniform().powf(1.0 / shape);
            return power * self.gamma(shape + 1.0);
        }
        let d = shape - 1.0 / 3.0;
        let c = 1.0 / (9.0 * d).sqrt();
        loop {
            let x = self.normal();
            let v = (1.0 + c * x).powi(3);
            if v > 0.0 && self.uniform().ln() < 0.5 * x * x + d - d * v + d * v.ln() {
                return d * v;
            }
        }
    }

    /// Events of a unit rate within `mean`.
    fn poisson(&mut self, mean: f64) -> f64 {
        let (mut time, mut count) = (self.exponential(), 0.0);
        while time < mean {
            time += self.exponential();
            count += 1.0;
        }
        count
    }

    /// Huber's standard distribution: one of its tails, or a normal number inside the threshold.
    fn huber(&mut self, threshold: f64) -> f64 {
        let tails = 2.0 * (-0.5 * threshold * threshold).exp() / threshold / huber_area(threshold);
        if self.uniform() < tails {
            let size = threshold + self.exponential() / threshold;
            return if self.uniform() < 0.5 { -size } else { size };
        }
        loop {
            let x = self.normal();
            if x.abs() <= threshold {
                return x;
            }
        }
    }

    fn class(&mut self, probabilities: &[f64]) -> f64 {
        let mut rest = self.uniform();
        for (k, p) in probabilities.iter().enumerate() {
            rest -= p;
            if rest < 0.0 {
                return k as f64;
            }
        }
        (probabilities.len() - 1) as f64
    }
}
