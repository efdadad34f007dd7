//! What the nodes of a network are called: columns below, classes or the target above, units between.

use chainrule::{Head, NetworkSpec};
use chainrule_data::number_text;

use crate::error::{Result, setting};
use crate::model::Card;

/// The nodes of every layer, the input's first.
pub(crate) struct Names(Vec<Vec<String>>);

impl Names {
    /// Of one of the networks of `card`.
    pub(crate) fn new(card: &Card, network: &NetworkSpec) -> Self {
        let mut layers = vec![inputs(card, network)];
        let unit = |l: usize| move |i: usize| format!("unit {} of hidden layer {}", i + 1, l + 1);
        layers.extend(network.hidden.iter().enumerate().map(|(l, h)| (0..h.width).map(unit(l)).collect()));
        layers.push(outputs(card, network));
        Self(layers)
    }

    /// Layers with weights.
    pub(crate) fn layers(&self) -> usize {
        self.0.len() - 1
    }

    /// Nodes of layer `l`.
    pub(crate) fn count(&self, l: usize) -> usize {
        self.0[l].len()
    }

    /// The name of node `i` (from 0) of layer `l`, 0 being the input.
    pub(crate) fn node(&self, l: usize, i: usize) -> &str {
        &self.0[l][i]
    }

    /// The number (from 0) of the node of layer `l` that `text` means: its name, or its number from 1.
    ///
    /// # Errors
    /// If it means none.
    pub(crate) fn find(&self, l: usize, flag: &str, text: &str) -> Result<usize> {
        let names = &self.0[l];
        if let Some(number) = names.iter().position(|name| name == text) {
            return Ok(number);
        }
        match text.parse::<usize>() {
            Ok(number) if (1..=names.len()).contains(&number) => Ok(number - 1),
            _ => {
                let some = names.iter().take(5).map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ");
                let more = if names.len() > 5 { ", ..." } else { "" };
                setting(format!("{flag} {text}: take a number from 1 to {}, or a name: {some}{more}", names.len()))
            }
        }
    }
}

fn inputs(card: &Card, network: &NetworkSpec) -> Vec<String> {
    let features = card.encoder.feature_names();
    let embedding = network.numeric_embedding.as_ref();
    let (embedded, dimension) = embedding.map_or((&[][..], 0), |e| (e.features(), e.dimension()));
    let vector = |&feature: &usize| (0..dimension).map(move |d| (feature, d));
    let elements = embedded.iter().flat_map(vector).map(|(feature, d)| format!("{}[{}]", features[feature], d + 1));
    let mut names: Vec<String> = elements.collect();
    names.extend((0..features.len()).filter(|i| !embedded.contains(i)).map(|i| features[i].clone()));
    for (column, embedding) in card.encoder.embedded().iter().zip(&network.embeddings) {
        names.extend((0..embedding.dimension).map(|d| format!("{}[{}]", column.name, d + 1)));
    }
    names
}

fn outputs(card: &Card, network: &NetworkSpec) -> Vec<String> {
    let (classes, target) = (card.target.classes(), &card.roles.target);
    let outputs = network.outputs;
    match &network.head {
        Head::Bernoulli => classes[1..].to_vec(),
        Head::Ordinal { .. } => classes[..outputs].iter().map(|class| format!("above {class}")).collect(),
        Head::Categorical { .. } => classes.to_vec(),
        Head::Quantile { levels } => {
            levels.iter().map(|l| format!("quantile {} of {target}", number_text(*l))).collect()
        }
        _ if outputs == 2 => vec![target.clone(), format!("ln scale of {target}")],
        _ => vec![target.clone()],
    }
}
