//! The matrix product of all three uses in training, on column panels:
//!
//! | use | left | right |
//! |---|---|---|
//! | forward, Eq. (2): Z = H W + b | H by rows | W |
//! | recursion, Eq. (9): Delta W' | Delta by rows | W', kept in panels of its own |
//! | gradient, Eq. (6): H' Delta | H by columns | Delta |
//!
//! Every output element is one chain of fused multiply-adds over the depth, in order, whatever the tile, the register
//! width or the thread: the result is the same bits on every machine.

use super::panels::{panel_count, panels_len};
use super::pool::Team;
use super::simd::{Isa, Simd, VectorJob};
use crate::scalar::Scalar;

/// Most rows of one task: its output (64 x 128 bytes) stays in the first-level cache for the epilogue.
const TASK_ROWS: usize = 64;

/// Multiply-adds from which a product is worth sharing between threads (about 10 microseconds of one core).
const SHARED_WORK: usize = 400_000;

/// How the left operand is stored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Left {
    /// As a (rows x depth) matrix.
    Rows,
    /// As a (depth x rows) matrix, to be read transposed.
    Columns,
}

/// out (rows x cols) = 1 start' + left (rows x depth) right (depth x cols), everything in panels.
#[derive(Clone, Copy)]
pub struct Product<'a, T> {
    /// Rows of the result.
    pub rows: usize,
    /// Columns of the result.
    pub cols: usize,
    /// Terms of every sum.
    pub depth: usize,
    /// Left operand.
    pub left: &'a [T],
    /// How `left` is stored.
    pub left_kind: Left,
    /// Right operand, depth x cols.
    pub right: &'a [T],
    /// First term of every sum, one for each column (padded to whole panels); zero if absent.
    pub start: Option<&'a [T]>,
}

/// A finished piece of the result: some rows of one panel, contiguous in memory.
#[derive(Clone, Copy, Debug)]
pub struct Tile {
    /// First element's place in the result's panels.
    pub offset: usize,
    /// First row.
    pub row: usize,
    /// Rows.
    pub rows: usize,
    /// First column.
    pub col: usize,
    /// Columns in use, without padding.
    pub cols: usize,
}

/// What happens to a tile while it is still in the first-level cache.
///
/// `companions` are the parts of matrices of the result's shape that lie at the tile's place.
pub trait Epilogue<T: Scalar, const C: usize>: Sync {
    /// Takes the finished sums in `out`.
    fn apply(&self, isa: Isa, tile: Tile, out: &mut [T], companions: [&mut [T]; C]);
}

/// Where the sums go.
pub enum Out<'a, T> {
    /// Into this matrix (rows x cols in panels).
    Keep(&'a mut [T]),
    /// To the epilogue only; tiles are then one panel wide and one panel high.
    Consume,
}

/// Matrices of the result's shape that the epilogue reads and writes.
pub struct Companions<'a, T, const C: usize> {
    /// The matrices.
    pub matrices: [&'a mut [T]; C],
    /// Receives the transpose of the first companion after the epilogue. Goes with [`Out::Consume`] or a left operand by
    /// columns, where a tile is one panel high.
    pub mirror: Option<&'a mut [T]>,
}

impl<'a, T, const C: usize> From<[&'a mut [T]; C]> for Companions<'a, T, C> {
    fn from(matrices: [&'a mut [T]; C]) -> Self {
        Self { matrices, mirror: None }
    }
}

