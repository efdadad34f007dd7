//! The sums of one tile.

use std::ops::Range;

use super::sums::{Sums, add, load, store};
use super::{Operands, Outer};
use crate::kernel::ahead::Queue;
use crate::kernel::chain::{Walk, by_size, chain};
use crate::kernel::product::Tile;
use crate::kernel::simd::{Simd, VectorJob};
use crate::kernel::sparse::SparseRows;
use crate::scalar::Scalar;

/// One tile of a layer's grad W.
pub struct OuterTile<'a, T> {
    pub(super) operands: &'a dyn Operands<T>,
    pub(super) layer: &'a Outer,
    pub(super) number: usize,
    pub(crate) tile: Tile,
    /// The blocks of rows that are summed, on top of what those before have left in the sums.
    pub(super) blocks: Range<usize>,
    /// Whether h is sparse.
    pub(crate) sparse: bool,
    /// Start and elements of the stretches of memory to fetch meanwhile.
    pub(crate) ahead: &'a [(*const T, usize)],
}

/// Computes the sums of a tile, and of its columns where it stands in the first row.
pub(crate) struct OuterJob<'a, T> {
    pub(crate) tile: &'a OuterTile<'a, T>,
    pub(crate) sums: &'a mut Sums<T>,
}

impl<T: Scalar> VectorJob<T> for OuterJob<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<T>>(mut self, simd: S) {
        let Tile { row, rows, cols, .. } = self.tile.tile;
        let exchanged = self.tile.layer.exchanged;
        let out = self.sums.first_row();
        let vectors = cols.div_ceil(S::LANES);
        // Of few columns many lanes would be padding: the transpose fills them, and its chains are the same. It is worth it where a term
        // then takes at most three quarters of the registers.
        let worth = 4 * cols * rows.div_ceil(S::LANES) <= 3 * rows * vectors;
        let narrow = !exchanged && worth && cols <= S::TILE.0 && self.tile.is_whole();
        if !exchanged && row == 0 && (narrow || rows == 0) {
            self.tile.column_sums(simd, self.tile.tile.col, vectors, &mut self.sums.bias);
        }
        if exchanged {
            self.across(simd);
        } else if narrow {
            self.tile.narrow(simd, out);
        } else {
            self.wide(simd);
        }
        self.end(simd, rows);
    }
}

impl<T: Scalar> OuterJob<'_, T> {
    /// What follows the sums of a tile whose h is sparse: those of its columns, once all rows have been there, and its end.
    #[inline(always)]
    pub(crate) fn end_of_sparse<S: Simd<T>>(&mut self, simd: S) {
        let Tile { row, rows, col, cols, .. } = self.tile.tile;
        if row == 0 && self.tile.is_last() {
            self.tile.column_sums(simd, col, cols.div_ceil(S::LANES), &mut self.sums.bias);
        }
        self.end(simd, rows);
    }

    /// Makes zero what does not move, once the sums are there.
    #[inline(always)]
    fn end<S: Simd<T>>(&mut self, simd: S, rows: usize) {
        // SAFETY: `weight` has room for a whole panel's rows.
        unsafe { self.tile.hold(simd, self.sums.first_row()) };
        self.sums.set = rows * T::PANEL;
    }

    /// h' delta.
    #[inline(always)]
    fn wide<S: Simd<T>>(&mut self, simd: S) {
        let Tile { row, rows, cols, .. } = self.tile.tile;
        let vectors = cols.div_ceil(S::LANES);
        let out = self.sums.first_row();
        let mut ahead = Queue::new(self.tile.ahead.iter().copied());
        let mut start = Some((self.tile.blocks.start, 0));
        while let Some(place) = start {
            let part = self.tile.part(place);
            start = part.next;
            for vector in (0..vectors).step_by(S::TILE.1) {
                let (lane, registers) = (vector * S::LANES, S::TILE.1.min(vectors - vector));
                let blocks = rows.div_ceil(if registers == 1 { S::TALL } else { S::TILE.0 });
                for block in 0..blocks {
                    let (from, to) = (block * rows / blocks, (block + 1) * rows / blocks);
                    by_size!(S, to - from, registers, {
                        // SAFETY: the rows and lanes lie inside the tile, the tile inside the shapes that `check` has compared
                        // with the operands.
                        unsafe {
                            let out = out.add(from * T::PANEL + lane);
                            let bias = self.sums.bias.as_mut_ptr().add(lane);
                            if row == 0 && block == 0 {
                                part.sums::<S, R, V, true>(simd, &mut ahead, from, lane, (out, bias));
                            } else {
                                part.sums::<S, R, V, false>(simd, &mut ahead, from, lane, (out, bias));
                            }
                        }
                    });
                }
            }
        }
    }
}

