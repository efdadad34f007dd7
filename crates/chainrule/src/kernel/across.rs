//! Layers of few outputs, at most [`MOST_ACROSS`]. Their panels would be padding for the most part, and so W is stored as W' (outputs x
//! inputs) in panels, z and delta (rows x outputs) in lines. The chains of all sums are those of any other layer.
//!
//! | use | here |
//! |---|---|
//! | forward, Eq. (2): Z = H W + 1 b' | [`multiply_across`]: rows lie across the lanes |
//! | recursion, Eq. (9): Delta W' | `PanelsJob::few_terms` |
//! | gradient, Eq. (6): W' = Σ delta h' and b = Σ delta | `OuterJob::across` |

use std::mem::MaybeUninit;

use super::outer::OuterJob;
use super::panels::{line_len, lines_len, panels_len, transposed_square};
use super::product::{Finish, Left, PanelsJob, Product, Tile};
use super::simd::{Isa, Simd, VectorJob};
use crate::scalar::Scalar;

/// Most outputs of such a layer.
pub const MOST_ACROSS: usize = 4;

/// Registers of columns that are summed in one loop.
const MOST_REGISTERS: usize = 4;

/// Computes `product` into `out`, which is in lines, `product.right` being the transpose in panels: of at most [`MOST_ACROSS`] columns,
/// and nothing follows the sums.
///
/// # Panics
/// If an operand or `out` is too small for the shapes, or these are not as above.
pub fn multiply_across<T: Scalar>(isa: Isa, product: &Product<'_, T>, out: &mut [T]) {
    let Product { rows, cols, depth, left, right, start, .. } = *product;
    assert!(
        (1..=MOST_ACROSS).contains(&cols) && matches!(product.finish, Finish::Keep),
        "for plain sums of few columns"
    );
    assert!(
        matches!(left, Left::Panels(left) if left.len() >= panels_len::<T>(rows, depth)),
        "the left operand is too small"
    );
    assert!(right.len() >= panels_len::<T>(cols, depth), "the right operand is too small");
    assert!(start.is_none_or(|b| b.len() >= cols), "the start row is too small");
    assert!(out.len() >= lines_len::<T>(rows, cols), "the result is too small");
    T::dispatch(isa, AcrossJob { product, out });
}

struct AcrossJob<'a, T> {
    product: &'a Product<'a, T>,
    out: &'a mut [T],
}

impl<T: Scalar> VectorJob<T> for AcrossJob<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<T>>(mut self, simd: S) {
        match (self.product.cols, self.product.rows.div_ceil(S::LANES)) {
            (1, 0..=1) => self.sums::<S, 1, 1>(simd),
            (1, 2) => self.sums::<S, 1, 2>(simd),
            (1, _) => self.sums::<S, 1, 4>(simd),
            (2, 0..=1) => self.sums::<S, 2, 1>(simd),
            (2, 2) => self.sums::<S, 2, 2>(simd),
            (2, _) => self.sums::<S, 2, 4>(simd),
            (3, 0..=1) => self.sums::<S, 3, 1>(simd),
            (3, _) => self.sums::<S, 3, 2>(simd),
            (_, 0..=1) => self.sums::<S, MOST_ACROSS, 1>(simd),
            (_, _) => self.sums::<S, MOST_ACROSS, 2>(simd),
        }
    }
}

