//! Dropout (Srivastava et al. 2014): during training each unit is set to zero with probability p, the others are divided
//! by 1 - p. With mask m in {0, 1 / (1 - p)}: h <- h ⊙ m and phi'(z) <- phi'(z) ⊙ m. The mask is a function of the step's
//! key, the row and the unit, so nothing is stored but the product phi' ⊙ m that the backward pass needs anyway.

use crate::kernel::{Isa, Simd, Tile, VectorJob};
use crate::rng::{Key, mask_bits};
use crate::scalar::Scalar;

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
    /// Masks that drop with probability `p`, 0 < p < 1, for a block that starts at row `first` of the batch.
    pub(crate) fn new(p: f64, key: Key, first: usize) -> Self {
        Self { key: key.short(), threshold: (p * 2f64.powi(32)) as u32, kept: 1.0 / (1.0 - p), first }
    }

    /// What unit `unit` of row `row` of the block is multiplied by. `width`: units in a row.
    pub(crate) fn value(&self, row: usize, width: usize, unit: usize) -> f64 {
        let bits = mask_bits(self.key, ((self.first + row) * width + unit) as u32);
        if bits < self.threshold { 0.0 } else { self.kept }
    }

    /// Multiplies the tile's activations `h` and slopes `slope` by the mask. `width`: units in a row.
    pub(crate) fn apply<T: Scalar>(&self, isa: Isa, tile: Tile, width: usize, h: &mut [T], slope: &mut [T]) {
        T::dispatch(isa, MaskJob { mask: *self, tile, width, h, slope });
    }
}

struct MaskJob<'a, T> {
    mask: Mask,
    tile: Tile,
    width: usize,
    h: &'a mut [T],
    slope: &'a mut [T],
}

impl<T: Scalar> VectorJob<T> for MaskJob<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<T>>(self, _: S) {
        let kept = T::from_f64(self.mask.kept);
        let rows = self.h.chunks_exact_mut(T::PANEL).zip(self.slope.chunks_exact_mut(T::PANEL));
        for (r, (h, slope)) in rows.enumerate() {
            let first = ((self.mask.first + self.tile.row + r) * self.width + self.tile.col) as u32;
            for (c, (h, slope)) in h.iter_mut().zip(slope).enumerate() {
                let bits = mask_bits(self.mask.key, first.wrapping_add(c as u32));
                let m = if bits < self.mask.threshold { T::ZERO } else { kept };
                *h = *h * m;
                *slope = *slope * m;
            }
        }
    }
}
