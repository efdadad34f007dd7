//! Row-by-row passes over a matrix whose rows belong together (a softmax, say): groups of rows lie across a register's
//! lanes, so a formula for one row, written on registers, works on all of them at once.

use super::panels::{index, line_len, stored_len};
use super::simd::{Isa, Simd, VectorJob};
use crate::scalar::Scalar;

/// Rows `first .. first + count` of a matrix; column k is one register.
pub struct Columns<'a, T> {
    values: &'a mut [T],
    lanes: usize,
    /// First row.
    pub first: usize,
    /// Rows in use; the lanes after them hold zeros.
    pub count: usize,
}

impl<T: Scalar> Columns<'_, T> {
    /// Number of columns.
    pub fn width(&self) -> usize {
        self.values.len() / self.lanes
    }

    /// Column `k`.
    #[inline(always)]
    pub fn get<S: Simd<T>>(&self, simd: S, k: usize) -> S::Vector {
        let column = &self.values[k * S::LANES..][..S::LANES];
        // SAFETY: the slice is LANES long.
        unsafe { simd.load(column.as_ptr()) }
    }

    /// Replaces column `k`.
    #[inline(always)]
    pub fn set<S: Simd<T>>(&mut self, simd: S, k: usize, x: S::Vector) {
        let column = &mut self.values[k * S::LANES..][..S::LANES];
        // SAFETY: the slice is LANES long.
        unsafe { simd.store(column.as_mut_ptr(), x) }
    }
}

/// The lanes of one register, read from or written to a slice.
#[inline(always)]
pub fn lanes_from<T: Scalar, S: Simd<T>>(simd: S, count: usize, value: impl Fn(usize) -> T) -> S::Vector {
    let mut lanes = [T::ZERO; 32];
    for (i, lane) in lanes[..count.min(S::LANES)].iter_mut().enumerate() {
        *lane = value(i);
    }
    // SAFETY: LANES <= PANEL <= 32.
    unsafe { simd.load(lanes.as_ptr()) }
}

/// The first `LANES` elements of a slice.
///
/// # Panics
/// If there are fewer.
#[inline(always)]
pub fn load<T: Scalar, S: Simd<T>>(simd: S, from: &[T]) -> S::Vector {
    let from = &from[..S::LANES];
    // SAFETY: the slice is LANES long.
    unsafe { simd.load(from.as_ptr()) }
}

/// Replaces the first `LANES` elements of a slice.
///
/// # Panics
/// If there are fewer.
#[inline(always)]
pub fn store<T: Scalar, S: Simd<T>>(simd: S, x: S::Vector, to: &mut [T]) {
    let to = &mut to[..S::LANES];
    // SAFETY: the slice is LANES long.
    unsafe { simd.store(to.as_mut_ptr(), x) }
}

/// The elements of a register; those after `LANES` are zero.
#[inline(always)]
pub fn to_lanes<T: Scalar, S: Simd<T>>(simd: S, x: S::Vector) -> [T; 32] {
    let mut lanes = [T::ZERO; 32];
    // SAFETY: LANES <= PANEL <= 32.
    unsafe { simd.store(lanes.as_mut_ptr(), x) };
    lanes
}

/// A function of whole rows.
pub trait RowFn<T: Scalar> {
    /// Replaces the rows in `columns`. Implementations are `#[inline(always)]`.
    fn apply<S: Simd<T>>(&mut self, simd: S, columns: &mut Columns<'_, T>);
}

/// Scratch elements that [`map_rows`] needs for `cols` columns.
pub fn scratch_len<T: Scalar>(cols: usize) -> usize {
    cols * T::PANEL
}

/// out = f(row) for every row of `matrix`, both (rows x cols) in panels or, if `in_lines`, in lines, of which the padding means nothing
/// afterwards; that of panels stays as it is.
///
/// # Panics
/// If a slice is too small for the shape.
pub fn map_rows<T: Scalar>(
    isa: Isa,
    (rows, cols): (usize, usize),
    in_lines: bool,
    matrix: &[T],
    out: &mut [T],
    scratch: &mut [T],
    f: &mut impl RowFn<T>,
) {
    let len = stored_len::<T>(in_lines, rows, cols);
    assert!(matrix.len() >= len && out.len() >= len, "a matrix is too small");
    T::dispatch(isa, RowsJob { rows, cols, in_lines, matrix, out, scratch, f });
}

struct RowsJob<'a, T, F> {
    rows: usize,
    cols: usize,
    in_lines: bool,
    matrix: &'a [T],
    out: &'a mut [T],
    scratch: &'a mut [T],
    f: &'a mut F,
}

impl<T: Scalar, F: RowFn<T>> VectorJob<T> for RowsJob<'_, T, F> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<T>>(self, simd: S) {
        let Self { rows, cols, in_lines, matrix, out, scratch, f } = self;
        let values = &mut scratch[..cols * S::LANES];
        let line = line_len::<T>(rows);
        for first in (0..rows).step_by(S::LANES) {
            let count = S::LANES.min(rows - first);
            if count < S::LANES {
                values.fill(T::ZERO);
            }
            for (k, column) in values.chunks_exact_mut(S::LANES).enumerate() {
                if in_lines {
                    let from = &matrix[k * line + first..];
                    match count < S::LANES {
                        true => column[..count].copy_from_slice(&from[..count]),
                        false => store(simd, load(simd, from), column),
                    }
                    continue;
                }
                let from = &matrix[index::<T>(rows, first, k)..];
                for (x, from) in column[..count].iter_mut().zip(from.iter().step_by(T::PANEL)) {
                    *x = *from;
                }
            }
            f.apply(simd, &mut Columns { values: &mut *values, lanes: S::LANES, first, count });
            for (k, column) in values.chunks_exact(S::LANES).enumerate() {
                if in_lines {
                    store(simd, load(simd, column), &mut out[k * line + first..]);
                    continue;
                }
                let to = &mut out[index::<T>(rows, first, k)..];
                for (x, to) in column[..count].iter().zip(to.iter_mut().step_by(T::PANEL)) {
                    *to = *x;
                }
            }
        }
    }
}
