//! The slides' layer: z = W' h + b, h = phi(z), for a batch Z = H W + 1 b'.
//!
//! Eq. (3) is the chain rule dJ/dw_ij = sum_k delta_k w_jk phi'(z_j) h_i; collecting the factors that do not depend on i
//! gives delta_j, Eq. (4), for all j at once Eq. (5), and the gradient as an outer product, Eq. (6). dz_j/db_j = 1, so
//! the gradient of the bias is delta itself.

use super::GradientSink;
use super::dropout::Mask;
use crate::activation::{Activation, Pair, with_pair};
use crate::compute::Compute;
use crate::kernel::{Epilogue, Isa, Left, Out, Product, Simd, Tile, VectorFn, column_sums, map, multiply};
use crate::params::View;
use crate::scalar::Scalar;

/// A dense layer: sizes, activation, and the numbers of its parameters.
#[derive(Clone, Debug)]
pub(crate) struct Dense {
    pub(crate) inputs: usize,
    pub(crate) outputs: usize,
    pub(crate) activation: Activation,
    pub(crate) dropout: f64,
    pub(crate) weight: usize,
    pub(crate) bias: usize,
}

/// phi'(z) of a batch, as the backward pass finds it.
#[derive(Clone, Copy)]
pub(crate) enum Slope<'a, T> {
    /// A function of these activations h.
    OfOutput(Activation, &'a [T]),
    /// Kept by the forward pass.
    Kept(&'a [T]),
    /// 1: the input has no activation.
    One,
}

impl Dense {
    /// Whether a training pass keeps phi'(z) beside h.
    pub(crate) fn keeps_slope(&self) -> bool {
        self.dropout > 0.0 || with_pair!(self.activation, P => !P::FROM_OUTPUT)
    }

    /// Eq. (2) for a batch: H_out = phi(H_in W + 1 b').
    ///
    /// `h_in` (rows x inputs), `h_out` (rows x outputs); `slope`, if given, becomes phi'(z) (rows x outputs), both times
    /// the dropout mask if there is one.
    #[allow(clippy::too_many_arguments)] // The operands of one equation.
    pub(crate) fn forward<T: Scalar>(
        &self,
        compute: &mut Compute,
        rows: usize,
        (w, b): (&[T], &[T]),
        h_in: &[T],
        h_out: &mut [T],
        slope: Option<&mut [T]>,
        mask: Option<Mask>,
    ) {
        let z = Product {
            rows,
            cols: self.outputs,
            depth: self.inputs,
            left: h_in,
            left_kind: Left::Rows,
            right: w,
            start: Some(b),
        };
        let Compute { team, isa } = compute;
        let phi = Phi { activation: self.activation, mask, width: self.outputs };
        match slope {
            Some(slope) => multiply(team, *isa, &z, Out::Keep(h_out), [slope].into(), &phi),
            None => multiply(team, *isa, &z, Out::Keep(h_out), [].into(), &phi),
        }
    }

    /// Eq. (9) for a batch: Delta_in = Delta_out W' ⊙ phi'(Z_in), phi' being the activation of the layer below. At the
    /// last hidden layer it is Eq. (5), for one of its weights Eq. (3), (4).
    ///
    /// `w_transposed` (outputs x inputs) holds W'; `delta_out` (rows x outputs), `delta_in` (rows x inputs).
    pub(crate) fn backward<T: Scalar>(
        &self,
        compute: &mut Compute,
        rows: usize,
        w_transposed: &[T],
        delta_out: &[T],
        phi_prime: Slope<'_, T>,
        delta_in: &mut [T],
    ) {
        let w_delta = Product {
            rows,
            cols: self.inputs,
            depth: self.outputs,
            left: delta_out,
            left_kind: Left::Rows,
            right: w_transposed,
            start: None,
        };
        let Compute { team, isa } = compute;
        multiply(team, *isa, &w_delta, Out::Keep(delta_in), [].into(), &TimesSlope(phi_prime));
    }

    /// Eq. (6) for a batch: grad W = H_in' Delta, grad b = Delta' 1, sums over the rows, handed to `sink`.
    #[allow(clippy::too_many_arguments)] // The operands of one equation.
    pub(crate) fn gradient<T: Scalar>(
        &self,
        compute: &mut Compute,
        rows: usize,
        h_in: &[T],
        delta: &[T],
        views: &[View],
        w_transposed: Option<&mut [T]>,
        sink: &mut impl GradientSink<T>,
    ) {
        let h_delta = Product {
            rows: self.inputs,
            cols: self.outputs,
            depth: rows,
            left: h_in,
            left_kind: Left::Columns,
            right: delta,
            start: None,
        };
        sink.weight(compute, &views[self.weight], &h_delta, w_transposed);
        sink.vector(compute, &views[self.bias], &mut |compute, out| {
            column_sums(compute.isa, delta, rows, self.outputs, out);
        });
    }
}

/// Turns a tile of Z into phi(Z), and phi'(Z) where it is kept.
struct Phi {
    activation: Activation,
    mask: Option<Mask>,
    width: usize,
}

impl<T: Scalar> Epilogue<T, 0> for Phi {
    fn apply(&self, isa: Isa, tile: Tile, z: &mut [T], []: [&mut [T]; 0]) {
        with_pair!(self.activation, P => map(isa, tile, [z], [], &Value::<P>::NEW));
    }
}

impl<T: Scalar> Epilogue<T, 1> for Phi {
    fn apply(&self, isa: Isa, tile: Tile, z: &mut [T], [slope]: [&mut [T]; 1]) {
        with_pair!(self.activation, P => map(isa, tile, [&mut *z, &mut *slope], [], &ValueAndSlope::<P>::NEW));
        if let Some(mask) = self.mask {
            mask.apply(isa, tile, self.width, z, slope);
        }
    }
}

struct TimesSlope<'a, T>(Slope<'a, T>);

