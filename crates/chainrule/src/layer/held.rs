//! Outputs that are the same for every row: a scale or thresholds that all rows share. Their weights are zero and stay so;
//! only their biases, whose gradients are not touched here, move.

use std::ops::Range;

use super::GradientSink;
use crate::compute::Compute;
use crate::kernel::{Product, index};
use crate::params::View;
use crate::scalar::Scalar;

/// Passes on the gradient of the weight with that of the held columns zero.
pub(crate) struct Held<'a, T, S> {
    sink: &'a mut S,
    /// Delta with the held columns zero.
    delta: &'a [T],
}

impl<'a, T: Scalar, S: GradientSink<T>> Held<'a, T, S> {
    /// `copy` becomes what it has room for of `delta` (rows x outputs, in panels), with the `held` columns zero.
    pub(crate) fn new(sink: &'a mut S, rows: usize, held: Range<usize>, delta: &[T], copy: &'a mut [T]) -> Self {
        copy.copy_from_slice(&delta[..copy.len()]);
        for k in held {
            (0..rows).for_each(|r| copy[index::<T>(rows, r, k)] = T::ZERO);
        }
        Self { sink, delta: copy }
    }
}

impl<T: Scalar, S: GradientSink<T>> GradientSink<T> for Held<'_, T, S> {
    fn weight(&mut self, compute: &mut Compute, view: &View, product: &Product<'_, T>, mirror: Option<&mut [T]>) {
        // Eq. (6): the right factor of H' Delta.
        self.sink.weight(compute, view, &Product { right: self.delta, ..*product }, mirror);
    }

    fn vector(&mut self, compute: &mut Compute, view: &View, fill: &mut dyn FnMut(&mut Compute, &mut [T])) {
        self.sink.vector(compute, view, fill);
    }
}
