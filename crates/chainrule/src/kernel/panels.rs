//! The layout of every matrix inside the engine: column panels.
//!
//! A (rows x cols) matrix is cut into panels of `T::PANEL` neighbouring columns; each panel is stored row after row, the
//! last one padded with unused columns: element (r, c) lies at `(c / P) * rows * P + r * P + c % P`. Products then read
//! one operand element by element and the other in whole registers, in memory order, without packing or transposing.
//!
//! Of the few outputs of a last layer a panel would be padding for the most part. Their z and delta are stored in lines: column after
//! column, each padded to whole panels' widths of rows; element (r, c) lies at `c * line + r`.

use std::ops::Range;

use super::ahead::prefetch;
use super::pool::Team;
use super::simd::{Isa, Simd, VectorJob};
use crate::scalar::Scalar;

/// Panels that hold `cols` columns.
pub fn panel_count<T: Scalar>(cols: usize) -> usize {
    cols.div_ceil(T::PANEL)
}

/// Elements of a (rows x cols) matrix in panels, padding included.
pub fn panels_len<T: Scalar>(rows: usize, cols: usize) -> usize {
    panel_count::<T>(cols) * rows * T::PANEL
}

/// Where element (r, c) of a matrix of `rows` rows lies.
pub fn index<T: Scalar>(rows: usize, r: usize, c: usize) -> usize {
    (c / T::PANEL) * rows * T::PANEL + r * T::PANEL + c % T::PANEL
}

/// Elements of a line of a matrix with so many rows, padding included.
pub fn line_len<T: Scalar>(rows: usize) -> usize {
    rows.next_multiple_of(T::PANEL)
}

/// Elements of a (rows x cols) matrix in lines, padding included.
pub fn lines_len<T: Scalar>(rows: usize, cols: usize) -> usize {
    cols * line_len::<T>(rows)
}

/// Elements of a (rows x cols) matrix in lines, if `in_lines`, else in panels, padding included.
pub fn stored_len<T: Scalar>(in_lines: bool, rows: usize, cols: usize) -> usize {
    if in_lines { lines_len::<T>(rows, cols) } else { panels_len::<T>(rows, cols) }
}

/// Copies the rows named by `select` from the row-major `source` (its rows `width` long) into the panels of `out`, a
/// (`select.len()` x `width`) matrix; what stands in the padding afterwards is not specified. The threads of a team share the panels.
///
/// # Panics
/// If a row lies past the end of `source`, or `out` is too small.
pub fn gather<T: Scalar>(team: Option<&mut Team>, isa: Isa, source: &[T], width: usize, select: &[u32], out: &mut [T]) {
    let out = &mut out[..panels_len::<T>(select.len(), width)];
    match team {
        Some(team) => {
            let panels = panel_count::<T>(width).div_ceil(team.threads());
            team.for_each_chunk(out, panels * select.len() * T::PANEL, &|i, out| {
                let first = i * panels * T::PANEL;
                let cols = first..width.min(first + panels * T::PANEL);
                T::dispatch(isa, Gather { source, width, cols, select, out });
            });
        }
        None => T::dispatch(isa, Gather { source, width, cols: 0..width, select, out }),
    }
}

/// Bytes of the rows that are fetched ahead of the one that is copied.
const AHEAD: usize = 4 << 10;

/// Copies the columns `cols`, from the first of a panel on, of the selected rows.
struct Gather<'a, T> {
    source: &'a [T],
    width: usize,
    cols: Range<usize>,
    select: &'a [u32],
    out: &'a mut [T],
}

