//! Scores of predicted means.

use super::weight;

/// Which deviance: twice the log-likelihood's distance from that of a perfect prediction, per unit weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deviance {
    /// (y - o)^2
    Gaussian,
    /// 2 (y ln(y / o) - y + o)
    Poisson,
}

/// Scores of predicted means against the true values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RegressionScores {
    /// Root of the mean squared error.
    pub rmse: f64,
    /// Mean absolute error.
    pub mae: f64,
    /// 1 - squared error / squared deviation from the mean. None where the true values are all equal.
    pub r2: Option<f64>,
    /// Mean deviance.
    pub deviance: f64,
}

/// Scores the means `o` against the values `y`.
pub fn regression(o: &[f64], y: &[f64], w: Option<&[f64]>, deviance: Deviance) -> RegressionScores {
    let total: f64 = (0..y.len()).map(|i| weight(w, i)).sum();
    let mean_of = |f: &dyn Fn(usize) -> f64| (0..y.len()).map(|i| weight(w, i) * f(i)).sum::<f64>() / total;
    let squared = mean_of(&|i| (y[i] - o[i]).powi(2));
    let mean = mean_of(&|i| y[i]);
    let variance = mean_of(&|i| (y[i] - mean).powi(2));
    let deviance = match deviance {
        Deviance::Gaussian => squared,
        Deviance::Poisson => mean_of(&|i| {
            let log = if y[i] > 0.0 { y[i] * (y[i] / o[i]).ln() } else { 0.0 };
            2.0 * (log - y[i] + o[i])
        }),
    };
    RegressionScores {
        rmse: squared.sqrt(),
        mae: mean_of(&|i| (y[i] - o[i]).abs()),
        r2: (variance > 0.0).then(|| 1.0 - squared / variance),
        deviance,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_worked_by_hand() {
        let s = regression(&[1.0, 2.0, 6.0], &[1.0, 4.0, 4.0], None, Deviance::Poisson);
        assert_eq!(s.rmse, (8.0f64 / 3.0).sqrt());
        assert_eq!(s.mae, 4.0 / 3.0);
        // Mean 3, squared deviations 4 + 1 + 1.
        assert!((s.r2.unwrap() - (1.0 - 8.0 / 6.0)).abs() < 1e-15);
        let expected = 2.0 / 3.0 * ((4.0 * 2f64.ln() - 2.0) + (4.0 * (4.0f64 / 6.0).ln() + 2.0));
        assert!((s.deviance - expected).abs() < 1e-14);
    }

    #[test]
    fn a_weight_of_two_is_the_row_twice() {
        let weighted = regression(&[1.0, 2.0], &[0.0, 5.0], Some(&[2.0, 1.0]), Deviance::Gaussian);
        let twice = regression(&[1.0, 1.0, 2.0], &[0.0, 0.0, 5.0], None, Deviance::Gaussian);
        assert!((weighted.rmse - twice.rmse).abs() < 1e-15 && (weighted.r2.unwrap() - twice.r2.unwrap()).abs() < 1e-15);
    }
}
