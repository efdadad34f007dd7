//! Derivatives of functions that take only real numbers.

/// A derivative by central differences of steps h, h / 2, h / 4, ..., extrapolated to h = 0 (Richardson): each column of
/// the triangle removes the next even power of h.
pub(super) struct Difference {
    /// The estimate that changed least from the one before.
    pub(super) derivative: f64,
    /// By how much; large near a kink.
    pub(super) change: f64,
}

impl Difference {
    /// df/dx at `x`.
    pub(super) fn new(f: impl Fn(f64) -> f64, x: f64) -> Self {
        const STEPS: usize = 10;
        let mut h = 0.05 * x.abs().max(1.0);
        let mut row: Vec<f64> = vec![];
        let mut best = Self { derivative: f64::NAN, change: f64::INFINITY };
        for _ in 0..STEPS {
            let mut next = vec![(f(x + h) - f(x - h)) / (2.0 * h)];
            let mut power = 1.0;
            for &coarse in &row {
                power *= 4.0;
                let fine = next[next.len() - 1];
                next.push(fine + (fine - coarse) / (power - 1.0));
            }
            if let (Some(&derivative), Some(&before)) = (next.last(), row.last())
                && (derivative - before).abs() < best.change
            {
                best = Self { derivative, change: (derivative - before).abs() };
            }
            row = next;
            h /= 2.0;
        }
        best
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smooth_functions_settle_and_kinks_do_not() {
        let sine = Difference::new(f64::sin, 0.7);
        assert!((sine.derivative - 0.7f64.cos()).abs() < 1e-11 && sine.change < 1e-11, "{}", sine.derivative);
        assert!(Difference::new(f64::abs, 1e-5).change > 1e-6);
    }
}
