//! Split-conformal intervals (Lei et al. 2018): as wide as the errors on rows that no network learned from say, whatever
//! their distribution is.

use chainrule::Distribution;
use serde::{Deserialize, Serialize};

/// The sizes of the errors on held-out rows, each in units of the spread that the head gave for its row: where that is the same
/// for all rows, an error as it is; where it is learned, locally weighted; of a count or an amount the standard deviation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conformal {
    /// Held-out rows.
    pub rows: usize,
    /// The sizes in ascending order; of many rows those at evenly spaced ranks, the largest among them.
    pub sizes: Vec<f64>,
    /// Whether all targets of held-out rows were whole numbers and the head is for counts: bounds are whole then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub whole: bool,
}

/// Most sizes that are kept.
const MOST: usize = 1000;

impl Conformal {
    /// From the size of the error on each held-out row; None without rows, or where one is not finite.
    pub(crate) fn new(mut sizes: Vec<f64>) -> Option<Self> {
        if sizes.is_empty() || sizes.iter().any(|size| !size.is_finite()) {
            return None;
        }
        sizes.sort_unstable_by(f64::total_cmp);
        let rows = sizes.len();
        let kept = rows.min(MOST);
        let sizes = (1..=kept).map(|j| five_digits_up(sizes[rank(j, rows, kept) - 1])).collect();
        Some(Self { rows, sizes, whole: false })
    }

    /// The interval that holds a row's target with probability `level` at least, around the prediction `value` and within what
    /// the head's distribution can be. None where held-out rows are too few for the level, or nothing is known of the row.
    pub(crate) fn interval(&self, value: f64, distribution: &Distribution, level: f64) -> Option<(f64, f64)> {
        let width = self.radius(level)? * distribution.spread()?;
        let (least, most) = distribution.support();
        let (lower, upper) = ((value - width).max(least), (value + width).min(most));
        if !(lower.is_finite() && upper.is_finite()) {
            return None;
        }
        if !self.whole {
            return Some((lower, upper));
        }
        // The whole numbers that are inside; the nearest to the prediction where there is none.
        let (first, last) = (lower.ceil(), upper.floor());
        Some(if first <= last { (first, last) } else { (value.round(), value.round()) })
    }

    /// The half width, in units of the spread, of intervals that hold a row's target with probability `level` at least, if the
    /// row comes from where the held-out rows came from: the ceil((n + 1) level)-th smallest of n sizes, or the next that was
    /// kept. None where that is more than n.
    fn radius(&self, level: f64) -> Option<f64> {
        let kept = self.sizes.len();
        // 0.9 x 10 must not become 10 because 0.9 is no binary number.
        let wanted = ((self.rows + 1) as f64 * level - 1e-9).ceil().max(1.0) as usize;
        (1..=kept).find(|&j| rank(j, self.rows, kept) >= wanted).map(|j| self.sizes[j - 1])
    }

    /// Whether it can be used, for one that comes from a file.
    pub(crate) fn check(&self) -> Result<(), String> {
        let fine = self.sizes.iter().all(|size| size.is_finite() && *size >= 0.0) && self.sizes.is_sorted();
        if fine && !self.sizes.is_empty() && self.sizes.len() == self.rows.min(MOST) {
            return Ok(());
        }
        Err("the errors that its intervals are made of do not ascend".into())
    }
}

/// The rank among `rows` of number `j` (from 1) of `kept`.
fn rank(j: usize, rows: usize, kept: usize) -> usize {
    (j * rows).div_ceil(kept)
}

