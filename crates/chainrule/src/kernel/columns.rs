//! Passes over a whole matrix in panels with numbers that belong to its columns: a factor for each column, or the sums down
//! them.

use super::elementwise::VectorFn;
use super::panels::{panel_count, panels_len};
use super::simd::{Isa, Simd, VectorJob};
use crate::scalar::Scalar;

/// What a pass reads beside the values that it replaces.
#[derive(Clone, Copy)]
pub enum Input<'a, T> {
    /// A matrix of the values' shape.
    Matrix(&'a [T]),
    /// One number for each column: a matrix of a single row.
    Row(&'a [T]),
}

impl<T: Scalar> Input<'_, T> {
    fn parts(&self, rows: usize, cols: usize) -> (*const T, usize) {
        let (slice, stride, rows) = match *self {
            Self::Matrix(matrix) => (matrix, T::PANEL, rows),
            Self::Row(row) => (row, 0, 1),
        };
        assert!(slice.len() >= panels_len::<T>(rows, cols), "an input is too small");
        (slice.as_ptr(), stride)
    }
}

/// Applies `f` to every element of (rows x cols) matrices in panels, padding included.
///
/// # Panics
/// If a matrix is too small for the shape.
pub fn map_columns<T: Scalar, const N: usize, const R: usize>(
    isa: Isa,
    (rows, cols): (usize, usize),
    values: [&mut [T]; N],
    inputs: [Input<'_, T>; R],
    f: &impl VectorFn<T, N, R>,
) {
    let len = panels_len::<T>(rows, cols);
    assert!(values.iter().all(|matrix| matrix.len() >= len), "a matrix is too small");
    let inputs = inputs.map(|input| input.parts(rows, cols));
    let values = values.map(|matrix| matrix.as_mut_ptr());
    T::dispatch(isa, ColumnsJob { rows, panels: panel_count::<T>(cols), values, inputs, f });
}

struct ColumnsJob<'a, T, F, const N: usize, const R: usize> {
    rows: usize,
    panels: usize,
    values: [*mut T; N],
    /// Start, and elements from one row to the next.
    inputs: [(*const T, usize); R],
    f: &'a F,
}

impl<T: Scalar, F: VectorFn<T, N, R>, const N: usize, const R: usize> VectorJob<T> for ColumnsJob<'_, T, F, N, R> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<T>>(self, simd: S) {
        let f = *self.f;
        for panel in 0..self.panels {
            for row in 0..self.rows {
                for lane in (0..T::PANEL).step_by(S::LANES) {
                    let at = (panel * self.rows + row) * T::PANEL + lane;
                    // SAFETY: `map_columns` has compared every length with the shape; a panel of a matrix starts after `rows`
                    // rows of each one before it, that of a single row after one.
                    unsafe {
                        let mut values = [simd.splat(T::ZERO); N];
                        for (value, from) in values.iter_mut().zip(self.values) {
                            *value = simd.load(from.add(at));
                        }
                        let mut inputs = [simd.splat(T::ZERO); R];
                        for (input, (from, stride)) in inputs.iter_mut().zip(self.inputs) {
                            let place = if stride == 0 { panel * T::PANEL + lane } else { at };
                            *input = simd.load(from.add(place));
                        }
                        for (value, to) in f.apply(simd, values, inputs).into_iter().zip(self.values) {
                            simd.store(to.add(at), value);
                        }
                    }
                }
            }
        }
    }
}

/// Adds the rows of a (rows x cols) matrix to `sums`, a matrix of a single row, one after the other: over matrices that follow
/// each other every sum is one chain.
///
/// # Panics
/// If a slice is too small for the shape.
pub fn add_rows<T: Scalar>(isa: Isa, (rows, cols): (usize, usize), matrix: &[T], sums: &mut [T]) {
    let matrix = &matrix[..panels_len::<T>(rows, cols)];
    T::dispatch(isa, AddRows { rows, matrix, sums: &mut sums[..panels_len::<T>(1, cols)] });
}

struct AddRows<'a, T> {
    rows: usize,
    matrix: &'a [T],
    sums: &'a mut [T],
}

impl<T: Scalar> VectorJob<T> for AddRows<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<T>>(self, _: S) {
        if self.rows == 0 {
            return;
        }
        let panels = self.matrix.chunks_exact(self.rows * T::PANEL).zip(self.sums.chunks_exact_mut(T::PANEL));
        for (panel, sums) in panels {
            for row in panel.chunks_exact(T::PANEL) {
                for (sum, x) in sums.iter_mut().zip(row) {
                    *sum += *x;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::{pack, unpack};

    #[derive(Clone, Copy)]
    struct Scaled;
    impl<T: Scalar> VectorFn<T, 1, 2> for Scaled {
        #[inline(always)]
        fn apply<S: Simd<T>>(&self, simd: S, [a]: [S::Vector; 1], [b, c]: [S::Vector; 2]) -> [S::Vector; 1] {
            [simd.fma(a, c, b)]
        }
    }

    /// a c + b with a number c for each column, and the sums of the result in two pieces.
    #[test]
    fn columns_meet_their_own_numbers() {
        for (rows, cols) in [(1, 1), (5, 31), (3, 70)] {
            let draws = |n: usize, step: usize| (0..n).map(|i| (i * step % 17) as f64 - 8.0).collect::<Vec<_>>();
            let (a, b, c) = (draws(rows * cols, 3), draws(rows * cols, 5), draws(cols, 7));
            let packed = |x: &[f64], rows| {
                let mut out = vec![0.0; panels_len::<f64>(rows, cols)];
                pack(x, rows, cols, &mut out);
                out
            };
            for isa in Isa::available() {
                let mut out = packed(&a, rows);
                let inputs = [&packed(&b, rows), &packed(&c, 1)];
                map_columns(isa, (rows, cols), [&mut out], [Input::Matrix(inputs[0]), Input::Row(inputs[1])], &Scaled);
                let mut sums = vec![0.0; panels_len::<f64>(1, cols)];
                add_rows(isa, (rows, cols), &out, &mut sums);
                add_rows(isa, (rows, cols), &out, &mut sums);
                let [mut found, mut total] = [vec![0.0; rows * cols], vec![0.0; cols]];
                unpack(&out, rows, cols, &mut found);
                unpack(&sums, 1, cols, &mut total);
                for (i, found) in found.iter().enumerate() {
                    assert_eq!(*found, a[i] * c[i % cols] + b[i], "{isa} {rows} x {cols}, element {i}");
                }
                for (j, total) in total.iter().enumerate() {
                    assert_eq!(*total, 2.0 * (0..rows).map(|r| found[r * cols + j]).sum::<f64>(), "{isa}, column {j}");
                }
            }
        }
    }
}
