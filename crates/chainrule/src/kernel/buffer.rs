//! Zeroed memory for matrices.

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;

use crate::scalar::Scalar;

/// Alignment of small buffers: one column panel's row.
const LINE: usize = 128;

/// A page of the size that large buffers ask for: with small ones the processor would spend much of its time on looking up where
/// they are.
const HUGE_PAGE: usize = 2 << 20;

/// A fixed-length slice of `T` that starts on a 128-byte border; all zeros when made.
pub struct Buffer<T> {
    start: NonNull<T>,
    len: usize,
    element: PhantomData<T>,
}

// SAFETY: a buffer owns its memory, and f32 and f64, the only two Scalars, may go from thread to thread.
unsafe impl<T: Send> Send for Buffer<T> {}
// SAFETY: as above; shared access only reads.
unsafe impl<T: Sync> Sync for Buffer<T> {}

impl<T> Buffer<T> {
    /// Large buffers end with a whole huge page.
    fn layout(len: usize) -> Layout {
        let bytes = len.checked_mul(size_of::<T>()).expect("a buffer fits into memory");
        let border = if bytes >= HUGE_PAGE / 2 { HUGE_PAGE } else { LINE };
        Layout::from_size_align(bytes.next_multiple_of(border), border).expect("a buffer fits into memory")
    }
}

impl<T: Scalar> Buffer<T> {
    /// `len` zeros.
    pub fn zeros(len: usize) -> Self {
        let layout = Self::layout(len);
        if layout.size() == 0 {
            return Self { start: NonNull::dangling(), len, element: PhantomData };
        }
        // SAFETY: the size is not zero.
        let start = unsafe { if layout.align() == HUGE_PAGE { alloc_huge(layout) } else { alloc_zeroed(layout) } };
        let Some(start) = NonNull::new(start.cast()) else { handle_alloc_error(layout) };
        Self { start, len, element: PhantomData }
    }
}

/// Zeroed memory in huge pages, where the system has them to give.
///
/// # Safety
/// The layout's size must not be zero.
unsafe fn alloc_huge(layout: Layout) -> *mut u8 {
    // SAFETY: see the function's contract; what is advised and set is what has been allocated.
    unsafe {
        let start = std::alloc::alloc(layout);
        if start.is_null() {
            return start;
        }
        // Before the memory is touched, and only advice: where it fails, the pages are small.
        #[cfg(target_os = "linux")]
        libc::madvise(start.cast(), layout.size(), libc::MADV_HUGEPAGE);
        start.write_bytes(0, layout.size());
        start
    }
}

impl<T> Drop for Buffer<T> {
    fn drop(&mut self) {
        let layout = Self::layout(self.len);
        if layout.size() > 0 {
            // SAFETY: allocated in `zeros` with this layout.
            unsafe { dealloc(self.start.as_ptr().cast(), layout) };
        }
    }
}

impl<T: Scalar> Clone for Buffer<T> {
    fn clone(&self) -> Self {
        let mut copy = Self::zeros(self.len);
        copy.copy_from_slice(self);
        copy
    }
}

impl<T> Default for Buffer<T> {
    fn default() -> Self {
        Self { start: NonNull::dangling(), len: 0, element: PhantomData }
    }
}

impl<T: Scalar> Deref for Buffer<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        // SAFETY: `start` owns `len` elements (none where it dangles), initialised by `zeros`, on at least their alignment.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }
}

impl<T: Scalar> DerefMut for Buffer<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as in `deref`; the exclusive borrow of self makes the slice exclusive.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.len) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_are_aligned_and_zero_whatever_their_size() {
        for len in [0, 1, 31, 1000, HUGE_PAGE / 8, HUGE_PAGE / 4 + 1] {
            let mut buffer = Buffer::<f32>::zeros(len);
            assert_eq!(buffer.as_ptr() as usize % if len > 0 { LINE } else { 1 }, 0);
            assert!(buffer.len() == len && buffer.iter().all(|x| *x == 0.0));
            buffer.fill(1.0);
            assert!(buffer.clone().iter().all(|x| *x == 1.0));
        }
    }
}
