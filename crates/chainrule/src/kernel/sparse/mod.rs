//! Rows of which only some elements are stored, in the two orders in which the products of a first layer read them:
//!
//! | use | order |
//! |---|---|
//! | forward, Eq. (2): Z = H W + 1 b' | row by row: `panels.rs` |
//! | gradient, Eq. (6): W = Σ h delta' | column by column: `outer.rs` |
//!
//! A term of zero changes no sum: the chain of the stored elements has the bits of the chain of all. (The one difference: 0 times a weight
//! that is not finite would be no number.)
//!
//! Two kinds of columns can be set apart. Some are *whole*: all of their elements are there, in panels of their own, and go through the
//! kernels of dense matrices. Of others the *usual* value u is not zero, and the stored elements are what differs from it: with
//! h = u + d, Z = 1 (b + u' W)' + D W and Σ h delta' = u (Σ delta)' + Σ d delta'. The chains are then those of these formulas: of z first b, then
//! u, then d, then the whole columns; of the gradient first d, then u.

mod outer;
mod panels;

use std::ops::Range;

use super::ahead::prefetch;
use super::buffer::Buffer;
use super::panels::panels_len;
use super::simd::Isa;
use crate::matrix::SparseMatrix;
use crate::scalar::Scalar;

pub(crate) use outer::SparseOuterJob;
use outer::TotalsJob;
pub(super) use panels::PANELS;
pub(crate) use panels::SparsePanelsJob;

/// Some rows of a matrix of which the elements that are not stored are zero, or their column's usual value.
#[derive(Default)]
pub struct SparseRows<T> {
    width: usize,
    by_row: Lists<T>,
    by_column: Lists<T>,
    /// The columns that are whole, ascending.
    whole: Vec<u32>,
    /// Their elements, (rows x whole columns) in panels.
    whole_panels: Buffer<T>,
    /// The columns whose usual value is not zero, ascending, and this value.
    usual: Vec<(u32, T)>,
    /// If there are any, Σ delta of each group of rows: (groups x delta's columns) in panels.
    totals: Buffer<T>,
}

/// Rows of a group. Blocks of rows start at multiples of it, so that their cut makes no difference.
const GROUP: usize = 16;

/// Which columns of sparse rows are apart, in ascending order; see the module.
#[derive(Clone, Copy)]
pub struct Apart<'a, T> {
    /// Columns that are whole.
    pub whole: &'a [u32],
    /// Columns whose usual value is not zero, and this value.
    pub usual: &'a [(u32, T)],
}

impl<T> Apart<'_, T> {
    /// No columns.
    pub const NONE: Self = Self { whole: &[], usual: &[] };
}

/// Lists of elements: of each row, or of each column.
#[derive(Default)]
struct Lists<T> {
    /// Where each list starts, and where the last one ends.
    starts: Vec<u32>,
    /// Each element's column, or row.
    places: Vec<u32>,
    values: Vec<T>,
}

impl<T: Scalar> Lists<T> {
    fn list(&self, number: usize) -> (&[u32], &[T]) {
        let [from, to] = [0, 1].map(|next| self.starts[number + next] as usize);
        (&self.places[from..to], &self.values[from..to])
    }
}

/// Elements that are copied at once.
const PIECE: usize = 8;

/// Copies the elements at `place` in pieces of a fixed length, for a row is short and a call costs more: with what stands behind them,
/// which the next row overwrites.
#[inline]
fn copy_row<E: Copy>(from: &[E], place: Range<usize>, to: &mut [E]) {
    for (at, to) in place.clone().step_by(PIECE).zip(to.chunks_exact_mut(PIECE)) {
        match from.get(at..at + PIECE) {
            Some(from) => to.copy_from_slice(from),
            None => to[..place.end - at].copy_from_slice(&from[at..place.end]),
        }
    }
}

impl<T: Scalar> SparseRows<T> {
    /// Becomes these rows of a matrix of `width` columns; the elements of whole columns, which it does not store, go to
    /// [`whole_panels`](Self::whole_panels). The order of the gradient only if `by_column`.
    ///
    /// # Panics
    /// If a row or a column lies past the end, columns apart do not ascend, there is not a value for each column, or there are 2^32 elements
    /// or more.
    pub fn set(
        &mut self,
        width: usize,
        by_column: bool,
        apart: Apart<'_, T>,
        matrix: SparseMatrix<'_, T>,
        rows: &[u32],
    ) {
        let fits = |&column: &u32| (column as usize) < width;
        self.width = width;
        self.copy(matrix, rows);
        assert!(self.by_row.places.iter().all(fits), "a column lies past the width");
        if by_column {
            self.sort_by_column();
        }
        let Apart { whole, usual } = apart;
        let in_order = |columns: &mut dyn Iterator<Item = &u32>| columns.is_sorted_by(|a, b| a < b);
        assert!(in_order(&mut whole.iter()) && in_order(&mut usual.iter().map(|(column, _)| column)), "columns ascend");
        assert!(whole.last().is_none_or(fits) && usual.last().is_none_or(|(column, _)| fits(column)), "past the width");
        self.whole.clear();
        self.whole.extend_from_slice(whole);
        self.usual.clear();
        self.usual.extend_from_slice(usual);
        let len = panels_len::<T>(self.rows(), whole.len());
        if self.whole_panels.len() < len {
            self.whole_panels = Buffer::zeros(len);
        }
    }

