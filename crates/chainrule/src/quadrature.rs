//! Gauss-Legendre quadrature on [0, 1].

use std::f64::consts::PI;

/// The `count` nodes in (0, 1), ascending, with their weights, which sum to 1: exact for polynomials of degree 2 count - 1.
///
/// The nodes are the zeros x of the Legendre polynomial P_n, found by Newton's method from cos(pi (i + 3/4) / (n + 1/2)), the weights
/// 2 / ((1 - x^2) P_n'(x)^2) (Abramowitz, Stegun, 25.4.29), both moved from [-1, 1] to [0, 1].
pub(crate) fn gauss_legendre(count: usize) -> Vec<(f64, f64)> {
    /// Newton doubles the digits in each step.
    const STEPS: usize = 8;
    let node = |i: usize| {
        let mut x = (PI * (i as f64 + 0.75) / (count as f64 + 0.5)).cos();
        for _ in 0..STEPS {
            let (value, slope) = legendre(count, x);
            x -= value / slope;
        }
        let (_, slope) = legendre(count, x);
        (0.5 * (1.0 + x), 1.0 / ((1.0 - x * x) * slope * slope))
    };
    (0..count).rev().map(node).collect()
}

/// P_n(x) and P_n'(x), by (k + 1) P_(k+1) = (2k + 1) x P_k - k P_(k-1) and (x^2 - 1) P_n' = n (x P_n - P_(n-1)).
fn legendre(n: usize, x: f64) -> (f64, f64) {
    let (mut before, mut value) = (0.0, 1.0);
    for k in 0..n {
        let k = k as f64;
        (before, value) = (value, ((2.0 * k + 1.0) * x * value - k * before) / (k + 1.0));
    }
    (value, n as f64 * (x * value - before) / (x * x - 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn polynomials_are_integrated_exactly() {
        for count in [1, 2, 5, 16, 64, 256] {
            let nodes = gauss_legendre(count);
            assert!(nodes.is_sorted_by(|a, b| a.0 < b.0) && nodes[0].0 > 0.0 && nodes[count - 1].0 < 1.0);
            for degree in (0..2 * count as i32).step_by(count.div_ceil(4)) {
                let integral: f64 = nodes.iter().map(|(x, weight)| weight * x.powi(degree)).sum();
                assert!(
                    (integral * f64::from(degree + 1) - 1.0).abs() < 1e-12,
                    "{count} nodes, x^{degree}: {integral}"
                );
            }
        }
        // 2 nodes at 1/2 -+ 1/(2 sqrt 3).
        assert!((gauss_legendre(2)[1].0 - (0.5 + 0.5 / 3f64.sqrt())).abs() < 1e-15);
    }

    #[test]
    fn one_degree_more_is_not_exact() {
        let integral: f64 = gauss_legendre(3).iter().map(|(x, weight)| weight * x.powi(6)).sum();
        assert!((integral - 1.0 / 7.0).abs() > 1e-5);
    }
}