impl<T: Scalar> AcrossJob<'_, T> {
    #[inline(always)]
    fn sums<S: Simd<T>, const C: usize, const GROUPS: usize>(&mut self, simd: S) {
        let (rows, line) = (self.product.rows, line_len::<T>(self.product.rows));
        for from in (0..rows).step_by(GROUPS * S::LANES) {
            let groups = self.groups::<S, C, GROUPS>(simd, from);
            for (sums, first) in groups.iter().zip((from..rows).step_by(S::LANES)) {
                for (c, &sum) in sums.iter().enumerate() {
                    // SAFETY: `multiply_across` has compared the length with the shape; a line holds whole registers.
                    unsafe { simd.store(self.out.as_mut_ptr().add(c * line + first), sum) };
                }
            }
        }
    }

    /// The sums of C columns and GROUPS registers of rows, from row `from` on: the rows lie across the lanes, for which the left operand is
    /// transposed on the way. The registers take turns, so that their chains hide each other's latency.
    #[inline(always)]
    fn groups<S: Simd<T>, const C: usize, const GROUPS: usize>(
        &self,
        simd: S,
        from: usize,
    ) -> [[S::Vector; C]; GROUPS] {
        let Product { depth, right, start, .. } = *self.product;
        let mut sums = [[simd.splat(T::ZERO); C]; GROUPS];
        if let Some(start) = start {
            for sums in &mut sums {
                for (sum, &first) in sums.iter_mut().zip(start) {
                    *sum = simd.splat(first);
                }
            }
        }
        // h[t][g]: term t of the rows of group g.
        let mut h = [[const { MaybeUninit::uninit() }; GROUPS]; 16];
        for done in (0..depth).step_by(S::LANES) {
            let place = done / T::PANEL * C * T::PANEL + done % T::PANEL;
            let count = S::LANES.min(depth - done);
            let terms = &right[place..][..(C - 1) * T::PANEL + count];
            // In a loop of a fixed length the square does not leave its registers.
            if C == 1 && count == S::LANES {
                for (g, sums) in sums.iter_mut().enumerate() {
                    let square = self.square(simd, from + g * S::LANES, done);
                    for (t, &h) in square[..S::LANES].iter().enumerate() {
                        sums[0] = simd.fma(h, simd.splat(terms[t]), sums[0]);
                    }
                }
                continue;
            }
            // The chains of several columns would keep the next square waiting, and so they begin when all squares are there.
            for g in 0..GROUPS {
                let square = self.square(simd, from + g * S::LANES, done);
                for (h, &term) in h.iter_mut().zip(&square[..S::LANES]) {
                    h[g].write(term);
                }
            }
            for (t, h) in h[..count].iter().enumerate() {
                let terms = &terms[t..][..(C - 1) * T::PANEL + 1];
                for (sums, h) in sums.iter_mut().zip(h) {
                    // SAFETY: count <= LANES, and so many terms of every group have just been written.
                    let h = unsafe { h.assume_init() };
                    for (c, sum) in sums.iter_mut().enumerate() {
                        *sum = simd.fma(h, simd.splat(terms[c * T::PANEL]), *sum);
                    }
                }
            }
        }
        sums
    }

    /// LANES terms from `done` on of LANES rows from `from` on of the left operand (zero past its end), transposed.
    #[inline(always)]
    fn square<S: Simd<T>>(&self, simd: S, from: usize, done: usize) -> [S::Vector; 16] {
        let Product { rows, left, .. } = *self.product;
        let first = (done / T::PANEL * rows + from) * T::PANEL + done % T::PANEL;
        // SAFETY: rows `from ..` of the left operand, whose length has been compared with the shape; a panel's row holds whole
        // registers.
        unsafe { transposed_square(simd, left.elements().as_ptr().wrapping_add(first), rows.saturating_sub(from)) }
    }
}

impl<T: Scalar> PanelsJob<'_, T> {
    /// All rows of `panels` panels, of sums of few terms, whose left operand is in lines.
    #[inline(always)]
    pub(super) fn few_terms<S: Simd<T>>(&mut self, simd: S, panels: usize) {
        for panel in 0..panels {
            match self.product.depth {
                1 => self.terms::<S, 1>(simd, panel),
                2 => self.terms::<S, 2>(simd, panel),
                3 => self.terms::<S, 3>(simd, panel),
                _ => self.terms::<S, MOST_ACROSS>(simd, panel),
            }
        }
    }

    #[inline(always)]
    fn terms<S: Simd<T>, const TERMS: usize>(&mut self, simd: S, panel: usize) {
        let Product { rows, cols, left, right, start, finish, .. } = *self.product;
        let left = left.elements();
        let (column, line) = ((self.first + panel) * T::PANEL, line_len::<T>(rows));
        let zero = simd.splat(T::ZERO);
        for lane in (0..T::PANEL.min(cols - column)).step_by(S::LANES) {
            // SAFETY: `Product::check` has compared the operands' lengths with the shapes; `out` is as long as the panels, and these
            // hold whole registers.
            unsafe {
                let mut w = [zero; TERMS];
                for (t, w) in w.iter_mut().enumerate() {
                    *w = simd.load(right.as_ptr().add(column * TERMS + t * T::PANEL + lane));
                }
                let first = start.map_or(zero, |start| simd.load(start.as_ptr().add(column + lane)));
                for row in 0..rows {
                    let mut sum = first;
                    for (t, &w) in w.iter().enumerate() {
                        sum = simd.fma(simd.splat(*left.as_ptr().add(t * line + row)), w, sum);
                    }
                    let at = row * T::PANEL + lane;
                    match finish {
                        Finish::Keep => {}
                        Finish::AtLeast(least) => sum = simd.max(simd.splat(least), sum),
                        Finish::WherePositive(gate) => {
                            let gate = simd.load(gate.as_ptr().add(column * rows + at));
                            sum = simd.select(simd.lt(zero, gate), sum, zero);
                        }
                    }
                    simd.store(self.out.as_mut_ptr().add(panel * rows * T::PANEL + at), sum);
                }
            }
        }
    }
}

