//! Densities and deviances.

use std::f64::consts::{LN_2, PI};

use super::Distribution;
use crate::special::{LN_SQRT_2_PI, digamma, erf, ln_beta, ln_gamma};

/// y ln(y / o), 0 at y = 0.
fn y_ln_ratio(y: f64, o: f64) -> f64 {
    if y > 0.0 { y * (y / o).ln() } else { 0.0 }
}

/// x ln y, 0 where both are.
fn x_ln_y(x: f64, y: f64) -> f64 {
    if x == 0.0 { 0.0 } else { x * y.ln() }
}

/// rho(u) of Huber's density.
fn huber(u: f64, threshold: f64) -> f64 {
    let psi = u.clamp(-threshold, threshold);
    psi * (u - 0.5 * psi)
}

impl Distribution {
    /// The logarithm of the density at `y`, of counts and classes that of the probability; `y` is a class's number. Of
    /// quantiles that of the asymmetric Laplace densities that their cost belongs to.
    pub fn log_density(&self, y: f64) -> f64 {
        match *self {
            Self::Gaussian { mean, scale } => -0.5 * ((y - mean) / scale).powi(2) - scale.ln() - LN_SQRT_2_PI,
            Self::Laplace { mean, scale } => -((y - mean) / scale).abs() - scale.ln() - LN_2,
            Self::Huber { mean, scale, threshold } => {
                -huber((y - mean) / scale, threshold) - scale.ln() - huber_area(threshold).ln()
            }
            Self::StudentT { mean, scale, degrees: v } => {
                let u = (y - mean) / scale;
                let constant = ln_gamma(0.5 * (v + 1.0)) - ln_gamma(0.5 * v) - 0.5 * (v * PI).ln();
                constant - 0.5 * (v + 1.0) * (u * u / v).ln_1p() - scale.ln()
            }
            Self::Quantiles { ref levels, ref values } => {
                let density = |(level, q): (&f64, &f64)| (level * (1.0 - level)).ln() - pinball(*level, *q, y);
                levels.iter().zip(values).map(density).sum()
            }
            Self::Bernoulli { probability: p } => x_ln_y(y, p) + x_ln_y(1.0 - y, 1.0 - p),
            Self::Classes { ref probabilities } => probabilities[y as usize].ln(),
            Self::Poisson { mean } => x_ln_y(y, mean) - mean - ln_gamma(y + 1.0),
            Self::NegativeBinomial { mean, dispersion } => {
                let r = 1.0 / dispersion;
                let constant = ln_gamma(y + r) - ln_gamma(r) - ln_gamma(y + 1.0);
                constant - r * (mean / r).ln_1p() + x_ln_y(y, mean / (mean + r))
            }
            Self::Gamma { mean, shape: a } => a * (a * y / mean).ln() - a * y / mean - y.ln() - ln_gamma(a),
            Self::Tweedie { mean, power, dispersion } => Compound::new(mean, power, dispersion).log_density(y),
            Self::Beta { mean, precision } => {
                let (a, b) = (mean * precision, (1.0 - mean) * precision);
                (a - 1.0) * y.ln() + (b - 1.0) * (-y).ln_1p() - ln_beta(a, b)
            }
            Self::Weibull { scale, shape } => {
                let u = shape * (y / scale).ln();
                shape.ln() - y.ln() + u - u.exp()
            }
        }
    }

    /// ln P(> `y`) of a Weibull distribution: what a time cut off at `y` contributes.
    pub fn log_survival(&self, y: f64) -> f64 {
        match *self {
            Self::Weibull { scale, shape } => -(y / scale).powf(shape),
            _ => (1.0 - self.cdf(y)).ln(),
        }
    }

