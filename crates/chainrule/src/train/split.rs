//! Features that training stores in another way than its caller, to be faster: columns that have one value in most rows, as columns of 0 and 1
//! for categories do, or the pixels around a digit, are there where they differ from it; all others whole.

use crate::data::Inputs;
use crate::matrix::{Matrix, Split, first_not_finite};
use crate::network::Network;
use crate::scalar::Scalar;

/// Rows that are looked at, evenly spaced.
const SAMPLE: usize = 512;

/// The least rows, features and units of the first layer: with fewer there is too little to gain.
const LEAST_ROWS: usize = 256;
const LEAST_FEATURES: usize = 32;
const LEAST_UNITS: usize = 64;

/// The largest share of its elements that may differ from the usual value of a column that is not whole.
const SHARE: f64 = 0.3;

/// What a stored element costs, that of a whole column being 1.
const COST: f64 = 2.5;

/// The largest part of the cost of all elements that may be left. Measured, on 100 units: steps on 105 features of which 0.2 are left take half
/// the time, on 54 with 0.3 left two thirds, on 64 with 0.5 left nine tenths; with 0.7 left no less.
const WORTH: f64 = 0.5;

/// How a column is to be stored.
#[derive(Clone, Copy)]
enum Column<T> {
    /// Whole, as number so and so of the whole ones.
    Whole(usize),
    /// Where it differs from this value.
    Usual(T),
}

/// The features for the training of `network`, if it is worth it.
pub(super) fn worthwhile<T: Scalar>(network: &Network<T>, inputs: &Inputs<'_, T>) -> Option<Split<T>> {
    let Inputs { rows, width, ref numeric, .. } = *inputs;
    let units = network.topology.layers.first()?.outputs;
    let large = rows >= LEAST_ROWS && width >= LEAST_FEATURES && units >= LEAST_UNITS;
    if !large || !network.topology.takes_sparse() {
        return None;
    }
    let (columns, stored) = columns(numeric, rows, width);
    let whole = columns.iter().filter(|column| matches!(column, Column::Whole(_))).count();
    let is_plain = |column: &Column<T>| matches!(column, Column::Usual(u) if *u == T::ZERO);
    let as_it_is = matches!(numeric, Matrix::Sparse(_)) && columns.iter().all(is_plain);
    if as_it_is || whole as f64 + COST * stored > WORTH * width as f64 {
        return None;
    }
    split(inputs, &columns, (whole * rows, (stored * rows as f64) as usize))
}

/// How each column is to be stored, and elements of a row that differ from the usual values.
fn columns<T: Scalar>(numeric: &Matrix<'_, T>, rows: usize, width: usize) -> (Vec<Column<T>>, f64) {
    let sample = rows.min(SAMPLE);
    let mut seen = vec![Seen::default(); width];
    let sampled = || (0..sample).map(|i| i * rows / sample);
    sampled().for_each(|row| numeric.for_each(width, row, |column, x| seen[column].vote(x)));
    sampled().for_each(|row| numeric.for_each(width, row, |column, x| seen[column].count(x)));
    let (mut whole, mut stored) = (0, 0.0);
    let column = |seen: &Seen<T>| {
        let [zeros, others] = [seen.others, sample - seen.equal].map(|differ| differ as f64 / sample as f64);
        let (usual, share) = if zeros <= others { (T::ZERO, zeros) } else { (seen.candidate, others) };
        if share > SHARE {
            whole += 1;
            return Column::Whole(whole - 1);
        }
        stored += share;
        Column::Usual(usual)
    };
    (seen.iter().map(column).collect(), stored)
}

/// What is known of a column: a vote finds the value that more than half of the elements have, if there is one (Boyer and Moore).
#[derive(Clone, Copy, Default)]
struct Seen<T> {
    candidate: T,
    lead: usize,
    /// Elements that are not zero.
    others: usize,
    /// Elements that are the candidate.
    equal: usize,
}

impl<T: Scalar> Seen<T> {
    /// Zeros have no vote: they need not be stored.
    fn vote(&mut self, x: T) {
        if x == T::ZERO {
            return;
        }
        self.others += 1;
        if self.lead == 0 {
            self.candidate = x;
        }
        if self.candidate == x { self.lead += 1 } else { self.lead -= 1 }
    }

