//! Vector registers behind one trait, so that every kernel is written once and compiled for each instruction set.
//!
//! All operations are IEEE-754 operations on each lane with one rounding (`fma` included), so a kernel gives the same
//! bits on every implementation. A value of an implementing type is the proof that the CPU has the instructions: it can
//! only be made after detection, which is what makes the safe methods safe.
#![allow(unsafe_code)]

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod backend;
mod isa;
#[cfg(target_arch = "aarch64")]
mod neon;
mod portable;
#[cfg(test)]
mod tests;

pub use self::isa::{Isa, UnknownIsa};

use crate::scalar::Scalar;

/// Work written once for all instruction sets; [`Scalar::dispatch`] compiles and runs it for one of them.
pub trait VectorJob<T: Scalar> {
    /// What the work results in.
    type Output;

    /// Does the work with the registers of `simd`.
    ///
    /// Mark implementations, and all that they call in their loops, `#[inline(always)]`: what isn't inlined is compiled
    /// for the baseline instead of the instruction set.
    fn run<S: Simd<T>>(self, simd: S) -> Self::Output;
}

/// A register full of `T`s.
pub trait Simd<T: Scalar>: Copy + Send + Sync {
    /// The register.
    type Vector: Copy;
    /// The outcome of a comparison, one flag for each lane.
    type Mask: Copy;
    /// The register's bits as unsigned integers of `T`'s width.
    type Bits: Copy;
    /// Elements in a register; divides `T::PANEL / 2`.
    const LANES: usize;
    /// Registers that the product kernel may use for accumulators: rows of a full tile, and vectors of each row.
    const TILE: (usize, usize);
    /// Rows of a tile that is one register wide: more of them, so that there are as many chains to hide each other's latency.
    const TALL: usize = if Self::TILE.0 * Self::TILE.1 < 16 { Self::TILE.0 * Self::TILE.1 } else { 16 };
    /// Registers of half as many lanes, which take half the time: for the last columns, where they are so few. Where there are none, the
    /// same registers.
    type Half: Simd<T>;

    /// See [`Half`](Self::Half).
    fn half(self) -> Self::Half;

    /// Every lane `x`.
    fn splat(self, x: T) -> Self::Vector;
    /// Reads `LANES` elements; no alignment needed.
    ///
    /// # Safety
    /// `from` must be valid for reading `LANES` elements.
    unsafe fn load(self, from: *const T) -> Self::Vector;
    /// Writes `LANES` elements; no alignment needed.
    ///
    /// # Safety
    /// `to` must be valid for writing `LANES` elements.
    unsafe fn store(self, to: *mut T, x: Self::Vector);

    /// Transposes the `LANES` x `LANES` matrix whose rows are these registers.
    ///
    /// # Panics
    /// If there are not `LANES` registers.
    fn transpose(self, rows: &mut [Self::Vector]);

    /// a + b
    fn add(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// a - b
    fn sub(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// a b
    fn mul(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// a / b
    fn div(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// a b + c with one rounding
    fn fma(self, a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector;
    /// c - a b with one rounding
    fn fnma(self, a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector;
    /// Square root, correctly rounded.
    fn sqrt(self, a: Self::Vector) -> Self::Vector;
    /// -a (the sign bit flipped, also of NaN and zero)
    fn neg(self, a: Self::Vector) -> Self::Vector;
    /// |a| (the sign bit cleared)
    fn abs(self, a: Self::Vector) -> Self::Vector;
    /// a where a > b, else b: a NaN on either side gives b.
    fn max(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// a where a < b, else b: a NaN on either side gives b.
    fn min(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;

    /// a < b; false where either is NaN
    fn lt(self, a: Self::Vector, b: Self::Vector) -> Self::Mask;
    /// a <= b; false where either is NaN
    fn le(self, a: Self::Vector, b: Self::Vector) -> Self::Mask;
    /// a == b; false where either is NaN
    fn eq(self, a: Self::Vector, b: Self::Vector) -> Self::Mask;
    /// Whether any lane is set.
    fn any(self, mask: Self::Mask) -> bool;
    /// `yes` where the mask is set, else `no`
    fn select(self, mask: Self::Mask, yes: Self::Vector, no: Self::Vector) -> Self::Vector;

    /// The bits of each lane.
    fn to_bits(self, a: Self::Vector) -> Self::Bits;
    /// The lanes with these bits.
    #[allow(clippy::wrong_self_convention)] // `self` is the instruction set, not the thing converted
    fn from_bits(self, a: Self::Bits) -> Self::Vector;
    /// The same integer in every lane (truncated to the lane's width).
    fn splat_bits(self, x: u64) -> Self::Bits;
    /// Wrapping integer sum.
    fn add_bits(self, a: Self::Bits, b: Self::Bits) -> Self::Bits;
    /// Wrapping integer difference.
    fn sub_bits(self, a: Self::Bits, b: Self::Bits) -> Self::Bits;
    /// Bitwise and.
    fn and_bits(self, a: Self::Bits, b: Self::Bits) -> Self::Bits;
    /// Bitwise or.
    fn or_bits(self, a: Self::Bits, b: Self::Bits) -> Self::Bits;
    /// Shift left by `n`, a constant smaller than the lane's width; zeros in.
    fn shl_bits(self, a: Self::Bits, n: u32) -> Self::Bits;
    /// Logical shift right by `n`, a constant smaller than the lane's width; zeros in.
    fn shr_bits(self, a: Self::Bits, n: u32) -> Self::Bits;
}