impl<T: Scalar> Epilogue<T, 0> for TimesSlope<'_, T> {
    fn apply(&self, isa: Isa, tile: Tile, delta: &mut [T], []: [&mut [T]; 0]) {
        match self.0 {
            Slope::OfOutput(Activation::Identity, _) | Slope::One => {}
            Slope::OfOutput(activation, h) => {
                with_pair!(activation, P => map(isa, tile, [delta], [&h[tile.offset..]], &TimesPrime::<P>::NEW));
            }
            Slope::Kept(slope) => map(isa, tile, [delta], [&slope[tile.offset..]], &Times),
        }
    }
}

/// z -> phi(z)
struct Value<P>(std::marker::PhantomData<fn() -> P>);
/// (z, anything) -> (phi(z), phi'(z))
struct ValueAndSlope<P>(std::marker::PhantomData<fn() -> P>);
/// delta, h -> delta phi'(z)
struct TimesPrime<P>(std::marker::PhantomData<fn() -> P>);
/// a, b -> a b
struct Times;

impl<P> Value<P> {
    const NEW: Self = Self(std::marker::PhantomData);
}
impl<P> ValueAndSlope<P> {
    const NEW: Self = Self(std::marker::PhantomData);
}
impl<P> TimesPrime<P> {
    const NEW: Self = Self(std::marker::PhantomData);
}

impl<T: Scalar, P: Pair> VectorFn<T, 1, 0> for Value<P> {
    #[inline(always)]
    fn apply<S: Simd<T>>(&self, simd: S, [z]: [S::Vector; 1], []: [S::Vector; 0]) -> [S::Vector; 1] {
        [P::phi(simd, z)]
    }
}

impl<T: Scalar, P: Pair> VectorFn<T, 2, 0> for ValueAndSlope<P> {
    #[inline(always)]
    fn apply<S: Simd<T>>(&self, simd: S, [z, _]: [S::Vector; 2], []: [S::Vector; 0]) -> [S::Vector; 2] {
        let h = P::phi(simd, z);
        [h, P::phi_prime(simd, if P::FROM_OUTPUT { h } else { z })]
    }
}

impl<T: Scalar, P: Pair> VectorFn<T, 1, 1> for TimesPrime<P> {
    #[inline(always)]
    fn apply<S: Simd<T>>(&self, simd: S, [delta]: [S::Vector; 1], [h]: [S::Vector; 1]) -> [S::Vector; 1] {
        [simd.mul(delta, P::phi_prime(simd, h))]
    }
}

impl<T: Scalar> VectorFn<T, 1, 1> for Times {
    #[inline(always)]
    fn apply<S: Simd<T>>(&self, simd: S, [a]: [S::Vector; 1], [b]: [S::Vector; 1]) -> [S::Vector; 1] {
        [simd.mul(a, b)]
    }
}
