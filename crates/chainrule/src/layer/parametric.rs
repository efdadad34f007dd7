//! Parametric activations of RealMLP (Holzmüller et al. 2024): h = z + alpha (phi(z) - z), between the identity (alpha = 0) and
//! phi (alpha = 1), with a trainable alpha for each unit.
//!
//! dh/dz = 1 - alpha + alpha phi'(z) takes the place of phi'(z) in the recursion, Eq. (9). dh/dalpha = phi(z) - z, so with
//! g = dJ/dh: dJ/dalpha = Σ g (phi(z) - z) over the rows. Dropout multiplies h by its mask, and so both derivatives.

use std::marker::PhantomData;

use super::dropout::Mask;
use crate::activation::{Activation, Pair, with_pair};
use crate::kernel::{Input, Isa, Simd, VectorFn, map_columns};
use crate::scalar::Scalar;

/// dh/dz and dh/dalpha of a block of rows, (rows x width) each, as a training pass keeps them.
pub(crate) struct Derivatives<'a, T> {
    pub(crate) slope: &'a mut [T],
    pub(crate) by_alpha: &'a mut [T],
}

/// Replaces z in `h` (rows x width) by h, with `alpha` (1 x width); keeps the derivatives if they are asked for. All times
/// the dropout mask if there is one.
pub(crate) fn activate<T: Scalar>(
    activation: Activation,
    isa: Isa,
    (rows, width): (usize, usize),
    alpha: &[T],
    h: &mut [T],
    derivatives: Option<Derivatives<'_, T>>,
    mask: Option<Mask>,
) {
    let alpha = [Input::Row(alpha)];
    let Some(Derivatives { slope, by_alpha }) = derivatives else {
        return with_pair!(activation, P => map_columns(isa, (rows, width), [h], alpha, &Value(PhantomData::<P>)));
    };
    let values = [&mut *h, &mut *slope, &mut *by_alpha];
    with_pair!(activation, P => map_columns(isa, (rows, width), values, alpha, &ValueAndDerivatives(PhantomData::<P>)));
    if let Some(mask) = mask {
        mask.apply_to_all(isa, (rows, width), [h, slope, by_alpha]);
    }
}

/// z, alpha -> h
#[derive(Clone, Copy)]
struct Value<P>(PhantomData<P>);
/// (z, anything, anything), alpha -> h, dh/dz, dh/dalpha
#[derive(Clone, Copy)]
struct ValueAndDerivatives<P>(PhantomData<P>);
/// (g, dh/dalpha), dh/dz -> dJ/dz, a row's part of dJ/dalpha
#[derive(Clone, Copy)]
pub(super) struct Backward;

impl<T: Scalar, P: Pair> VectorFn<T, 1, 1> for Value<P> {
    #[inline(always)]
    fn apply<S: Simd<T>>(&self, simd: S, [z]: [S::Vector; 1], [alpha]: [S::Vector; 1]) -> [S::Vector; 1] {
        [simd.fma(alpha, simd.sub(P::phi(simd, z), z), z)]
    }
}

impl<T: Scalar, P: Pair> VectorFn<T, 3, 1> for ValueAndDerivatives<P> {
    #[inline(always)]
    fn apply<S: Simd<T>>(&self, simd: S, [z, _, _]: [S::Vector; 3], [alpha]: [S::Vector; 1]) -> [S::Vector; 3] {
        let one = simd.splat(T::ONE);
        let phi = P::phi(simd, z);
        let phi_prime = P::phi_prime(simd, if P::FROM_OUTPUT { phi } else { z });
        let by_alpha = simd.sub(phi, z);
        [simd.fma(alpha, by_alpha, z), simd.fma(alpha, simd.sub(phi_prime, one), one), by_alpha]
    }
}

impl<T: Scalar> VectorFn<T, 2, 1> for Backward {
    #[inline(always)]
    fn apply<S: Simd<T>>(&self, simd: S, [g, by_alpha]: [S::Vector; 2], [slope]: [S::Vector; 1]) -> [S::Vector; 2] {
        [simd.mul(g, slope), simd.mul(g, by_alpha)]
    }
}
