//! Layers: one file each, forward directly above backward, the derivation in the doc comment.

pub(crate) mod category_embedding;
pub(crate) mod custom;
pub(crate) mod dense;
pub(crate) mod dropout;
pub(crate) mod ensemble_dense;
pub(crate) mod numeric_embedding;
pub(crate) mod parametric;
pub(crate) mod periodic_embedding;
pub(crate) mod piecewise_linear_embedding;
pub(crate) mod scale;
