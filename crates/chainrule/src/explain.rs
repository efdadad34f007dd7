//! A network from inside: the same numbers in double precision, derivatives that training has no use for, and the elements
//! of a single weight's gradient, as the slides draw them.

use serde::{Deserialize, Serialize};

use crate::compute::Compute;
use crate::data::{Dataset, WideRows};
use crate::error::{Error, Result, setting};
use crate::kernel::unpack;
use crate::network::Network;
use crate::scalar::Scalar;
use crate::spec::NetworkSpec;

impl<T: Scalar> Network<T> {
    /// The same network in double precision, which holds every single-precision number exactly.
    ///
    /// # Errors
    /// As [`NetworkSpec::validate`](crate::NetworkSpec::validate).
    pub fn widen(&self) -> Result<Network<f64>> {
        self.widen_as(self.spec())
    }

    fn widen_as(&self, spec: &NetworkSpec) -> Result<Network<f64>> {
        let mut wide = Network::<f64>::new(spec, 0)?;
        for p in 0..self.views().len() {
            let values: Vec<f64> = self.parameter(p).iter().map(|x| x.to_f64()).collect();
            wide.set_parameter(p, &values)?;
        }
        Ok(wide)
    }

    /// The derivatives of the cost with respect to the numeric inputs, (rows x inputs), row-major: delta^(0), since
    /// h^(0) = x has no activation.
    ///
    /// # Errors
    /// If the data does not fit the network.
    pub fn input_gradient(&self, compute: &mut Compute, data: &Dataset<'_, T>) -> Result<Vec<T>> {
        // Training goes down to the input only where that has parameters of its own.
        let descending = self.down_to_input();
        let (_, blocks) = descending.backpropagate(compute, data)?;
        let (stem, inputs) = (&descending.topology.stem, self.spec.inputs);
        let mut gradient = vec![T::ZERO; data.len() * inputs];
        for block in blocks.used() {
            let delta = stem.input_delta(compute.isa, inputs, &self.parameters, block);
            // Of every member of an ensemble.
            gradient[block.first * inputs..].iter_mut().zip(delta).for_each(|(sum, delta)| *sum += delta);
        }
        Ok(gradient)
    }
}

/// Everything that the derivative with respect to one weight of one row is made of, and what a gradient step on it would do:
/// Eq. (2) to (7), in double precision and without dropout. It goes from node i of the layer below to node j of its layer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WeightElements {
    /// w_ij.
    pub weight: f64,
    /// h_i of the layer below, x_i for the first.
    pub source: f64,
    /// z_j.
    pub pre_activation: f64,
    /// phi'(z_j), or what a parametric activation has in its place; None in the output layer.
    pub slope: Option<f64>,
    /// What each node k of the layer above contributes to delta_j; none in the output layer.
    pub terms: Vec<WeightTerm>,
    /// Their sum, element j of W delta.
    pub sum: Option<f64>,
    /// delta_j: the sum times phi'(z_j), or in the output layer Eq. (10).
    pub delta: f64,
    /// dJ/dw_ij = h_i delta_j.
    pub gradient: f64,
    /// mu.
    pub learning_rate: f64,
    /// w_ij after Eq. (7), w_ij - mu dJ/dw_ij.
    pub updated_weight: f64,
    /// J.
    pub cost: f64,
    /// What a change so small that J is a straight line would do: -mu (dJ/dw_ij)^2.
    pub predicted_change: f64,
    /// J with the new weight, less J.
    pub measured_change: f64,
}

/// The way of the derivative through one node of the layer above.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WeightTerm {
    /// delta_k.
    pub delta: f64,
    /// w_jk.
    pub weight: f64,
    /// Their product.
    pub product: f64,
}

