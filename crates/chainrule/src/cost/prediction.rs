//! From the means o of a head to what is predicted.

use super::Head;

impl Head {
    /// One number for each target, from the means o (rows x outputs): without the second parameters, and of quantiles the
    /// one nearest the median.
    pub fn points(&self, o: &[f64], outputs: usize) -> Vec<f64> {
        let targets = self.targets(outputs);
        let rows = o.chunks_exact(outputs.max(1));
        match self {
            Self::Quantile { levels } => {
                let middle = middle(levels);
                rows.flat_map(|row| row.chunks_exact(levels.len()).map(move |q| q[middle])).collect()
            }
            _ => rows.flat_map(|row| &row[..targets.min(outputs)]).copied().collect(),
        }
    }

    /// A probability for each class, (rows x classes), from the means o (rows x outputs) of a head for one target of
    /// several classes.
    pub fn class_probabilities(&self, o: &[f64], outputs: usize) -> Vec<f64> {
        match self {
            Self::Bernoulli => o.iter().flat_map(|&p| [1.0 - p, p]).collect(),
            // From P(y > k).
            Self::Ordinal { .. } => o
                .chunks_exact(outputs)
                .flat_map(|above| {
                    let at_least = std::iter::once(1.0).chain(above.iter().copied());
                    at_least.zip(above.iter().copied().chain([0.0])).map(|(from, to)| from - to)
                })
                .collect(),
            _ => o.to_vec(),
        }
    }
}

/// The level nearest one half.
fn middle(levels: &[f64]) -> usize {
    let distance = |l: &usize| (levels[*l] - 0.5).abs();
    (0..levels.len()).min_by(|a, b| distance(a).total_cmp(&distance(b))).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cost::Scale;

    #[test]
    fn points_leave_out_scales_and_take_the_median() {
        let scaled = Head::Gaussian { scale: Scale::Learned };
        assert_eq!(scaled.points(&[1.0, 2.0, 0.1, 0.2, 3.0, 4.0, 0.3, 0.4], 4), [1.0, 2.0, 3.0, 4.0]);
        let quantile = Head::Quantile { levels: vec![0.1, 0.6, 0.9] };
        assert_eq!(quantile.points(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 6), [2.0, 5.0]);
        assert_eq!(Head::Poisson.points(&[1.0, 2.0], 2), [1.0, 2.0]);
    }

    #[test]
    fn ordered_classes_get_the_differences() {
        let p = Head::Ordinal { proportional: true }.class_probabilities(&[0.9, 0.4, 0.5, 0.5], 2);
        let expected = [0.1, 0.5, 0.4, 0.5, 0.0, 0.5];
        assert!(p.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-15), "{p:?}");
    }
}
