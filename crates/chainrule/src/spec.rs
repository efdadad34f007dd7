//! What a network looks like, as data.

use serde::{Deserialize, Serialize};

use crate::activation::Activation;
use crate::cost::Head;
use crate::error::{Result, setting};
use crate::init::Initializer;
use crate::layer::category_embedding::Embedding;
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
}

impl Hidden {
    /// A layer without dropout, with its activation's usual initial weights.
    pub fn new(width: usize, activation: Activation) -> Self {
        Self { width, activation, dropout: 0.0, initializer: None }
    }
}

/// What a network looks like.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkSpec {
    /// Numeric features.
    pub inputs: usize,
    /// Categories that get trainable vectors, appended to the numeric features.
    #[serde(default)]
    pub embeddings: Vec<Embedding>,
    /// Hidden layers, input side first; none gives a generalised linear model.
    pub hidden: Vec<Hidden>,
    /// Outputs.
    pub outputs: usize,
    /// What the outputs mean.
    pub head: Head,
}

impl NetworkSpec {
    /// Refuses what cannot work.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) with the layer that is wrong.
    pub fn validate(&self) -> Result<()> {
        let inputs = self.input_width();
        if inputs == 0 || inputs > MOST_UNITS {
            return setting(format!("a network needs 1 to {MOST_UNITS} inputs, got {inputs}"));
        }
        for (i, hidden) in self.hidden.iter().enumerate() {
            if hidden.width == 0 || hidden.width > MOST_UNITS {
                return setting(format!("hidden layer {}: width must be 1 to {MOST_UNITS}", i + 1));
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
        if self.outputs > MOST_UNITS {
            return setting(format!("a network can have {MOST_UNITS} outputs at most, got {}", self.outputs));
        }
        self.head.check_outputs(self.outputs)
    }

    /// Units of the input layer: numeric features and the embeddings' vectors.
    pub(crate) fn input_width(&self) -> usize {
        let embedded = self.embeddings.iter().map(|e| e.dimension);
        embedded.fold(self.inputs, usize::saturating_add)
    }

    /// Every parameter's name, rows and columns, in the order of the flat buffer.
    pub fn parameter_shapes(&self) -> Vec<(String, usize, usize)> {
        Topology::new::<f32>(self).layout.views.into_iter().map(|view| (view.name, view.rows, view.cols)).collect()
    }
}
