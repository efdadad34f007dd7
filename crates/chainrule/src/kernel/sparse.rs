//! Rows of which only some elements are stored, in the two orders in which the products of a first layer read them:
//!
//! | use | order |
//! |---|---|
//! | forward, Eq. (2): Z = H W + 1 b' | row by row: [`SparsePanelsJob`] |
//! | gradient, Eq. (6): W = Σ h delta' | column by column: [`SparseOuterJob`] |
//!
//! A term of zero changes no sum: the chain of the stored elements has the bits of the chain of all. (The one difference: 0 times a weight
//! that is not finite would be no number.)

use super::outer::{OuterJob, load, store};
use super::product::{PanelsJob, Tile};
use super::simd::{Simd, VectorJob};
use crate::scalar::Scalar;

/// Some rows of a matrix of which the elements that are not stored are zero.
#[derive(Default)]
pub struct SparseRows<T> {
    width: usize,
    by_row: Lists<T>,
    by_column: Lists<T>,
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

impl<T: Scalar> SparseRows<T> {
    /// Becomes these rows of `width` elements, each given by the columns of its stored elements, which ascend, and their values. The
    /// order of the gradient only if `by_column`.
    ///
    /// # Panics
    /// If a column lies past the width, a row's columns and values are not of one length, or there are 2^32 elements or more.
    pub fn set<'a>(&mut self, width: usize, by_column: bool, rows: impl Iterator<Item = (&'a [u32], &'a [T])>) {
        let Lists { starts, places, values } = &mut self.by_row;
        self.width = width;
        starts.clear();
        places.clear();
        values.clear();
        starts.push(0);
        for (columns, of_row) in rows {
            assert!(columns.len() == of_row.len(), "a value for each column");
            assert!(columns.iter().all(|&column| (column as usize) < width), "a column lies past the width");
            places.extend_from_slice(columns);
            values.extend_from_slice(of_row);
            starts.push(u32::try_from(places.len()).expect("a block has fewer than 2^32 elements"));
        }
        if by_column {
            self.sort_by_column();
        }
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

    /// Elements of a row, zeros included.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Whether they are there column by column.
    pub(super) fn is_by_column(&self) -> bool {
        self.by_column.places.len() == self.by_row.places.len() && self.by_column.starts.len() == self.width + 2
    }
}

/// Panels of the result that are computed at once: their chains hide each other's latency.
pub(super) const PANELS: usize = 2;

/// The panels of a product whose left operand is without its zeros.
pub(crate) struct SparsePanelsJob<'a, T> {
    pub(crate) panels: PanelsJob<'a, T>,
    pub(crate) left: &'a SparseRows<T>,
}

impl<T: Scalar> VectorJob<T> for SparsePanelsJob<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<T>>(mut self, simd: S) {
        let rows = self.panels.product.rows;
        // Of all rows there are none, or as many in each panel.
        let registers = self.panels.out.len().checked_div(rows * S::LANES).unwrap_or(0);
        let mut first = 0;
        while first < registers {
            let many = registers - first >= 4;
            for row in 0..rows {
                // SAFETY: `Product::check` has compared rows and width with the shapes; a panel holds whole pairs of registers, and
                // `out` is as long as the panels are.
                unsafe {
                    if many {
                        self.row::<S, 4>(simd, row, first);
                    } else {
                        self.row::<S, 2>(simd, row, first);
                    }
                }
            }
            first += if many { 4 } else { 2 };
        }
    }
}

