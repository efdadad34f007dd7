//! Arrays and plain loops, for every machine; the compiler makes of them what vectors the target's baseline has.
//!
//! Where the baseline has no fused multiply-add, `mul_add` calls the mathematics library's: the same bits, slowly.

use super::Simd;
use std::array::from_fn;

/// Needs nothing of the CPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Portable;

macro_rules! portable {
    ($t:ty, $bits:ty, $lanes:literal) => {
        impl Simd<$t> for Portable {
            type Vector = [$t; $lanes];
            type Mask = [bool; $lanes];
            type Bits = [$bits; $lanes];
            const LANES: usize = $lanes;
            const TILE: (usize, usize) = (4, 2);
            type Half = Self;

            #[inline(always)]
            fn half(self) -> Self {
                self
            }
            #[inline(always)]
            fn splat(self, x: $t) -> Self::Vector {
                [x; $lanes]
            }
            #[inline(always)]
            unsafe fn load(self, from: *const $t) -> Self::Vector {
                // SAFETY: the caller vouches for `LANES` readable elements; no alignment is assumed.
                unsafe { from.cast::<Self::Vector>().read_unaligned() }
            }
            #[inline(always)]
            unsafe fn store(self, to: *mut $t, x: Self::Vector) {
                // SAFETY: the caller vouches for `LANES` writable elements; no alignment is assumed.
                unsafe { to.cast::<Self::Vector>().write_unaligned(x) }
            }
            #[inline(always)]
            fn transpose(self, rows: &mut [Self::Vector]) {
                let rows: &mut [Self::Vector; $lanes] = rows.try_into().expect("as many rows as lanes");
                *rows = from_fn(|i| from_fn(|j| rows[j][i]));
            }
            portable!(@each Vector:
                add(a, b) = a + b; sub(a, b) = a - b; mul(a, b) = a * b; div(a, b) = a / b;
                fma(a, b, c) = a.mul_add(b, c); fnma(a, b, c) = (-a).mul_add(b, c);
                sqrt(a) = a.sqrt(); neg(a) = -a; abs(a) = a.abs();
                max(a, b) = if a > b { a } else { b }; min(a, b) = if a < b { a } else { b };
            );
            portable!(@each Bits:
                add_bits(a, b) = a.wrapping_add(b); sub_bits(a, b) = a.wrapping_sub(b);
                and_bits(a, b) = a & b; or_bits(a, b) = a | b;
            );
            #[inline(always)]
            fn lt(self, a: Self::Vector, b: Self::Vector) -> Self::Mask {
                from_fn(|i| a[i] < b[i])
            }
            #[inline(always)]
            fn le(self, a: Self::Vector, b: Self::Vector) -> Self::Mask {
                from_fn(|i| a[i] <= b[i])
            }
            #[inline(always)]
            fn eq(self, a: Self::Vector, b: Self::Vector) -> Self::Mask {
                from_fn(|i| a[i] == b[i])
            }
            #[inline(always)]
            fn any(self, mask: Self::Mask) -> bool {
                mask.contains(&true)
            }
            #[inline(always)]
            fn select(self, mask: Self::Mask, yes: Self::Vector, no: Self::Vector) -> Self::Vector {
                from_fn(|i| if mask[i] { yes[i] } else { no[i] })
            }
            #[inline(always)]
            fn to_bits(self, a: Self::Vector) -> Self::Bits {
                a.map(<$t>::to_bits)
            }
            #[inline(always)]
            fn from_bits(self, a: Self::Bits) -> Self::Vector {
                a.map(<$t>::from_bits)
            }
            #[inline(always)]
            fn splat_bits(self, x: u64) -> Self::Bits {
                [x as $bits; $lanes]
            }
            #[inline(always)]
            fn shl_bits(self, a: Self::Bits, n: u32) -> Self::Bits {
                a.map(|x| x << n)
            }
            #[inline(always)]
            fn shr_bits(self, a: Self::Bits, n: u32) -> Self::Bits {
                a.map(|x| x >> n)
            }
        }
    };
    (@each $kind:ident: $($name:ident($($arg:ident),*) = $result:expr;)*) => {
        $(
            #[inline(always)]
            fn $name(self, $($arg: Self::$kind),*) -> Self::$kind {
                from_fn(|i| {
                    $(let $arg = $arg[i];)*
                    $result
                })
            }
        )*
    };
}

portable!(f32, u32, 8);
portable!(f64, u64, 4);
