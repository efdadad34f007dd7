//! One weight of a model and everything its gradient is made of, with the names of columns and classes.

use chainrule::{Compute, WeightElements};
use chainrule_data::Table;
use serde::{Deserialize, Serialize};

use crate::error::{Result, setting};
use crate::matrices::Matrices;
use crate::model::{Card, Model};
use crate::names::Names;
use crate::settings::PLAIN_RATE;

/// [`WeightElements`] with names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WeightReport {
    /// The table's row, from 1.
    pub row: usize,
    /// The layer l of W^(l), from 1.
    pub layer: usize,
    /// Layers with weights, L.
    pub layers: usize,
    /// Node i of layer l - 1: its number, from 1.
    pub from: usize,
    /// Its name.
    pub from_name: String,
    /// Node j of layer l: its number, from 1.
    pub to: usize,
    /// Its name.
    pub to_name: String,
    /// The name of phi of layer l; None in the output layer.
    pub activation: Option<String>,
    /// The nodes k of the layer above, in the order of the terms.
    pub above: Vec<String>,
    /// The target of the row in the table's terms.
    pub target: String,
    /// The numbers.
    #[serde(flatten)]
    pub elements: WeightElements,
}

impl Model {
    /// The elements of the gradient of the weight from node `from` to node `to` of layer `layer` (from 1), each a number from
    /// 1 or a name, on row `row` (from 1) of `table`, with the learning rate that the model was trained with. Of several networks
    /// the first is looked at: see [`member`](Self::member).
    ///
    /// # Errors
    /// As [`evaluate`](Self::evaluate), and if there is no such row, layer or node.
    pub fn explain_weight(
        &self,
        compute: &mut Compute,
        table: &Table,
        row: usize,
        (layer, from, to): (usize, &str, &str),
    ) -> Result<WeightReport> {
        let Card { encoder, roles, target, network, settings, .. } = &self.card;
        let names = Names::new(&self.card, network);
        if !(1..=names.layers()).contains(&layer) {
            return setting(format!("--layer {layer}: the network has the layers 1 to {}", names.layers()));
        }
        if !(1..=table.rows).contains(&row) {
            return setting(format!("--row {row}: {} has the rows 1 to {}", table.name, table.rows));
        }
        let (from, to) = (names.find(layer - 1, "--from", from)?, names.find(layer, "--to", to)?);
        let matrices = Matrices::new(table, encoder, roles, target, &network.head)?;
        let place = (layer - 1, from, to);
        let learning_rate = settings.learning_rate.unwrap_or(PLAIN_RATE);
        let data = matrices.dataset(None);
        let elements = self.network().explain_weight(compute, &data, (row - 1) as u32, place, learning_rate)?;
        let truth = table.column(&roles.target)?.values.text(row - 1).unwrap_or_default();
        Ok(WeightReport {
            row,
            layer,
            layers: names.layers(),
            from: from + 1,
            from_name: names.node(layer - 1, from).to_owned(),
            to: to + 1,
            to_name: names.node(layer, to).to_owned(),
            activation: network.hidden.get(layer - 1).map(|hidden| hidden.activation.name().to_owned()),
            above: (0..elements.terms.len()).map(|k| names.node(layer + 1, k).to_owned()).collect(),
            target: truth,
            elements,
        })
    }
}