/// Computes `product`, tile by tile on `team`, and hands each tile to `epilogue`.
///
/// # Panics
/// If an operand, `out` or a companion is too small for the shapes.
pub fn multiply<T: Scalar, const C: usize>(
    team: &mut Team,
    isa: Isa,
    product: &Product<'_, T>,
    out: Out<'_, T>,
    companions: Companions<'_, T, C>,
    epilogue: &impl Epilogue<T, C>,
) {
    product.check();
    let len = panels_len::<T>(product.rows, product.cols);
    // A transposed left operand is read within one of its panels.
    let by_panel = product.left_kind == Left::Columns || matches!(out, Out::Consume);
    let task_rows = if by_panel { T::PANEL } else { TASK_ROWS };
    let grid = Grid::new(product, task_rows);
    let out = match out {
        Out::Keep(matrix) => {
            assert!(matrix.len() >= len, "the result's matrix is too small");
            Some(Shards(matrix.as_mut_ptr()))
        }
        Out::Consume => None,
    };
    let mirror = companions.mirror.map(|matrix| {
        assert!(by_panel && C > 0, "only panel-high tiles of a companion can be mirrored");
        assert!(matrix.len() >= panels_len::<T>(product.cols, product.rows), "the mirror is too small");
        Shards(matrix.as_mut_ptr())
    });
    let companions = companions.matrices.map(|matrix| {
        assert!(matrix.len() >= len, "a companion matrix is too small");
        Shards(matrix.as_mut_ptr())
    });
    let shared = product.rows * product.cols * product.depth >= SHARED_WORK;
    team.run(grid.tasks(), shared, &|task| {
        let tile = grid.tile::<T>(task);
        let size = tile.rows * T::PANEL;
        let mut scratch = [[T::ZERO; 32]; 32];
        // SAFETY: the tiles of a grid are disjoint ranges inside `len`, every task is run once, and the exclusive borrows
        // of the matrices outlive `run`.
        let (sums, mut parts) = unsafe {
            let sums = match &out {
                Some(matrix) => matrix.part(tile.offset, size),
                None => &mut scratch.as_flattened_mut()[..size],
            };
            (sums, companions.each_ref().map(|matrix| matrix.part(tile.offset, size)))
        };
        T::product_tile(isa, product, tile, sums);
        epilogue.apply(isa, tile, sums, parts.each_mut().map(|part| &mut **part));
        if let (Some(mirror), Some(part)) = (&mirror, parts.first()) {
            // The tile is rows `col..` of the transpose's panel number `row / PANEL`.
            let offset = tile.row * product.cols + tile.col * T::PANEL;
            // SAFETY: as above, in the transpose; `tile.row` is a multiple of PANEL.
            transpose_tile(part, tile, unsafe { mirror.part(offset, tile.cols * T::PANEL) });
        }
    });
}

/// Writes a tile (at most one panel high) transposed: column c becomes row c.
fn transpose_tile<T: Scalar>(from: &[T], tile: Tile, to: &mut [T]) {
    for (c, to) in to.chunks_exact_mut(T::PANEL).enumerate() {
        for (to, from) in to.iter_mut().zip(from.chunks_exact(T::PANEL)) {
            *to = from[c];
        }
    }
    debug_assert_eq!(to.len(), tile.cols * T::PANEL);
}

/// A matrix whose disjoint parts are written by several threads.
struct Shards<T>(*mut T);

// SAFETY: `part`'s contract makes concurrent uses disjoint.
unsafe impl<T: Send> Sync for Shards<T> {}

impl<T> Shards<T> {
    /// # Safety
    /// The range must lie in the matrix, and no two live parts may overlap.
    #[allow(clippy::mut_from_ref)]
    unsafe fn part(&self, offset: usize, len: usize) -> &mut [T] {
        // SAFETY: see the function's contract.
        unsafe { std::slice::from_raw_parts_mut(self.0.add(offset), len) }
    }
}

impl<T: Scalar> Product<'_, T> {
    fn check(&self) {
        let left = match self.left_kind {
            Left::Rows => panels_len::<T>(self.rows, self.depth),
            Left::Columns => panels_len::<T>(self.depth, self.rows),
        };
        assert!(self.left.len() >= left, "the left operand is too small");
        assert!(self.right.len() >= panels_len::<T>(self.depth, self.cols), "the right operand is too small");
        let start = panel_count::<T>(self.cols) * T::PANEL;
        assert!(self.start.is_none_or(|b| b.len() >= start), "the start row is too small");
    }
}

/// The result cut into tasks: `task_rows` rows of one panel each.
struct Grid {
    rows: usize,
    cols: usize,
    task_rows: usize,
    row_blocks: usize,
    panels: usize,
}

impl Grid {
    fn new<T: Scalar>(product: &Product<'_, T>, task_rows: usize) -> Self {
        let Product { rows, cols, .. } = *product;
        Self { rows, cols, task_rows, row_blocks: rows.div_ceil(task_rows), panels: panel_count::<T>(cols) }
    }

    fn tasks(&self) -> usize {
        self.row_blocks * self.panels
    }

    /// Neighbouring tasks share a panel of the right operand.
    fn tile<T: Scalar>(&self, task: usize) -> Tile {
        let (panel, block) = (task / self.row_blocks, task % self.row_blocks);
        let row = block * self.task_rows;
        let col = panel * T::PANEL;
        Tile {
            offset: (panel * self.rows + row) * T::PANEL,
            row,
            rows: self.task_rows.min(self.rows - row),
            col,
            cols: T::PANEL.min(self.cols - col),
        }
    }
}

/// Computes the sums of one tile.
pub(crate) struct TileJob<'a, T> {
    pub(crate) product: &'a Product<'a, T>,
    pub(crate) tile: Tile,
    pub(crate) out: &'a mut [T],
}

