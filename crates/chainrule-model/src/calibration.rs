//! Class probabilities that hold: what label smoothing added is taken out, and temperature scaling (Guo et al. 2017) makes them more
//! or less certain. No class becomes more probable than another that it was not before.

use chainrule::metric::classification;

/// The inverse temperatures that are looked at.
const RANGE: (f64, f64) = (0.05, 20.0);

/// Probabilities below do not count as smaller, as in the log-loss.
const LEAST: f64 = 1e-15;

/// The least part of a probability that is left where smoothing is taken out: with a hundredth, rows that are wrong about what seemed sure cost
/// phoneme 1.02 of the log-loss that a tenth leaves.
const LEFT: f64 = 0.1;

/// By how much a number must raise the rows' log-likelihood to be believed: the likelihood-ratio test of one parameter at 5 %.
const EVIDENCE: f64 = 1.92;

/// From what networks say to the probabilities of K classes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Calibration {
    /// The e of (q - e / K) / (1 - e), which is taken in place of q; None: 0. Labels that are smoothed by e make the cost least where q =
    /// (1 - e) p + e / K, p being the classes' probabilities.
    pub(crate) smoothing: Option<f64>,
    /// The T of p^(1 / T) over their sum, which with p = softmax(z) is softmax(z / T); None: 1.
    pub(crate) temperature: Option<f64>,
}

impl Calibration {
    /// Replaces the probabilities of each row, which has `classes` of them.
    pub(crate) fn apply(&self, probabilities: &mut [f64], classes: usize) {
        if let Some(smoothing) = self.smoothing {
            let share = smoothing / classes as f64;
            probabilities.iter_mut().for_each(|q| *q = (*q - share).max(LEFT * *q));
            probabilities.chunks_exact_mut(classes).for_each(normalise);
        }
        if let Some(temperature) = self.temperature {
            let inverse = 1.0 / temperature;
            for row in probabilities.chunks_exact_mut(classes) {
                let most = row.iter().copied().fold(0.0, f64::max);
                row.iter_mut().for_each(|p| *p = (*p / most).powf(inverse));
                normalise(row);
            }
        }
    }

    /// What fits rows that no network learned from: (rows x classes) probabilities and the true classes. `smoothing` is that of the labels
    /// in training: so much is taken out, or some tenths of it. Where the rows do not show that a number is needed it is None.
    pub(crate) fn fit(
        probabilities: &[f64],
        classes: usize,
        y: &[u32],
        weights: Option<&[f64]>,
        smoothing: f64,
    ) -> Self {
        let log_likelihood = |calibration: &Self| {
            let mut p = probabilities.to_vec();
            calibration.apply(&mut p, classes);
            -(y.len() as f64) * classification(&p, classes, y, weights).log_loss
        };
        let with_temperature = |smoothing: Option<f64>| {
            let mut p = probabilities.to_vec();
            Self { smoothing, temperature: None }.apply(&mut p, classes);
            let temperature = five_digits(1.0 / inverse(&Rows { probabilities: &p, classes, y, weights }));
            let calibration = Self { smoothing, temperature: Some(temperature) };
            (log_likelihood(&calibration), calibration)
        };
        let tenths = if smoothing > 0.0 { 10 } else { 0 };
        let part = |tenth: i32| with_temperature(Some(five_digits(smoothing * f64::from(tenth) / 10.0)));
        let taken_out = (1..=tenths).map(part).max_by(|a, b| a.0.total_cmp(&b.0));
        let nothing = with_temperature(None);
        let (most, best) = taken_out.filter(|(most, _)| most - nothing.0 > EVIDENCE).unwrap_or(nothing);
        let without = Self { temperature: None, ..best };
        if most - log_likelihood(&without) > EVIDENCE { best } else { without }
    }
}

fn normalise(row: &mut [f64]) {
    let sum: f64 = row.iter().sum();
    row.iter_mut().for_each(|p| *p /= sum);
}

