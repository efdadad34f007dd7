//! Room for the sums of a tile.

use std::mem::MaybeUninit;

use crate::kernel::simd::Simd;
use crate::scalar::Scalar;

/// Most lanes of a register.
const MOST_LANES: usize = 16;

/// The sums of a tile, and of the columns beside it, on the stack.
#[repr(align(128))]
pub struct Sums<T> {
    pub(super) weight: [[MaybeUninit<T>; 32]; 32],
    pub(super) bias: [T; 32],
    /// Elements of `weight` that are set.
    pub(super) set: usize,
}

impl<T: Scalar> Sums<T> {
    #[inline(always)]
    pub(super) fn new() -> Self {
        Self { weight: [[const { MaybeUninit::uninit() }; 32]; 32], bias: [T::ZERO; 32], set: 0 }
    }

    pub(super) fn weight(&mut self, rows: usize) -> &mut [T] {
        let elements = &mut self.weight.as_flattened_mut()[..rows * T::PANEL];
        assert!(elements.len() <= self.set);
        // SAFETY: the first `set` elements are set.
        unsafe { std::slice::from_raw_parts_mut(elements.as_mut_ptr().cast(), elements.len()) }
    }

    /// Room for whole rows of a panel, all of which the caller sets.
    #[inline(always)]
    pub(crate) fn first_row(&mut self) -> *mut T {
        self.weight.as_mut_ptr().cast()
    }

    /// Makes `bias` zero from element `cols` on: what stands in the rest of its register is no sum.
    pub(super) fn clear_bias(&mut self, cols: usize) {
        if !cols.is_multiple_of(MOST_LANES) {
            self.bias[cols..].fill(T::ZERO);
        }
    }

    pub(super) fn bias(&mut self) -> &mut [T] {
        &mut self.bias[..T::PANEL]
    }

    /// Writes registers of the first R rows of `weight` from `lane` on.
    #[inline(always)]
    pub(crate) fn set_rows<S: Simd<T>, const R: usize, const V: usize>(
        &mut self,
        simd: S,
        lane: usize,
        rows: [[S::Vector; V]; R],
    ) {
        assert!(lane + V * S::LANES <= T::PANEL && R <= T::PANEL);
        // SAFETY: inside the rows, as just asserted.
        unsafe { store(simd, rows, self.weight.as_mut_ptr().cast::<T>().add(lane)) };
    }

    /// Makes the first lane of each register an element of `bias`.
    #[inline(always)]
    pub(crate) fn set_bias<S: Simd<T>, const R: usize>(&mut self, simd: S, totals: [S::Vector; R]) {
        for (bias, total) in self.bias.iter_mut().zip(totals) {
            let mut lanes = [T::ZERO; 32];
            // SAFETY: LANES <= 32.
            unsafe { simd.store(lanes.as_mut_ptr(), total) };
            *bias = lanes[0];
        }
    }
}

/// Reads rows of registers, a panel's row apart.
///
/// # Safety
/// `from` must be valid for them.
#[inline(always)]
pub(crate) unsafe fn load<T: Scalar, S: Simd<T>, const R: usize, const V: usize>(
    simd: S,
    from: *const T,
    rows: &mut [[S::Vector; V]; R],
) {
    for (r, row) in rows.iter_mut().enumerate() {
        for (v, sum) in row.iter_mut().enumerate() {
            // SAFETY: see the function's contract.
            *sum = unsafe { simd.load(from.add(r * T::PANEL + v * S::LANES)) };
        }
    }
}

/// Writes rows of registers, a panel's row apart.
///
/// # Safety
/// `out` must be valid for them.
#[inline(always)]
pub(crate) unsafe fn store<T: Scalar, S: Simd<T>, const R: usize, const V: usize>(
    simd: S,
    rows: [[S::Vector; V]; R],
    out: *mut T,
) {
    for (r, row) in rows.iter().enumerate() {
        for (v, &sum) in row.iter().enumerate() {
            // SAFETY: see the function's contract.
            unsafe { simd.store(out.add(r * T::PANEL + v * S::LANES), sum) };
        }
    }
}

/// Adds what stands at `from` to two registers.
///
/// # Safety
/// `from` must be valid for them.
#[inline(always)]
pub(crate) unsafe fn add<T: Scalar, S: Simd<T>>(simd: S, sums: &mut [S::Vector; 2], from: *const T) {
    for (v, sum) in sums.iter_mut().enumerate() {
        // SAFETY: see the function's contract.
        *sum = simd.add(*sum, unsafe { simd.load(from.add(v * S::LANES)) });
    }
}
