//! L-BFGS (Nocedal, Wright 2006, section 7.2): Newton's method with the curvature told from the last steps, for a smooth
//! function of many numbers. In double precision throughout.

use std::collections::VecDeque;

use super::line_search::{Line, search};
use crate::gradient::dot;

/// A function and its gradient: the value at the first slice is returned, the gradient written to the second.
pub(crate) type Function<'a> = dyn FnMut(&[f64], &mut [f64]) -> f64 + 'a;

/// Pairs whose curvature is less than this part of the change's square say nothing but rounding errors.
const LEAST_CURVATURE: f64 = 1e-14;

/// A place, the function's value there and its gradient.
#[derive(Clone)]
pub(crate) struct Point {
    pub(crate) x: Vec<f64>,
    pub(crate) value: f64,
    pub(crate) gradient: Vec<f64>,
}

impl Point {
    fn new(f: &mut Function<'_>, x: Vec<f64>) -> Self {
        let mut gradient = vec![0.0; x.len()];
        let value = f(&x, &mut gradient);
        Self { x, value, gradient }
    }

    /// Makes it the place `length` along `direction` from `from`.
    pub(super) fn go(&mut self, f: &mut Function<'_>, from: &Self, length: f64, direction: &[f64]) {
        for ((to, from), d) in self.x.iter_mut().zip(&from.x).zip(direction) {
            *to = from + length * d;
        }
        self.value = f(&self.x, &mut self.gradient);
    }

    /// The largest element of the gradient.
    pub(crate) fn steepest(&self) -> f64 {
        self.gradient.iter().fold(0.0, |most, g| g.abs().max(most))
    }
}

/// A step s, the change y of the gradient over it, and 1 / s'y.
struct Pair {
    step: Vec<f64>,
    change: Vec<f64>,
    rho: f64,
}

/// A minimisation on its way.
pub(crate) struct Lbfgs {
    history: usize,
    /// The oldest pair first.
    pairs: VecDeque<Pair>,
    here: Point,
    trial: Point,
    /// Relative rounding error of the function's values.
    rounding: f64,
}

impl Lbfgs {
    /// Starts at `x`.
    pub(crate) fn new(f: &mut Function<'_>, x: Vec<f64>, history: usize, rounding: f64) -> Self {
        let here = Point::new(f, x);
        Self { history, pairs: VecDeque::new(), trial: here.clone(), here, rounding }
    }

    /// Where it has come.
    pub(crate) fn here(&self) -> &Point {
        &self.here
    }

    /// One iteration, algorithm 7.5: returns the length of the step along the direction found. None: there is nothing lower within
    /// the precision of the function's values.
    pub(crate) fn iterate(&mut self, f: &mut Function<'_>) -> Option<f64> {
        let length = self.try_direction(f);
        if length.is_some() || self.pairs.is_empty() {
            return length;
        }
        // The pairs may be from where the function was another.
        self.pairs.clear();
        self.try_direction(f)
    }

    fn try_direction(&mut self, f: &mut Function<'_>) -> Option<f64> {
        let direction = self.direction();
        let first = if self.pairs.is_empty() {
            // The gradient's length says nothing of how far to go: at most 1 in all.
            (1.0 / self.here.gradient.iter().map(|g| g.abs()).sum::<f64>()).min(1.0)
        } else {
            1.0
        };
        let slope = dot(&self.here.gradient, &direction);
        if !(slope < 0.0 && first > 0.0) {
            return None;
        }
        let Self { here, trial, rounding, .. } = self;
        let line = Line { f, from: here, direction: &direction, slope, slack: *rounding * here.value.abs() };
        let length = search(line, trial, first)?;
        self.remember();
        std::mem::swap(&mut self.here, &mut self.trial);
        Some(length)
    }

