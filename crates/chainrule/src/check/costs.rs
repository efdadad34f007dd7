//! The cost of one row under every head, restated on complex numbers: minus the logarithm of the density as textbooks write
//! it.

use super::complex::Complex;
use super::differences::Difference;
use super::phi::{phi, sigmoid, softplus};
use crate::cost::{Head, LOG_LIMIT, PointwiseCost, Scale, TANGENT_FROM};
use crate::custom::CustomHead;
use crate::special::{LN_SQRT_2_PI, digamma, erf, ln_gamma};

/// J(y, o(z)) of one row: `z` has the outputs' pre-activations, `y` the row's targets.
pub(super) fn cost(head: &Head, z: &[Complex], y: &[f64]) -> Complex {
    match head {
        Head::Gaussian { scale } => each(*scale, z, y, |mu, sigma, y| {
            let u = (mu - y) / sigma;
            u * u * 0.5 + sigma.ln() + LN_SQRT_2_PI
        }),
        Head::Laplace { scale } => each(*scale, z, y, |mu, b, y| abs(mu - y) / b + (b * 2.0).ln()),
        Head::Huber { threshold, scale } => each(*scale, z, y, |mu, sigma, y| huber(*threshold, mu, sigma, y)),
        Head::StudentT { degrees: v, scale } => each(*scale, z, y, |mu, sigma, y| {
            let u = (mu - y) / sigma;
            let constant = ln_gamma((v + 1.0) / 2.0) - ln_gamma(v / 2.0) - (v * std::f64::consts::PI).ln() / 2.0;
            (u * u * (1.0 / v) + 1.0).ln() * ((v + 1.0) / 2.0) + sigma.ln() - constant
        }),
        Head::Quantile { levels } => quantile(levels, z, y),
        // -ln o = ln(1 + e^-z), -ln(1 - o) = ln(1 + e^z)
        Head::Bernoulli => each(Scale::Unit, z, y, |z, _, y| softplus(-z) * y + softplus(z) * (1.0 - y)),
        Head::Categorical { smoothing, class_weights, soft } => {
            let target = |k: usize| if *soft { y[k] } else { f64::from(u8::from(y[0] as usize == k)) };
            let log_sum = log_sum_exp(z);
            z.iter().enumerate().fold(Complex::from(0.0), |sum, (k, &z_k)| {
                let q = (1.0 - smoothing) * target(k) + smoothing / z.len() as f64;
                sum + (log_sum - z_k) * (q * class_weights.get(k).unwrap_or(&1.0))
            })
        }
        Head::Ordinal { .. } => ordinal(z, y[0] as usize),
        Head::Poisson => each(Scale::Unit, z, y, |z, _, y| exp(z) - z * y + ln_gamma(y + 1.0)),
        Head::NegativeBinomial { dispersion } => each(*dispersion, z, y, |z, dispersion, y| {
            let (mean, r) = (z.exp(), Complex::from(1.0) / dispersion);
            let whole = (mean + r).ln();
            complex_ln_gamma(r) - complex_ln_gamma(r + y) + ln_gamma(y + 1.0) - r * (r.ln() - whole) - (z - whole) * y
        }),
        Head::Gamma { shape } => each(*shape, z, y, |z, a, y| {
            complex_ln_gamma(a) - a * a.ln() + a * z - (a - 1.0) * y.ln() + a * exp(-z + y.ln())
        }),
        Head::Tweedie { power: p, dispersion } => {
            let factor = 1.0 / dispersion.number().unwrap_or(f64::NAN);
            each(Scale::Unit, z, y, |z, _, y| {
                (exp(z * (1.0 - p)) * (y / (p - 1.0)) + exp(z * (2.0 - p)) * (1.0 / (2.0 - p))) * factor
            })
        }
        Head::Beta { precision } => each(*precision, z, y, |z, t, y| {
            let (a, b) = (sigmoid(z) * t, sigmoid(-z) * t);
            complex_ln_gamma(a) + complex_ln_gamma(b)
                - complex_ln_gamma(t)
                - (a - 1.0) * y.ln()
                - (b - 1.0) * (-y).ln_1p()
        }),
        Head::WeibullAft { shape } => {
            let times: Vec<f64> = y.iter().copied().step_by(2).collect();
            let mut events = y.iter().copied().skip(1).step_by(2);
            each(*shape, z, &times, |z, k, t| {
                let hazard = exp(k * (-z + t.ln()));
                let density = (k - 1.0) * (-z + t.ln()) + k.ln() - z;
                hazard - density * events.next().unwrap_or(f64::NAN)
            })
        }
        Head::Pointwise { cost, output } => each(Scale::Unit, z, y, |z, _, y| pointwise(*cost, phi(*output, z), y)),
        Head::Custom(head) => custom(head.get(), z, y),
    }
}

/// Where a head's cost has a kink in z, the distance of z from it.
pub(super) fn kink_distance(head: &Head, z: &[Complex], y: &[f64]) -> f64 {
    let nearest = |distances: &mut dyn Iterator<Item = f64>| distances.map(f64::abs).fold(f64::INFINITY, f64::min);
    match head {
        Head::Laplace { .. } => nearest(&mut z.iter().zip(y).map(|(z, y)| z.re - y)),
        Head::Quantile { levels } => nearest(
            &mut z.chunks(levels.len()).zip(y).flat_map(|(z, y)| quantiles(z).into_iter().map(move |q| q.re - y)),
        ),
        Head::Pointwise { cost: PointwiseCost::AbsoluteError, output } => {
            nearest(&mut z.iter().zip(y).map(|(&z, y)| phi(*output, z).re - y))
        }
        _ => f64::INFINITY,
    }
}

