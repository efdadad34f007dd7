//! A table as the engine sees it.

use chainrule::{Dataset, Inputs};
use chainrule_data::{Encoder, Features, Table, exposure_column, weight_column};
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::target::Target;

/// Which columns play which part.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Roles {
    /// What is predicted.
    pub target: String,
    /// Row weights.
    pub weight: Option<String>,
    /// Exposure of a count.
    pub exposure: Option<String>,
    /// Columns that are not used.
    pub ignore: Vec<String>,
}

impl Roles {
    /// The columns that are no features.
    pub(crate) fn excluded(&self) -> Vec<&str> {
        let special = [Some(&self.target), self.weight.as_ref(), self.exposure.as_ref()];
        special.into_iter().flatten().chain(&self.ignore).map(String::as_str).collect()
    }
}

/// The features of a table, and what is added to every pre-activation.
pub(crate) struct InputMatrices {
    pub(crate) features: Features,
    offset: Option<Vec<f32>>,
}

impl InputMatrices {
    /// Encodes `table`. Fails where a column is missing or of another kind than in training.
    pub(crate) fn new(table: &Table, encoder: &Encoder, roles: &Roles) -> Result<Self> {
        let features = encoder.transform(table)?;
        let exposure = match &roles.exposure {
            Some(name) => Some(exposure_column(table.column(name)?, &table.name)?),
            None => None,
        };
        let offset = exposure.map(|e| e.iter().map(|&e| f64::from(e).ln() as f32).collect());
        Ok(Self { features, offset })
    }

    pub(crate) fn inputs(&self) -> Inputs<'_, f32> {
        let Features { rows, width, ref numeric, codes_width, ref codes } = self.features;
        Inputs { rows, width, numeric, categories: codes_width, codes, offset: self.offset.as_deref() }
    }
}

/// The same with targets and weights.
pub(crate) struct Matrices {
    pub(crate) inputs: InputMatrices,
    /// What the head is trained on.
    targets: Vec<f32>,
    /// The same in the user's terms.
    pub(crate) values: Vec<f64>,
    pub(crate) weights: Option<Vec<f32>>,
}

impl Matrices {
    pub(crate) fn new(table: &Table, encoder: &Encoder, roles: &Roles, target: &Target) -> Result<Self> {
        let values = target.read(table.column(&roles.target)?, &table.name)?;
        let weights = weights(table, roles)?;
        let inputs = InputMatrices::new(table, encoder, roles)?;
        Ok(Self { inputs, targets: target.encode(&values), values, weights })
    }

    pub(crate) fn dataset<'a>(&'a self, select: Option<&'a [u32]>) -> Dataset<'a, f32> {
        let weights = self.weights.as_deref();
        Dataset { inputs: self.inputs.inputs(), targets: &self.targets, weights, select }
    }

    /// The weighted mean of what the head is trained on, over `rows`, per unit exposure.
    pub(crate) fn mean_target(&self, rows: &[u32]) -> f64 {
        let (mut sum, mut total) = (0.0, 0.0);
        for &row in rows {
            let weight = self.weight(row);
            let exposure = self.inputs.offset.as_ref().map_or(1.0, |o| f64::from(o[row as usize]).exp());
            sum += weight * f64::from(self.targets[row as usize]);
            total += weight * exposure;
        }
        sum / total
    }

    /// The total weight of each class among `rows`.
    pub(crate) fn class_weights(&self, rows: &[u32], classes: usize) -> Vec<f64> {
        let mut totals = vec![0.0; classes];
        for &row in rows {
            totals[self.targets[row as usize] as usize] += self.weight(row);
        }
        totals
    }

    fn weight(&self, row: u32) -> f64 {
        self.weights.as_ref().map_or(1.0, |w| f64::from(w[row as usize]))
    }
}

/// The row weights of `table`, if a column gives them.
pub(crate) fn weights(table: &Table, roles: &Roles) -> Result<Option<Vec<f32>>> {
    Ok(match &roles.weight {
        Some(name) => Some(weight_column(table.column(name)?, &table.name)?),
        None => None,
    })
}
