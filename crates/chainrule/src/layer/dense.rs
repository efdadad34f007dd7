//! The slides' layer: z = W' h + b, h = phi(z), for a batch Z = H W + 1 b'.
//!
//! Eq. (3) is the chain rule dJ/dw_ij = sum_k delta_k w_jk phi'(z_j) h_i; collecting the factors that do not depend on i
//! gives delta_j, Eq. (4), for all j at once Eq. (5), and the gradient as an outer product, Eq. (6). dz_j/db_j = 1, so
//! the gradient of the bias is delta itself.

use std::marker::PhantomData;

use super::dropout::{Mask, Masks};
use super::ensemble_dense::Members;
use super::parametric;
use crate::activation::{Activation, Pair, ValueAndSlope, with_pair};
use crate::block::On;
use crate::kernel::{
    Finish, Input, Isa, Left, Outer, Product, Simd, Tile, VectorFn, map, map_columns, multiply, multiply_across,
};
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
    /// What members of an ensemble have for themselves.
    pub(crate) members: Members,
    /// alpha of a parametric activation.
    pub(crate) alpha: Option<usize>,
    /// Whether W' is stored in the place of W, and z and delta in lines: of few outputs.
    pub(crate) narrow: bool,
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
        self.dropout > 0.0 || self.alpha.is_some() || with_pair!(self.activation, P => !P::FROM_OUTPUT)
    }

    /// Whether its activation is no part of the product's pass.
    pub(crate) fn has_pass_of_its_own(&self) -> bool {
        self.alpha.is_some() || self.members.s.is_some() || matches!(self.activation, Activation::Custom(_))
    }

    /// Its dropout mask as layer number `l`, for a block that starts at row `first` of the batch.
    pub(crate) fn mask(&self, l: usize, masks: Option<Masks>, first: usize) -> Option<Mask> {
        masks.filter(|_| self.dropout > 0.0).map(|masks| masks.of_layer(l, self.dropout, first))
    }

    /// The same layer without its activation.
    pub(crate) fn linear(&self) -> Self {
        Self { activation: Activation::Identity, ..self.clone() }
    }

    /// Eq. (2) for a block of rows: H_out = phi(H_in W + 1 b').
    ///
    /// `h_in` (rows x inputs), `h_out` (rows x outputs), `b` is zero if absent; `slope`, if given, becomes phi'(z) (rows x outputs), both times
    /// the dropout mask if there is one.
    #[inline]
    #[allow(clippy::too_many_arguments)] // The operands of one equation.
    pub(crate) fn forward<T: Scalar>(
        &self,
        (team, isa): On<'_>,
        rows: usize,
        (w, b): (&[T], Option<&[T]>),
        h_in: Left<'_, T>,
        h_out: &mut [T],
        slope: Option<&mut [T]>,
        mask: Option<Mask>,
    ) {
        let in_registers = self.activation == Activation::Relu && slope.is_none();
        let z = Product {
            rows,
            cols: self.outputs,
            depth: self.inputs,
            left: h_in,
            right: w,
            start: b,
            finish: if in_registers { Finish::AtLeast(T::ZERO) } else { Finish::Keep },
        };
        if self.narrow {
            return multiply_across(isa, &z, h_out);
        }
        let phi = |tile: Tile, z: &mut [T], slope: Option<&mut [T]>| match slope {
            None if in_registers || self.activation == Activation::Identity => {}
            None => with_pair!(self.activation, P => map(isa, tile, [z], [], &Value(PhantomData::<P>))),
            Some(slope) => {
                let values = [&mut *z, &mut *slope];
                with_pair!(self.activation, P => map(isa, tile, values, [], &ValueAndSlope(PhantomData::<P>)));
                if let Some(mask) = mask {
                    mask.apply(isa, tile, self.outputs, [z, slope]);
                }
            }
        };
        multiply(team, isa, &z, h_out, slope, &phi);
    }

    /// phi on its own: replaces z in `h` (rows x outputs) by phi(z), and `slope`, if given, as [`forward`](Self::forward) does.
    pub(crate) fn activate<T: Scalar>(
        &self,
        isa: Isa,
        rows: usize,
        h: &mut [T],
        slope: Option<&mut [T]>,
        mask: Option<Mask>,
    ) {
        let shape = (rows, self.outputs);
        let Some(slope) = slope else {
            return with_pair!(self.activation, P => map_columns(isa, shape, [h], [], &Value(PhantomData::<P>)));
        };
        let values = [&mut *h, &mut *slope];
        with_pair!(self.activation, P => map_columns(isa, shape, values, [], &ValueAndSlope(PhantomData::<P>)));
        if let Some(mask) = mask {
            mask.apply_to_all(isa, shape, [h, slope]);
        }
    }

    /// Eq. (9) for a block of rows: Delta_in = Delta_out W' ⊙ phi'(Z_in), phi' being the activation of the layer below.
    /// At the last hidden layer it is Eq. (5), for one of its weights Eq. (3), (4).
    ///
    /// `w_transposed` (outputs x inputs) holds W'; `delta_out` (rows x outputs), `delta_in` (rows x inputs). `by_alpha`, if the layer
    /// below is parametric, has dh/dalpha of its units (rows x inputs) and becomes each row's part of dJ/dalpha.
    #[inline]
    #[allow(clippy::too_many_arguments)] // The operands of one equation.
    pub(crate) fn backward<T: Scalar>(
        &self,
        (team, isa): On<'_>,
        rows: usize,
        w_transposed: &[T],
        delta_out: &[T],
        phi_prime: Slope<'_, T>,
        delta_in: &mut [T],
        by_alpha: Option<&mut [T]>,
    ) {
        let w_delta = Product {
            rows,
            cols: self.inputs,
            depth: self.outputs,
            left: if self.narrow { Left::Lines(delta_out) } else { Left::Panels(delta_out) },
            right: w_transposed,
            start: None,
            finish: match phi_prime {
                Slope::OfOutput(Activation::Relu, h) => Finish::WherePositive(h),
                _ => Finish::Keep,
            },
        };
        let times_phi_prime = |tile: Tile, delta: &mut [T], by_alpha: Option<&mut [T]>| match phi_prime {
            Slope::OfOutput(Activation::Identity | Activation::Relu, _) | Slope::One => {}
            Slope::OfOutput(activation, h) => {
                let h = &h[tile.range::<T>()];
                with_pair!(activation, P => map(isa, tile, [delta], [h], &TimesPrime(PhantomData::<P>)));
            }
            Slope::Kept(slope) => {
                let slope = [&slope[tile.range::<T>()]];
                match by_alpha {
                    None => map(isa, tile, [delta], slope, &Times),
                    Some(by_alpha) => map(isa, tile, [delta, by_alpha], slope, &parametric::Backward),
                }
            }
        };
        multiply(team, isa, &w_delta, delta_in, by_alpha, &times_phi_prime);
    }

    /// The last factor of Eq. (9) on its own: `delta` (rows x width) ⊙ phi'(Z), with `by_alpha` as in [`backward`](Self::backward).
    pub(crate) fn times_phi_prime<T: Scalar>(
        isa: Isa,
        shape: (usize, usize),
        phi_prime: Slope<'_, T>,
        delta: &mut [T],
        by_alpha: Option<&mut [T]>,
    ) {
        match (phi_prime, by_alpha) {
            (Slope::OfOutput(Activation::Identity, _) | Slope::One, _) => {}
            (Slope::OfOutput(activation, h), _) => {
                let h = [Input::Matrix(h)];
                with_pair!(activation, P => map_columns(isa, shape, [delta], h, &TimesPrime(PhantomData::<P>)));
            }
            (Slope::Kept(slope), None) => map_columns(isa, shape, [delta], [Input::Matrix(slope)], &Times),
            (Slope::Kept(slope), Some(by_alpha)) => {
                map_columns(isa, shape, [delta, by_alpha], [Input::Matrix(slope)], &parametric::Backward);
            }
        }
    }

    /// Eq. (6) for a batch: grad W = Σ h delta' = H_in' Delta and grad b = Σ delta = Delta' 1, sums over the rows of all
    /// blocks. What is returned says where in the flat buffers they belong; `outer_sums` computes them. `member`: whose, where each
    /// member of an ensemble has W and b for itself. `transposed`: where W' is kept beside W.
    pub(crate) fn gradient(&self, views: &[View], member: usize, transposed: Option<usize>) -> Outer {
        let bias = self.members.s.is_none().then(|| views[self.bias].part(member).start);
        let (rows, cols) = if self.narrow { (self.outputs, self.inputs) } else { (self.inputs, self.outputs) };
        Outer {
            rows,
            cols,
            exchanged: self.narrow,
            weight: views[self.weight].part(member).start,
            bias,
            transposed,
            moving: self.outputs,
        }
    }
}

/// z -> phi(z)
#[derive(Clone, Copy)]
struct Value<P>(PhantomData<P>);
/// delta, h -> delta phi'(z)
#[derive(Clone, Copy)]
struct TimesPrime<P>(PhantomData<P>);
/// a, b -> a b
#[derive(Clone, Copy)]
struct Times;

impl<T: Scalar, P: Pair> VectorFn<T, 1, 0> for Value<P> {
    #[inline(always)]
    fn apply<S: Simd<T>>(&self, simd: S, [z]: [S::Vector; 1], []: [S::Vector; 0]) -> [S::Vector; 1] {
        [P::phi(simd, z)]
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
