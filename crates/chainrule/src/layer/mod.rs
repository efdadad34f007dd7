//! Layers: one file each, forward directly above backward, the derivation in the doc comment.

pub(crate) mod category_embedding;
pub(crate) mod custom;
pub(crate) mod dense;
pub(crate) mod dropout;
pub(crate) mod held;

use crate::compute::Compute;
use crate::kernel::Product;
use crate::params::View;
use crate::scalar::Scalar;

/// Where a backward pass leaves its gradients: a buffer, or an optimizer that uses each piece while it is in cache.
/// Gradients are sums over rows.
pub(crate) trait GradientSink<T: Scalar> {
    /// The gradient of a weight matrix is this product, Eq. (6). `mirror` holds the weight's transpose and follows it.
    fn weight(&mut self, compute: &mut Compute, view: &View, product: &Product<'_, T>, mirror: Option<&mut [T]>);

    /// The gradient of a bias or table, which `fill` writes into a zeroed slice of the view's layout.
    fn vector(&mut self, compute: &mut Compute, view: &View, fill: &mut dyn FnMut(&mut Compute, &mut [T]));
}