struct Rows<'a> {
    probabilities: &'a [f64],
    classes: usize,
    y: &'a [u32],
    weights: Option<&'a [f64]>,
}

/// The b = 1 / T with the least log-loss of p^b: Newton's method on a convex function of one variable, kept in a bracket.
fn inverse(rows: &Rows<'_>) -> f64 {
    let (mut low, mut high) = RANGE;
    let mut b = 1.0;
    for _ in 0..60 {
        let (slope, curvature) = rows.derivatives(b);
        if slope > 0.0 {
            high = b
        } else {
            low = b
        }
        let newton = b - slope / curvature;
        let next = if newton > low && newton < high { newton } else { (low * high).sqrt() };
        if (next - b).abs() <= 1e-9 * b {
            return next;
        }
        b = next;
    }
    b
}

impl Rows<'_> {
    /// The first two derivatives by b of sum_i ln sum_k e^(b l_ik) - b sum_k t_ik l_ik, l = ln p. The targets t are the true
    /// classes, mixed with 1 / (rows + 1) of all: as if one row more had been of any class. So rows that are all right do not
    /// make the probabilities 0 and 1.
    fn derivatives(&self, b: f64) -> (f64, f64) {
        let mix = 1.0 / (self.y.len() + 1) as f64;
        let (mut slope, mut curvature) = (0.0, 0.0);
        let mut l = vec![0.0; self.classes];
        for (i, (p, &class)) in self.probabilities.chunks_exact(self.classes).zip(self.y).enumerate() {
            l.iter_mut().zip(p).for_each(|(l, p)| *l = p.max(LEAST).ln());
            let most = l.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let (mut sum, mut first, mut second) = (0.0, 0.0, 0.0);
            for &l in &l {
                let e = (b * (l - most)).exp();
                sum += e;
                first += e * l;
                second += e * l * l;
            }
            let mean = first / sum;
            let target = (1.0 - mix) * l[class as usize] + mix * l.iter().sum::<f64>() / l.len() as f64;
            let weight = self.weights.map_or(1.0, |weights| weights[i]);
            slope += weight * (mean - target);
            curvature += weight * (second / sum - mean * mean);
        }
        (slope, curvature)
    }
}