    fn count(&mut self, x: T) {
        self.equal += usize::from(x != T::ZERO && x == self.candidate);
    }
}

/// Stores the features so. `expected`: elements of whole columns and of others. None if a difference is not finite.
fn split<T: Scalar>(inputs: &Inputs<'_, T>, columns: &[Column<T>], expected: (usize, usize)) -> Option<Split<T>> {
    let mut parts = Split {
        elements: Vec::with_capacity(expected.0),
        columns: Vec::with_capacity(expected.1),
        differences: Vec::with_capacity(expected.1),
        starts: vec![0],
        ..Split::default()
    };
    let mut rest = vec![];
    for (number, column) in (0..).zip(columns) {
        match *column {
            Column::Whole(_) => parts.whole.push(number),
            Column::Usual(u) => rest.push((number, u)),
        }
    }
    parts.usual = rest.iter().copied().filter(|(_, u)| *u != T::ZERO).collect();
    let mut room = (vec![0; rest.len()], vec![T::ZERO; rest.len()]);
    for row in 0..inputs.rows {
        match inputs.numeric {
            Matrix::Dense(x) => add_dense_row(&mut parts, &rest, &mut room, &x[row * inputs.width..][..inputs.width]),
            _ => add_row(&mut parts, columns, inputs, row),
        }
        parts.starts.push(parts.columns.len());
    }
    first_not_finite(&parts.differences).is_none().then_some(parts)
}

/// Adds a row of which all elements are there. `rest`: the columns that are not whole, and their usual values. `room`: for as many elements.
/// Every element is written there, and the next one over it unless it differs: a branch could not be foreseen.
fn add_dense_row<T: Scalar>(
    parts: &mut Split<T>,
    rest: &[(u32, T)],
    (columns, differences): &mut (Vec<u32>, Vec<T>),
    row: &[T],
) {
    parts.elements.extend(parts.whole.iter().map(|&column| row[column as usize]));
    let mut count = 0;
    for &(column, u) in rest {
        let x = row[column as usize];
        columns[count] = column;
        differences[count] = x - u;
        count += usize::from(x != u);
    }
    parts.columns.extend_from_slice(&columns[..count]);
    parts.differences.extend_from_slice(&differences[..count]);
}

/// Adds a row of a sparse matrix.
fn add_row<T: Scalar>(parts: &mut Split<T>, columns: &[Column<T>], inputs: &Inputs<'_, T>, row: usize) {
    let first = parts.elements.len();
    parts.elements.resize(first + parts.whole.len(), T::ZERO);
    for_each_not_usual(inputs, row, &parts.usual, |number, x| match columns[number] {
        Column::Whole(place) => parts.elements[first + place] = x,
        Column::Usual(u) if x != u => {
            parts.columns.push(number as u32);
            parts.differences.push(x - u);
        }
        Column::Usual(_) => {}
    });
}

