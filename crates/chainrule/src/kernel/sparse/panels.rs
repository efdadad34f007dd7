//! Forward: the product of sparse rows.

use super::SparseRows;
use crate::kernel::chain::by_size;
use crate::kernel::outer::load;
use crate::kernel::product::{Finish, PanelsJob, Product};
use crate::kernel::simd::{Simd, VectorJob};
use crate::scalar::Scalar;

/// Panels of the result that are computed at once: their chains hide each other's latency.
pub(in crate::kernel) const PANELS: usize = 2;

/// The panels of a product whose left operand is sparse.
pub(crate) struct SparsePanelsJob<'a, T> {
    pub(crate) panels: PanelsJob<'a, T>,
    pub(crate) left: &'a SparseRows<T>,
}

impl<T: Scalar> VectorJob<T> for SparsePanelsJob<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<T>>(self, simd: S) {
        let Self { panels: PanelsJob { product, first, out }, left } = self;
        if left.whole.is_empty() {
            return stored(simd, PanelsJob { product, first, out }, left);
        }
        let begun = Product { finish: Finish::Keep, ..*product };
        stored(simd, PanelsJob { product: &begun, first, out: &mut *out }, left);
        whole(simd, PanelsJob { product, first, out }, left);
    }
}

/// The sums of the stored elements.
#[inline(always)]
fn stored<T: Scalar, S: Simd<T>>(simd: S, mut panels: PanelsJob<'_, T>, left: &SparseRows<T>) {
    // Of all rows there are none, or as many in each panel.
    let registers = panels.out.len().checked_div(panels.product.rows * S::LANES).unwrap_or(0);
    let mut first = 0;
    while first < registers {
        let many = registers - first >= 4;
        // SAFETY: `Product::check` has compared rows and width with the shapes; a panel holds whole pairs of registers, and `out` is as
        // long as the panels are.
        unsafe {
            if many {
                stored_sums::<T, S, 4>(simd, &mut panels, left, first);
            } else {
                stored_sums::<T, S, 2>(simd, &mut panels, left, first);
            }
        }
        first += if many { 4 } else { 2 };
    }
}

/// V registers of all rows, from number `first` of the panels on.
///
/// # Safety
/// The rows and the registers must lie inside the product's shapes.
#[inline(always)]
unsafe fn stored_sums<T: Scalar, S: Simd<T>, const V: usize>(
    simd: S,
    panels: &mut PanelsJob<'_, T>,
    left: &SparseRows<T>,
    first: usize,
) {
    let place = |v: usize| ((first + v) * S::LANES / T::PANEL, (first + v) * S::LANES % T::PANEL);
    // SAFETY: see the function's contract; the columns lie inside the width, as `SparseRows::set` has asserted.
    unsafe {
        let right = panels.right::<V>(0, place);
        let add = |sums: &mut [S::Vector; V], column: u32, x: T| {
            let x = simd.splat(x);
            for (sum, right) in sums.iter_mut().zip(right) {
                *sum = simd.fma(x, simd.load(right.add(column as usize * T::PANEL)), *sum);
            }
        };
        let mut start = panels.start::<S, 1, V>(simd, 0, place);
        for &(column, x) in &left.usual {
            add(&mut start[0], column, x);
        }
        for row in 0..panels.product.rows {
            let mut sums = start;
            let (columns, values) = left.by_row.list(row);
            for (&column, &x) in columns.iter().zip(values) {
                add(&mut sums[0], column, x);
            }
            panels.finish(simd, 0, row, place, sums);
        }
    }
}

/// Adds the terms of the whole columns to the sums in `out`.
#[inline(always)]
fn whole<T: Scalar, S: Simd<T>>(simd: S, mut panels: PanelsJob<'_, T>, left: &SparseRows<T>) {
    let Product { rows, cols, .. } = *panels.product;
    for panel in 0..panels.out.len().checked_div(rows * T::PANEL).unwrap_or(0) {
        let vectors = T::PANEL.min(cols - (panels.first + panel) * T::PANEL).div_ceil(S::LANES);
        for vector in (0..vectors).step_by(S::TILE.1) {
            let (lane, registers) = (vector * S::LANES, S::TILE.1.min(vectors - vector));
            let blocks = rows.div_ceil(S::TILE.0);
            for block in 0..blocks {
                let (from, to) = (block * rows / blocks, (block + 1) * rows / blocks);
                by_size!(S, to - from, registers, {
                    // SAFETY: as in `stored`.
                    unsafe { whole_sums::<T, S, R, V>(simd, &mut panels, left, (panel, from, lane)) }
                });
            }
        }
    }
}

/// Rows `from .. from + R` and V registers from `lane` on of panel number `panel`.
///
/// # Safety
/// As for [`stored_sums`].
#[inline(always)]
unsafe fn whole_sums<T: Scalar, S: Simd<T>, const R: usize, const V: usize>(
    simd: S,
    panels: &mut PanelsJob<'_, T>,
    left: &SparseRows<T>,
    (panel, from, lane): (usize, usize, usize),
) {
    let (rows, place) = (panels.product.rows, |v: usize| (0, lane + v * S::LANES));
    let mut sums = [[simd.splat(T::ZERO); V]; R];
    // SAFETY: see the function's contract; `SparseRows::set` has made room for the whole columns of all rows, and asserted that
    // they lie inside the width.
    unsafe {
        load(simd, panels.out.as_ptr().add((panel * rows + from) * T::PANEL + lane), &mut sums);
        let right = panels.right::<V>(panel, place);
        for (number, columns) in left.whole.chunks(T::PANEL).enumerate() {
            let left = left.whole_panels.as_ptr().add((number * rows + from) * T::PANEL);
            for (t, &column) in columns.iter().enumerate() {
                let terms = right.map(|right| simd.load(right.add(column as usize * T::PANEL)));
                for (r, row) in sums.iter_mut().enumerate() {
                    let x = simd.splat(*left.add(r * T::PANEL + t));
                    for (sum, &term) in row.iter_mut().zip(&terms) {
                        *sum = simd.fma(x, term, *sum);
                    }
                }
            }
        }
        panels.finish(simd, panel, from, place, sums);
    }
}
