//! Several networks of one model, some of which turn numbers into other vectors than the rest.

use chainrule::{NetworkSpec, NumericEmbedding};
use serde::{Deserialize, Serialize};

/// The last networks of a model, whose numbers have other vectors than those of the first; all else is alike.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Others {
    /// The number, from 0, of the first of them.
    pub first: usize,
    /// What their numbers become.
    pub numeric_embedding: Option<NumericEmbedding>,
}

/// The network number `member` (from 0) of a model whose first is `network`.
pub(crate) fn network_of(network: &NetworkSpec, others: Option<&Others>, member: usize) -> NetworkSpec {
    match others {
        Some(others) if member >= others.first => {
            NetworkSpec { numeric_embedding: others.numeric_embedding.clone(), ..network.clone() }
        }
        _ => network.clone(),
    }
}