    /// The unit deviance of `y`: twice the log-likelihood that the best possible location would gain, times the dispersion
    /// for gaussian (so that it is the squared error), gamma and Tweedie; of quantiles twice the pinball loss.
    pub fn deviance(&self, y: f64) -> f64 {
        match *self {
            Self::Gaussian { mean, .. } => (y - mean).powi(2),
            Self::Laplace { mean, scale } => 2.0 * ((y - mean) / scale).abs(),
            Self::Huber { mean, scale, threshold } => 2.0 * huber((y - mean) / scale, threshold),
            Self::StudentT { mean, scale, degrees } => {
                (degrees + 1.0) * (((y - mean) / scale).powi(2) / degrees).ln_1p()
            }
            Self::Quantiles { ref levels, ref values } => {
                2.0 * levels.iter().zip(values).map(|(level, q)| pinball(*level, *q, y)).sum::<f64>()
            }
            Self::Bernoulli { probability: p } => 2.0 * (y_ln_ratio(y, p) + y_ln_ratio(1.0 - y, 1.0 - p)),
            Self::Classes { .. } => -2.0 * self.log_density(y),
            Self::Poisson { mean } => 2.0 * (y_ln_ratio(y, mean) - y + mean),
            Self::NegativeBinomial { mean, dispersion } => {
                let r = 1.0 / dispersion;
                2.0 * (y_ln_ratio(y, mean) - (y + r) * ((y + r) / (mean + r)).ln())
            }
            Self::Gamma { mean, .. } => 2.0 * ((mean / y).ln() + y / mean - 1.0),
            Self::Tweedie { mean, power: p, .. } => {
                let (q, r) = (1.0 - p, 2.0 - p);
                2.0 * (y.powf(r) / (q * r) - y * mean.powf(q) / q + mean.powf(r) / r)
            }
            Self::Beta { precision, .. } => {
                let best = Self::Beta { mean: best_beta_mean(y, precision), precision };
                2.0 * (best.log_density(y) - self.log_density(y))
            }
            Self::Weibull { scale, shape } => {
                let u = shape * (y / scale).ln();
                2.0 * (u.exp() - 1.0 - u)
            }
        }
    }
}

/// (q - y) ([y < q] - level)
fn pinball(level: f64, q: f64, y: f64) -> f64 {
    if y < q { (q - y) * (1.0 - level) } else { (y - q) * level }
}

/// The area under e^(-rho).
pub(super) fn huber_area(c: f64) -> f64 {
    (2.0 * PI).sqrt() * erf(c * std::f64::consts::FRAC_1_SQRT_2) + 2.0 * (-0.5 * c * c).exp() / c
}

/// The mean under which `y` is most likely for this precision t: psi(o t) - psi((1 - o) t) = logit y, by bisection.
fn best_beta_mean(y: f64, t: f64) -> f64 {
    let logit = y.ln() - (-y).ln_1p();
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..60 {
        let mean = 0.5 * (low + high);
        if digamma(mean * t) - digamma((1.0 - mean) * t) < logit { low = mean } else { high = mean }
    }
    0.5 * (low + high)
}

/// Tweedie's distribution as what it is: a Poisson number n of gamma amounts.
pub(super) struct Compound {
    /// The mean of n.
    pub(super) rate: f64,
    /// The shape of one amount.
    pub(super) shape: f64,
    /// The scale of one amount.
    pub(super) scale: f64,
}

impl Compound {
    pub(super) fn new(mean: f64, power: f64, dispersion: f64) -> Self {
        Self {
            rate: mean.powf(2.0 - power) / (dispersion * (2.0 - power)),
            shape: (2.0 - power) / (power - 1.0),
            scale: dispersion * (power - 1.0) * mean.powf(power - 1.0),
        }
    }

    /// The sum over n >= 1 of P(n) `term`(n), whose logarithm has one peak and is `log_term`; from the peak outwards until
    /// nothing is added.
    pub(super) fn sum(&self, peak: f64, log_term: impl Fn(f64) -> f64) -> (f64, f64) {
        let log_term = |n: f64| n * self.rate.ln() - self.rate - ln_gamma(n + 1.0) + log_term(n);
        let peak = peak.round().max(1.0);
        let largest = log_term(peak);
        let mut sum = 1.0;
        for direction in [1.0, -1.0] {
            let mut n = peak + direction;
            while n >= 1.0 {
                let term = (log_term(n) - largest).exp();
                sum += term;
                if term < 1e-17 * sum {
                    break;
                }
                n += direction;
            }
        }
        (largest, sum)
    }

    fn log_density(&self, y: f64) -> f64 {
        if y == 0.0 {
            return -self.rate;
        }
        let x = y / self.scale;
        let gamma = |n: f64| {
            let a = n * self.shape;
            a * x.ln() - x - y.ln() - ln_gamma(a)
        };
        // Where the terms' derivative in n is about zero (Dunn, Smyth 2005).
        let peak = (self.rate * (x / self.shape).powf(self.shape)).powf(1.0 / (1.0 + self.shape));
        let (largest, sum) = self.sum(peak, gamma);
        largest + sum.ln()
    }
}
