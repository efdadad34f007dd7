//! The cost of one row under every head, restated on complex numbers: minus the logarithm of the density as textbooks write
//! it.

use super::complex::Complex;
use super::phi::{phi, softplus};
use crate::cost::{Head, PointwiseCost};

/// J(y, o(z)) of one row: `z` has the outputs' pre-activations, `y` the row's targets.
pub(super) fn cost(head: &Head, z: &[Complex], y: &[f64]) -> Complex {
    match head {
        Head::Gaussian => sum(z, y, |z, y| (z - y) * (z - y) * 0.5),
        // -ln o = ln(1 + e^-z), -ln(1 - o) = ln(1 + e^z)
        Head::Bernoulli => sum(z, y, |z, y| softplus(-z) * y + softplus(z) * (1.0 - y)),
        Head::Categorical => log_sum_exp(z) - z[y[0] as usize],
        Head::Poisson => sum(z, y, |z, y| z.exp() - z * y),
        Head::Pointwise { cost, output } => sum(z, y, |z, y| pointwise(*cost, phi(*output, z), y)),
    }
}

/// Where a head's cost has a kink in z, the distance of z from it.
pub(super) fn kink_distance(head: &Head, z: &[Complex], y: &[f64]) -> f64 {
    match head {
        Head::Pointwise { cost: PointwiseCost::AbsoluteError, output } => {
            nearest(z.iter().zip(y).map(|(&z, y)| phi(*output, z).re - y))
        }
        _ => f64::INFINITY,
    }
}

fn nearest(distances: impl Iterator<Item = f64>) -> f64 {
    distances.map(f64::abs).fold(f64::INFINITY, f64::min)
}

fn sum(z: &[Complex], y: &[f64], term: impl Fn(Complex, f64) -> Complex) -> Complex {
    z.iter().zip(y).fold(Complex::from(0.0), |sum, (&z, &y)| sum + term(z, y))
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
        PointwiseCost::AbsoluteError if o.re < y => -(o - y),
        PointwiseCost::AbsoluteError => o - y,
        PointwiseCost::CrossEntropy => -(o.ln() * y + (Complex::from(1.0) - o).ln() * (1.0 - y)),
        PointwiseCost::Poisson => o - o.ln() * y,
    }
}
