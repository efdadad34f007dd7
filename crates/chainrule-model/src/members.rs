//! Bagging (Breiman 1996): several networks, each trained on all rows but a part of its own, which chooses its epoch.

use chainrule::{EpochRecord, Key, Metric};

use crate::error::{Result, setting};
use crate::settings::Settings;
use crate::split::{folds, holdout};

/// The rows that one network learns from, and those that choose its epoch; both in ascending order.
#[derive(Clone)]
pub(crate) struct Part {
    pub(crate) train: Vec<u32>,
    pub(crate) valid: Vec<u32>,
}

/// The part of each member among `rows`, `classes` being the class of each: one is trained on what a random holdout leaves,
/// several on all folds but their own. There are as many folds as members, or more where these would hold out more than
/// `valid_fraction`. Without validation rows (`hold` is false) all members get all rows.
pub(crate) fn parts(rows: &[u32], classes: Option<&[u32]>, hold: bool, settings: &Settings) -> Result<Vec<Part>> {
    let members = settings.members;
    if members > rows.len() {
        return setting(format!("members must be 1 to {} (the rows of the table), got {members}", rows.len()));
    }
    if !hold {
        return Ok(vec![Part { train: rows.to_vec(), valid: vec![] }; members]);
    }
    let key = Key::new(settings.seed);
    let numbers = |places: Vec<u32>| places.into_iter().map(|place| rows[place as usize]).collect();
    if members == 1 {
        let (train, valid) = holdout(rows.len(), classes, settings.valid_fraction, key.part(1));
        return Ok(vec![Part { train: numbers(train), valid: numbers(valid) }]);
    }
    let least = (1.0 / settings.valid_fraction).round() as usize;
    let fold_of = folds(rows.len(), classes, members.max(least).min(rows.len()), key.part(1));
    let part = |member: usize| {
        let (valid, train) = (0..rows.len() as u32).partition(|&place| fold_of[place as usize] == member);
        Part { train: numbers(train), valid: numbers(valid) }
    };
    Ok((0..members).map(part).collect())
}

/// The seed of member `i`; that of the first is the model's.
pub(crate) fn seed(seed: u64, member: usize) -> u64 {
    if member == 0 { seed } else { Key::new(seed).part(3).bits(member as u64) }
}

/// The epoch after which a member must have learned something: a quarter of all, but not before the first few, whose scores
/// say little.
pub(crate) fn judged_after(epochs: usize) -> usize {
    epochs.div_ceil(4).max(16)
}

