//! The scale layer of RealMLP (Holzmüller et al. 2024): h^(0) = u ⊙ s, a trainable factor s_i for each element of the input.
//!
//! dh_i/ds_i = u_i and dh_i/du_i = s_i, so with delta = dJ/dh^(0): dJ/ds = Σ delta ⊙ u over the rows, dJ/du = delta ⊙ s.

use crate::kernel::{Input, Isa, Simd, VectorFn, map_columns};
use crate::scalar::Scalar;

/// h = u ⊙ s for all rows: `u` and `h` (rows x width), `s` (1 x width).
pub(crate) fn forward<T: Scalar>(isa: Isa, shape: (usize, usize), s: &[T], u: &[T], h: &mut [T]) {
    map_columns(isa, shape, [h], [Input::Matrix(u), Input::Row(s)], &Product);
}

/// Replaces delta = dJ/dh in `delta` by dJ/du, and u in `u` by each row's part of dJ/ds.
pub(crate) fn backward<T: Scalar>(isa: Isa, shape: (usize, usize), s: &[T], delta: &mut [T], u: &mut [T]) {
    map_columns(isa, shape, [delta, u], [Input::Row(s)], &Both);
}

/// anything, u, s -> u s
#[derive(Clone, Copy)]
struct Product;
/// delta, u, s -> delta s, delta u
#[derive(Clone, Copy)]
struct Both;

impl<T: Scalar> VectorFn<T, 1, 2> for Product {
    #[inline(always)]
    fn apply<S: Simd<T>>(&self, simd: S, [_]: [S::Vector; 1], [u, s]: [S::Vector; 2]) -> [S::Vector; 1] {
        [simd.mul(u, s)]
    }
}

impl<T: Scalar> VectorFn<T, 2, 1> for Both {
    #[inline(always)]
    fn apply<S: Simd<T>>(&self, simd: S, [delta, u]: [S::Vector; 2], [s]: [S::Vector; 1]) -> [S::Vector; 2] {
        [simd.mul(delta, s), simd.mul(delta, u)]
    }
}