impl<T: Scalar> SparsePanelsJob<'_, T> {
    /// V registers of a row, from number `first` of the panels on.
    ///
    /// # Safety
    /// The row and the registers must lie inside the product's shapes.
    #[inline(always)]
    unsafe fn row<S: Simd<T>, const V: usize>(&mut self, simd: S, row: usize, first: usize) {
        let place = |v: usize| ((first + v) * S::LANES / T::PANEL, (first + v) * S::LANES % T::PANEL);
        // SAFETY: see the function's contract; the columns lie inside the width, as `SparseRows::set` has asserted.
        unsafe {
            let mut sums = self.panels.start::<S, 1, V>(simd, 0, place);
            let right = self.panels.right::<V>(0, place);
            let (columns, values) = self.left.by_row.list(row);
            for (&column, &x) in columns.iter().zip(values) {
                let x = simd.splat(x);
                for (sum, right) in sums[0].iter_mut().zip(right) {
                    *sum = simd.fma(x, simd.load(right.add(column as usize * T::PANEL)), *sum);
                }
            }
            self.panels.finish(simd, 0, row, place, sums);
        }
    }
}

/// The sums of a tile whose h is without its zeros.
pub(crate) struct SparseOuterJob<'a, T>(pub(crate) OuterJob<'a, T>);

impl<T: Scalar> VectorJob<T> for SparseOuterJob<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<T>>(mut self, simd: S) {
        if 4 * S::LANES <= T::PANEL {
            self.lanes::<S, 4>(simd)
        } else {
            self.lanes::<S, 2>(simd)
        }
        self.0.end_of_sparse(simd);
    }
}

impl<T: Scalar> SparseOuterJob<'_, T> {
    /// h' delta where h is stored column by column.
    #[inline(always)]
    fn lanes<S: Simd<T>, const V: usize>(&mut self, simd: S) {
        let OuterJob { tile, sums } = &mut self.0;
        let Tile { row, rows, .. } = tile.tile;
        let out = sums.first_row();
        for (first, h, delta) in tile.sparse_blocks() {
            for lane in (0..T::PANEL).step_by(V * S::LANES) {
                for r in (0..rows).step_by(2) {
                    // SAFETY: the sums have room for the tile's rows. The elements' rows are fewer than delta's panel has, and a panel's
                    // row holds whole registers.
                    unsafe {
                        let (to, delta) = (out.add(r * T::PANEL + lane), delta.as_ptr().add(lane));
                        let list = h.by_column.list(row + r);
                        if r + 1 < rows {
                            columns::<T, S, 2, V>(simd, first, [list, h.by_column.list(row + r + 1)], delta, to);
                        } else {
                            columns::<T, S, 1, V>(simd, first, [list], delta, to);
                        }
                    }
                }
            }
        }
    }
}

/// Adds what the elements of R neighbouring columns of h give to V registers of theirs in `out`, or sets these where they are the first
/// terms. The columns take turns: their chains hide each other's latency.
///
/// # Safety
/// The elements' rows must lie inside `delta`, which is valid for V registers of each; `out` must hold V registers of R rows.
#[inline(always)]
unsafe fn columns<T: Scalar, S: Simd<T>, const R: usize, const V: usize>(
    simd: S,
    first: bool,
    lists: [(&[u32], &[T]); R],
    delta: *const T,
    out: *mut T,
) {
    let mut sums = [[simd.splat(T::ZERO); V]; R];
    // SAFETY: see the function's contract; `i` is less than each of the lists' lengths.
    unsafe {
        if !first {
            load(simd, out, &mut sums);
        }
        let add = |sums: &mut [S::Vector; V], (rows, values): (&[u32], &[T]), i: usize| {
            let (x, row) = (simd.splat(*values.get_unchecked(i)), *rows.get_unchecked(i) as usize);
            for (v, sum) in sums.iter_mut().enumerate() {
                *sum = simd.fma(x, simd.load(delta.add(row * T::PANEL + v * S::LANES)), *sum);
            }
        };
        let common = lists.iter().map(|list| list.0.len()).min().unwrap_or(0);
        for i in 0..common {
            for (sums, &list) in sums.iter_mut().zip(&lists) {
                add(sums, list, i);
            }
        }
        for (sums, &list) in sums.iter_mut().zip(&lists) {
            for i in common..list.0.len() {
                add(sums, list, i);
            }
        }
        store(simd, sums, out);
    }
}
