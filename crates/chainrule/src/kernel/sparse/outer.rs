//! The gradient: sums over sparse rows.

use super::{GROUP, SparseRows};
use crate::kernel::ahead::Queue;
use crate::kernel::chain::{Walk, by_size, chain};
use crate::kernel::outer::{OuterJob, OuterTile, add, load, store};
use crate::kernel::product::Tile;
use crate::kernel::simd::{Simd, VectorJob};
use crate::scalar::Scalar;

/// The sums of a tile whose h is sparse.
pub(crate) struct SparseOuterJob<'a, T>(pub(crate) OuterJob<'a, T>);

impl<T: Scalar> VectorJob<T> for SparseOuterJob<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<T>>(mut self, simd: S) {
        let OuterJob { tile, sums } = &mut self.0;
        let out = sums.first_row();
        let mut ahead = Queue::new(tile.ahead.iter().copied());
        for (first, h, delta) in tile.sparse_blocks() {
            if 4 * S::LANES <= T::PANEL {
                stored::<T, S, 4>(simd, tile.tile, first, h, delta, out);
            } else {
                stored::<T, S, 2>(simd, tile.tile, first, h, delta, out);
            }
            whole(simd, &mut ahead, tile.tile, h, delta, out);
        }
        if tile.is_last() {
            usual(simd, tile, out);
        }
        self.0.end_of_sparse(simd);
    }
}

