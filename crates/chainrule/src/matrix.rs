//! The numeric features of a network's rows, as a caller has them.

use std::ops::Range;

use crate::error::{Error, Result, expect_len};
use crate::scalar::Scalar;

/// A (rows x width) matrix.
#[derive(Clone, Copy, Debug)]
pub enum Matrix<'a, T> {
    /// All elements, row-major.
    Dense(&'a [T]),
    /// Those that are stored; the others are zero.
    Sparse(SparseMatrix<'a, T>),
    /// One of the above, and how training has stored it for itself.
    #[doc(hidden)]
    Split { matrix: &'a Matrix<'a, T>, parts: &'a Split<T> },
}

/// Elements of a matrix, row after row (CSR): of texts as counts of words, of categories as columns of 0 and 1. A network whose first
/// layer is dense never sees the zeros: it costs what the stored elements cost, and its results are those of the whole matrix.
#[derive(Clone, Copy, Debug)]
pub struct SparseMatrix<'a, T> {
    /// Where the elements of each row start, and where those of the last row end.
    pub starts: &'a [usize],
    /// The elements' columns, which ascend in each row.
    pub columns: &'a [u32],
    /// The elements.
    pub values: &'a [T],
}

/// A matrix whose columns are stored in two ways: some whole, of the others what differs from their usual value. See
/// `kernel/sparse/mod.rs`.
#[derive(Clone, Debug, Default)]
pub struct Split<T> {
    /// The columns that are whole, ascending.
    pub(crate) whole: Vec<u32>,
    /// Their elements, row-major.
    pub(crate) elements: Vec<T>,
    /// Of the others those whose usual value is not zero, ascending, and this value.
    pub(crate) usual: Vec<(u32, T)>,
    /// What differs from the usual values: as in [`SparseMatrix`].
    pub(crate) starts: Vec<usize>,
    pub(crate) columns: Vec<u32>,
    pub(crate) differences: Vec<T>,
}

impl<T> Split<T> {
    /// The part that is not whole.
    pub(crate) fn rest(&self) -> SparseMatrix<'_, T> {
        SparseMatrix { starts: &self.starts, columns: &self.columns, values: &self.differences }
    }
}

impl<'a, T: Scalar> Matrix<'a, T> {
    /// Compares the sizes with the shape and looks for numbers that are not finite.
    pub(crate) fn check(&self, rows: usize, width: usize) -> Result<()> {
        match self {
            Self::Dense(values) => {
                expect_len("numeric inputs", rows * width, values.len())?;
                let bad = first_not_finite(values);
                bad.map_or(Ok(()), |at| Err(not_finite(at / width, at % width, values[at])))
            }
            Self::Sparse(sparse) => sparse.check(rows, width),
            Self::Split { matrix, .. } => matrix.check(rows, width),
        }
    }

    /// Calls `f` with column and value of each element of a row; of a sparse matrix only of those that are stored.
    pub(crate) fn for_each(&self, width: usize, row: usize, mut f: impl FnMut(usize, T)) {
        match self {
            Self::Dense(values) => {
                values[row * width..][..width].iter().enumerate().for_each(|(column, &x)| f(column, x));
            }
            Self::Sparse(sparse) => {
                let (columns, values) = sparse.row(row);
                columns.iter().zip(values).for_each(|(&column, &x)| f(column as usize, x));
            }
            Self::Split { matrix, .. } => matrix.for_each(width, row, f),
        }
    }

    /// All elements of some rows in double precision, row-major.
    pub(crate) fn widen(&self, width: usize, rows: impl ExactSizeIterator<Item = usize>) -> Vec<f64> {
        let mut wide = vec![0.0; rows.len() * width];
        for (place, row) in rows.enumerate() {
            self.for_each(width, row, |column, x| wide[place * width + column] = x.to_f64());
        }
        wide
    }
}

impl<'a, T: Scalar> SparseMatrix<'a, T> {
    /// Columns and values of the elements of a row.
    pub(crate) fn row(&self, row: usize) -> (&'a [u32], &'a [T]) {
        let place = self.place(row);
        (&self.columns[place.clone()], &self.values[place])
    }

    /// Where the elements of a row are.
    pub(crate) fn place(&self, row: usize) -> Range<usize> {
        self.starts[row]..self.starts[row + 1]
    }

    fn check(&self, rows: usize, width: usize) -> Result<()> {
        let Self { starts, columns, values } = *self;
        expect_len("starts of a sparse matrix's rows", rows + 1, starts.len())?;
        expect_len("columns of a sparse matrix's elements", values.len(), columns.len())?;
        if starts[0] != 0 || starts[rows] != values.len() || !starts.is_sorted() {
            return Err(Error::Setting("the rows of a sparse matrix do not start one after the other".into()));
        }
        for row in 0..rows {
            let (columns, values) = self.row(row);
            if !columns.is_sorted_by(|a, b| a < b) || columns.last().is_some_and(|&last| last as usize >= width) {
                let what =
                    format!("row {}: the columns of a sparse matrix must ascend and be less than {width}", row + 1);
                return Err(Error::Setting(what));
            }
            if let Some(at) = first_not_finite(values) {
                return Err(not_finite(row, columns[at] as usize, values[at]));
            }
        }
        Ok(())
    }
}

/// Numbers that are looked at together.
const PIECE: usize = 1024;

/// The place of the first number that is not finite.
pub(crate) fn first_not_finite<T: Scalar>(values: &[T]) -> Option<usize> {
    // No way out of this loop: the compiler makes vectors of it.
    let all_finite = |piece: &[T]| piece.iter().fold(true, |all, x| all & x.is_finite());
    let start = PIECE * values.chunks(PIECE).position(|piece| !all_finite(piece))?;
    Some(start + values[start..].iter().position(|x| !x.is_finite())?)
}

fn not_finite<T: Scalar>(row: usize, feature: usize, value: T) -> Error {
    Error::Input { row: row + 1, feature: feature + 1, value: value.to_f64() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_number_that_is_not_finite_is_found_wherever_it_stands() {
        let mut values = vec![1.0; 2 * PIECE + 5];
        assert_eq!((first_not_finite(&values), first_not_finite::<f64>(&[])), (None, None));
        for at in [2 * PIECE + 4, 2 * PIECE, PIECE, PIECE - 1, 7, 0] {
            values[at] = if at % 2 == 0 { f64::NEG_INFINITY } else { f64::NAN };
            assert_eq!(first_not_finite(&values), Some(at));
        }
    }
}
