//! Columns that say the same: one of them is enough.

use std::collections::HashMap;

use crate::categories::Categories;
use crate::table::{Column, Values};

/// The columns met so far, by a hash of their values in the training rows.
pub(super) struct Distinct<'a> {
    rows: &'a [u32],
    met: HashMap<u64, Vec<&'a Column>>,
}

impl<'a> Distinct<'a> {
    pub(super) fn new(rows: &'a [u32]) -> Distinct<'a> {
        Distinct { rows, met: HashMap::new() }
    }

    /// The earlier column of the same kind that has the same values in all training rows; if there is none, `column` is one
    /// from now on.
    pub(super) fn earlier(&mut self, column: &'a Column) -> Option<&'a str> {
        let met = self.met.entry(hash(&column.values, self.rows)).or_default();
        let same = met.iter().copied().find(|other| equal(&other.values, &column.values, self.rows));
        if same.is_none() {
            met.push(column);
        }
        same.map(|other| other.name.as_str())
    }
}

fn hash(values: &Values, rows: &[u32]) -> u64 {
    let rows = rows.iter().map(|&row| row as usize);
    match values {
        // The sum makes one zero of both.
        Values::Number(numbers) => fold(rows.map(|row| (numbers.get(row) + 0.0).to_bits())),
        Values::Boolean(flags) => fold(rows.map(|row| flags[row].map_or(2, u64::from))),
        Values::Time(times) => fold(rows.map(|row| times.micros[row] as u64)),
        Values::Category(Categories { codes, levels }) => {
            let of_level: Vec<u64> = levels.iter().map(|level| fold(level.bytes().map(u64::from))).collect();
            fold(rows.map(|row| of_level.get(codes[row] as usize).copied().unwrap_or_default()))
        }
    }
}

/// Fast and good enough to tell columns apart; those of one hash are compared.
fn fold(words: impl Iterator<Item = u64>) -> u64 {
    words.fold(0, |hash, word| (hash ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29))
}

fn equal(one: &Values, other: &Values, rows: &[u32]) -> bool {
    let mut rows = rows.iter().map(|&row| row as usize);
    match (one, other) {
        (Values::Number(a), Values::Number(b)) => rows.all(|row| {
            let (a, b) = (a.get(row), b.get(row));
            a == b || (a.is_nan() && b.is_nan())
        }),
        (Values::Boolean(a), Values::Boolean(b)) => rows.all(|row| a[row] == b[row]),
        (Values::Time(a), Values::Time(b)) => rows.all(|row| a.micros[row] == b.micros[row]),
        (Values::Category(a), Values::Category(b)) => rows.all(|row| a.get(row) == b.get(row)),
        _ => false,
    }
}
