//! How many trials go how far.

use std::cmp::Ordering;

use super::Outcome;
use crate::score::Score;

/// One trial in so many goes on to the next rung, where it has so many times the epochs.
const FACTOR: usize = 3;

/// Fewer epochs than this say little.
const FEWEST_EPOCHS: usize = 5;

/// By what the rungs divide `epochs`, the first the most: as many rungs as trials and epochs last for.
pub(super) fn divisors(trials: usize, epochs: usize) -> Vec<usize> {
    let mut divisors = vec![1];
    while let Some(next) = divisors.last().map(|last| last * FACTOR) {
        if next > trials || epochs / next < FEWEST_EPOCHS {
            break;
        }
        divisors.push(next);
    }
    divisors.reverse();
    divisors
}

/// Trials on each rung.
pub(super) fn sizes(trials: usize, rungs: usize) -> Vec<usize> {
    std::iter::successors(Some(trials), |count| Some(count.div_ceil(FACTOR))).take(rungs).collect()
}

/// The trials that go on to the next rung, the best first.
pub(super) fn promoted(outcomes: &[&Outcome], score: Score) -> Vec<usize> {
    let mut order = outcomes.to_vec();
    order.sort_by(|a, b| compare(a, b, score));
    let count = outcomes.len().div_ceil(FACTOR);
    order.iter().take(count).filter(|o| o.score.is_some()).map(|o| o.trial).collect()
}

/// The last outcome of each trial, the best first.
pub(super) fn ranking(outcomes: &[Outcome], score: Score) -> Vec<&Outcome> {
    let is_last = |o: &&Outcome| !outcomes.iter().any(|other| other.trial == o.trial && other.rung > o.rung);
    let mut last: Vec<&Outcome> = outcomes.iter().filter(is_last).collect();
    last.sort_by(|a, b| {
        let failed = a.score.is_none().cmp(&b.score.is_none());
        failed.then(b.rung.cmp(&a.rung)).then(compare(a, b, score))
    });
    last
}

/// The better score first, then the earlier trial; none last.
fn compare(a: &Outcome, b: &Outcome, score: Score) -> Ordering {
    let by_score = match (a.score, b.score) {
        (Some(a), Some(b)) if score.rises() => b.total_cmp(&a),
        (Some(a), Some(b)) => a.total_cmp(&b),
        (a, b) => a.is_none().cmp(&b.is_none()),
    };
    by_score.then(a.trial.cmp(&b.trial))
}

#[cfg(test)]
mod tests {
    use super::super::Choice;
    use super::*;

    fn outcome(trial: usize, rung: usize, score: Option<f64>) -> Outcome {
        let (choice, epochs) = (Choice::default(), 1);
        Outcome { trial, rung, epochs, score, best_epoch: None, seconds: 0.0, choice, error: None }
    }

    #[test]
    fn rungs_last_as_long_as_trials_and_epochs_do() {
        assert_eq!(divisors(40, 100), [9, 3, 1]);
        assert_eq!(divisors(8, 100), [3, 1]);
        assert_eq!(divisors(40, 14), [1]);
        assert_eq!(divisors(1, 1), [1]);
        assert_eq!(sizes(40, 3), [40, 14, 5]);
        assert_eq!(sizes(1, 1), [1]);
    }

    #[test]
    fn the_best_third_goes_on_and_ties_go_to_the_first() {
        let scores = [Some(0.5), None, Some(0.1), Some(0.1), Some(0.9), Some(0.2), Some(0.7)];
        let outcomes: Vec<Outcome> = (1..).zip(scores).map(|(trial, score)| outcome(trial, 1, score)).collect();
        let all: Vec<&Outcome> = outcomes.iter().rev().collect();
        assert_eq!(promoted(&all, "rmse".parse().unwrap()), [3, 4, 6]);
        assert_eq!(promoted(&all, "auc".parse().unwrap()), [5, 7, 1]);
        let failed = [outcome(1, 1, None), outcome(2, 1, None)];
        assert!(promoted(&failed.iter().collect::<Vec<_>>(), "rmse".parse().unwrap()).is_empty());
    }

    #[test]
    fn who_came_further_ranks_higher() {
        let outcomes = [
            outcome(1, 1, Some(0.1)),
            outcome(2, 1, Some(0.3)),
            outcome(2, 2, Some(0.4)),
            outcome(3, 1, Some(0.2)),
            outcome(3, 2, None),
        ];
        let order: Vec<usize> = ranking(&outcomes, "rmse".parse().unwrap()).iter().map(|o| o.trial).collect();
        assert_eq!(order, [2, 1, 3]);
    }
}