    /// Algorithm 7.4: minus the gradient times the approximate inverse of the second derivatives.
    fn direction(&self) -> Vec<f64> {
        let mut q: Vec<f64> = self.here.gradient.iter().map(|g| -g).collect();
        let mut alphas = Vec::with_capacity(self.pairs.len());
        for pair in self.pairs.iter().rev() {
            let alpha = pair.rho * dot(&pair.step, &q);
            add(&mut q, -alpha, &pair.change);
            alphas.push(alpha);
        }
        if let Some(last) = self.pairs.back() {
            let gamma = 1.0 / (last.rho * dot(&last.change, &last.change));
            q.iter_mut().for_each(|q| *q *= gamma);
        }
        for (pair, alpha) in self.pairs.iter().zip(alphas.into_iter().rev()) {
            let beta = pair.rho * dot(&pair.change, &q);
            add(&mut q, alpha - beta, &pair.step);
        }
        q
    }

    /// Keeps the pair of the step from `here` to `trial`.
    fn remember(&mut self) {
        let difference = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a - b).collect::<Vec<f64>>();
        let step = difference(&self.trial.x, &self.here.x);
        let change = difference(&self.trial.gradient, &self.here.gradient);
        let curvature = dot(&step, &change);
        if curvature > LEAST_CURVATURE * dot(&change, &change) {
            if self.pairs.len() == self.history {
                self.pairs.pop_front();
            }
            self.pairs.push_back(Pair { step, change, rho: 1.0 / curvature });
        }
    }
}

/// to <- to + factor x
fn add(to: &mut [f64], factor: f64, x: &[f64]) {
    to.iter_mut().zip(x).for_each(|(to, x)| *to += factor * x);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rosenbrock's valley in pairs of numbers; its lowest point is (1, ..., 1).
    fn valley(x: &[f64], gradient: &mut [f64]) -> f64 {
        x.chunks_exact(2)
            .zip(gradient.chunks_exact_mut(2))
            .map(|(x, g)| {
                let (a, b) = (1.0 - x[0], x[1] - x[0] * x[0]);
                (g[0], g[1]) = (-2.0 * a - 400.0 * x[0] * b, 200.0 * b);
                a * a + 100.0 * b * b
            })
            .sum()
    }

    fn minimise(f: &mut Function<'_>, x: Vec<f64>, most: usize) -> (Lbfgs, usize) {
        let mut minimiser = Lbfgs::new(f, x, 10, 4.0 * f64::EPSILON);
        for iteration in 0..most {
            if minimiser.here().steepest() < 1e-10 || minimiser.iterate(f).is_none() {
                return (minimiser, iteration);
            }
        }
        (minimiser, most)
    }

    #[test]
    fn the_end_of_a_bent_valley_is_found() {
        let (minimiser, iterations) = minimise(&mut valley, [-1.2, 1.0].repeat(4), 200);
        assert!(minimiser.here().x.iter().all(|x| (x - 1.0).abs() < 1e-9), "{:?}", minimiser.here().x);
        assert!(iterations < 60, "{iterations}");
    }

    /// Second derivatives from 1e-3 to 1e3.
    #[test]
    fn a_badly_scaled_bowl_is_no_obstacle() {
        let scale = |i: usize| 10f64.powf(i as f64 - 3.0);
        let mut bowl = |x: &[f64], g: &mut [f64]| {
            g.iter_mut().zip(x).enumerate().for_each(|(i, (g, x))| *g = scale(i) * (x - 2.0));
            x.iter().enumerate().map(|(i, x)| 0.5 * scale(i) * (x - 2.0).powi(2)).sum()
        };
        let (minimiser, iterations) = minimise(&mut bowl, vec![0.0; 7], 200);
        assert!(minimiser.here().x.iter().all(|x| (x - 2.0).abs() < 1e-6), "{iterations}: {:?}", minimiser.here().x);
    }

    /// Where a step leaves the function's domain, the search comes back; at a minimum there is nowhere to go.
    #[test]
    fn the_domain_is_not_left() {
        let mut log = |x: &[f64], g: &mut [f64]| {
            g[0] = 1.0 - 1.0 / x[0];
            if x[0] > 0.0 { x[0] - x[0].ln() } else { f64::NAN }
        };
        let (minimiser, _) = minimise(&mut log, vec![1e-3], 100);
        assert!((minimiser.here().x[0] - 1.0).abs() < 1e-9, "{:?}", minimiser.here().x);
        let mut there = Lbfgs::new(&mut log, vec![1.0], 10, f64::EPSILON);
        assert_eq!(there.iterate(&mut log), None);
        assert_eq!(there.here().x, [1.0]);
    }
}
