//! One distribution from those that several networks give for the same target.

use std::mem::discriminant;

use super::Distribution;
use crate::special::ln_gamma;

impl Distribution {
    /// The distribution whose parameters are the means of those of `all`, which are of one kind; a Weibull's gets the scale
    /// under which its mean is the mean of theirs. So means, class probabilities and quantiles are averaged, and a scale is
    /// that of one network on average: a mixture would add how far the networks differ. None where `all` is empty or of
    /// several kinds.
    pub fn average(all: &[Self]) -> Option<Self> {
        let mut average = all.first()?.clone();
        if all.len() == 1 {
            return Some(average);
        }
        let count = all.len() as f64;
        let mut sums = vec![0.0; average.parameters().len()];
        for one in all {
            let mut one = one.clone();
            let same_kind = discriminant(&one) == discriminant(&average);
            let parameters = one.parameters();
            if !same_kind || parameters.len() != sums.len() {
                return None;
            }
            sums.iter_mut().zip(parameters).for_each(|(sum, x)| *sum += *x);
        }
        average.parameters().into_iter().zip(&sums).for_each(|(x, sum)| *x = sum / count);
        if let Self::Weibull { scale, shape } = &mut average {
            let mean = all.iter().map(Self::mean).sum::<f64>() / count;
            *scale = mean / ln_gamma(1.0 + 1.0 / *shape).exp();
        }
        Some(average)
    }

    /// Everything that a network gives.
    fn parameters(&mut self) -> Vec<&mut f64> {
        match self {
            Self::Gaussian { mean, scale: second }
            | Self::Laplace { mean, scale: second }
            | Self::Huber { mean, scale: second, .. }
            | Self::StudentT { mean, scale: second, .. }
            | Self::NegativeBinomial { mean, dispersion: second }
            | Self::Gamma { mean, shape: second }
            | Self::Tweedie { mean, dispersion: second, .. }
            | Self::Beta { mean, precision: second }
            | Self::Weibull { scale: mean, shape: second } => vec![mean, second],
            Self::Poisson { mean } | Self::Bernoulli { probability: mean } => vec![mean],
            Self::Quantiles { values, .. } | Self::Classes { probabilities: values } => values.iter_mut().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_averaged() {
        let gaussian = |mean, scale| Distribution::Gaussian { mean, scale };
        assert_eq!(Distribution::average(&[gaussian(1.0, 2.0), gaussian(2.0, 4.0)]), Some(gaussian(1.5, 3.0)));
        let quantiles = |values: [f64; 2]| Distribution::Quantiles { levels: vec![0.1, 0.9], values: values.to_vec() };
        let average = Distribution::average(&[quantiles([0.0, 1.0]), quantiles([2.0, 7.0])]);
        assert_eq!(average, Some(quantiles([1.0, 4.0])));
        let classes = |p: [f64; 3]| Distribution::Classes { probabilities: p.to_vec() };
        let average = Distribution::average(&[classes([0.5, 0.25, 0.25]), classes([0.0, 0.75, 0.25])]);
        assert_eq!(average, Some(classes([0.25, 0.5, 0.25])));
    }

    #[test]
    fn the_mean_of_the_average_is_the_average_of_the_means() {
        let weibull = |scale, shape| Distribution::Weibull { scale, shape };
        let all = [weibull(2.0, 0.7), weibull(3.0, 1.9)];
        let average = Distribution::average(&all).unwrap();
        assert!((average.mean() - 0.5 * (all[0].mean() + all[1].mean())).abs() < 1e-12);
        assert!(matches!(average, Distribution::Weibull { shape, .. } if (shape - 1.3).abs() < 1e-12));
        assert_eq!(Distribution::average(&all[..1]).as_ref(), Some(&all[0]));
    }

    #[test]
    fn different_kinds_have_no_average() {
        let (poisson, bernoulli) = (Distribution::Poisson { mean: 1.0 }, Distribution::Bernoulli { probability: 0.5 });
        assert_eq!(Distribution::average(&[poisson, bernoulli]), None);
        assert_eq!(Distribution::average(&[]), None);
    }
}