/// The sum over targets of `term(z_k, second parameter, y_k)`; the second parameter is a number or e^(its output), kept
/// within its limits at the cost of what is beyond them.
fn each(scale: Scale, z: &[Complex], y: &[f64], mut term: impl FnMut(Complex, Complex, f64) -> Complex) -> Complex {
    let one = |(k, &y): (usize, &f64)| match scale.number() {
        Some(number) => term(z[k], Complex::from(number), y),
        None => {
            let log = z[y_count(z, scale) + k];
            let bounded = if log.re.abs() > LOG_LIMIT { Complex::from(LOG_LIMIT * log.re.signum()) } else { log };
            term(z[k], bounded.exp(), y) + abs(log - bounded)
        }
    };
    y.iter().enumerate().map(one).fold(Complex::from(0.0), |sum, term| sum + term)
}

fn y_count(z: &[Complex], scale: Scale) -> usize {
    if scale.is_output() { z.len() / 2 } else { z.len() }
}

/// e^x, from 40 on its tangent.
fn exp(x: Complex) -> Complex {
    if x.re <= TANGENT_FROM { x.exp() } else { (x - TANGENT_FROM + 1.0) * TANGENT_FROM.exp() }
}

/// |x| on the side of the real part.
fn abs(x: Complex) -> Complex {
    if x.re < 0.0 { -x } else { x }
}

fn complex_ln_gamma(x: Complex) -> Complex {
    x.through(ln_gamma(x.re), digamma(x.re))
}

/// The density is e^(-u^2 / 2) up to the threshold, e^(c^2 / 2 - c |u|) beyond.
fn huber(c: f64, mu: Complex, sigma: Complex, y: f64) -> Complex {
    let u = abs((mu - y) / sigma);
    let area = (2.0 * std::f64::consts::PI).sqrt() * erf(c / std::f64::consts::SQRT_2) + 2.0 * (-c * c / 2.0).exp() / c;
    let rho = if u.re <= c { u * u * 0.5 } else { u * c - c * c / 2.0 };
    rho + sigma.ln() + area.ln()
}

/// z_0, and each next above the one before by ln(1 + e^z).
fn quantiles(z: &[Complex]) -> Vec<Complex> {
    let mut q = vec![z[0]];
    z[1..].iter().for_each(|&z| q.push(q[q.len() - 1] + softplus(z)));
    q
}

fn quantile(levels: &[f64], z: &[Complex], y: &[f64]) -> Complex {
    let mut sum = Complex::from(0.0);
    for (z, &y) in z.chunks(levels.len()).zip(y) {
        for (q, level) in quantiles(z).into_iter().zip(levels) {
            let pinball = if y < q.re { (q - y) * (1.0 - level) } else { (-q + y) * *level };
            sum += pinball - (level * (1.0 - level)).ln();
        }
    }
    sum
}

/// -ln(P(y > k - 1) - P(y > k)), the probabilities with a common denominator.
fn ordinal(z: &[Complex], class: usize) -> Complex {
    let mut above = vec![z[0]];
    z[1..].iter().for_each(|&z| above.push(above[above.len() - 1] - softplus(z)));
    match class {
        0 => softplus(above[0]),
        last if last == z.len() => softplus(-above[last - 1]),
        k => {
            let (a, b) = (above[k - 1], above[k]);
            softplus(a) + softplus(b) - (a.exp() - b.exp()).ln()
        }
    }
}

/// ln sum_k e^(z_k)
fn log_sum_exp(z: &[Complex]) -> Complex {
    let largest = z.iter().map(|z| z.re).fold(f64::NEG_INFINITY, f64::max);
    z.iter().fold(Complex::from(0.0), |sum, &z| sum + (z - largest).exp()).ln() + largest
}

/// J(y, o) of one output.
fn pointwise(cost: PointwiseCost, o: Complex, y: f64) -> Complex {
    match cost {
        PointwiseCost::SquaredError => (o - y) * (o - y) * 0.5,
        PointwiseCost::AbsoluteError => abs(o - y),
        PointwiseCost::CrossEntropy => -(o.ln() * y + (Complex::from(1.0) - o).ln() * (1.0 - y)),
        PointwiseCost::Poisson => o - o.ln() * y,
    }
}

/// The complex version if there is one, else the real one by value and differences.
fn custom(head: &dyn CustomHead, z: &[Complex], y: &[f64]) -> Complex {
    if let Some(cost) = head.cost_complex(z, y) {
        return cost;
    }
    let at: Vec<f64> = z.iter().map(|z| z.re).collect();
    let value = |k: usize, x: f64| {
        let mut moved = at.clone();
        moved[k] = x;
        head.cost_and_delta(&moved, y, &mut vec![0.0; at.len()])
    };
    let slope = |(k, z): (usize, &Complex)| z.im * Difference::new(|x| value(k, x), z.re).derivative;
    Complex { re: value(0, at[0]), im: z.iter().enumerate().filter(|(_, z)| z.im != 0.0).map(slope).sum() }
}
