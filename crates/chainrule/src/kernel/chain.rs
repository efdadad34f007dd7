//! The inner loop of all products: a block of chains in registers.

use super::ahead::Ahead;
use super::simd::Simd;
use crate::scalar::Scalar;

/// Distances in the left operand.
#[derive(Clone, Copy)]
pub(super) struct Walk {
    /// From one row to the next.
    pub(super) row: usize,
    /// From one term to the next.
    pub(super) term: usize,
}

/// sums[r][v] += Σ_t left(r, t) right[v](t), the right operand's terms one panel row apart; if `TOTAL`, also
/// total[v] += Σ_t right[v](t). `ahead` is fetched meanwhile.
///
/// # Safety
/// `left` and `right` must be valid for `terms` terms of R rows and V registers.
#[inline(always)]
pub(super) unsafe fn chain<T: Scalar, S: Simd<T>, const R: usize, const V: usize, const TOTAL: bool>(
    simd: S,
    left: *const T,
    walk: Walk,
    right: [*const T; V],
    terms: usize,
    ahead: Ahead<T>,
    (sums, total): (&mut [[S::Vector; V]; R], &mut [S::Vector; V]),
) {
    let mut acc = *sums;
    let mut acc_total = *total;
    for t in 0..terms {
        ahead.fetch(t);
        // SAFETY: t < terms; see the function's contract.
        unsafe {
            let mut b = [simd.splat(T::ZERO); V];
            for (b, right) in b.iter_mut().zip(right) {
                *b = simd.load(right.add(t * T::PANEL));
            }
            let left = left.add(t * walk.term);
            for (r, row) in acc.iter_mut().enumerate() {
                let a = simd.splat(*left.add(r * walk.row));
                for v in 0..V {
                    row[v] = simd.fma(a, b[v], row[v]);
                }
            }
            if TOTAL {
                for v in 0..V {
                    acc_total[v] = simd.add(acc_total[v], b[v]);
                }
            }
        }
    }
    *sums = acc;
    *total = acc_total;
}

/// Evaluates `$body` with the constants `R` and `V` for a number of rows (at most `S::TILE.0`) and of registers (1 or 2) that
/// are known only at run time.
macro_rules! by_size {
    ($simd:ident, $rows:expr, $registers:expr, $body:block) => {
        by_size!(@match $simd, $rows, $registers, $body; 1 2 3 4 5 6 7 8 9 10 11 12 13 14; 15 16)
    };
    (@match $simd:ident, $rows:expr, $registers:expr, $body:block; $($r:literal)*; $($tall:literal)*) => {
        match ($rows, $registers) {
            $(
                ($r, 1) if $r <= $simd::TALL => { const R: usize = $r; const V: usize = 1; $body }
                ($r, 2) if $r <= $simd::TILE.0 => { const R: usize = $r; const V: usize = 2; $body }
            )*
            $(($tall, 1) if $tall <= $simd::TALL => {
                const R: usize = $tall;
                const V: usize = 1;
                $body
            })*
            _ => unreachable!("a block is at most S::TILE"),
        }
    };
}
pub(super) use by_size;