impl<T: Scalar> VectorJob<T> for TileJob<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<T>>(mut self, simd: S) {
        let (most_rows, most_vectors) = S::TILE;
        let vectors = self.tile.cols.div_ceil(S::LANES);
        let mut vector = 0;
        while vector < vectors {
            let width = most_vectors.min(vectors - vector);
            // Equal blocks of rows, not full ones and a rest.
            let blocks = self.tile.rows.div_ceil(most_rows);
            for block in 0..blocks {
                let from = block * self.tile.rows / blocks;
                let to = (block + 1) * self.tile.rows / blocks;
                self.block(simd, from, to - from, vector * S::LANES, width);
            }
            vector += width;
        }
    }
}

/// Calls the block function for a number of rows and vectors known only at run time.
macro_rules! by_size {
    ($self:ident, $simd:ident, $rows:expr, $width:expr, $from:expr, $lane:expr; $($r:literal)*) => {
        match ($rows, $width) {
            $(
                ($r, 1) if $r <= S::TILE.0 => $self.sums::<S, $r, 1>($simd, $from, $lane),
                ($r, 2) if $r <= S::TILE.0 => $self.sums::<S, $r, 2>($simd, $from, $lane),
            )*
            _ => unreachable!("a block is at most S::TILE"),
        }
    };
}

impl<T: Scalar> TileJob<'_, T> {
    #[inline(always)]
    fn block<S: Simd<T>>(&mut self, simd: S, from: usize, rows: usize, lane: usize, width: usize) {
        by_size!(self, simd, rows, width, from, lane; 1 2 3 4 5 6 7 8 9 10 11 12 13 14);
    }

    /// The sums of rows `from .. from + R` and `V` registers of columns from `lane` on, kept in registers.
    #[inline(always)]
    fn sums<S: Simd<T>, const R: usize, const V: usize>(&mut self, simd: S, from: usize, lane: usize) {
        let Product { rows, depth, left, right, start, left_kind, .. } = *self.product;
        let row = self.tile.row + from;
        // SAFETY: `Product::check` has compared the operands' lengths with the shapes; the row block lies inside the tile,
        // which `Grid` keeps inside the shapes; lane + V * LANES <= PANEL since a panel holds whole registers.
        unsafe {
            let right = right.as_ptr().add(self.tile.col * depth + lane);
            let mut sums = [[simd.splat(T::ZERO); V]; R];
            if let Some(start) = start {
                for v in 0..V {
                    let first = simd.load(start.as_ptr().add(self.tile.col + lane + v * S::LANES));
                    for row in &mut sums {
                        row[v] = first;
                    }
                }
            }
            match left_kind {
                Left::Rows => {
                    let mut done = 0;
                    while done < depth {
                        let terms = T::PANEL.min(depth - done);
                        let left = left.as_ptr().add(done * rows + row * T::PANEL);
                        chain::<T, S, R, V, true>(simd, left, right.add(done * T::PANEL), terms, &mut sums);
                        done += terms;
                    }
                }
                Left::Columns => {
                    let left = left.as_ptr().add(row / T::PANEL * T::PANEL * depth + row % T::PANEL);
                    chain::<T, S, R, V, false>(simd, left, right, depth, &mut sums);
                }
            }
            let out = self.out.as_mut_ptr().add(from * T::PANEL + lane);
            for (r, row) in sums.iter().enumerate() {
                for (v, &sum) in row.iter().enumerate() {
                    simd.store(out.add(r * T::PANEL + v * S::LANES), sum);
                }
            }
        }
    }
}

/// sums[r][v] += Σ_t left(r, t) right(t, v): rows of `left` one panel row apart and terms adjacent, or the reverse.
///
/// # Safety
/// `left` and `right` must be valid for `terms` terms of R rows and V registers.
#[inline(always)]
unsafe fn chain<T: Scalar, S: Simd<T>, const R: usize, const V: usize, const BY_ROWS: bool>(
    simd: S,
    left: *const T,
    right: *const T,
    terms: usize,
    sums: &mut [[S::Vector; V]; R],
) {
    let (row_step, term_step) = if BY_ROWS { (T::PANEL, 1) } else { (1, T::PANEL) };
    let mut acc = *sums;
    for t in 0..terms {
        // SAFETY: t < terms; see the function's contract.
        unsafe {
            let right = right.add(t * T::PANEL);
            let mut b = [simd.splat(T::ZERO); V];
            for (v, b) in b.iter_mut().enumerate() {
                *b = simd.load(right.add(v * S::LANES));
            }
            let left = left.add(t * term_step);
            for (r, row) in acc.iter_mut().enumerate() {
                let a = simd.splat(*left.add(r * row_step));
                for v in 0..V {
                    row[v] = simd.fma(a, b[v], row[v]);
                }
            }
        }
    }
    *sums = acc;
}
