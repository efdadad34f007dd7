//! Scores of class probabilities.

use super::weight;

/// Scores of class probabilities against the true classes.
#[derive(Clone, Debug, PartialEq)]
pub struct ClassificationScores {
    /// Part of rows whose most probable class is right.
    pub accuracy: f64,
    /// Mean over the classes that occur of the part of their rows that is right.
    pub balanced_accuracy: f64,
    /// Mean of -ln p(true class), p kept above 1e-15.
    pub log_loss: f64,
    /// Area under the ROC curve of the second class; for more classes the mean of one class against the rest. None
    /// where a class is missing on one side.
    pub auc: Option<f64>,
    /// F1 of the second class; for more classes the mean over the classes that occur or are predicted.
    pub f1: f64,
    /// Expected calibration error (Naeini, Cooper, Hauskrecht 2015): how far the probability of the most probable class
    /// is from the part of rows where it is right, in each of 15 bins of equal width of that probability, averaged over the
    /// rows.
    pub calibration_error: f64,
    /// Total weight of each (true class, predicted class), row-major.
    pub confusion: Vec<Vec<f64>>,
}

/// Scores `probabilities` (rows x classes, row-major) against the classes `y`. Ties go to the first class.
pub fn classification(probabilities: &[f64], classes: usize, y: &[u32], w: Option<&[f64]>) -> ClassificationScores {
    let mut confusion = vec![vec![0.0; classes]; classes];
    let (mut loss, mut total) = (0.0, 0.0);
    let mut bins = [0.0; BINS];
    for (i, (p, &class)) in probabilities.chunks_exact(classes).zip(y).enumerate() {
        let weight = weight(w, i);
        let best = most_probable(p);
        confusion[class as usize][best] += weight;
        let right = if best == class as usize { 1.0 } else { 0.0 };
        bins[bin(p[best])] += weight * (right - p[best]);
        loss -= weight * p[class as usize].max(1e-15).ln();
        total += weight;
    }
    let right: f64 = (0..classes).map(|k| confusion[k][k]).sum();
    let recalls: Vec<f64> = confusion
        .iter()
        .enumerate()
        .filter_map(|(k, row)| {
            let all: f64 = row.iter().sum();
            (all > 0.0).then(|| row[k] / all)
        })
        .collect();
    let mean = |x: &[f64]| x.iter().sum::<f64>() / x.len() as f64;
    let one_against_rest = |class: usize| {
        let scores: Vec<f64> = probabilities.chunks_exact(classes).map(|p| p[class]).collect();
        let positive: Vec<bool> = y.iter().map(|&y| y as usize == class).collect();
        auc(&scores, &positive, w)
    };
    let (auc, f1) = if classes == 2 {
        (one_against_rest(1), f1(&confusion, 1).unwrap_or(0.0))
    } else {
        let aucs: Option<Vec<f64>> = (0..classes).map(one_against_rest).collect();
        let f1s: Vec<f64> = (0..classes).filter_map(|k| f1(&confusion, k)).collect();
        (aucs.map(|a| mean(&a)), mean(&f1s))
    };
    ClassificationScores {
        accuracy: right / total,
        balanced_accuracy: mean(&recalls),
        log_loss: loss / total,
        auc,
        f1,
        calibration_error: bins.iter().map(|gap: &f64| gap.abs()).sum::<f64>() / total,
        confusion,
    }
}

/// Bins of the expected calibration error.
const BINS: usize = 15;

/// The bin of a probability: (0, 1/15], (1/15, 2/15], ...
fn bin(p: f64) -> usize {
    ((p * BINS as f64).ceil() as usize).clamp(1, BINS) - 1
}

/// The first class with the largest probability.
pub fn most_probable(p: &[f64]) -> usize {
    p.iter().enumerate().fold(0, |best, (k, &x)| if x > p[best] { k } else { best })
}

