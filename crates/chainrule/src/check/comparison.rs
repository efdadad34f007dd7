//! How two sets of derivatives are compared.

use serde::{Deserialize, Serialize};

use crate::params::View;

/// Derivatives smaller than this part of the largest one are held to the precision of those that large: sums over rows
/// cancel, and their rounding errors do not.
const FLOOR: f64 = 1e-3;

/// One derivative, as the engine and as the reference have it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The parameter's name, such as `layers.0.weight`; `input` for a feature.
    pub parameter: String,
    /// Its row, from 0: the source unit of a weight, the level of a table, the row of an input.
    pub row: usize,
    /// Its column, from 0: the destination unit, the element of a vector, the feature.
    pub column: usize,
    /// The engine's derivative.
    pub analytic: f64,
    /// The reference's.
    pub numeric: f64,
    /// |analytic - numeric| over the larger of |numeric| and a thousandth of the largest |numeric| of all compared.
    pub error: f64,
}

/// The element on which `analytic` and `numeric` agree least: one row-major matrix each for each of `views`.
///
/// # Panics
/// If the two do not have the views' sizes.
pub fn compare(views: &[View], analytic: &[Vec<f64>], numeric: &[Vec<f64>]) -> Comparison {
    let mut elements = Elements::default();
    assert!(analytic.len() == views.len() && numeric.len() == views.len(), "one matrix for each parameter");
    for (p, (analytic, numeric)) in analytic.iter().zip(numeric).enumerate() {
        assert_eq!(analytic.len(), numeric.len(), "elements of {}", views[p].name);
        for (i, (&a, &n)) in analytic.iter().zip(numeric).enumerate() {
            elements.push((p, i), a, n);
        }
    }
    elements.worst(|p| (&views[p].name, views[p].cols))
}

/// Pairs of derivatives under (number of the parameter, row-major place in it).
#[derive(Default)]
pub(super) struct Elements(Vec<((usize, usize), f64, f64)>);

impl Elements {
    pub(super) fn push(&mut self, place: (usize, usize), analytic: f64, numeric: f64) {
        self.0.push((place, analytic, numeric));
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The worst pair; `name` gives a parameter's name and columns.
    pub(super) fn worst<'a>(&self, name: impl Fn(usize) -> (&'a str, usize)) -> Comparison {
        let largest = self.0.iter().map(|(.., n)| n.abs()).fold(0.0, f64::max);
        // A NaN on either side is as wrong as can be.
        let error = |a: f64, n: f64| match (a - n).abs() / n.abs().max(FLOOR * largest) {
            _ if a == n => 0.0,
            error if error.is_nan() => f64::INFINITY,
            error => error,
        };
        let errors = self.0.iter().map(|&(place, a, n)| (error(a, n), place, a, n));
        let worst = errors.reduce(|worst, next| if next.0 > worst.0 { next } else { worst });
        let Some((error, (p, i), analytic, numeric)) = worst else { return Comparison::default() };
        let (parameter, columns) = name(p);
        let (row, column) = (i / columns, i % columns);
        Comparison { parameter: parameter.to_owned(), row, column, analytic, numeric, error }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn worst(pairs: &[(f64, f64)]) -> Comparison {
        let mut elements = Elements::default();
        pairs.iter().enumerate().for_each(|(i, &(a, n))| elements.push((0, i), a, n));
        elements.worst(|_| ("w", 2))
    }

    #[test]
    fn the_worst_element_is_found_and_small_ones_are_held_to_the_scale() {
        let found = worst(&[(1.0, 1.0), (2.0, 2.0 + 2e-6), (1e-9, 2e-9), (0.0, 0.0)]);
        assert_eq!((found.row, found.column), (0, 1));
        assert!((found.error - 1e-6).abs() < 1e-11, "{found:?}");
        assert_eq!(worst(&[(0.0, 0.0)]).error, 0.0);
        assert_eq!(worst(&[(1.0, 1.0), (f64::NAN, 0.5)]).error, f64::INFINITY);
        assert_eq!(worst(&[(1.0, 0.0), (0.0, 0.0)]).error, f64::INFINITY);
    }
}
