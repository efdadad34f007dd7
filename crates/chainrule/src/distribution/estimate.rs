//! The scale of a head that is trained with scale 1, by maximum likelihood after training.

use super::Distribution;
use crate::compute::Compute;
use crate::cost::{Head, LOG_LIMIT, Scale};
use crate::data::Dataset;
use crate::error::Result;
use crate::network::Network;
use crate::scalar::Scalar;

/// Most rows that the estimate needs: its relative error is then about a hundredth.
const ROWS: usize = 5_000;

impl Head {
    /// ln p(y) of a row with pre-activations `z` (offset included) and targets `y`; None for a pair of cost and output that is
    /// no distribution, and for a user's head.
    pub fn log_likelihood(&self, z: &[f64], y: &[f64]) -> Option<f64> {
        let distributions = self.distributions(z)?;
        Some(match self {
            Self::WeibullAft { .. } => {
                let one = |(d, y): (&Distribution, &[f64])| {
                    if y[1] == 1.0 { d.log_density(y[0]) } else { d.log_survival(y[0]) }
                };
                distributions.iter().zip(y.chunks_exact(2)).map(one).sum()
            }
            Self::Categorical { soft: true, .. } => {
                let term = |(class, &q): (usize, &f64)| {
                    if q > 0.0 { q * distributions[0].log_density(class as f64) } else { 0.0 }
                };
                y.iter().enumerate().map(term).sum()
            }
            _ => distributions.iter().zip(y).map(|(d, &y)| d.log_density(y)).sum(),
        })
    }
}

impl<T: Scalar> Network<T> {
    /// Replaces a scale (shape, dispersion, precision) of [`Scale::Unit`] by the number under which the rows of `data`, or
    /// some thousands of them, are most likely, the network's parameters being what they are. Returns it; None, and nothing
    /// happens, where the head has no such scale.
    ///
    /// Right where the scale does not change the other parameters' best values: gaussian, laplace, gamma, tweedie.
    ///
    /// # Errors
    /// If the data does not fit the network.
    pub fn estimate_scale(&mut self, compute: &mut Compute, data: &Dataset<'_, T>) -> Result<Option<f64>> {
        estimate_scale(std::slice::from_mut(self), compute, std::slice::from_ref(data))
    }

    /// Weight, pre-activations and targets of the rows of `data`, or of one in `every`.
    fn judged(&self, compute: &mut Compute, data: &Dataset<'_, T>, every: usize) -> Result<Vec<Judged>> {
        data.check(&self.spec)?;
        let numbers: Vec<u32> = data.rows().step_by(every).collect();
        let (outputs, width) = (self.spec.outputs, self.spec.head.target_width(self.spec.outputs));
        let z = self.pre_activations(compute, &data.inputs, Some(&numbers))?;
        let row = |(z, &row): (&[f64], &u32)| Judged {
            weight: data.weights.map_or(1.0, |weights| weights[row as usize].to_f64()),
            z: z.to_vec(),
            y: data.targets[row as usize * width..][..width].iter().map(|y| y.to_f64()).collect(),
        };
        Ok(z.chunks_exact(outputs).zip(&numbers).map(row).collect())
    }
}

/// A row that the estimate looks at.
struct Judged {
    weight: f64,
    z: Vec<f64>,
    y: Vec<f64>,
}

/// [`Network::estimate_scale`] for several networks with the same head, which get the same scale: network i is judged on
/// the rows of `data[i]`.
///
/// # Errors
/// If a part of the data does not fit the networks.
pub fn estimate_scale<T: Scalar>(
    networks: &mut [Network<T>],
    compute: &mut Compute,
    data: &[Dataset<'_, T>],
) -> Result<Option<f64>> {
    let Some(head) = networks.first().map(|network| network.spec.head.clone()) else { return Ok(None) };
    if head.scale() != Some(Scale::Unit) {
        return Ok(None);
    }
    let every = data.iter().map(Dataset::len).sum::<usize>().div_ceil(ROWS).max(1);
    let mut rows = vec![];
    for (network, data) in networks.iter().zip(data) {
        rows.extend(network.judged(compute, data, every)?);
    }
    let cost = |log: f64| {
        let head = head.clone().with_scale(Scale::Fixed(log.exp()));
        rows.iter().map(|row| -row.weight * head.log_likelihood(&row.z, &row.y).unwrap_or(0.0)).sum()
    };
    let scale = five_digits(least(cost, -LOG_LIMIT, LOG_LIMIT).exp());
    for network in networks {
        network.spec.head = network.spec.head.clone().with_scale(Scale::Fixed(scale));
    }
    Ok(Some(scale))
}

/// More are not known of an estimate, and these are the same on machines whose logarithms differ in the last bit.
fn five_digits(x: f64) -> f64 {
    format!("{x:.4e}").parse().unwrap_or(x)
}

/// Where a function with one minimum is least: golden section.
fn least(f: impl Fn(f64) -> f64, mut low: f64, mut high: f64) -> f64 {
    const RATIO: f64 = 0.618_033_988_749_894_9;
    let (mut a, mut b) = (high - RATIO * (high - low), low + RATIO * (high - low));
    let (mut at_a, mut at_b) = (f(a), f(b));
    for _ in 0..45 {
        if at_a < at_b {
            (high, b, at_b) = (b, a, at_a);
            a = high - RATIO * (high - low);
            at_a = f(a);
        } else {
            (low, a, at_a) = (a, b, at_b);
            b = low + RATIO * (high - low);
            at_b = f(b);
        }
    }
    0.5 * (low + high)
}
