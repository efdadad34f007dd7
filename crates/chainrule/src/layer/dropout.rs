//! Dropout (Srivastava et al. 2014): during training each unit is set to zero with probability p, the others are divided
//! by 1 - p. With mask m in {0, 1 / (1 - p)}: h <- h ⊙ m and phi'(z) <- phi'(z) ⊙ m. The mask is a function of the step's
//! key, the row and the unit, so nothing is stored but the product phi' ⊙ m that the backward pass needs anyway.

use crate::kernel::{Isa, Simd, Tile, VectorJob, load, panel_count, store};
use crate::rng::{Key, mask_bits};
use crate::scalar::Scalar;

/// All masks of one step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Masks {
    pub(crate) key: Key,
    /// Factor of every layer's probability.
    pub(crate) factor: f64,
}

impl Masks {
    /// Those of layer number `l`, which drops with probability `p`, for a block that starts at row `first` of the batch.
    pub(crate) fn of_layer(&self, l: usize, p: f64, first: usize) -> Mask {
        Mask::new(p * self.factor, self.key.part(l as u64), first)
    }
}

/// One layer's masks in one step.
#[derive(Clone, Copy)]
pub(crate) struct Mask {
    key: u32,
    /// A unit is dropped where its random bits are below this.
    threshold: u32,
    kept: f64,
    /// The batch's row that is the block's first.
    first: usize,
}

impl Mask {
    /// Masks that drop with probability `p`, 0 <= p < 1, for a block that starts at row `first` of the batch.
    fn new(p: f64, key: Key, first: usize) -> Self {
        Self { key: key.short(), threshold: (p * 2f64.powi(32)) as u32, kept: 1.0 / (1.0 - p), first }
    }

    /// What unit `unit` of row `row` of the block is multiplied by. `width`: units in a row.
    pub(crate) fn value(&self, row: usize, width: usize, unit: usize) -> f64 {
        let bits = mask_bits(self.key, ((self.first + row) * width + unit) as u32);
        if bits < self.threshold { 0.0 } else { self.kept }
    }

    /// Multiplies (rows x width) matrices by the mask, as [`apply`](Self::apply) does their tiles.
    pub(crate) fn apply_to_all<T: Scalar, const N: usize>(
        &self,
        isa: Isa,
        (rows, width): (usize, usize),
        mut parts: [&mut [T]; N],
    ) {
        for panel in 0..panel_count::<T>(width) {
            let col = panel * T::PANEL;
            let tile = Tile { offset: col * rows, row: 0, rows, col, cols: T::PANEL.min(width - col) };
            self.apply(isa, tile, width, parts.each_mut().map(|part| &mut part[tile.range::<T>()]));
        }
    }

    /// Multiplies the tile's activations and what is kept of their derivatives, `parts`, by the mask. `width`: units in a row.
    pub(crate) fn apply<T: Scalar, const N: usize>(&self, isa: Isa, tile: Tile, width: usize, parts: [&mut [T]; N]) {
        T::dispatch(isa, MaskJob { mask: *self, tile, width, parts });
    }
}

struct MaskJob<'a, T, const N: usize> {
    mask: Mask,
    tile: Tile,
    width: usize,
    parts: [&'a mut [T]; N],
}

impl<T: Scalar, const N: usize> VectorJob<T> for MaskJob<'_, T, N> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<T>>(mut self, simd: S) {
        let kept = T::from_f64(self.mask.kept);
        let mut factors = [T::ZERO; 32];
        let factors = &mut factors[..T::PANEL];
        for r in 0..self.tile.rows {
            let first = ((self.mask.first + self.tile.row + r) * self.width + self.tile.col) as u32;
            for (c, factor) in factors.iter_mut().enumerate() {
                let bits = mask_bits(self.mask.key, first.wrapping_add(c as u32));
                *factor = if bits < self.mask.threshold { T::ZERO } else { kept };
            }
            for part in &mut self.parts {
                let row = &mut part[r * T::PANEL..][..T::PANEL];
                for lane in (0..T::PANEL).step_by(S::LANES) {
                    let x = simd.mul(load(simd, &row[lane..]), load(simd, &factors[lane..]));
                    store(simd, x, &mut row[lane..]);
                }
            }
        }
    }
}
