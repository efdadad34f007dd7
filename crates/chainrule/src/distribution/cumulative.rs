//! Distribution functions and quantiles.

use super::Distribution;
use super::density::{Compound, huber_area};
use crate::special::{LN_SQRT_2_PI, beta_inc, gamma_p, gamma_q, normal_cdf, normal_quantile};

impl Distribution {
    /// P(<= `y`); NaN for classes and quantiles.
    pub fn cdf(&self, y: f64) -> f64 {
        match *self {
            Self::Gaussian { mean, scale } => normal_cdf((y - mean) / scale),
            Self::Laplace { mean, scale } => by_symmetry((y - mean) / scale, |u| 0.5 * u.exp()),
            Self::Huber { mean, scale, threshold } => by_symmetry((y - mean) / scale, |u| huber_cdf(u, threshold)),
            Self::StudentT { mean, scale, degrees: v } => {
                by_symmetry((y - mean) / scale, |u| 0.5 * beta_inc(0.5 * v, 0.5, v / (v + u * u)))
            }
            Self::Quantiles { .. } | Self::Classes { .. } => f64::NAN,
            Self::Bernoulli { probability } => match y {
                y if y < 0.0 => 0.0,
                y if y < 1.0 => 1.0 - probability,
                _ => 1.0,
            },
            Self::Poisson { .. } | Self::NegativeBinomial { .. } if y < 0.0 => 0.0,
            Self::Poisson { mean } => gamma_q(y.floor() + 1.0, mean),
            Self::NegativeBinomial { mean, dispersion } => {
                let r = 1.0 / dispersion;
                beta_inc(r, y.floor() + 1.0, r / (r + mean))
            }
            Self::Gamma { mean, shape } => gamma_p(shape, shape * y / mean),
            Self::Tweedie { mean, power, dispersion } => tweedie_cdf(&Compound::new(mean, power, dispersion), y),
            Self::Beta { mean, precision } => beta_inc(mean * precision, (1.0 - mean) * precision, y),
            Self::Weibull { scale, shape } => -(-(y.max(0.0) / scale).powf(shape)).exp_m1(),
        }
    }

    /// The least y with P(<= y) >= `p`, 0 < p < 1. None for classes, and for quantiles at another level than theirs.
    pub fn quantile(&self, p: f64) -> Option<f64> {
        Some(match *self {
            Self::Gaussian { mean, scale } => mean + scale * normal_quantile(p),
            Self::Laplace { mean, scale } => mean + scale * symmetric(p, |p| (2.0 * p).ln()),
            Self::Huber { mean, scale, threshold } => mean + scale * symmetric(p, |p| huber_quantile(p, threshold)),
            Self::StudentT { mean, scale, .. } => {
                let below = |p: f64| (self.solve(p, |t| mean - scale * t.exp(), 0.0) - mean) / scale;
                mean + scale * symmetric(p, below)
            }
            Self::Quantiles { ref levels, ref values } => {
                let same = levels.iter().position(|level| (level - p).abs() < 1e-9)?;
                values[same]
            }
            Self::Classes { .. } => return None,
            Self::Bernoulli { probability } => f64::from(u8::from(p > 1.0 - probability)),
            Self::Poisson { mean } => self.solve_count(p, mean, mean),
            Self::NegativeBinomial { mean, dispersion } => self.solve_count(p, mean, mean * (1.0 + dispersion * mean)),
            Self::Tweedie { .. } if p <= self.cdf(0.0) => 0.0,
            Self::Gamma { mean, .. } | Self::Tweedie { mean, .. } => self.solve(p, f64::exp, mean.ln()),
            Self::Beta { mean, .. } => self.solve(p, |t| 1.0 / (1.0 + (-t).exp()), (mean / (1.0 - mean)).ln()),
            Self::Weibull { scale, shape } => scale * (-(-p).ln_1p()).powf(1.0 / shape),
        })
    }

