//! Memory that is fetched into the second-level cache while something else is computed.

use crate::scalar::Scalar;

/// Bytes of a cache line.
const LINE: usize = 64;

/// What one inner loop fetches ahead: a line with each of its terms.
#[derive(Clone, Copy)]
pub(super) struct Ahead<T> {
    at: *const T,
    /// Elements from one term's line to the next; 0: nothing is left to fetch.
    step: usize,
}

impl<T: Scalar> Ahead<T> {
    /// Elements of a line.
    const STEP: usize = LINE / size_of::<T>();

    /// Nothing; `near` is any place that is in the cache anyway.
    pub(super) fn nothing(near: *const T) -> Self {
        Self { at: near, step: 0 }
    }

    /// From `at` on, `step` elements further with each term.
    pub(super) fn from(at: *const T, step: usize) -> Self {
        Self { at, step }
    }

    /// Fetches the line of term `t`.
    #[inline(always)]
    pub(super) fn fetch(self, t: usize) {
        prefetch(self.at.wrapping_add(t * self.step));
    }
}

/// Asks for the line of `at`, which need not be valid.
#[inline(always)]
pub(super) fn prefetch<T>(at: *const T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: prefetching reads nothing and faults on no address.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T1>(at.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = at;
}

/// Stretches of memory to fetch, worked off loop by loop.
pub(super) struct Queue<T, I> {
    stretches: I,
    at: *const T,
    lines: usize,
}

impl<T: Scalar, I: Iterator<Item = (*const T, usize)>> Queue<T, I> {
    /// `stretches`: start and elements of each.
    pub(super) fn new(stretches: I) -> Self {
        Self { stretches, at: std::ptr::null(), lines: 0 }
    }

    /// What a loop of `terms` terms fetches; `near` as in [`Ahead::nothing`].
    #[inline(always)]
    pub(super) fn take(&mut self, terms: usize, near: *const T) -> Ahead<T> {
        if self.lines == 0 {
            let Some((at, elements)) = self.stretches.next() else { return Ahead::nothing(near) };
            (self.at, self.lines) = (at, elements.div_ceil(Ahead::<T>::STEP));
        }
        let ahead = Ahead::from(self.at, Ahead::<T>::STEP);
        self.at = self.at.wrapping_add(terms * Ahead::<T>::STEP);
        self.lines = self.lines.saturating_sub(terms);
        ahead
    }
}