impl<T: Scalar> VectorJob<T> for Gather<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<T>>(self, simd: S) {
        if self.width <= 8 {
            return if self.width <= 4 { self.narrow::<4>() } else { self.narrow::<8>() };
        }
        let Self { source, width, cols, select, out } = self;
        let rows = select.len();
        // Rows that lie anywhere come from memory one by one, unless several are on their way.
        let ahead = (AHEAD / (cols.len() * size_of::<T>())).max(1);
        // Whole registers, up to one into the row behind; only the last row of the table has none behind.
        let padded = cols.len().next_multiple_of(S::LANES);
        for (r, &row) in select.iter().enumerate() {
            let from = &source[row as usize * width + cols.start..];
            assert!(from.len() >= cols.len(), "row {row} lies past the end");
            let later = select.get(r + ahead).map_or(0, |&row| row as usize * width + cols.start);
            let later = source.as_ptr().wrapping_add(later);
            let whole = if from.len() >= padded { cols.len() } else { cols.len() / S::LANES * S::LANES };
            for c in (0..whole).step_by(S::LANES) {
                prefetch(later.wrapping_add(c));
                // SAFETY: c + LANES is at most `from`'s length, and inside the padded row of `out`, whose length `gather` has
                // set.
                unsafe { simd.store(out.as_mut_ptr().add(index::<T>(rows, r, c)), simd.load(from.as_ptr().add(c))) };
            }
            for c in whole..cols.len() {
                out[index::<T>(rows, r, c)] = from[c];
            }
        }
    }
}

impl<T: Scalar> Gather<'_, T> {
    /// Rows of at most N elements: fewer of them than whole registers lie across two lines of the cache.
    #[inline(always)]
    fn narrow<const N: usize>(self) {
        let Self { source, width, select, out, .. } = self;
        for (&row, to) in select.iter().zip(out.chunks_exact_mut(T::PANEL)) {
            let start = row as usize * width;
            match source.get(start..start + N) {
                Some(from) => to[..N].copy_from_slice(from),
                // The last rows of the table have too little behind them.
                None => copy_short(&source[start..][..width], to),
            }
        }
    }
}

/// Out of the loop, where it would become a call for every row.
#[cold]
#[inline(never)]
fn copy_short<T: Scalar>(from: &[T], to: &mut [T]) {
    to[..from.len()].copy_from_slice(from);
}

/// Copies a row-major (rows x cols) matrix into panels; the padding becomes zero.
pub fn pack<T: Scalar>(source: &[T], rows: usize, cols: usize, out: &mut [T]) {
    out[..panels_len::<T>(rows, cols)].fill(T::ZERO);
    for r in 0..rows {
        for c in 0..cols {
            out[index::<T>(rows, r, c)] = source[r * cols + c];
        }
    }
}

/// Copies panels back into a row-major (rows x cols) matrix.
pub fn unpack<T: Scalar>(panels: &[T], rows: usize, cols: usize, out: &mut [T]) {
    for r in 0..rows {
        for c in 0..cols {
            out[r * cols + c] = panels[index::<T>(rows, r, c)];
        }
    }
}

/// Writes the transpose of the (rows x cols) matrix `from` to `to`, both in panels.
pub fn transpose<T: Scalar>(from: &[T], rows: usize, cols: usize, to: &mut [T]) {
    for r in 0..rows {
        for c in 0..cols {
            to[index::<T>(cols, c, r)] = from[index::<T>(rows, r, c)];
        }
    }
}

/// Writes a tile of `rows` rows (at most one panel high) transposed: column c becomes row c of `to`, which has as many rows as
/// the tile has columns; lanes from `rows` on become zero.
pub fn transpose_tile<T: Scalar>(isa: Isa, from: &[T], rows: usize, to: &mut [T]) {
    assert!(rows <= T::PANEL && from.len() >= rows * T::PANEL && to.len() <= T::PANEL * T::PANEL);
    T::dispatch(isa, TransposeTile { from, rows, to });
}

struct TransposeTile<'a, T> {
    from: &'a [T],
    rows: usize,
    to: &'a mut [T],
}

impl<T: Scalar> VectorJob<T> for TransposeTile<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<T>>(self, simd: S) {
        let cols = self.to.len() / T::PANEL;
        if cols <= 2 {
            for (c, to) in self.to.chunks_exact_mut(T::PANEL).enumerate() {
                for (r, to) in to.iter_mut().enumerate() {
                    *to = if r < self.rows { self.from[r * T::PANEL + c] } else { T::ZERO };
                }
            }
            return;
        }
        for c in (0..cols).step_by(S::LANES) {
            for r in (0..T::PANEL).step_by(S::LANES) {
                let from = self.from.as_ptr().wrapping_add(r * T::PANEL + c);
                // SAFETY: `transpose_tile` has checked the lengths; a panel's row holds whole registers.
                unsafe {
                    let square = transposed_square(simd, from, self.rows.saturating_sub(r));
                    for (i, row) in square.iter().take(S::LANES.min(cols - c)).enumerate() {
                        simd.store(self.to.as_mut_ptr().add((c + i) * T::PANEL + r), *row);
                    }
                }
            }
        }
    }
}