/// More are not known of an estimate, and these are the same on machines whose logarithms differ in the last bit.
fn five_digits(x: f64) -> f64 {
    format!("{x:.4e}").parse().unwrap_or(x)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chainrule::Key;

    /// Logits of three classes, their softmax, and classes drawn from the softmax of `factor` times the logits.
    fn drawn(rows: usize, factor: f64) -> (Vec<f64>, Vec<u32>) {
        let key = Key::new(3);
        let (mut probabilities, mut y) = (vec![], vec![]);
        for i in 0..rows as u64 {
            let z: Vec<f64> = (0..3).map(|k| 6.0 * key.uniform(4 * i + k)).collect();
            let softmax = |f: f64| {
                let e: Vec<f64> = z.iter().map(|z| (f * z).exp()).collect();
                let sum: f64 = e.iter().sum();
                e.into_iter().map(|e| e / sum).collect::<Vec<_>>()
            };
            let (p, u) = (softmax(factor), key.uniform(4 * i + 3));
            y.push(if u < p[0] { 0 } else { 1 + u32::from(u > p[0] + p[1]) });
            probabilities.extend(softmax(1.0));
        }
        (probabilities, y)
    }

    fn at(temperature: f64) -> Calibration {
        Calibration { smoothing: None, temperature: Some(temperature) }
    }

    #[test]
    fn the_smoothing_of_the_labels_is_taken_out() {
        let (p, y) = drawn(40_000, 1.0);
        let smoothed: Vec<f64> = p.iter().map(|p| 0.9 * p + 0.1 / 3.0).collect();
        let found = Calibration::fit(&smoothed, 3, &y, None, 0.1);
        assert!((0.09..=0.1).contains(&found.smoothing.unwrap()), "{found:?}");
        assert!(found.temperature.is_none_or(|t| (0.97..1.03).contains(&t)), "{found:?}");
        let mut again = smoothed.clone();
        Calibration { smoothing: Some(0.1), temperature: None }.apply(&mut again, 3);
        // But for the least probabilities, of which a tenth of 0.1 / 3 is left, these are they.
        assert!(p.iter().zip(&again).all(|(p, q)| (p - q).abs() < 8e-3));
        assert!(
            p.chunks(3).zip(again.chunks(3)).all(|(p, q)| p.iter().any(|&p| p < 0.005) || (p[0] - q[0]).abs() < 1e-12)
        );
        assert_eq!(Calibration::fit(&p, 3, &y, None, 0.1).smoothing, None);
        // The order of the classes stays, also below the share of the smoothing.
        let mut few = [0.96, 0.03, 0.01];
        Calibration { smoothing: Some(0.1), temperature: None }.apply(&mut few, 3);
        assert!(few[0] > few[1] && few[1] > few[2] && few[2] > 0.0 && (few.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn the_temperature_that_the_classes_were_drawn_with_is_found() {
        for (factor, expected) in [(0.5, 2.0), (2.0, 0.5), (1.25, 0.8)] {
            let (p, y) = drawn(40_000, factor);
            let found = Calibration::fit(&p, 3, &y, None, 0.0).temperature.unwrap();
            assert!((found / expected - 1.0).abs() < 0.03, "{found} {expected}");
        }
    }

    #[test]
    fn it_is_where_a_search_finds_the_least() {
        let (p, y) = drawn(200, 0.7);
        let weights: Vec<f64> = (0..200).map(|i| f64::from(i % 3)).collect();
        let found = Calibration::fit(&p, 3, &y, Some(&weights), 0.0).temperature.unwrap();
        let loss = |temperature: f64| {
            let mut scaled = p.clone();
            at(temperature).apply(&mut scaled, 3);
            let rows = scaled.chunks_exact(3).zip(&y).zip(&weights);
            let mixed = |(p, y): (&[f64], &u32)| {
                let all = p.iter().map(|p| p.ln()).sum::<f64>() / 3.0;
                -(200.0 * p[*y as usize].ln() + all) / 201.0
            };
            rows.map(|(row, w)| w * mixed(row)).sum::<f64>()
        };
        assert!(loss(found) < loss(0.999 * found) && loss(found) < loss(1.001 * found), "{found}");
    }

    #[test]
    fn rows_that_are_all_right_leave_room_for_errors() {
        let p = [0.9, 0.1, 0.2, 0.8, 0.95, 0.05].repeat(10);
        let y = [0, 1, 0].repeat(10);
        let temperature = Calibration::fit(&p, 2, &y, None, 0.0).temperature.unwrap();
        let mut scaled = p.clone();
        at(temperature).apply(&mut scaled, 2);
        let least = scaled.iter().copied().fold(1.0, f64::min);
        assert!(temperature < 1.0 && least > 1e-4, "{temperature} {least}");
    }

    #[test]
    fn nothing_becomes_more_probable_than_what_it_was_not() {
        let mut p = vec![0.5, 0.5, 0.0, 1.0, 0.0, 0.0, 0.2, 0.3, 0.5];
        at(3.0).apply(&mut p, 3);
        assert_eq!(&p[..6], [0.5, 0.5, 0.0, 1.0, 0.0, 0.0]);
        assert!(p[6] < p[7] && p[7] < p[8] && (p[6] + p[7] + p[8] - 1.0).abs() < 1e-15 && p[8] < 0.5);
    }

    #[test]
    fn a_temperature_that_helps_nothing_is_none() {
        let p = [0.5, 0.5].repeat(4);
        assert_eq!(Calibration::fit(&p, 2, &[0, 1, 0, 1], None, 0.1), Calibration::default());
    }
}
