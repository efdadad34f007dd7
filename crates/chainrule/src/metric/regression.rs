//! Scores of predicted means.

use super::weight;

/// Scores of predicted means against the true values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RegressionScores {
    /// Root of the mean squared error.
    pub rmse: f64,
    /// Mean absolute error.
    pub mae: f64,
    /// 1 - squared error / squared deviation from the mean. None where the true values are all equal.
    pub r2: Option<f64>,
}

/// Scores the means `o` against the values `y`.
pub fn regression(o: &[f64], y: &[f64], w: Option<&[f64]>) -> RegressionScores {
    let total: f64 = (0..y.len()).map(|i| weight(w, i)).sum();
    let mean_of = |f: &dyn Fn(usize) -> f64| (0..y.len()).map(|i| weight(w, i) * f(i)).sum::<f64>() / total;
    let squared = mean_of(&|i| (y[i] - o[i]).powi(2));
    let mean = mean_of(&|i| y[i]);
    let variance = mean_of(&|i| (y[i] - mean).powi(2));
    RegressionScores {
        rmse: squared.sqrt(),
        mae: mean_of(&|i| (y[i] - o[i]).abs()),
        r2: (variance > 0.0).then(|| 1.0 - squared / variance),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_worked_by_hand() {
        let s = regression(&[1.0, 2.0, 6.0], &[1.0, 4.0, 4.0], None);
        assert_eq!(s.rmse, (8.0f64 / 3.0).sqrt());
        assert_eq!(s.mae, 4.0 / 3.0);
        // Mean 3, squared deviations 4 + 1 + 1.
        assert!((s.r2.unwrap() - (1.0 - 8.0 / 6.0)).abs() < 1e-15);
    }

    #[test]
    fn a_weight_of_two_is_the_row_twice() {
        let weighted = regression(&[1.0, 2.0], &[0.0, 5.0], Some(&[2.0, 1.0]));
        let twice = regression(&[1.0, 1.0, 2.0], &[0.0, 0.0, 5.0], None);
        assert!((weighted.rmse - twice.rmse).abs() < 1e-15 && (weighted.r2.unwrap() - twice.r2.unwrap()).abs() < 1e-15);
    }
}
