//! The matrix product of a block of rows, on column panels, in the two uses that go row by row:
//!
//! | use | left | right |
//! |---|---|---|
//! | forward, Eq. (2): Z = H W + 1 b' | H | W |
//! | recursion, Eq. (9): Delta W' | Delta | W', kept in panels of its own |
//!
//! (The third, the gradient, sums over rows: see `outer/`.) Every output element is one chain of fused multiply-adds over
//! the depth, in order, whatever the tile or the register width: the result is the same bits on every machine.

use super::across::MOST_ACROSS;
use super::ahead::Ahead;
use super::chain::{Walk, by_size, chain};
use super::panels::{lines_len, panel_count, panels_len};
use super::pool::{Shards, Team};
use super::simd::{Isa, Simd, VectorJob};
use super::sparse::{self, SparseRows};
use crate::scalar::Scalar;

/// Panels that are computed at once where there are few rows: their chains hide each other's latency.
const PANELS_OF_FEW_ROWS: usize = 4;

/// Up to so many rows are few.
const FEW_ROWS: usize = 2;

/// out (rows x cols) = 1 start' + left (rows x depth) right (depth x cols), everything in panels.
#[derive(Clone, Copy)]
pub struct Product<'a, T> {
    /// Rows of the result.
    pub rows: usize,
    /// Columns of the result.
    pub cols: usize,
    /// Terms of every sum.
    pub depth: usize,
    /// Left operand, rows x depth.
    pub left: Left<'a, T>,
    /// Right operand, depth x cols.
    pub right: &'a [T],
    /// First term of every sum, one for each column (padded to whole panels); zero if absent.
    pub start: Option<&'a [T]>,
    /// What becomes of a sum while it is in its register.
    pub finish: Finish<'a, T>,
}

