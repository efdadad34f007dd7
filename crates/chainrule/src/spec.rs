//! What a network looks like, as data.

use serde::{Deserialize, Serialize};

use crate::activation::Activation;
use crate::cost::Head;
use crate::error::{Result, setting};
use crate::init::Initializer;
use crate::layer::category_embedding::Embedding;
use crate::layer::ensemble_dense::Ensemble;
use crate::layer::numeric_embedding::NumericEmbedding;
use crate::topology::Topology;

/// Most units of a layer, levels of a category and so on: far above any use, low enough that no size overflows.
const MOST_UNITS: usize = 1 << 24;

/// One hidden layer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hidden {
    /// Units.
    pub width: usize,
    /// phi.
    pub activation: Activation,
    /// Probability with which a unit is dropped in training, 0 <= dropout < 1.
    #[serde(default)]
    pub dropout: f64,
    /// Initial weights; by activation if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initializer: Option<Initializer>,
    /// Whether each unit mixes phi with the identity, z + alpha (phi(z) - z), by a trainable alpha of its own.
    #[serde(default, skip_serializing_if = "is_false")]
    pub parametric: bool,
}

impl Hidden {
    /// A layer without dropout, with its activation's usual initial weights.
    pub fn new(width: usize, activation: Activation) -> Self {
        Self { width, activation, dropout: 0.0, initializer: None, parametric: false }
    }
}

/// What a network looks like.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkSpec {
    /// Numeric features.
    pub inputs: usize,
    /// Trainable vectors for some of the numeric features; they come first in h^(0), the other features after them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub numeric_embedding: Option<NumericEmbedding>,
    /// Categories that get trainable vectors, appended to the numeric features.
    #[serde(default)]
    pub embeddings: Vec<Embedding>,
    /// Whether every element of h^(0) is multiplied by a trainable factor of its own.
    #[serde(default, skip_serializing_if = "is_false")]
    pub scale: bool,
    /// Hidden layers, input side first; none gives a generalised linear model.
    pub hidden: Vec<Hidden>,
    /// Outputs.
    pub outputs: usize,
    /// What the outputs mean.
    pub head: Head,
    /// Whether it is an ensemble of such networks, which share most of their weights; predictions are the means of theirs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ensemble: Option<Ensemble>,
}

impl NetworkSpec {
    /// A network whose input is the numeric features as they are.
    pub fn new(inputs: usize, hidden: Vec<Hidden>, outputs: usize, head: Head) -> Self {
        Self {
            inputs,
            numeric_embedding: None,
            embeddings: vec![],
            scale: false,
            hidden,
            outputs,
            head,
            ensemble: None,
        }
    }

    /// Refuses what cannot work.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) with the layer that is wrong.
    pub fn validate(&self) -> Result<()> {
        if let Some(embedding) = &self.numeric_embedding {
            embedding.validate(self.inputs)?;
        }
        let inputs = self.input_width();
        if inputs == 0 || inputs > MOST_UNITS {
            return setting(format!("a network needs 1 to {MOST_UNITS} inputs, got {inputs}"));
        }
        for (i, hidden) in self.hidden.iter().enumerate() {
            if hidden.width == 0 || hidden.width > MOST_UNITS {
                return setting(format!("hidden layer {}: width must be 1 to {MOST_UNITS}", i + 1));
            }
            if hidden.parametric && matches!(hidden.activation, Activation::Custom(_)) {
                return setting(format!("hidden layer {}: only a built-in activation can be parametric", i + 1));
            }
            if !(0.0..1.0).contains(&hidden.dropout) {
                return setting(format!("hidden layer {}: dropout must be in [0, 1), got {}", i + 1, hidden.dropout));
            }
        }
        for (i, e) in self.embeddings.iter().enumerate() {
            if !(1..=MOST_UNITS).contains(&e.levels) || !(1..=1024).contains(&e.dimension) {
                return setting(format!("embedding {}: needs 1 level and 1 to 1024 dimensions at least", i + 1));
            }
        }
        self.ensemble.as_ref().map_or(Ok(()), Ensemble::validate)?;
        if self.outputs > MOST_UNITS {
            return setting(format!("a network can have {MOST_UNITS} outputs at most, got {}", self.outputs));
        }
        self.head.check_outputs(self.outputs)
    }

    /// Networks that it consists of: the members of the ensemble, or 1.
    pub(crate) fn members(&self) -> usize {
        self.ensemble.map_or(1, |ensemble| ensemble.members)
    }

    /// Units of the input layer: numeric features or their vectors, and the categories' vectors.
    pub(crate) fn input_width(&self) -> usize {
        let categories = self.embeddings.iter().map(|e| e.dimension);
        let numeric = self.numeric_embedding.as_ref().map_or(0, NumericEmbedding::added_width);
        categories.fold(self.inputs.saturating_add(numeric), usize::saturating_add)
    }

    /// Every parameter's name, rows and columns, in the order of the flat buffer.
    pub fn parameter_shapes(&self) -> Vec<(String, usize, usize)> {
        Topology::new::<f32>(self).layout.views.into_iter().map(|view| (view.name, view.rows, view.cols)).collect()
    }
}

/// Whether a field that few networks have can be left out of a file.
#[allow(clippy::trivially_copy_pass_by_ref)] // The serializer passes a reference.
fn is_false(field: &bool) -> bool {
    !field
}