    /// Copies the rows' elements, in order.
    fn copy(&mut self, matrix: SparseMatrix<'_, T>, rows: &[u32]) {
        let Lists { starts, places, values } = &mut self.by_row;
        starts.clear();
        starts.push(0);
        let mut len = 0;
        for &row in rows {
            let place = matrix.place(row as usize);
            // Rows that lie anywhere come from memory one by one, unless all are on their way.
            prefetch(matrix.columns.as_ptr().wrapping_add(place.start));
            prefetch(matrix.values.as_ptr().wrapping_add(place.start));
            len += place.len();
            starts.push(u32::try_from(len).expect("a block has fewer than 2^32 elements"));
        }
        // The last piece of the last row may reach as far.
        places.resize(len + PIECE, 0);
        values.resize(len + PIECE, T::ZERO);
        for (&row, &to) in rows.iter().zip(&*starts) {
            let from = matrix.place(row as usize);
            copy_row(matrix.columns, from.clone(), &mut places[to as usize..]);
            copy_row(matrix.values, from, &mut values[to as usize..]);
        }
        places.truncate(len);
        values.truncate(len);
    }

    /// The elements of the whole columns, (rows x whole columns) in panels, which the caller sets.
    pub fn whole_panels(&mut self) -> &mut [T] {
        &mut self.whole_panels
    }

    /// Takes note of delta, (rows x `cols`) in panels: to be called before the gradient.
    ///
    /// # Panics
    /// If delta is too small for the shape.
    pub fn set_delta(&mut self, isa: Isa, cols: usize, delta: &[T]) {
        let (rows, groups) = (self.rows(), self.groups());
        if self.usual.is_empty() || rows == 0 {
            return;
        }
        let len = panels_len::<T>(groups, cols);
        if self.totals.len() < len {
            self.totals = Buffer::zeros(len);
        }
        let panels = delta[..panels_len::<T>(rows, cols)].chunks_exact(rows * T::PANEL);
        for (delta, totals) in panels.zip(self.totals.chunks_exact_mut(groups * T::PANEL)) {
            T::dispatch(isa, TotalsJob { delta, totals });
        }
    }

    fn groups(&self) -> usize {
        self.rows().div_ceil(GROUP)
    }

    /// Σ delta of each group of rows, a panel's row each, of panel number `panel`.
    fn totals(&self, panel: usize) -> impl Iterator<Item = &[T]> {
        let len = self.groups() * T::PANEL;
        self.totals[panel * len..][..len].chunks_exact(T::PANEL)
    }

    /// A counting sort: of each column the rows in order.
    fn sort_by_column(&mut self) {
        let Lists { starts, places, values } = &mut self.by_column;
        starts.clear();
        starts.resize(self.width + 2, 0);
        // Two places on, so that after each element has moved its column's start by one they are the starts.
        self.by_row.places.iter().for_each(|&column| starts[column as usize + 2] += 1);
        for column in 2..starts.len() {
            starts[column] += starts[column - 1];
        }
        places.resize(self.by_row.places.len(), 0);
        values.resize(self.by_row.values.len(), T::ZERO);
        for row in 0..self.by_row.starts.len() - 1 {
            let (columns, of_row) = self.by_row.list(row);
            for (&column, &value) in columns.iter().zip(of_row) {
                let to = &mut starts[column as usize + 1];
                places[*to as usize] = row as u32;
                values[*to as usize] = value;
                *to += 1;
            }
        }
    }

    /// How many rows.
    pub fn rows(&self) -> usize {
        self.by_row.starts.len().saturating_sub(1)
    }

    /// Elements of a row, those included that are not stored.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Whether they are there column by column, and what is needed of a delta of `cols` columns.
    pub(super) fn is_ready_for_sums(&self, cols: usize) -> bool {
        let Lists { starts, places, .. } = &self.by_column;
        let has_totals = self.usual.is_empty() || self.totals.len() >= panels_len::<T>(self.groups(), cols);
        places.len() == self.by_row.places.len() && starts.len() == self.width + 2 && has_totals
    }
}
