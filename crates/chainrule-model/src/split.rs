//! Which rows train and which rows judge.

use chainrule::Key;

/// Cuts 0..rows into training rows and held-out rows, a `fraction` of each class (or of all where there are none), at
/// random; both in ascending order. A class of one row stays in training.
pub(crate) fn holdout(rows: usize, classes: Option<&[u32]>, fraction: f64, key: Key) -> (Vec<u32>, Vec<u32>) {
    let mut held = vec![false; rows];
    for group in shuffled_groups(rows, classes, key) {
        let count = (group.len() as f64 * fraction).round() as usize;
        for &row in &group[..count.min(group.len().saturating_sub(1))] {
            held[row as usize] = true;
        }
    }
    (0..rows as u32).partition(|&row| !held[row as usize])
}

/// Gives each row a fold 0..folds, equally many of each class (or of all) in each fold as far as numbers allow.
pub(crate) fn folds(rows: usize, classes: Option<&[u32]>, folds: usize, key: Key) -> Vec<usize> {
    let mut fold_of = vec![0; rows];
    let mut next = 0;
    for row in shuffled_groups(rows, classes, key).into_iter().flatten() {
        fold_of[row as usize] = next;
        next = (next + 1) % folds;
    }
    fold_of
}

/// The rows of each class in random order.
fn shuffled_groups(rows: usize, classes: Option<&[u32]>, key: Key) -> Vec<Vec<u32>> {
    let count = classes.map_or(1, |c| c.iter().max().map_or(0, |&most| most as usize + 1));
    let mut groups = vec![Vec::new(); count];
    for row in 0..rows as u32 {
        groups[classes.map_or(0, |c| c[row as usize] as usize)].push(row);
    }
    for (i, group) in groups.iter_mut().enumerate() {
        key.part(i as u64).shuffle(group);
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_holdout_takes_its_part_of_every_class() {
        let classes: Vec<u32> = (0..100).map(|i| u32::from(i % 10 == 0)).chain([2]).collect();
        let (train, held) = holdout(101, Some(&classes), 0.2, Key::new(1));
        let count = |rows: &[u32], class: u32| rows.iter().filter(|&&r| classes[r as usize] == class).count();
        assert_eq!((count(&held, 0), count(&held, 1), count(&held, 2)), (18, 2, 0));
        assert_eq!(train.len() + held.len(), 101);
        assert!(train.is_sorted() && held.is_sorted());
        assert_ne!(holdout(101, Some(&classes), 0.2, Key::new(2)).1, held);
    }

    #[test]
    fn folds_are_equal_in_size_and_class() {
        let classes: Vec<u32> = (0..100).map(|i| u32::from(i % 5 == 0)).collect();
        let fold_of = folds(100, Some(&classes), 5, Key::new(1));
        for fold in 0..5 {
            let rows: Vec<usize> = (0..100).filter(|&r| fold_of[r] == fold).collect();
            assert_eq!((rows.len(), rows.iter().filter(|&&r| classes[r] == 1).count()), (20, 4));
        }
    }

    #[test]
    fn without_classes_every_row_is_alike() {
        let (train, held) = holdout(10, None, 0.3, Key::new(1));
        assert_eq!((train.len(), held.len()), (7, 3));
        assert!(holdout(1, None, 0.5, Key::new(1)).1.is_empty());
    }
}