/// Most rows of a part: so many of a panel of each operand stay in the first-level cache while all registers' turns pass.
const PART_ROWS: usize = 128;

/// Most stretches of a part.
const PART_STRETCHES: usize = 2;

/// Some rows of the operands where they meet a tile, as stretches that are contiguous in memory.
struct PartOfTile<T> {
    /// Rows, left and right operand at the tile's first row and column.
    stretches: [(usize, *const T, *const T); PART_STRETCHES],
    count: usize,
    /// Whether there are none before them.
    first: bool,
    /// Block and row where the next part starts, if there is one.
    next: Option<(usize, usize)>,
}

impl<'a, T: Scalar> OuterTile<'a, T> {
    /// Rows of each of its blocks, and the operands' panels at the tile's first row and column.
    #[inline(always)]
    pub(crate) fn blocks(&self) -> impl Iterator<Item = (usize, &'a [T], &'a [T])> + use<'a, T> {
        let (operands, layer, number, tile) = (self.operands, self.layer, self.number, self.tile);
        self.blocks.clone().map(move |block| {
            let (rows, left, right) = layer.operands(operands, number, block);
            (rows, &left[tile.row * rows..], &right[tile.col * rows..])
        })
    }

    /// Sparse h of all blocks.
    #[inline(always)]
    pub(crate) fn all_sparse(&self) -> impl Iterator<Item = &'a SparseRows<T>> + use<'a, T> {
        let operands = self.operands;
        (0..operands.blocks(self.number)).filter_map(move |block| operands.sparse(block))
    }

    /// Sparse h and delta's panel at the tile's first column, of each of its blocks, and whether no block is before it.
    #[inline(always)]
    pub(crate) fn sparse_blocks(&self) -> impl Iterator<Item = (bool, &'a SparseRows<T>, &'a [T])> + use<'a, T> {
        let (operands, number, col) = (self.operands, self.number, self.tile.col);
        self.blocks.clone().filter_map(move |block| {
            let (rows, _, delta) = operands.block(number, block);
            Some((block == 0, operands.sparse(block)?, &delta[col * rows..]))
        })
    }

    /// Whether no block is behind its own.
    #[inline(always)]
    pub(crate) fn is_last(&self) -> bool {
        self.blocks.end == self.operands.blocks(self.number)
    }

    /// Whether all rows are summed at once.
    #[inline(always)]
    fn is_whole(&self) -> bool {
        self.blocks == (0..self.operands.blocks(self.number))
    }

    /// The part that starts at row `row` of block `block`.
    #[inline(always)]
    fn part(&self, (mut block, mut row): (usize, usize)) -> PartOfTile<T> {
        let none = (0, std::ptr::null(), std::ptr::null());
        let first = (block, row) == (0, 0);
        let mut part = PartOfTile { stretches: [none; PART_STRETCHES], count: 0, first, next: None };
        let mut room = PART_ROWS;
        while block < self.blocks.end {
            if room == 0 || part.count == PART_STRETCHES {
                part.next = Some((block, row));
                break;
            }
            let (rows, left, right) = self.layer.operands(self.operands, self.number, block);
            // The first column is a multiple of the panel's width; an operand without columns has no elements to point at.
            let from = |operand: &[T], col: usize| operand[(col * rows + row * T::PANEL).min(operand.len())..].as_ptr();
            let taken = room.min(rows - row);
            part.stretches[part.count] = (taken, from(left, self.tile.row), from(right, self.tile.col));
            part.count += 1;
            room -= taken;
            (block, row) = if row + taken == rows { (block + 1, 0) } else { (block, row + taken) };
        }
        part
    }

    /// Makes the gradient of the columns that do not move zero, and the padding, where anything may stand in the operands or in
    /// `out`.
    ///
    /// # Safety
    /// `out` must hold the tile's rows.
    #[inline(always)]
    unsafe fn hold<S: Simd<T>>(&self, simd: S, out: *mut T) {
        let (Tile { rows, col, cols, .. }, &Outer { exchanged, moving, .. }) = (self.tile, self.layer);
        let moves = if exchanged { cols } else { moving.saturating_sub(col).min(cols) };
        for r in 0..if moves < T::PANEL || exchanged { rows } else { 0 } {
            let first = if exchanged && r >= moving { 0 } else { moves };
            let whole = first.next_multiple_of(S::LANES);
            // SAFETY: inside row r; a panel's row holds whole registers.
            unsafe {
                let row = out.add(r * T::PANEL);
                for c in first..whole {
                    row.add(c).write(T::ZERO);
                }
                // Of a fixed length: a loop from `whole` on would become a call of memset.
                for c in (0..T::PANEL).step_by(S::LANES) {
                    if c >= whole {
                        simd.store(row.add(c), simd.splat(T::ZERO));
                    }
                }
            }
        }
    }

    /// delta' h instead of h' delta, written transposed.
    #[inline(always)]
    fn narrow<S: Simd<T>>(&self, simd: S, out: *mut T) {
        let Tile { rows, cols, .. } = self.tile;
        let vectors = rows.div_ceil(S::LANES);
        let mut transposed = [[T::ZERO; 32]; 16];
        let mut ahead = Queue::new(self.ahead.iter().copied());
        let mut start = Some((0, 0));
        while let Some(place) = start {
            let part = self.part(place).exchanged();
            start = part.next;
            for vector in (0..vectors).step_by(S::TILE.1) {
                let lane = vector * S::LANES;
                by_size!(S, cols, S::TILE.1.min(vectors - vector), {
                    // SAFETY: as in `run`, with the operands' roles exchanged; there are at most TILE.0 <= 16 columns.
                    unsafe {
                        let to = transposed.as_mut_ptr().cast::<T>().add(lane);
                        part.sums::<S, R, V, false>(simd, &mut ahead, 0, lane, (to, to));
                    }
                });
            }
        }
        let transposed = transposed.as_flattened();
        for r in 0..rows {
            for c in 0..cols {
                // SAFETY: `out` holds `rows` rows.
                unsafe { out.add(r * T::PANEL + c).write(transposed[c * T::PANEL + r]) };
            }
        }
    }

    /// The sums down `vectors` registers of columns of delta from `col` on, one chain each over the rows of all blocks.
    #[inline(always)]
    fn column_sums<S: Simd<T>>(&self, simd: S, col: usize, vectors: usize, out: &mut [T; 32]) {
        for vector in (0..vectors).step_by(2) {
            let mut sums = [simd.splat(T::ZERO); 2];
            for block in 0..self.operands.blocks(self.number) {
                let (rows, _, delta) = self.operands.block(self.number, block);
                let panel = &delta[col * rows..][..rows * T::PANEL];
                for row in panel.chunks_exact(T::PANEL) {
                    // SAFETY: a panel's row holds whole pairs of registers.
                    unsafe { add(simd, &mut sums, row.as_ptr().add(vector * S::LANES)) };
                }
            }
            // SAFETY: as above, in `out`.
            unsafe { store(simd, [sums], out.as_mut_ptr().add(vector * S::LANES)) };
        }
    }
}