/// How a product's left operand is stored.
#[derive(Clone, Copy)]
pub enum Left<'a, T> {
    /// In panels.
    Panels(&'a [T]),
    /// In lines: of at most [`MOST_ACROSS`] terms.
    Lines(&'a [T]),
    /// Of which only some elements are stored.
    Sparse(&'a SparseRows<T>),
}

impl<'a, T> Left<'a, T> {
    /// All elements, padding included; none of sparse rows.
    pub(super) fn elements(self) -> &'a [T] {
        match self {
            Self::Panels(elements) | Self::Lines(elements) => elements,
            Self::Sparse(_) => &[],
        }
    }
}

/// The last operation on a sum.
#[derive(Clone, Copy)]
pub enum Finish<'a, T> {
    /// None.
    Keep,
    /// The larger of this and the sum (a NaN stays).
    AtLeast(T),
    /// The sum where this matrix (rows x cols) is positive, else zero.
    WherePositive(&'a [T]),
}

/// A finished piece of a matrix: some rows of one panel, contiguous in memory.
#[derive(Clone, Copy, Debug)]
pub struct Tile {
    /// First element's place in the matrix's panels.
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

impl Tile {
    /// The tile's elements in a matrix of the same shape.
    pub fn range<T: Scalar>(&self) -> std::ops::Range<usize> {
        self.offset..self.offset + self.rows * T::PANEL
    }
}

/// Computes `product` into `out`, and calls `epilogue` with each finished panel while it is in the first-level cache, and with the
/// same place of `companion`, a matrix of the result's shape.
///
/// With a team, its threads share the panels. Each takes the same ones every time, so that they stay in its core's cache.
///
/// # Panics
/// If an operand, `out` or the companion is too small for the shapes.
pub fn multiply<T: Scalar>(
    team: Option<&mut Team>,
    isa: Isa,
    product: &Product<'_, T>,
    out: &mut [T],
    companion: Option<&mut [T]>,
    epilogue: &(impl Fn(Tile, &mut [T], Option<&mut [T]>) + Sync),
) {
    product.check();
    let len = panels_len::<T>(product.rows, product.cols);
    assert!(companion.as_ref().is_none_or(|matrix| matrix.len() >= len), "the companion is too small");
    let companion = companion.map(Shards::new);
    let panel_len = product.rows * T::PANEL;
    let at_once = product.panels_at_once();
    let work = |group: usize, parts: &mut [T]| {
        T::product_panels(isa, product, group * at_once, parts);
        for (i, part) in parts.chunks_mut(panel_len).enumerate() {
            let tile = product.tile(group * at_once + i);
            // SAFETY: inside the companion, as just asserted; the panels are disjoint, and each is worked on once.
            let companion = companion.as_ref().map(|matrix| unsafe { matrix.part(tile.offset, panel_len) });
            epilogue(tile, part, companion);
        }
    };
    let out = &mut out[..len];
    match team {
        Some(team) => team.for_each_chunk(out, at_once * panel_len, &work),
        None => out.chunks_mut((at_once * panel_len).max(1)).enumerate().for_each(|(group, parts)| work(group, parts)),
    }
}

impl<T: Scalar> Product<'_, T> {
    fn check(&self) {
        let left = self.left.elements().len();
        match self.left {
            Left::Panels(_) => assert!(left >= panels_len::<T>(self.rows, self.depth), "the left operand is too small"),
            Left::Lines(_) => {
                assert!((1..=MOST_ACROSS).contains(&self.depth), "lines are for few columns");
                assert!(left >= lines_len::<T>(self.rows, self.depth), "the left operand is too small");
            }
            Left::Sparse(rows) => {
                assert!((rows.rows(), rows.width()) == (self.rows, self.depth), "the left operand has another shape");
            }
        }
        assert!(self.right.len() >= panels_len::<T>(self.depth, self.cols), "the right operand is too small");
        let start = panel_count::<T>(self.cols) * T::PANEL;
        assert!(self.start.is_none_or(|b| b.len() >= start), "the start row is too small");
        if let Finish::WherePositive(gate) = self.finish {
            assert!(gate.len() >= panels_len::<T>(self.rows, self.cols), "the gate is too small");
        }
    }

    fn panels_at_once(&self) -> usize {
        match self.left {
            Left::Sparse(_) => sparse::PANELS,
            _ if self.rows <= FEW_ROWS => PANELS_OF_FEW_ROWS,
            _ => 1,
        }
    }

    /// All rows of panel number `panel`.
    fn tile(&self, panel: usize) -> Tile {
        let col = panel * T::PANEL;
        Tile { offset: col * self.rows, row: 0, rows: self.rows, col, cols: T::PANEL.min(self.cols - col) }
    }
}

/// Computes the sums of neighbouring panels, from number `first` on, into `out`, which is as long as they are.
pub(crate) struct PanelsJob<'a, T> {
    pub(crate) product: &'a Product<'a, T>,
    pub(crate) first: usize,
    pub(crate) out: &'a mut [T],
}

impl<T: Scalar> VectorJob<T> for PanelsJob<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<T>>(mut self, simd: S) {
        let rows = self.product.rows;
        let panels = self.out.len().checked_div(rows * T::PANEL).unwrap_or(0);
        if let Left::Lines(_) = self.product.left {
            return self.few_terms(simd, panels);
        }
        if rows <= FEW_ROWS && panels == PANELS_OF_FEW_ROWS {
            return self.few_rows(simd);
        }
        // No closure: it would be compiled for the baseline.
        for panel in 0..panels {
            self.panel(simd, panel);
        }
    }
}