/// Whether a member with these epochs is hopeless beside `others`, all until [`judged_after`]: its best score is worse than
/// the first score of every other, by more than these differ among each other, and since its own first epoch it gained less
/// than a quarter of what any other did, each of which gained more than the first scores differ. The former alone may be a
/// part that is harder than theirs, the latter alone one that needs no more. Never for fewer than three others.
pub(crate) fn is_hopeless(own: &[EpochRecord], others: &[&[EpochRecord]], metric: Metric, epochs: usize) -> bool {
    // As errors: smaller is better.
    let error = |score: f64| if metric.rises() { -score } else { score };
    let course = |history: &[EpochRecord]| -> Option<(f64, f64)> {
        let until = history.iter().take(judged_after(epochs));
        let mut errors = until.filter_map(|record| record.valid_score).filter(|score| score.is_finite()).map(error);
        let first = errors.next()?;
        Some((first, errors.fold(first, f64::min)))
    };
    let others: Vec<(f64, f64)> = others.iter().filter_map(|history| course(history)).collect();
    if others.len() < 3 {
        return false;
    }
    let Some((first, best)) = course(own) else { return true };
    let firsts = || others.iter().map(|(first, _)| *first);
    let (easiest, hardest) = (firsts().fold(f64::INFINITY, f64::min), firsts().fold(f64::NEG_INFINITY, f64::max));
    let least_gain = others.iter().map(|(first, best)| first - best).fold(f64::INFINITY, f64::min);
    let spread = hardest - easiest;
    best > hardest + spread && least_gain > spread && first - best < 0.25 * least_gain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(members: usize) -> Settings {
        Settings { members, ..Settings::default() }
    }

    #[test]
    fn every_row_is_held_out_once_and_by_class() {
        // Every other row of 200; each tenth of them is of class 1.
        let rows: Vec<u32> = (0..100).map(|i| 2 * i).collect();
        let classes: Vec<u32> = (0..100).map(|i| u32::from(i % 10 == 0)).collect();
        let parts = parts(&rows, Some(&classes), true, &settings(5)).unwrap();
        let mut held: Vec<u32> = parts.iter().flat_map(|part| part.valid.clone()).collect();
        held.sort_unstable();
        assert_eq!(held, rows);
        for part in &parts {
            assert_eq!((part.train.len(), part.valid.len()), (80, 20));
            assert_eq!(part.valid.iter().filter(|&&row| classes[row as usize / 2] == 1).count(), 2);
            assert!(part.train.iter().all(|row| !part.valid.contains(row)));
        }
    }

    #[test]
    fn few_members_hold_out_no_more_than_one_does() {
        let rows: Vec<u32> = (0..100).collect();
        let parts = parts(&rows, None, true, &Settings { valid_fraction: 0.2, ..settings(2) }).unwrap();
        assert_eq!(parts.iter().map(|part| (part.train.len(), part.valid.len())).collect::<Vec<_>>(), [(80, 20); 2]);
        assert!(parts[0].valid.iter().all(|row| !parts[1].valid.contains(row)));
    }

    #[test]
    fn members_beyond_the_rows_are_refused() {
        let message = parts(&[0, 1, 2], None, true, &settings(4)).err().unwrap().to_string();
        assert_eq!(message, "members must be 1 to 3 (the rows of the table), got 4");
        assert_eq!(parts(&[0, 1, 2], None, true, &settings(3)).unwrap().len(), 3);
    }

    #[test]
    fn without_validation_rows_all_learn_from_all() {
        let parts = parts(&[4, 5, 6], None, false, &settings(2)).unwrap();
        assert!(parts.len() == 2 && parts.iter().all(|part| part.train == [4, 5, 6] && part.valid.is_empty()));
        assert!(seed(7, 0) == 7 && seed(7, 1) != 7 && seed(7, 1) != seed(7, 2) && seed(7, 1) != seed(8, 1));
    }

    fn history(scores: &[f64]) -> Vec<EpochRecord> {
        let record = |(i, &score): (usize, &f64)| EpochRecord {
            epoch: i + 1,
            train_cost: 0.0,
            valid_score: Some(score),
            learning_rate: 0.1,
            best: false,
        };
        scores.iter().enumerate().map(record).collect()
    }

    #[test]
    fn who_learns_nothing_while_all_others_do_is_hopeless() {
        let of = |all: &[&[f64]]| all.iter().map(|scores| history(scores)).collect::<Vec<_>>();
        let judge = |own: &[f64], others: &[Vec<EpochRecord>], metric: Metric| {
            is_hopeless(&history(own), &others.iter().map(Vec::as_slice).collect::<Vec<_>>(), metric, 8)
        };
        let others = of(&[&[0.8, 0.5, 0.4], &[0.7, 0.5, 0.5], &[0.75, 0.3]]);
        let hopeless = |own: &[f64]| judge(own, &others, Metric::Cost);
        // Worst first score 0.8, difference 0.1: the limit is 0.9. The least gain is 0.2, a quarter of it 0.05.
        assert!(!hopeless(&[0.9, 0.89]) && hopeless(&[0.93, 0.91]) && !hopeless(&[0.97, 0.91]));
        assert!(hopeless(&[0.95, 1.2]) && hopeless(&[7.0]) && hopeless(&[f64::NAN]) && hopeless(&[]));
        assert!(!judge(&[9.0, 9.0], &others[..2], Metric::Cost));
        // What comes after the sixteenth epoch does not count.
        let late = [[0.95; 16].as_slice(), &[0.1]].concat();
        assert!(hopeless(&late) && !hopeless(&late[1..]));
        // The others gained less than their first scores differ.
        assert!(!judge(&[7.0], &of(&[&[0.8, 0.71], &[0.7, 0.5], &[0.7, 0.5]]), Metric::Cost));
        let rising = of(&[&[0.7, 0.85], &[0.8, 0.95], &[0.8, 0.96]]);
        assert!(judge(&[0.58, 0.59], &rising, Metric::Accuracy) && !judge(&[0.58, 0.61], &rising, Metric::Accuracy));
    }
}