    /// The y = g(t) with P(<= y) = p, g monotone: a bracket around `start`, then false position with Illinois's halving.
    fn solve(&self, p: f64, g: impl Fn(f64) -> f64, start: f64) -> f64 {
        let falls = g(start + 1.0) < g(start);
        let error = |t: f64| (self.cdf(g(t)) - p) * if falls { -1.0 } else { 1.0 };
        let (mut low, mut high, mut step) = (start - 1.0, start + 1.0, 1.0);
        while error(low) > 0.0 && step < 1e4 {
            step *= 2.0;
            low -= step;
        }
        while error(high) < 0.0 && step < 1e4 {
            step *= 2.0;
            high += step;
        }
        let (mut below, mut above) = (error(low), error(high));
        let mut side: i32 = 0;
        for _ in 0..200 {
            if high - low <= 1e-14 * low.abs().max(1.0) {
                break;
            }
            // A third of the bracket away from its ends at least every other time, so that flat tails do not stall it.
            let guess = (low * above - high * below) / (above - below);
            let t = if guess > low && guess < high && side.abs() < 3 { guess } else { 0.5 * (low + high) };
            let at = error(t);
            if at == 0.0 {
                return g(t);
            }
            if at < 0.0 {
                (low, below) = (t, at);
                above *= if side < 0 { 0.5 } else { 1.0 };
                side = if side < 0 { side - 1 } else { -1 };
            } else {
                (high, above) = (t, at);
                below *= if side > 0 { 0.5 } else { 1.0 };
                side = if side > 0 { side + 1 } else { 1 };
            }
        }
        g(0.5 * (low + high))
    }

    /// The least whole number y with P(<= y) >= p: doubling steps from the mean, then bisection.
    fn solve_count(&self, p: f64, mean: f64, variance: f64) -> f64 {
        let mut step = variance.sqrt().ceil().max(1.0);
        let (mut low, mut high) = ((mean - step).floor().max(-1.0), (mean + step).ceil());
        while low >= 0.0 && self.cdf(low) >= p {
            step *= 2.0;
            low = (low - step).max(-1.0);
        }
        while self.cdf(high) < p {
            step *= 2.0;
            high += step;
        }
        // cdf(low) < p <= cdf(high)
        while high - low > 1.0 {
            let middle = (0.5 * (low + high)).floor();
            if self.cdf(middle) < p { low = middle } else { high = middle }
        }
        high
    }
}

/// F(u) of a symmetric distribution from its lower half.
fn by_symmetry(u: f64, below: impl Fn(f64) -> f64) -> f64 {
    if u <= 0.0 { below(u) } else { 1.0 - below(-u) }
}

/// The quantile of a distribution symmetric around 0 from its lower half.
fn symmetric(p: f64, below: impl Fn(f64) -> f64) -> f64 {
    if p == 0.5 {
        return 0.0;
    }
    if p < 0.5 { below(p) } else { -below(1.0 - p) }
}

/// The area of Huber's lower tail, up to u = -c.
fn huber_tail(c: f64) -> f64 {
    (-0.5 * c * c).exp() / c / huber_area(c)
}

/// P(<= u), u <= 0.
fn huber_cdf(u: f64, c: f64) -> f64 {
    if u < -c {
        return huber_tail(c) * (c * (u + c)).exp();
    }
    let normal = LN_SQRT_2_PI.exp() / huber_area(c);
    huber_tail(c) + normal * (normal_cdf(u) - normal_cdf(-c))
}

/// The quantile of p < 1/2.
fn huber_quantile(p: f64, c: f64) -> f64 {
    let tail = huber_tail(c);
    if p < tail {
        return (p / tail).ln() / c - c;
    }
    normal_quantile((p - tail) * huber_area(c) / LN_SQRT_2_PI.exp() + normal_cdf(-c))
}

fn tweedie_cdf(compound: &Compound, y: f64) -> f64 {
    if y <= 0.0 {
        return if y < 0.0 { 0.0 } else { (-compound.rate).exp() };
    }
    let x = y / compound.scale;
    // From the most likely number outwards; what is left out is below 1e-15.
    let (log, sum) = compound.sum(compound.rate, |n| gamma_p(n * compound.shape, x).max(f64::MIN_POSITIVE).ln());
    ((-compound.rate).exp() + log.exp() * sum).min(1.0)
}
