//! The gradient of a layer of few outputs, W' = Σ delta h' and b = Σ delta: with so few chains each waits for itself, and so those of b
//! run beside those of W' in one loop.

use super::outer::OuterJob;
use super::product::{MOST_ACROSS, Tile};
use super::simd::Simd;
use crate::scalar::Scalar;

/// Registers of columns that are summed in one loop.
const MOST_REGISTERS: usize = 4;

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

    /// The sums of V registers from `lane` on and, if `BIAS`, Σ delta.
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
            for row in 0..rows {
                // SAFETY: row < rows; see the function's contract.
                unsafe {
                    let (delta, h) = (delta.as_ptr().add(row * T::PANEL), h.as_ptr().add(row * T::PANEL + lane));
                    for (r, (sums, total)) in sums.iter_mut().zip(&mut totals).enumerate() {
                        let delta = simd.splat(*delta.add(r));
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