impl<T: Scalar> OuterJob<'_, T> {
    /// All registers of a tile of W', and with its first columns b.
    #[inline(always)]
    pub(super) fn across<S: Simd<T>>(&mut self, simd: S) {
        match self.tile.tile.rows {
            0 => {}
            1 => self.across_rows::<S, 1>(simd),
            2 => self.across_rows::<S, 2>(simd),
            3 => self.across_rows::<S, 3>(simd),
            _ => self.across_rows::<S, MOST_ACROSS>(simd),
        }
    }

    #[inline(always)]
    fn across_rows<S: Simd<T>, const R: usize>(&mut self, simd: S) {
        let Tile { col, cols, .. } = self.tile.tile;
        let vectors = cols.div_ceil(S::LANES);
        // SAFETY: `check` has compared the operands' lengths with the shapes and found no more rows than `MOST_ACROSS`; the lanes lie
        // inside a panel's row, which holds whole registers.
        unsafe {
            for vector in (0..vectors).step_by(MOST_REGISTERS) {
                let lane = vector * S::LANES;
                match (vectors - vector, col == 0 && vector == 0) {
                    (1, true) => self.across_sums::<S, R, 1, true>(simd, lane),
                    (1, false) => self.across_sums::<S, R, 1, false>(simd, lane),
                    (2, true) => self.across_sums::<S, R, 2, true>(simd, lane),
                    (2, false) => self.across_sums::<S, R, 2, false>(simd, lane),
                    // Lanes past the columns hold anything and are not kept.
                    (_, true) => self.across_sums::<S, R, MOST_REGISTERS, true>(simd, lane),
                    (_, false) => self.across_sums::<S, R, MOST_REGISTERS, false>(simd, lane),
                }
            }
        }
    }

    /// The sums of V registers from `lane` on and, if `BIAS`, Σ delta: with so few chains each waits for itself, and so these run beside
    /// those of W' in one loop.
    ///
    /// # Safety
    /// The operands must hold the tile's R rows and the registers.
    #[inline(always)]
    unsafe fn across_sums<S: Simd<T>, const R: usize, const V: usize, const BIAS: bool>(
        &mut self,
        simd: S,
        lane: usize,
    ) {
        let mut sums = [[simd.splat(T::ZERO); V]; R];
        let mut totals = [simd.splat(T::ZERO); R];
        for (rows, delta, h) in self.tile.blocks() {
            let line = line_len::<T>(rows);
            for row in 0..rows {
                // SAFETY: row < rows; see the function's contract.
                unsafe {
                    let (delta, h) = (delta.as_ptr().add(row), h.as_ptr().add(row * T::PANEL + lane));
                    for (r, (sums, total)) in sums.iter_mut().zip(&mut totals).enumerate() {
                        let delta = simd.splat(*delta.add(r * line));
                        for (v, sum) in sums.iter_mut().enumerate() {
                            *sum = simd.fma(delta, simd.load(h.add(v * S::LANES)), *sum);
                        }
                        if BIAS {
                            *total = simd.add(*total, delta);
                        }
                    }
                }
            }
        }
        self.sums.set_rows(simd, lane, sums);
        if BIAS {
            self.sums.set_bias(simd, totals);
        }
    }
}