impl<T: Scalar> PanelsJob<'_, T> {
    /// One panel, `panel` counted from `first`.
    #[inline(always)]
    fn panel<S: Simd<T>>(&mut self, simd: S, panel: usize) {
        let cols = T::PANEL.min(self.product.cols - (self.first + panel) * T::PANEL);
        let half = S::Half::LANES < S::LANES && (1..=S::Half::LANES).contains(&(cols % S::LANES));
        let vectors = if half { cols / S::LANES } else { cols.div_ceil(S::LANES) };
        self.columns(simd, panel, 0, vectors);
        if half {
            self.columns(simd.half(), panel, vectors * S::LANES, 1);
        }
    }

    /// All rows of a panel's `vectors` registers from lane `start` on.
    #[inline(always)]
    fn columns<S: Simd<T>>(&mut self, simd: S, panel: usize, start: usize, vectors: usize) {
        let (rows, col) = (self.product.rows, (self.first + panel) * T::PANEL);
        for vector in (0..vectors).step_by(S::TILE.1) {
            let (lane, registers) = (start + vector * S::LANES, S::TILE.1.min(vectors - vector));
            // Equal blocks of rows, not full ones and a rest.
            let blocks = rows.div_ceil(if registers == 1 { S::TALL } else { S::TILE.0 });
            for block in 0..blocks {
                let (from, to) = (block * rows / blocks, (block + 1) * rows / blocks);
                let turns = vectors.div_ceil(S::TILE.1) * blocks;
                let ahead = self.next_panel(col, vector / S::TILE.1 * blocks + block, turns);
                by_size!(S, to - from, registers, {
                    // SAFETY: `Product::check` has compared the operands' lengths with the shapes; the rows lie inside the
                    // shape, and so do the lanes, since a panel holds whole registers.
                    unsafe { self.sums::<S, R, V>(simd, panel, from, |v| (0, lane + v * S::LANES), ahead) }
                });
            }
        }
    }

    /// What the inner loop number `turn` of the panel's `turns` fetches of the right operand's next panel: start and step.
    #[inline(always)]
    fn next_panel(&self, col: usize, turn: usize, turns: usize) -> Option<(*const T, usize)> {
        let Product { cols, depth, right, .. } = *self.product;
        let step = T::PANEL.div_ceil(turns);
        let next = (col + T::PANEL) * depth;
        (col + T::PANEL < cols).then(|| (right.as_ptr().wrapping_add(next + turn * depth * step), step))
    }

    /// All rows of `PANELS_OF_FEW_ROWS` panels, whole lines of as many of them as there are registers for.
    #[inline(always)]
    fn few_rows<S: Simd<T>>(&mut self, simd: S) {
        let registers = PANELS_OF_FEW_ROWS * T::PANEL / S::LANES;
        for first in (0..registers).step_by(8) {
            let place = |v: usize| ((first + v) * S::LANES / T::PANEL, (first + v) * S::LANES % T::PANEL);
            let after = |v: usize| place(v + 4);
            // SAFETY: as in `panel`; the panels exist since `out` is as long as they are.
            unsafe {
                match self.product.rows {
                    1 => self.sums::<S, 1, 8>(simd, 0, 0, place, None),
                    _ => {
                        self.sums::<S, 2, 4>(simd, 0, 0, place, None);
                        self.sums::<S, 2, 4>(simd, 0, 0, after, None);
                    }
                }
            }
        }
    }

    /// The sums of rows `from .. from + R` and V registers, kept in registers. `place`: the panel, counted from `panel`, and
    /// the lane at which register v starts. `ahead`: what to fetch meanwhile, see `next_panel`.
    ///
    /// # Safety
    /// The rows and places must lie inside the product's shapes.
    #[inline(always)]
    unsafe fn sums<S: Simd<T>, const R: usize, const V: usize>(
        &mut self,
        simd: S,
        panel: usize,
        from: usize,
        place: impl Fn(usize) -> (usize, usize),
        ahead: Option<(*const T, usize)>,
    ) {
        let Product { rows, depth, left, .. } = *self.product;
        let left = left.elements();
        // SAFETY: see the function's contract.
        unsafe {
            let right = self.right::<V>(panel, &place);
            let mut sums = self.start::<S, R, V>(simd, panel, &place);
            // The left operand's terms stand one after another inside a panel.
            for done in (0..depth).step_by(T::PANEL) {
                let left = left.as_ptr().add(done * rows + from * T::PANEL);
                let right = right.map(|right| right.add(done * T::PANEL));
                let walk = Walk { row: T::PANEL, term: 1 };
                let terms = T::PANEL.min(depth - done);
                let ahead = match ahead {
                    Some((at, step)) => Ahead::from(at.wrapping_add(done * step), step),
                    None => Ahead::nothing(left),
                };
                chain::<T, S, R, V, false>(
                    simd,
                    left,
                    walk,
                    right,
                    terms,
                    ahead,
                    (&mut sums, &mut [simd.splat(T::ZERO); V]),
                );
            }
            self.finish(simd, panel, from, place, sums);
        }
    }

    /// Where the right operand's columns of V registers start. `panel` and `place` as in `sums`.
    ///
    /// # Safety
    /// The places must lie inside the product's shapes.
    #[inline(always)]
    pub(super) unsafe fn right<const V: usize>(
        &self,
        panel: usize,
        place: impl Fn(usize) -> (usize, usize),
    ) -> [*const T; V] {
        let Product { depth, right, .. } = *self.product;
        let at = |v: usize| ((self.first + panel + place(v).0) * depth * T::PANEL) + place(v).1;
        // SAFETY: see the function's contract.
        std::array::from_fn(|v| unsafe { right.as_ptr().add(at(v)) })
    }

    /// The first terms of V registers of R rows.
    ///
    /// # Safety
    /// As for [`right`](Self::right).
    #[inline(always)]
    pub(super) unsafe fn start<S: Simd<T>, const R: usize, const V: usize>(
        &self,
        simd: S,
        panel: usize,
        place: impl Fn(usize) -> (usize, usize),
    ) -> [[S::Vector; V]; R] {
        let mut sums = [[simd.splat(T::ZERO); V]; R];
        if let Some(start) = self.product.start {
            for v in 0..V {
                let at = (self.first + panel + place(v).0) * T::PANEL + place(v).1;
                // SAFETY: see the function's contract.
                let first = unsafe { simd.load(start.as_ptr().add(at)) };
                for row in &mut sums {
                    row[v] = first;
                }
            }
        }
        sums
    }

    /// The last operation on finished sums, which it then writes.
    ///
    /// # Safety
    /// As for [`sums`](Self::sums).
    #[inline(always)]
    pub(super) unsafe fn finish<S: Simd<T>, const R: usize, const V: usize>(
        &mut self,
        simd: S,
        panel: usize,
        from: usize,
        place: impl Fn(usize) -> (usize, usize),
        mut sums: [[S::Vector; V]; R],
    ) {
        let rows = self.product.rows;
        // Register v of the first row, from the first panel on.
        let at = |v: usize| (panel + place(v).0) * rows * T::PANEL + from * T::PANEL + place(v).1;
        // SAFETY: see the function's contract.
        unsafe {
            let mut least = -T::INFINITY;
            match self.product.finish {
                Finish::Keep => {}
                Finish::AtLeast(bound) => least = bound,
                Finish::WherePositive(gate) => {
                    let gate = gate.as_ptr().add(self.first * rows * T::PANEL);
                    let zero = simd.splat(T::ZERO);
                    for (r, row) in sums.iter_mut().enumerate() {
                        for (v, sum) in row.iter_mut().enumerate() {
                            let gate = simd.load(gate.add(r * T::PANEL + at(v)));
                            *sum = simd.select(simd.lt(zero, gate), *sum, zero);
                        }
                    }
                }
            }
            let (out, least) = (self.out.as_mut_ptr(), simd.splat(least));
            for (r, row) in sums.iter().enumerate() {
                for (v, &sum) in row.iter().enumerate() {
                    // In this order a NaN stays a NaN.
                    simd.store(out.add(r * T::PANEL + at(v)), simd.max(least, sum));
                }
            }
        }
    }
}