/// The sums of the stored elements: h' delta where h is stored column by column. Makes the rows of other columns zero where these are the
/// `first` terms.
#[inline(always)]
fn stored<T: Scalar, S: Simd<T>, const V: usize>(
    simd: S,
    Tile { row, rows, .. }: Tile,
    first: bool,
    h: &SparseRows<T>,
    delta: &[T],
    out: *mut T,
) {
    for lane in (0..T::PANEL).step_by(V * S::LANES) {
        for r in (0..rows).step_by(2) {
            // SAFETY: the sums have room for the tile's rows. The elements' rows are fewer than delta's panel has, and a panel's row holds
            // whole registers.
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

/// Adds the sums of the whole columns.
#[inline(always)]
fn whole<T: Scalar, S: Simd<T>>(
    simd: S,
    ahead: &mut Queue<T, impl Iterator<Item = (*const T, usize)>>,
    Tile { row, rows, cols, .. }: Tile,
    h: &SparseRows<T>,
    delta: &[T],
    out: *mut T,
) {
    let vectors = cols.div_ceil(S::LANES);
    let [mut from, to] = [row, row + rows].map(|row| h.whole.partition_point(|&column| (column as usize) < row));
    while from < to {
        // Neighbours in one panel, in equal groups.
        let neighbours = (to - from).min(T::PANEL - from % T::PANEL);
        let count = neighbours.div_ceil(neighbours.div_ceil(S::TILE.0));
        for vector in (0..vectors).step_by(S::TILE.1) {
            by_size!(S, count, S::TILE.1.min(vectors - vector), {
                // SAFETY: the columns are rows of the tile, the lanes lie inside it, and `check` has compared the operands with the
                // shapes.
                unsafe {
                    let out = out.wrapping_sub(row * T::PANEL);
                    whole_sums::<T, S, R, V>(simd, ahead, (h, from), (delta, vector * S::LANES), out);
                }
            });
        }
        from += count;
    }
}

/// V registers from `lane` on of R neighbouring whole columns, from number `from` on. `out`: where the row of column 0 would stand.
///
/// # Safety
/// The rows of `out` that belong to the columns must be valid, as must `delta` for V registers of each of h's rows.
#[inline(always)]
unsafe fn whole_sums<T: Scalar, S: Simd<T>, const R: usize, const V: usize>(
    simd: S,
    ahead: &mut Queue<T, impl Iterator<Item = (*const T, usize)>>,
    (h, from): (&SparseRows<T>, usize),
    (delta, lane): (&[T], usize),
    out: *mut T,
) {
    let rows = h.rows();
    let to: [*mut T; R] = std::array::from_fn(|r| out.wrapping_add(h.whole[from + r] as usize * T::PANEL + lane));
    let mut sums = [[simd.splat(T::ZERO); V]; R];
    // SAFETY: see the function's contract; `SparseRows::set` has made room for the whole columns of all rows.
    unsafe {
        for (sums, to) in sums.iter_mut().zip(to) {
            load(simd, to, std::array::from_mut(sums));
        }
        let left = h.whole_panels.as_ptr().add(from / T::PANEL * rows * T::PANEL + from % T::PANEL);
        let right = std::array::from_fn(|v| delta.as_ptr().add(lane + v * S::LANES));
        let walk = Walk { row: 1, term: T::PANEL };
        let mut total = [simd.splat(T::ZERO); V];
        chain::<T, S, R, V, false>(simd, left, walk, right, rows, ahead.take(rows, left), (&mut sums, &mut total));
        for (sums, to) in sums.iter().zip(to) {
            store(simd, [*sums], to);
        }
    }
}

/// Adds u (Σ delta)' for the columns whose usual value is not zero.
#[inline(always)]
fn usual<T: Scalar, S: Simd<T>>(simd: S, tile: &OuterTile<'_, T>, out: *mut T) {
    let Tile { row, rows, col, cols, .. } = tile.tile;
    let Some(h) = tile.all_sparse().next() else { return };
    let [from, to] = [row, row + rows].map(|row| h.usual.partition_point(|&(column, _)| (column as usize) < row));
    for vector in (0..if from < to { cols.div_ceil(S::LANES) } else { 0 }).step_by(2) {
        let lane = vector * S::LANES;
        let mut totals = [simd.splat(T::ZERO); 2];
        for h in tile.all_sparse() {
            for row in h.totals(col / T::PANEL) {
                // SAFETY: a panel's row holds whole pairs of registers.
                unsafe { add(simd, &mut totals, row.as_ptr().add(lane)) };
            }
        }
        for &(column, u) in &h.usual[from..to] {
            // SAFETY: the columns are rows of the tile, whose sums are there; the lanes as above.
            unsafe {
                let at = out.add((column as usize - row) * T::PANEL + lane);
                let mut sums = [[simd.splat(T::ZERO); 2]];
                load(simd, at, &mut sums);
                for (sum, total) in sums[0].iter_mut().zip(totals) {
                    *sum = simd.fma(simd.splat(u), total, *sum);
                }
                store(simd, sums, at);
            }
        }
    }
}

/// Sums delta, a panel's rows, over each group of [`GROUP`] rows into a row of `totals`.
pub(super) struct TotalsJob<'a, T> {
    pub(super) delta: &'a [T],
    pub(super) totals: &'a mut [T],
}

impl<T: Scalar> VectorJob<T> for TotalsJob<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<T>>(self, simd: S) {
        let groups = self.delta.chunks(GROUP * T::PANEL);
        for (group, to) in groups.zip(self.totals.chunks_exact_mut(T::PANEL)) {
            for lane in (0..T::PANEL).step_by(2 * S::LANES) {
                // Four running sums: a single one would wait for each term.
                let mut sums = [[simd.splat(T::ZERO); 2]; 4];
                for four in group.chunks(4 * T::PANEL) {
                    for (row, sums) in four.chunks_exact(T::PANEL).zip(&mut sums) {
                        // SAFETY: a panel's row holds whole pairs of registers.
                        unsafe { add(simd, sums, row.as_ptr().add(lane)) };
                    }
                }
                let [a, b, c, d] = sums;
                let total = std::array::from_fn(|v| simd.add(simd.add(a[v], b[v]), simd.add(c[v], d[v])));
                // SAFETY: as above.
                unsafe { store::<T, S, 1, 2>(simd, [total], to.as_mut_ptr().add(lane)) };
            }
        }
    }
}
