//! Feedforward networks trained by hand-derived backpropagation: every delta is a closed form, there is no autodiff graph.
//!
//! The equations are those of `docs/equations.md`; a function that is one of them says so. Where to look:
//!
//! | equation | what | where |
//! |---|---|---|
//! | (2) | forward pass | `layer/dense.rs`: `Dense::forward` |
//! | (6) | gradient | `layer/dense.rs`: `Dense::gradient` |
//! | (7) | gradient step | `optimizer/sgd.rs`: `Sgd` |
//! | (9) | the recursion | `layer/dense.rs`: `Dense::backward` |
//! | (10) | its start | `cost/` |

mod activation;
mod attribution;
mod block;
pub mod check;
mod compiled;
mod compute;
mod cost;
mod custom;
mod data;
pub mod distribution;
mod error;
mod explain;
mod gradient;
mod groups;
mod init;
#[doc(hidden)]
pub mod kernel;
mod layer;
mod matrix;
pub mod metric;
mod network;
mod optimizer;
mod output_gradient;
mod params;
mod predict;
mod quadrature;
mod range_test;
mod rng;
mod scalar;
mod schedule;
mod spec;
mod special;
mod start;
mod stem;
mod topology;
mod train;

pub use activation::Activation;
pub use attribution::{Attribution, Baseline};
pub use compute::Compute;
pub use cost::{Head, PointwiseCost, Scale};
pub use custom::{CustomActivation, CustomHead};
pub use data::{Dataset, Inputs};
pub use distribution::Distribution;
pub use error::{Error, Result};
pub use explain::{WeightElements, WeightTerm};
pub use groups::Groups;
pub use init::Initializer;
pub use kernel::{Isa, UnknownIsa};
pub use layer::category_embedding::Embedding;
pub use layer::ensemble_dense::{Ensemble, EnsembleKind};
pub use layer::numeric_embedding::NumericEmbedding;
pub use matrix::{Matrix, SparseMatrix};
pub use metric::Metric;
pub use network::Network;
pub use optimizer::Optimizer;
pub use output_gradient::OutputGradient;
pub use params::{Role, View};
pub use predict::Predictor;
pub use range_test::{RangePoint, RangeTest, range_test};
pub use rng::Key;
pub use scalar::Scalar;
pub use schedule::Schedule;
pub use spec::{Hidden, NetworkSpec};
pub use train::{
    Ended, EpochRecord, Event, Flow, Pass, Progress, ProgressNumbers, Stepper, TrainReport, TrainSettings, train,
};