/// 2 TP / (2 TP + FP + FN); None where the class neither occurs nor is predicted.
fn f1(confusion: &[Vec<f64>], class: usize) -> Option<f64> {
    let hits = confusion[class][class];
    let actual: f64 = confusion[class].iter().sum();
    let predicted: f64 = confusion.iter().map(|row| row[class]).sum();
    (actual + predicted > 0.0).then(|| 2.0 * hits / (actual + predicted))
}

/// The probability that a positive row scores above a negative one, ties counted half (Mann, Whitney 1947).
fn auc(scores: &[f64], positive: &[bool], w: Option<&[f64]>) -> Option<f64> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| scores[a].total_cmp(&scores[b]));
    let (mut below, mut area, mut positives) = (0.0, 0.0, 0.0);
    for tie in order.chunk_by(|&a, &b| scores[a] == scores[b]) {
        let (mut up, mut down) = (0.0, 0.0);
        for &i in tie {
            *(if positive[i] { &mut up } else { &mut down }) += weight(w, i);
        }
        area += up * (below + 0.5 * down);
        below += down;
        positives += up;
    }
    let pairs = positives * below;
    (pairs > 0.0).then(|| area / pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binary_scores_worked_by_hand() {
        // True 0 0 1 1 with p(1) = .1 .6 .35 .8: predicted 0 1 0 1.
        let p = [0.9, 0.1, 0.4, 0.6, 0.65, 0.35, 0.2, 0.8];
        let s = classification(&p, 2, &[0, 0, 1, 1], None);
        assert_eq!(s.confusion, vec![vec![1.0, 1.0], vec![1.0, 1.0]]);
        assert_eq!((s.accuracy, s.balanced_accuracy, s.f1), (0.5, 0.5, 0.5));
        // Pairs (negative, positive): .1<.35 .1<.8 .6>.35 .6<.8: 3 of 4.
        assert_eq!(s.auc, Some(0.75));
        let expected = -(0.9f64.ln() + 0.4f64.ln() + 0.35f64.ln() + 0.8f64.ln()) / 4.0;
        assert!((s.log_loss - expected).abs() < 1e-15);
    }

    #[test]
    fn a_weight_of_two_is_the_row_twice() {
        let p = [0.9, 0.1, 0.4, 0.6, 0.65, 0.35, 0.2, 0.8];
        let weighted = classification(&p, 2, &[0, 0, 1, 1], Some(&[1.0, 2.0, 1.0, 1.0]));
        let twice = [0.9, 0.1, 0.4, 0.6, 0.4, 0.6, 0.65, 0.35, 0.2, 0.8];
        assert_eq!(weighted, classification(&twice, 2, &[0, 0, 0, 1, 1], None));
    }

    #[test]
    fn the_calibration_error_worked_by_hand() {
        // .95 right and .96 wrong share a bin: 1 right where 1.91 were said. .6 right is alone: 1 where .6 was said.
        let p = [0.95, 0.05, 0.04, 0.96, 0.6, 0.4];
        let s = classification(&p, 2, &[0, 0, 0], None);
        assert!((s.calibration_error - (0.91 + 0.4) / 3.0).abs() < 1e-15, "{s:?}");
        // .9 and .94 are in different bins: 13.5 and 14.1 fifteenths.
        let apart = classification(&[0.9, 0.1, 0.06, 0.94], 2, &[0, 0], None);
        assert!((apart.calibration_error - (0.1 + 0.94) / 2.0).abs() < 1e-15, "{apart:?}");
        // .6 is nine fifteenths: it is right and shares the bin of .58, which is wrong.
        let border = classification(&[0.6, 0.4, 0.58, 0.42], 2, &[0, 1], None);
        assert!((border.calibration_error - 0.18 / 2.0).abs() < 1e-15, "{border:?}");
        assert_eq!((bin(0.0), bin(1.0 / 15.0), bin(0.0667), bin(1.0)), (0, 0, 1, 14));
    }

    #[test]
    fn ties_count_half_and_one_class_has_no_auc() {
        assert_eq!(auc(&[0.5, 0.5], &[true, false], None), Some(0.5));
        assert_eq!(auc(&[0.5, 0.7], &[true, true], None), None);
    }
}