impl<T: Scalar> PartOfTile<T> {
    /// With exchanged operands: Σ delta' h.
    #[inline(always)]
    fn exchanged(self) -> Self {
        Self { stretches: self.stretches.map(|(rows, left, right)| (rows, right, left)), ..self }
    }

    /// Σ h' delta of rows `from .. from + R` of the tile and V registers of its columns from `lane` on, added to what the parts
    /// before have left in `out`, whose rows are a panel's. If `TOTAL`, the sums of the registers as well, in `total_out`.
    ///
    /// # Safety
    /// Rows and lanes must lie inside the tile, the tile inside the operands; `out` must hold R rows, `total_out` one.
    #[inline(always)]
    unsafe fn sums<S: Simd<T>, const R: usize, const V: usize, const TOTAL: bool>(
        &self,
        simd: S,
        ahead: &mut Queue<T, impl Iterator<Item = (*const T, usize)>>,
        from: usize,
        lane: usize,
        (out, total_out): (*mut T, *mut T),
    ) {
        let mut sums = [[simd.splat(T::ZERO); V]; R];
        let mut total = [simd.splat(T::ZERO); V];
        // SAFETY: see the function's contract.
        unsafe {
            if !self.first {
                load(simd, out, &mut sums);
                if TOTAL {
                    load(simd, total_out, std::array::from_mut(&mut total));
                }
            }
            for &(n, left, right) in &self.stretches[..self.count] {
                let (left, walk) = (left.add(from), Walk { row: 1, term: T::PANEL });
                let right = std::array::from_fn(|v| right.add(lane + v * S::LANES));
                chain::<T, S, R, V, TOTAL>(simd, left, walk, right, n, ahead.take(n, left), (&mut sums, &mut total));
            }
            store(simd, sums, out);
            if TOTAL {
                store(simd, [total], total_out);
            }
        }
    }
}