impl<T: Scalar> Network<T> {
    /// The elements of the weight from node `from` to node `to` of layer number `layer`, for one row of `data` with weight 1.
    /// All count from 0, as in `layers.0.weight` and its rows and columns.
    ///
    /// # Errors
    /// If there is no such layer, node or row, or the data does not fit the network.
    pub fn explain_weight(
        &self,
        compute: &mut Compute,
        data: &Dataset<'_, T>,
        row: u32,
        (layer, from, to): (usize, usize, usize),
        learning_rate: f64,
    ) -> Result<WeightElements> {
        if self.spec().ensemble.is_some() {
            return setting("a weight of an ensemble has no single elements: its members share it");
        }
        let mut network = self.widen_without_dropout()?;
        let shapes: Vec<(usize, usize)> = network.topology.layers.iter().map(|l| (l.inputs, l.outputs)).collect();
        let &(inputs, outputs) = shapes.get(layer).ok_or_else(|| out_of("layer", layer, shapes.len()))?;
        if from >= inputs || to >= outputs {
            let (what, number, count) = if from >= inputs { ("from", from, inputs) } else { ("to", to, outputs) };
            return Err(out_of(what, number, count));
        }
        if row as usize >= data.inputs.rows {
            return Err(out_of("row", row as usize, data.inputs.rows));
        }
        let rows = WideRows::new(&Dataset { weights: None, select: Some(&[row]), ..*data });
        let spec = network.spec().clone();
        let data = rows.dataset(&spec);
        let (cost, gradient) = network.gradient(compute, &data)?;
        let (_, blocks) = network.backpropagate(compute, &data)?;
        let h = unpacked(&blocks.used()[0].h[layer], inputs);
        // A layer's weight, next to its bias. A single row's gradient of a bias is delta.
        let at: Vec<usize> = network.topology.layers.iter().map(|layer| layer.weight).collect();
        let (w, b) = (network.parameter(at[layer]), network.parameter(at[layer] + 1));
        let pre_activation = (0..inputs).map(|i| w[i * outputs + to] * h[i]).sum::<f64>() + b[to];
        let above = shapes.get(layer + 1).map(|&(_, units)| {
            let w = network.parameter(at[layer + 1]);
            let deltas = &gradient[at[layer + 1] + 1];
            let term = |k: usize| {
                let (delta, weight) = (deltas[k], w[to * units + k]);
                WeightTerm { delta, weight, product: delta * weight }
            };
            (0..units).map(term).collect::<Vec<_>>()
        });
        let alpha = network.topology.layers[layer].alpha.map(|alpha| network.parameter(alpha)[to]);
        let slope = spec.hidden.get(layer).map(|hidden| hidden.activation.value_and_slope(pre_activation).1);
        let slope = slope.map(|slope| alpha.map_or(slope, |alpha| 1.0 - alpha + alpha * slope));
        let place = from * outputs + to;
        let (weight, derivative) = (w[place], gradient[at[layer]][place]);
        let updated_weight = weight - learning_rate * derivative;
        let mut moved = w;
        moved[place] = updated_weight;
        network.set_parameter(at[layer], &moved)?;
        let (moved_cost, _) = network.gradient(compute, &data)?;
        Ok(WeightElements {
            weight,
            source: h[from],
            pre_activation,
            slope,
            sum: above.as_ref().map(|terms| terms.iter().map(|term| term.product).sum()),
            terms: above.unwrap_or_default(),
            delta: gradient[at[layer] + 1][to],
            gradient: derivative,
            learning_rate,
            updated_weight,
            cost,
            predicted_change: -learning_rate * derivative * derivative,
            measured_change: moved_cost - cost,
        })
    }

    fn widen_without_dropout(&self) -> Result<Network<f64>> {
        let mut spec = self.spec().clone();
        spec.hidden.iter_mut().for_each(|hidden| hidden.dropout = 0.0);
        self.widen_as(&spec)
    }
}

/// The only row of a matrix in panels.
fn unpacked(h: &[f64], width: usize) -> Vec<f64> {
    let mut row = vec![0.0; width];
    unpack(h, 1, width, &mut row);
    row
}

fn out_of(what: &str, number: usize, count: usize) -> Error {
    Error::Setting(format!("{what} {number}: there are {count}, counted from 0"))
}