/// The first LANES columns of LANES rows of a panel, zero from row number `rows` on; what comes after LANES registers means nothing.
///
/// # Safety
/// `from` must be valid for a register in each of the rows before that.
#[inline(always)]
pub(super) unsafe fn transposed_square<T: Scalar, S: Simd<T>>(simd: S, from: *const T, rows: usize) -> [S::Vector; 16] {
    let mut square = [simd.splat(T::ZERO); 16];
    // SAFETY: see the function's contract.
    unsafe {
        if rows >= S::LANES {
            for (i, row) in square.iter_mut().enumerate().take(S::LANES) {
                *row = simd.load(from.add(i * T::PANEL));
            }
            simd.transpose(&mut square[..S::LANES]);
            return square;
        }
        // Of another array than the above, whose registers need not go through memory then.
        let mut square = [simd.splat(T::ZERO); 16];
        for (i, row) in square.iter_mut().enumerate().take(rows) {
            *row = simd.load(from.add(i * T::PANEL));
        }
        simd.transpose(&mut square[..S::LANES]);
        square
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pack_and_unpack_are_inverse_at_every_odd_size() {
        for (rows, cols) in [(0, 3), (1, 1), (3, 31), (2, 32), (5, 33), (7, 65)] {
            let source: Vec<f32> = (0..rows * cols).map(|i| i as f32 + 1.0).collect();
            let mut panels = vec![f32::NAN; panels_len::<f32>(rows, cols)];
            pack(&source, rows, cols, &mut panels);
            assert_eq!(panels.iter().filter(|x| **x != 0.0).count(), rows * cols);
            let mut back = vec![0.0; rows * cols];
            unpack(&panels, rows, cols, &mut back);
            assert_eq!(back, source);
            let mut once = vec![0.0; panels_len::<f32>(cols, rows)];
            let mut twice = vec![0.0; panels_len::<f32>(rows, cols)];
            transpose(&panels, rows, cols, &mut once);
            transpose(&once, cols, rows, &mut twice);
            assert_eq!(twice, panels);
        }
    }

    #[test]
    fn a_transposed_tile_is_the_transpose_of_the_tile() {
        for (rows, cols) in [(1, 1), (3, 32), (32, 7), (17, 16), (32, 32)] {
            let source: Vec<f32> = (0..rows * cols).map(|i| i as f32 + 1.0).collect();
            let mut tile = vec![f32::NAN; rows * 32];
            pack(&source, rows, cols, &mut tile);
            let mut expected = vec![0.0; cols * 32];
            transpose(&tile, rows, cols, &mut expected);
            for isa in Isa::available() {
                let mut to = vec![f32::NAN; cols * 32];
                transpose_tile(isa, &tile, rows, &mut to);
                assert_eq!(to, expected, "{isa}, {rows} x {cols}");
            }
        }
    }

    #[test]
    fn gather_is_pack_of_the_selected_rows() {
        for width in [1usize, 3, 8, 15, 16, 17, 40, 70] {
            let source: Vec<f64> = (0..6 * width).map(|i| i as f64).collect();
            let select = [4u32, 0, 4, 5];
            let chosen: Vec<f64> =
                select.iter().flat_map(|&r| source[r as usize * width..][..width].to_vec()).collect();
            let mut expected = vec![0.0; panels_len::<f64>(4, width)];
            pack(&chosen, 4, width, &mut expected);
            for isa in Isa::available() {
                for mut team in [None, Some(Team::new(2)), Some(Team::new(3))] {
                    let mut out = vec![0.0; expected.len()];
                    gather(team.as_mut(), isa, &source, width, &select, &mut out);
                    let [mut a, mut b] = [vec![0.0; 4 * width], vec![0.0; 4 * width]];
                    unpack(&out, 4, width, &mut a);
                    unpack(&expected, 4, width, &mut b);
                    assert_eq!(a, b, "{isa}, width {width}");
                }
            }
        }
    }
}