/// The least number of five digits that is not below.
fn five_digits_up(x: f64) -> f64 {
    let rounded = |x: f64| format!("{x:.4e}").parse().unwrap_or(x);
    let near: f64 = rounded(x);
    if near >= x { near } else { rounded(near + 10f64.powf(near.log10().floor() - 4.0)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chainrule::Key;

    #[test]
    fn the_rank_is_that_of_one_row_more() {
        let nine = Conformal::new((1..=9).rev().map(f64::from).collect()).unwrap();
        // ceil(10 x 0.9) = 9, ceil(10 x 0.85) = 9, ceil(10 x 0.8) = 8.
        assert_eq!([0.9, 0.85, 0.8, 0.01].map(|level| nine.radius(level)), [9.0, 9.0, 8.0, 1.0].map(Some));
        assert_eq!(nine.radius(0.91), None);
        assert_eq!(Conformal::new(vec![]), None);
        assert_eq!(Conformal::new(vec![1.0, f64::NAN]), None);
    }

    #[test]
    fn of_many_rows_the_next_larger_size_is_taken() {
        let sizes: Vec<f64> = (1..=2500).map(f64::from).collect();
        let many = Conformal::new(sizes).unwrap();
        assert_eq!((many.sizes.len(), many.sizes[999]), (1000, 2500.0));
        for level in [0.5, 0.8, 0.9, 0.95, 0.99, 0.999] {
            let exact = (2501.0_f64 * level).ceil();
            let radius = many.radius(level).unwrap();
            assert!(radius >= exact && radius <= exact + 3.0, "{level}: {radius} {exact}");
        }
        assert!(many.check().is_ok());
    }

    #[test]
    fn new_rows_are_covered_as_often_as_promised() {
        // 500 times 19 held-out rows and one new one: 0.9 asks for the 18th of 19, which holds the new one in 18 of 20 cases.
        let key = Key::new(5);
        let covered = (0..500).filter(|&i| {
            let size = |j: u64| key.uniform(20 * i + j).powi(3);
            let conformal = Conformal::new((0..19).map(size).collect()).unwrap();
            size(19) <= conformal.radius(0.9).unwrap()
        });
        let part = covered.count() as f64 / 500.0;
        assert!((0.86..0.94).contains(&part), "{part}");
    }

    #[test]
    fn intervals_end_where_the_target_cannot_be() {
        let errors = Conformal::new((1..=9).map(f64::from).collect()).unwrap();
        let of = |errors: &Conformal, mean: f64, level: f64| {
            errors.interval(mean, &Distribution::Poisson { mean }, level).unwrap()
        };
        // Nine, and two standard deviations.
        assert_eq!(
            (of(&errors, 100.25, 0.2).0, of(&errors, 4.0, 0.9)),
            (100.25 - 2.0 * 100.25_f64.sqrt(), (0.0, 22.0))
        );
        let whole = Conformal { whole: true, ..errors.clone() };
        assert_eq!((of(&whole, 100.25, 0.2), of(&whole, 0.04, 0.2)), ((81.0, 120.0), (0.0, 0.0)));
        // Between 2.38 and 2.62 is no whole number.
        let sharp = Conformal { sizes: vec![0.075; 9], ..whole };
        assert_eq!(of(&sharp, 2.5, 0.5), (3.0, 3.0));
        assert_eq!(errors.interval(1.0, &Distribution::Poisson { mean: 1.0 }, 0.95), None);
        assert_eq!(errors.interval(1.0, &Distribution::Bernoulli { probability: 0.5 }, 0.5), None);
        assert_eq!(errors.interval(f64::INFINITY, &Distribution::Poisson { mean: f64::INFINITY }, 0.5), None);
    }

    #[test]
    fn five_digits_are_not_below() {
        for x in [0.0, 1.0, 0.123_456_7, 99_999.4, 3.141_59e-7, 123_450.1] {
            let up = five_digits_up(x);
            assert!(up >= x && up <= x * 1.000_11, "{x} {up}");
        }
        let ascending: Vec<f64> = (0..40_000).map(|i| five_digits_up(4.999 + 2e-6 * f64::from(i))).collect();
        assert!(ascending.is_sorted());
        assert_eq!((five_digits_up(5.000_01), five_digits_up(9.999_94)), (5.0001, 10.0));
    }
}
