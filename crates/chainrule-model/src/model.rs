//! The thing a user keeps: encoder, network and everything prediction needs.

use chainrule::{Compute, Network, NetworkSpec, TrainReport};
use chainrule_data::{Categories, Column, Encoder, Table, Values};
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::matrices::{InputMatrices, Matrices, Roles};
use crate::scores::{Evaluation, Metrics, evaluate};
use crate::settings::Settings;
use crate::target::Target;

/// What is known about a model besides its parameters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Card {
    /// The version of chainrule that made it.
    pub version: String,
    /// The columns' parts.
    pub roles: Roles,
    /// The target and the outputs.
    pub target: Target,
    /// From columns to features.
    pub encoder: Encoder,
    /// The network.
    pub network: NetworkSpec,
    /// The settings it was trained with.
    pub settings: Settings,
    /// How training went.
    pub training: Training,
}

impl Card {
    /// The columns that held text in training, the target among them.
    pub fn text_columns(&self) -> impl Iterator<Item = &str> {
        let target = matches!(&self.target, Target::Classes(classes) if classes.is_text());
        self.encoder.text_columns().chain(target.then_some(self.roles.target.as_str()))
    }
}

/// How a model was trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Training {
    /// Rows it learned from.
    pub rows: usize,
    /// Rows that chose the epoch.
    pub valid_rows: usize,
    /// Every epoch and why it ended.
    pub report: TrainReport,
    /// Scores on the validation rows.
    pub valid_metrics: Option<Metrics>,
}

/// A trained model.
pub struct Model {
    pub(crate) card: Card,
    pub(crate) network: Network<f32>,
}

impl Model {
    /// What is known about it.
    pub fn card(&self) -> &Card {
        &self.card
    }

    /// Its network.
    pub fn network(&self) -> &Network<f32> {
        &self.network
    }

    /// Predictions for the rows of `table`, in their order: a column `prediction`, and for classes `probability_<class>`
    /// for each. The target column is not needed.
    ///
    /// # Errors
    /// A column that is missing, of another kind than in training, or holds infinite values.
    pub fn predict(&self, compute: &mut Compute, table: &Table) -> Result<Table> {
        let matrices = InputMatrices::new(table, &self.card.encoder, &self.card.roles)?;
        let means = self.network.predict(compute, &matrices.inputs())?;
        let predictions = self.card.target.decode(&means, self.card.network.head);
        let column = |name: String, values| Column { name, values };
        let numbers = |values: &mut dyn Iterator<Item = f64>| Values::Number(values.collect());
        let classes = self.card.target.classes();
        let columns = if classes.is_empty() {
            vec![column("prediction".into(), numbers(&mut predictions.into_iter()))]
        } else {
            let rows = predictions.chunks_exact(classes.len());
            let codes = rows.clone().map(|p| chainrule::metric::most_probable(p) as u32).collect();
            let best = Values::Category(Categories { codes, levels: classes.to_vec() });
            let probabilities = classes
                .iter()
                .enumerate()
                .map(|(k, class)| column(format!("probability_{class}"), numbers(&mut rows.clone().map(|p| p[k]))));
            std::iter::once(column("prediction".into(), best)).chain(probabilities).collect()
        };
        Ok(Table::new("predictions", columns)?)
    }

    /// Scores the model on the rows of `table`, which has the target column and those of weight and exposure if the model
    /// was trained with them.
    ///
    /// # Errors
    /// As [`predict`](Self::predict), and for a target that is missing or not among the classes.
    pub fn evaluate(&self, compute: &mut Compute, table: &Table) -> Result<Evaluation> {
        let matrices = Matrices::new(table, &self.card.encoder, &self.card.roles, &self.card.target)?;
        self.evaluate_rows(compute, &matrices, None)
    }

    pub(crate) fn evaluate_rows(
        &self,
        compute: &mut Compute,
        matrices: &Matrices,
        rows: Option<&[u32]>,
    ) -> Result<Evaluation> {
        let means = match rows {
            Some(rows) => self.network.predict_selected(compute, &matrices.inputs.inputs(), rows)?,
            None => self.network.predict(compute, &matrices.inputs.inputs())?,
        };
        let predictions = self.card.target.decode(&means, self.card.network.head);
        let selected = |values: Vec<f64>| match rows {
            Some(rows) => rows.iter().map(|&row| values[row as usize]).collect(),
            None => values,
        };
        let weights = matrices.weights.as_ref().map(|w| selected(w.iter().map(|&w| f64::from(w)).collect()));
        let values = selected(matrices.values.clone());
        Ok(evaluate(&self.card.target, &predictions, &values, weights.as_deref()))
    }
}