/// Calls `f` with column and value of each element of a row that may differ from its column's usual value, in the order of the columns.
/// Of the elements that are not there only those of the columns `usual` may.
fn for_each_not_usual<T: Scalar>(inputs: &Inputs<'_, T>, row: usize, usual: &[(u32, T)], mut f: impl FnMut(usize, T)) {
    // An element that is not stored is zero, and zero is not usual in these columns.
    let mut later = usual.iter().map(|&(column, _)| column as usize).peekable();
    inputs.numeric.for_each(inputs.width, row, |column, x| {
        while let Some(unstored) = later.next_if(|&other| other < column) {
            f(unstored, T::ZERO);
        }
        later.next_if_eq(&column);
        f(column, x);
    });
    later.for_each(|unstored| f(unstored, T::ZERO));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::SparseMatrix;
    use crate::{Activation, Head, Hidden, NetworkSpec};

    const WIDTH: usize = 40;

    /// Columns of all kinds: 0 and 1 are whole, of the even ones from 2 on the usual value is not zero.
    fn features(rows: usize) -> Vec<f64> {
        let x = |row: usize, column: usize| match column {
            0 | 1 => (row * (column + 3)) as f64,
            _ if (row + column).is_multiple_of(11) => {
                if row.is_multiple_of(2) {
                    0.0
                } else {
                    row as f64 + 0.25
                }
            }
            _ if column.is_multiple_of(2) => -0.5 * column as f64,
            _ => 0.0,
        };
        (0..rows * WIDTH).map(|i| x(i / WIDTH, i % WIDTH)).collect()
    }

    fn split_of(units: usize, inputs: &Inputs<'_, f64>) -> Option<Split<f64>> {
        let spec = NetworkSpec::new(inputs.width, vec![Hidden::new(units, Activation::Relu)], 2, Head::gaussian());
        worthwhile(&Network::new(&spec, 1).unwrap(), inputs)
    }

    /// All elements, row-major.
    fn whole(parts: &Split<f64>, rows: usize) -> Vec<f64> {
        let mut x = vec![0.0; rows * WIDTH];
        for (row, x) in x.chunks_exact_mut(WIDTH).enumerate() {
            parts.usual.iter().for_each(|&(column, u)| x[column as usize] = u);
            let (columns, differences) = parts.rest().row(row);
            columns.iter().zip(differences).for_each(|(&column, d)| x[column as usize] += d);
            let elements = &parts.elements[row * parts.whole.len()..];
            parts.whole.iter().zip(elements).for_each(|(&column, &element)| x[column as usize] = element);
        }
        x
    }

    #[test]
    fn the_parts_are_the_matrix() {
        let x = features(700);
        let parts = split_of(64, &Inputs::numeric(&x, WIDTH)).unwrap();
        assert_eq!(parts.whole, [0, 1]);
        assert_eq!(parts.usual.len(), WIDTH / 2 - 1);
        assert!(parts.differences.len() < x.len() / 10 && parts.differences.iter().all(|d| *d != 0.0));
        assert_eq!(whole(&parts, 700), x);
    }

    /// With some of the zeros stored, as nothing forbids.
    #[test]
    fn a_sparse_matrix_has_the_parts_of_the_whole_one() {
        let x = features(700);
        let (mut starts, mut columns, mut values) = (vec![0], vec![], vec![]);
        for row in x.chunks_exact(WIDTH) {
            for (column, &x) in row.iter().enumerate().filter(|(column, x)| **x != 0.0 || column % 5 == 1) {
                columns.push(column as u32);
                values.push(x);
            }
            starts.push(values.len());
        }
        let sparse = SparseMatrix { starts: &starts, columns: &columns, values: &values };
        let found = split_of(64, &Inputs::sparse(sparse, WIDTH));
        assert_eq!(format!("{found:?}"), format!("{:?}", split_of(64, &Inputs::numeric(&x, WIDTH))));
    }

    #[test]
    fn there_are_none_where_it_would_not_be_faster() {
        let x = features(700);
        let none = |units, x: &[f64], width| assert!(split_of(units, &Inputs::numeric(x, width)).is_none());
        none(63, &x, WIDTH);
        none(64, &x[..255 * WIDTH], WIDTH);
        none(64, &x[..300 * 31], 31);
        let crowded: Vec<f64> = (0..x.len()).map(|i| if i % 3 == 0 { 0.0 } else { i as f64 }).collect();
        none(64, &crowded, WIDTH);
        // Nothing is apart in a matrix that is already without its zeros.
        let (columns, values) = ([2, 17], [1.0, 3.0]);
        let starts: Vec<usize> = (0..=300).map(|row| if row < 150 { 0 } else { 2 }.min(row)).collect();
        let sparse = SparseMatrix { starts: &starts, columns: &columns, values: &values };
        assert!(split_of(64, &Inputs::sparse(sparse, WIDTH)).is_none());
    }

    #[test]
    fn differences_are_finite() {
        let mut x = features(300);
        (0..300).for_each(|row| x[row * WIDTH + 3] = if row == 150 { f64::MAX } else { -f64::MAX });
        assert!(split_of(64, &Inputs::numeric(&x, WIDTH)).is_none());
    }
}
