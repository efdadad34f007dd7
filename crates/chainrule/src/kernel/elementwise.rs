//! Element-by-element passes over a tile, and sums down its columns.

use super::product::Tile;
use super::simd::{Isa, Simd, VectorJob};
use crate::scalar::Scalar;

/// A function of single elements, written on whole registers: `N` values are replaced, `R` more are read.
pub trait VectorFn<T: Scalar, const N: usize, const R: usize>: Sync {
    /// The new values from the old ones and the inputs. Implementations are `#[inline(always)]`.
    fn apply<S: Simd<T>>(&self, simd: S, values: [S::Vector; N], inputs: [S::Vector; R]) -> [S::Vector; N];
}

/// Applies `f` to every element in use of a tile: `values` and `inputs` are the tile's parts of matrices.
///
/// # Panics
/// If a part is smaller than the tile.
pub fn map<T: Scalar, const N: usize, const R: usize>(
    isa: Isa,
    tile: Tile,
    values: [&mut [T]; N],
    inputs: [&[T]; R],
    f: &impl VectorFn<T, N, R>,
) {
    let size = tile.rows * T::PANEL;
    assert!(values.iter().all(|part| part.len() >= size), "a part is smaller than its tile");
    assert!(inputs.iter().all(|part| part.len() >= size), "an input is smaller than its tile");
    T::dispatch(
        isa,
        MapJob { tile, values: values.map(|part| part.as_mut_ptr()), inputs: inputs.map(<[T]>::as_ptr), f },
    );
}

/// [`map`] over whole slices whose length is a multiple of the panel width.
pub fn map_all<T: Scalar, const N: usize, const R: usize>(
    isa: Isa,
    values: [&mut [T]; N],
    inputs: [&[T]; R],
    f: &impl VectorFn<T, N, R>,
) {
    let rows = values.first().map_or(0, |part| part.len() / T::PANEL);
    map(isa, Tile { offset: 0, row: 0, rows, col: 0, cols: T::PANEL }, values, inputs, f);
}

struct MapJob<'a, T, F, const N: usize, const R: usize> {
    tile: Tile,
    values: [*mut T; N],
    inputs: [*const T; R],
    f: &'a F,
}

impl<T: Scalar, F: VectorFn<T, N, R>, const N: usize, const R: usize> VectorJob<T> for MapJob<'_, T, F, N, R> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<T>>(self, simd: S) {
        let vectors = self.tile.cols.div_ceil(S::LANES);
        for row in 0..self.tile.rows {
            for vector in 0..vectors {
                let at = row * T::PANEL + vector * S::LANES;
                // SAFETY: `map` has checked that every part holds `rows` panel rows; `at` is a whole register inside one.
                unsafe {
                    let mut values = [simd.splat(T::ZERO); N];
                    for (value, from) in values.iter_mut().zip(self.values) {
                        *value = simd.load(from.add(at));
                    }
                    let mut inputs = [simd.splat(T::ZERO); R];
                    for (input, from) in inputs.iter_mut().zip(self.inputs) {
                        *input = simd.load(from.add(at));
                    }
                    for (value, to) in self.f.apply(simd, values, inputs).into_iter().zip(self.values) {
                        simd.store(to.add(at), value);
                    }
                }
            }
        }
    }
}

/// `out[c] = Σ_r m[r, c]`, one chain over the rows in order; `matrix` is (rows x cols) in panels, `out` padded to panels.
///
/// # Panics
/// If `matrix` or `out` is too small for the shape.
pub fn column_sums<T: Scalar>(isa: Isa, matrix: &[T], rows: usize, cols: usize, out: &mut [T]) {
    assert!(matrix.len() >= super::panels::panels_len::<T>(rows, cols), "the matrix is smaller than its shape");
    assert!(out.len() >= super::panels::panels_len::<T>(1, cols), "the row of sums is too small");
    T::dispatch(isa, ColumnSums { matrix, rows, cols, out });
}

struct ColumnSums<'a, T> {
    matrix: &'a [T],
    rows: usize,
    cols: usize,
    out: &'a mut [T],
}

impl<T: Scalar> VectorJob<T> for ColumnSums<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<T>>(self, simd: S) {
        for col in (0..self.cols).step_by(S::LANES) {
            let first = col / T::PANEL * T::PANEL * self.rows + col % T::PANEL;
            let mut sum = simd.splat(T::ZERO);
            for r in 0..self.rows {
                // SAFETY: `column_sums` has checked the lengths; a panel holds whole registers.
                sum = simd.add(sum, unsafe { simd.load(self.matrix.as_ptr().add(first + r * T::PANEL)) });
            }
            // SAFETY: as above.
            unsafe { simd.store(self.out.as_mut_ptr().add(col), sum) };
        }
    }
}
