//! The two number types of the engine. `f64` runs the very code that `f32` trains with, so that what is proven in
//! double precision holds for single precision.

use crate::compiled::Compiled;
use crate::cost::Costs;
use crate::kernel::math::Constants;
use crate::kernel::{
    Isa, Left, OuterJob, OuterTile, PanelsJob, Product, SparseOuterJob, SparsePanelsJob, Sums, VectorJob,
};
use std::fmt::{Debug, Display};
use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub, SubAssign};

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

/// `f32` or `f64`.
///
/// `mul_add` is the fused multiply-add: one rounding, on every machine the same bits.
pub trait Scalar:
    sealed::Sealed
    + Constants
    + Costs
    + Compiled
    + Copy
    + Default
    + PartialOrd
    + Debug
    + Display
    + Send
    + Sync
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + SubAssign
    + 'static
{
    /// 0.
    const ZERO: Self;
    /// 1.
    const ONE: Self;
    /// Width of one column panel in elements: 128 bytes.
    const PANEL: usize;
    /// Distance from 1 to the next larger number.
    const EPSILON: f64;
    /// Rounds a double to this type.
    fn from_f64(x: f64) -> Self;
    /// Widens to a double (exact).
    fn to_f64(self) -> f64;
    /// `self * a + b` with one rounding.
    fn mul_add(self, a: Self, b: Self) -> Self;
    /// Neither infinite nor NaN.
    fn is_finite(self) -> bool;
    /// Runs `job` compiled for `isa`.
    fn dispatch<J: VectorJob<Self>>(isa: Isa, job: J) -> J::Output;
    /// The sums of some panels of a product, from number `first` on, into `out`. Not generic, like [`outer_tile`]
    /// (Self::outer_tile), so that the largest pieces of machine code are compiled once and not again in every crate that trains
    /// a network.
    #[doc(hidden)]
    fn product_panels(isa: Isa, product: &Product<'_, Self>, first: usize, out: &mut [Self]);
    /// The sums of one tile of a gradient.
    #[doc(hidden)]
    fn outer_tile(isa: Isa, tile: &OuterTile<'_, Self>, sums: &mut Sums<Self>);
}

macro_rules! scalar {
    ($t:ty, $panel:literal, $run:ident) => {
        impl Scalar for $t {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            const PANEL: usize = $panel;
            const EPSILON: f64 = <$t>::EPSILON as f64;
            #[inline(always)]
            fn from_f64(x: f64) -> Self {
                x as $t
            }
            #[inline(always)]
            fn to_f64(self) -> f64 {
                f64::from(self)
            }
            #[inline(always)]
            fn mul_add(self, a: Self, b: Self) -> Self {
                <$t>::mul_add(self, a, b)
            }
            #[inline(always)]
            fn is_finite(self) -> bool {
                <$t>::is_finite(self)
            }
            fn dispatch<J: VectorJob<Self>>(isa: Isa, job: J) -> J::Output {
                isa.$run(job)
            }
            fn product_panels(isa: Isa, product: &Product<'_, Self>, first: usize, out: &mut [Self]) {
                let panels = PanelsJob { product, first, out };
                match product.left {
                    Left::Sparse(left) => Self::dispatch(isa, SparsePanelsJob { panels, left }),
                    _ => Self::dispatch(isa, panels),
                }
            }
            fn outer_tile(isa: Isa, tile: &OuterTile<'_, Self>, sums: &mut Sums<Self>) {
                let outer = OuterJob { tile, sums };
                if tile.sparse { Self::dispatch(isa, SparseOuterJob(outer)) } else { Self::dispatch(isa, outer) }
            }
        }
    };
}

scalar!(f32, 32, run_f32);
scalar!(f64, 16, run_f64);
