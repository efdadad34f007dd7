//! How far to go along a direction: a length that fulfils the strong Wolfe conditions (Nocedal, Wright 2006, algorithms 3.5
//! and 3.6).

use super::lbfgs::{Function, Point};

/// Part of the first slope by which the value must fall, for each unit of length.
const DECREASE: f64 = 1e-4;
/// Part of the first slope that may be left.
const CURVATURE: f64 = 0.9;
/// Evaluations of the function, at most, in each of the two phases.
const MOST: usize = 40;
/// How much longer the next length is while the way leads down.
const LONGER: f64 = 4.0;

/// The function along a direction.
pub(super) struct Line<'a, 'f> {
    pub(super) f: &'a mut Function<'f>,
    pub(super) from: &'a Point,
    pub(super) direction: &'a [f64],
    /// The slope at the start, < 0.
    pub(super) slope: f64,
    /// By how much a value may be wrong: smaller differences are none, and the slope decides.
    pub(super) slack: f64,
}

/// A length, and value and slope there.
#[derive(Clone, Copy)]
struct Place {
    length: f64,
    value: f64,
    slope: f64,
}

/// Algorithm 3.5 from the length `first` on. Leaves `trial` at the place found and returns its length; None if there is none.
pub(super) fn search(mut line: Line<'_, '_>, trial: &mut Point, first: f64) -> Option<f64> {
    let mut before = Place { length: 0.0, value: line.from.value, slope: line.slope };
    let mut length = first;
    for _ in 0..MOST {
        let place = line.look(trial, length);
        if !line.falls(place) || line.is_above(place, before) {
            return line.zoom(trial, before, place);
        }
        if line.is_flat(place) {
            return Some(length);
        }
        if place.slope >= 0.0 {
            return line.zoom(trial, place, before);
        }
        before = place;
        length *= LONGER;
    }
    None
}

impl Line<'_, '_> {
    fn look(&mut self, trial: &mut Point, length: f64) -> Place {
        trial.go(self.f, self.from, length, self.direction);
        let slope = crate::gradient::dot(&trial.gradient, self.direction);
        Place { length, value: trial.value, slope }
    }

    /// Whether the value has fallen enough, (3.7a); a value that is not a number has not.
    fn falls(&self, place: Place) -> bool {
        place.value <= self.from.value + DECREASE * place.length * self.slope + self.slack && place.slope.is_finite()
    }

    /// Whether little of the slope is left, (3.7b).
    fn is_flat(&self, place: Place) -> bool {
        place.slope.abs() <= -CURVATURE * self.slope
    }

    fn is_above(&self, place: Place, other: Place) -> bool {
        place.value > other.value + self.slack
    }

    /// Algorithm 3.6: between `low`, the lowest place so far, and `high` there is a length that will do.
    fn zoom(&mut self, trial: &mut Point, mut low: Place, mut high: Place) -> Option<f64> {
        for _ in 0..MOST {
            let place = self.look(trial, between(low, high));
            if !self.falls(place) || self.is_above(place, low) {
                high = place;
            } else if self.is_flat(place) {
                return Some(place.length);
            } else {
                if place.slope * (high.length - low.length) >= 0.0 {
                    high = low;
                }
                low = place;
            }
        }
        None
    }
}

/// The lowest point of the cubic through both places, (3.59), kept away from the ends.
fn between(low: Place, high: Place) -> f64 {
    let width = high.length - low.length;
    let d1 = low.slope + high.slope - 3.0 * (high.value - low.value) / width;
    let d2 = (d1 * d1 - low.slope * high.slope).sqrt().copysign(width);
    let part = 1.0 - (high.slope + d2 - d1) / (high.slope - low.slope + 2.0 * d2);
    // Where there is no such point, or one end is no number, the middle.
    low.length + width * if part.is_finite() { part.clamp(0.1, 0.9) } else { 0.5 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Value and derivative at a place.
    type Function = fn(f64) -> (f64, f64);

    /// Functions that fall from 0 on: the first two of Moré and Thuente (1994), one with many low points, one with a wall.
    const FUNCTIONS: [Function; 4] = [
        |x| (-x / (x * x + 2.0), (x * x - 2.0) / (x * x + 2.0).powi(2)),
        |x| {
            let t = x + 0.004;
            (t.powi(5) - 2.0 * t.powi(4), 5.0 * t.powi(4) - 8.0 * t.powi(3))
        },
        |x| (0.1 * (x - 5.0).powi(2) - (3.0 * x).sin(), 0.2 * (x - 5.0) - 3.0 * (3.0 * x).cos()),
        |x| (0.1 * x - (4.0 - x).ln() - (x + 1.0).ln(), 0.1 + 1.0 / (4.0 - x) - 1.0 / (x + 1.0)),
    ];

    #[test]
    fn the_length_found_fulfils_the_strong_wolfe_conditions() {
        for (number, function) in FUNCTIONS.into_iter().enumerate() {
            for first in [1e-3, 0.1, 1.0, 10.0, 1e3] {
                let mut f = |x: &[f64], gradient: &mut [f64]| {
                    let (value, slope) = function(x[0]);
                    gradient[0] = slope;
                    value
                };
                let (value, slope) = function(0.0);
                let from = Point { x: vec![0.0], value, gradient: vec![slope] };
                let mut trial = from.clone();
                let line = Line { f: &mut f, from: &from, direction: &[1.0], slope, slack: 0.0 };
                let length = search(line, &mut trial, first).unwrap();
                let place = format!("function {number} from {first}: {length}");
                assert_eq!(trial.x[0], length, "{place}");
                assert!(trial.value <= value + 1e-4 * length * slope, "{place}");
                assert!(trial.gradient[0].abs() <= -0.9 * slope, "{place}");
            }
        }
    }
}
