//! What an ensemble says of a row, as pre-activations of a single network.
//!
//! Predicted is the mean of the members' means o: of probabilities where the target is a class, of each quantile, of the expected
//! values elsewhere. A mixture of the members' distributions would have that mean but no name; what stands for it is the head's
//! own distribution with that mean. Where the link is the identity that is the mean of the pre-activations, elsewhere the link of
//! the mean of the means. A second parameter (scale, shape, dispersion, precision) is the geometric mean of the members': the mean
//! of its logarithms, which are the outputs.

use crate::cost::{Head, Scale};

impl Head {
    /// One row of pre-activations for those of all members, offsets included.
    pub(crate) fn pooled(&self, members: &[&[f64]]) -> Vec<f64> {
        let outputs = members.first().map_or(0, |z| z.len());
        let column = |k: usize| members.iter().map(move |z| z[k]);
        let locations = if self.scale().is_some_and(Scale::is_output) { outputs / 2 } else { outputs };
        let linked = |link: &dyn Fn(&mut dyn Iterator<Item = f64>) -> f64| {
            (0..outputs).map(|k| if k < locations { link(&mut column(k)) } else { mean(column(k)) }).collect()
        };
        match self {
            Self::Gaussian { .. }
            | Self::Laplace { .. }
            | Self::Huber { .. }
            | Self::StudentT { .. }
            | Self::Pointwise { .. }
            | Self::Custom(_) => linked(&|z| mean(z)),
            Self::Poisson
            | Self::NegativeBinomial { .. }
            | Self::Gamma { .. }
            | Self::Tweedie { .. }
            | Self::WeibullAft { .. } => linked(&|z| ln_mean_exp(z)),
            Self::Bernoulli | Self::Beta { .. } => linked(&|z| logit_of_mean(z)),
            Self::Categorical { .. } => {
                let logs: Vec<Vec<f64>> = members.iter().map(|z| log_softmax(z)).collect();
                (0..outputs).map(|k| ln_mean_exp(&mut logs.iter().map(|p| p[k]))).collect()
            }
            Self::Ordinal { .. } => {
                let above: Vec<Vec<f64>> = members.iter().map(|z| steps(z, -1.0)).collect();
                let pooled: Vec<f64> = (0..outputs).map(|k| logit_of_mean(&mut above.iter().map(|c| c[k]))).collect();
                from_steps(&pooled, -1.0)
            }
            Self::Quantile { levels } => {
                let target = |first: usize| {
                    let of = |z: &&[f64]| steps(&z[first..][..levels.len()], 1.0);
                    let quantiles: Vec<Vec<f64>> = members.iter().map(of).collect();
                    let means: Vec<f64> = (0..levels.len()).map(|l| mean(quantiles.iter().map(|q| q[l]))).collect();
                    from_steps(&means, 1.0)
                };
                (0..outputs).step_by(levels.len()).flat_map(target).collect()
            }
        }
    }
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), x| (sum + x, count + 1.0));
    sum / count
}

/// ln of the mean of e^z.
fn ln_mean_exp(z: &mut dyn Iterator<Item = f64>) -> f64 {
    let z: Vec<f64> = z.collect();
    let largest = z.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    largest + mean(z.iter().map(|z| (z - largest).exp())).ln()
}

/// The z whose sigmoid is the mean of the sigmoids.
fn logit_of_mean(z: &mut dyn Iterator<Item = f64>) -> f64 {
    let z: Vec<f64> = z.collect();
    let of = |sign: f64| ln_mean_exp(&mut z.iter().map(|z| -softplus(-sign * z)));
    of(1.0) - of(-1.0)
}

fn log_softmax(z: &[f64]) -> Vec<f64> {
    let sum = ln_mean_exp(&mut z.iter().copied()) + (z.len() as f64).ln();
    z.iter().map(|z| z - sum).collect()
}

fn softplus(z: f64) -> f64 {
    z.max(0.0) + (-z.abs()).exp().ln_1p()
}

/// z_0, then always further by ln(1 + e^z) in the direction of `sign`.
fn steps(z: &[f64], sign: f64) -> Vec<f64> {
    let mut place = z[0];
    let rest = z[1..].iter().map(|&z| {
        place += sign * softplus(z);
        place
    });
    std::iter::once(z[0]).chain(rest).collect()
}

/// The z whose [`steps`] these are.
fn from_steps(places: &[f64], sign: f64) -> Vec<f64> {
    let step = |pair: &[f64]| {
        let x = (sign * (pair[1] - pair[0])).max(f64::MIN_POSITIVE);
        x + (-(-x).exp_m1()).ln()
    };
    std::iter::once(places[0]).chain(places.windows(2).map(step)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Distribution;

    const MEMBERS: [&[f64]; 3] = [&[0.3, -1.2, 0.8, 2.0], &[1.4, 0.5, -0.6, 1.0], &[-2.0, 0.1, 0.4, -0.7]];

    /// The pooled distribution of every head has the mean of the members' means, class by class and quantile by quantile.
    #[test]
    fn the_pooled_distribution_has_the_mean_of_the_means() {
        let scales = [Scale::Unit, Scale::Learned].map(|scale| move |head: Head| head.with_scale(scale));
        for head in Head::all().into_iter().flat_map(|head| scales.map(|with| with(head.clone()))) {
            let outputs = if matches!(head, Head::Quantile { .. }) { 3 } else { 4 };
            let members = MEMBERS.map(|z| &z[..outputs]);
            // Learned shapes of a Weibull distribution are parts of its mean.
            if matches!(
                head,
                Head::WeibullAft { shape: Scale::Learned } | Head::Tweedie { dispersion: Scale::Learned, .. }
            ) {
                continue;
            }
            let numbers = |z: &[f64]| -> Vec<f64> {
                let of = |d: Distribution| match d {
                    Distribution::Classes { probabilities } => probabilities,
                    Distribution::Quantiles { values, .. } => values,
                    other => vec![other.mean()],
                };
                head.distributions(z).unwrap().into_iter().flat_map(of).collect()
            };
            let found = numbers(&head.pooled(&members));
            let each = members.map(numbers);
            for (i, found) in found.iter().enumerate() {
                let expected = each.iter().map(|of| of[i]).sum::<f64>() / 3.0;
                assert!((found - expected).abs() < 1e-12 * expected.abs().max(1.0), "{head:?}: {found} {expected}");
            }
        }
    }

    #[test]
    fn far_out_nothing_overflows() {
        for head in Head::all() {
            let outputs = if matches!(head, Head::Quantile { .. }) { 3 } else { 4 };
            let pooled =
                head.pooled(&[&[800.0, -900.0, 850.0, 4.0][..outputs], &[900.0, -800.0, 2.0, -3.0][..outputs]]);
            assert!(pooled.iter().all(|z| z.is_finite()), "{head:?}: {pooled:?}");
        }
        assert_eq!(Head::Bernoulli.pooled(&[&[800.0], &[800.0]]), [800.0]);
    }
}
