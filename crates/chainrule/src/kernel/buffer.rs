//! Zeroed memory aligned to 128 bytes, one column panel's row.

use std::ops::{Deref, DerefMut};

use crate::scalar::Scalar;

/// 128 bytes on a 128-byte border.
#[derive(Clone, Copy)]
#[repr(C, align(128))]
struct Line([u8; LINE]);

const LINE: usize = 128;

/// A fixed-length slice of `T` that starts on a 128-byte border; all zeros when made.
#[derive(Clone, Default)]
pub struct Buffer<T> {
    lines: Vec<Line>,
    len: usize,
    element: std::marker::PhantomData<T>,
}

impl<T: Scalar> Buffer<T> {
    /// `len` zeros.
    pub fn zeros(len: usize) -> Self {
        Self {
            lines: vec![Line([0; LINE]); (len * size_of::<T>()).div_ceil(LINE)],
            len,
            element: std::marker::PhantomData,
        }
    }
}

impl<T: Scalar> Deref for Buffer<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        // SAFETY: `lines` owns at least `len * size_of::<T>()` initialised bytes, aligned to 128; every bit pattern is a
        // valid f32 or f64, the only two Scalars.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), self.len) }
    }
}

impl<T: Scalar> DerefMut for Buffer<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as in `deref`; the exclusive borrow of self makes the slice exclusive.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), self.len) }
    }
}
