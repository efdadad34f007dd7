//! A table as the engine sees it.

use chainrule::{Dataset, Head, Inputs, Matrix};
use chainrule_data::{Encoder, Features, Table, event_column, exposure_column, weight_column};
use serde::{Deserialize, Serialize};

use crate::bins;
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
    /// Whether the event was seen, where the target is the time until it.
    #[serde(default)]
    pub event: Option<String>,
    /// Columns that are not used.
    pub ignore: Vec<String>,
}

impl Roles {
    /// The columns that are no features.
    pub(crate) fn excluded(&self) -> Vec<&str> {
        let special = [Some(&self.target), self.weight.as_ref(), self.exposure.as_ref(), self.event.as_ref()];
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
        let numeric = Matrix::Dense(numeric);
        Inputs { rows, width, numeric, categories: codes_width, codes, offset: self.offset.as_deref() }
    }
}

/// The same with targets and weights.
pub(crate) struct Matrices {
    pub(crate) inputs: InputMatrices,
    /// What the head is trained on; of times with whether their event was seen (1) or not (0).
    pub(crate) targets: Vec<f32>,
    /// The same in the user's terms.
    pub(crate) values: Vec<f64>,
    pub(crate) weights: Option<Vec<f32>>,
}

impl Matrices {
    pub(crate) fn new(table: &Table, encoder: &Encoder, roles: &Roles, target: &Target, head: &Head) -> Result<Self> {
        let values = target.read(table.column(&roles.target)?, &table.name, head)?;
        let events = match (head, &roles.event) {
            (Head::WeibullAft { .. }, Some(name)) => Some(event_column(table.column(name)?, &table.name)?),
            (Head::WeibullAft { .. }, None) => Some(vec![1.0; values.len()]),
            _ => None,
        };
        let weights = weights(table, roles)?;
        let inputs = InputMatrices::new(table, encoder, roles)?;
        Ok(Self { inputs, targets: target.encode(&values, events.as_deref()), values, weights })
    }

    pub(crate) fn dataset<'a>(&'a self, select: Option<&'a [u32]>) -> Dataset<'a, f32> {
        let weights = self.weights.as_deref();
        Dataset { inputs: self.inputs.inputs(), targets: &self.targets, weights, select }
    }

    /// The weighted mean of the target over `rows`, per unit exposure, or of times per event.
    pub(crate) fn mean_target(&self, rows: &[u32]) -> f64 {
        let (mut sum, mut total) = (0.0, 0.0);
        let width = self.targets.len() / self.values.len().max(1);
        for &row in rows {
            let (weight, row) = (self.weight(row), row as usize);
            let exposure = self.inputs.offset.as_ref().map_or(1.0, |o| f64::from(o[row]).exp());
            let event = if width == 2 { f64::from(self.targets[2 * row + 1]) } else { 1.0 };
            sum += weight * f64::from(self.targets[width * row]);
            total += weight * exposure * event;
        }
        sum / total.max(f64::MIN_POSITIVE)
    }

    /// The least and the greatest target of `rows` in the user's terms.
    pub(crate) fn range(&self, rows: &[u32]) -> [f64; 2] {
        let values = || rows.iter().map(|&row| self.values[row as usize]);
        [values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max)]
    }

    /// Whether numeric feature `feature` takes at least so many values over `rows`; those without weight are as if they were not there.
    pub(crate) fn has_values(&self, rows: &[u32], feature: usize, least: usize) -> bool {
        let mut seen: Vec<f32> = vec![];
        for (value, _) in self.weighted_values(rows, feature).filter(|(_, weight)| *weight > 0.0) {
            if !seen.contains(&value) {
                seen.push(value);
            }
            if seen.len() >= least {
                return true;
            }
        }
        false
    }

    /// Edges of at most `bins` bins of numeric feature `feature` over `rows`. A single one if it never changes.
    pub(crate) fn bin_edges(&self, rows: &[u32], feature: usize, bins: usize) -> Vec<f64> {
        bins::edges(self.weighted_values(rows, feature).collect(), bins)
    }

    /// The values of numeric feature `feature` over `rows`, each with the weight of its row.
    fn weighted_values(&self, rows: &[u32], feature: usize) -> impl Iterator<Item = (f32, f64)> {
        let Features { width, ref numeric, .. } = self.inputs.features;
        rows.iter().map(move |&row| (numeric[row as usize * width + feature], self.weight(row)))
    }

    /// The quantiles of what the head is trained on over `rows`, with their weights.
    pub(crate) fn quantiles(&self, rows: &[u32], levels: &[f64]) -> Vec<f64> {
        let mut order = rows.to_vec();
        order.sort_unstable_by(|&a, &b| self.targets[a as usize].total_cmp(&self.targets[b as usize]));
        let total: f64 = order.iter().map(|&row| self.weight(row)).sum();
        let quantile = |level: &f64| {
            let mut below = 0.0;
            let place = order.iter().position(|&row| {
                below += self.weight(row);
                below >= level * total
            });
            place.map_or(0.0, |place| f64::from(self.targets[order[place] as usize]))
        };
        levels.iter().map(quantile).collect()
    }

    /// Whether a time's event was seen.
    pub(crate) fn seen(&self, row: u32) -> bool {
        self.targets[2 * row as usize + 1] == 1.0
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
