//! Links and constants that several likelihoods share, and how each stays finite over the whole range of a pre-activation.

use super::scale::Scale;
use crate::kernel::{Columns, Simd, math};
use crate::scalar::Scalar;

/// From here on an exponential goes on along its tangent: convex, with a continuous derivative, and finite for any
/// pre-activation that a network may give. e^40 is 2e17.
pub(crate) const TANGENT_FROM: f64 = 40.0;

/// The logarithm of a second parameter is kept between -20 and 20; beyond, the cost grows by how far it is outside, so
/// that the gradient points back.
pub(crate) const LOG_LIMIT: f64 = 20.0;

/// (E(x), E'(x)) with E(x) = e^x up to 40 and its tangent beyond.
#[inline(always)]
pub(super) fn exp_or_tangent<T: Scalar, S: Simd<T>>(simd: S, x: S::Vector) -> (S::Vector, S::Vector) {
    let limit = simd.splat(T::from_f64(TANGENT_FROM));
    // In this order of the operands a NaN stays a NaN.
    let slope = math::exp(simd, simd.min(limit, x));
    let beyond = simd.max(simd.splat(T::ZERO), simd.sub(x, limit));
    (simd.fma(slope, beyond, slope), slope)
}

/// Where a likelihood finds the logarithm s of its second parameter: a number, or output m + k for target k of m.
#[derive(Clone, Copy)]
pub(super) enum Second {
    Number(f64),
    Output,
}

impl Second {
    pub(super) fn new(scale: Scale) -> Self {
        scale.number().map_or(Self::Output, |number| Self::Number(number.ln()))
    }

    /// How many targets `z` has outputs for.
    #[inline(always)]
    pub(super) fn targets<T: Scalar>(self, z: &Columns<'_, T>) -> usize {
        match self {
            Self::Number(_) => z.width(),
            Self::Output => z.width() / 2,
        }
    }

    /// s of target `k`, within its limits, and how far outside of them the output is.
    #[inline(always)]
    pub(super) fn log<T: Scalar, S: Simd<T>>(self, simd: S, z: &Columns<'_, T>, k: usize) -> (S::Vector, S::Vector) {
        match self {
            Self::Number(log) => (simd.splat(T::from_f64(log)), simd.splat(T::ZERO)),
            Self::Output => {
                let raw = z.get(simd, z.width() / 2 + k);
                let limit = simd.splat(T::from_f64(LOG_LIMIT));
                let bounded = simd.max(simd.neg(limit), simd.min(limit, raw));
                (bounded, simd.sub(raw, bounded))
            }
        }
    }

    /// Puts dJ/ds in the place of the output, if it is one.
    #[inline(always)]
    pub(super) fn set_slope<T: Scalar, S: Simd<T>>(
        self,
        simd: S,
        z: &mut Columns<'_, T>,
        k: usize,
        outside: S::Vector,
        slope: S::Vector,
    ) {
        if let Self::Output = self {
            let (zero, one) = (simd.splat(T::ZERO), simd.splat(T::ONE));
            let inside_or_below = simd.select(simd.lt(outside, zero), simd.neg(one), slope);
            let slope = simd.select(simd.lt(zero, outside), one, inside_or_below);
            z.set(simd, z.width() / 2 + k, slope);
        }
    }

    /// Puts e^s in the place of the output, if it is one.
    #[inline(always)]
    pub(super) fn set_value<T: Scalar, S: Simd<T>>(self, simd: S, z: &mut Columns<'_, T>, k: usize) {
        if let Self::Output = self {
            let (log, _) = self.log(simd, z, k);
            z.set(simd, z.width() / 2 + k, math::exp(simd, log));
        }
    }
}
