//! Initial parameters of RealMLP (Holzmüller et al. 2024): layer by layer, so that the data meets pre-activations of its own
//! scale.

use crate::block::Blocks;
use crate::compute::Compute;
use crate::data::Dataset;
use crate::error::{Result, setting};
use crate::init::normal;
use crate::network::Network;
use crate::rng::Key;
use crate::scalar::Scalar;

/// Rows of the data that are looked at, at most.
const SAMPLE: usize = 1024;
/// Rows that a unit's bias is made of.
const BIAS_ROWS: usize = 5;

impl<T: Scalar> Network<T> {
    /// Gives every layer, from the input side, weights and biases that fit what arrives there from rows of `data`, and leaves
    /// everything else. Weights are normal, the columns then scaled so that each unit's z - b has standard deviation 1 over
    /// the rows (at most 1024 of them). A bias is minus a weighted mean of z - b over five random rows, with uniformly
    /// distributed weights of sum 1: each unit has its kink somewhere among the rows. A function of data and seed alone.
    ///
    /// # Errors
    /// If the data does not fit the network, or that is an ensemble.
    pub fn start_from_data(&mut self, compute: &mut Compute, data: &Dataset<'_, T>, seed: u64) -> Result<()> {
        if self.spec().ensemble.is_some() {
            return setting("a start from the data is for single networks, not for ensembles");
        }
        data.check(self.spec())?;
        let key = Key::new(seed);
        let mut rows: Vec<u32> = data.rows().collect();
        key.part(0).shuffle(&mut rows);
        rows.truncate(SAMPLE);
        let Self { topology, parameters, .. } = self;
        let mut blocks = Blocks::new(&self.spec, topology, rows.len(), compute, false);
        blocks.each(compute, &rows, &|(_, isa), block, select, first| {
            block.load((None, isa), &data.inputs, select, first);
            topology.stem.forward(isa, parameters, block);
        });
        for l in 0..topology.layers.len() {
            let (inputs, outputs) = (topology.layers[l].inputs, topology.layers[l].outputs);
            let held = topology.held_outputs(&self.spec, l);
            let key = key.part(1 + l as u64);
            let mut w = normal_weights::<T>(inputs, outputs, key.part(0));
            w.chunks_exact_mut(outputs).for_each(|row| row[held.clone()].fill(T::ZERO));
            topology.write_layer(l, parameters, &w, &vec![T::ZERO; outputs]);
            blocks.each(compute, &rows, &|on, block, _, _| topology.pre_activate(l, on, parameters, block));
            let z = columns(&blocks, l + 1, outputs);
            let mut b = vec![T::ZERO; outputs];
            for (j, z) in z.iter().enumerate().filter(|(j, _)| !held.contains(j)) {
                let scale = scale(z);
                w.iter_mut().skip(j).step_by(outputs).for_each(|w| *w = T::from_f64(w.to_f64() * scale));
                b[j] = T::from_f64(-scale * random_mean(z, key.part(1).part(j as u64)));
            }
            topology.write_layer(l, parameters, &w, &b);
            blocks.each(compute, &rows, &|on, block, _, _| topology.forward_layer(l, on, parameters, block, None));
        }
        self.refresh();
        Ok(())
    }

    /// Gives every hidden layer normal weights of variance 1 / inputs and standard normal biases, and the output layer zeros; leaves
    /// everything else.
    pub fn start_normal(&mut self, seed: u64) {
        let last = self.topology.layers.len() - 1;
        self.draw_layers(seed, |l, inputs, is_weight, key, i| match is_weight {
            _ if l == last => 0.0,
            true => normal(key, i) / (inputs.max(1) as f64).sqrt(),
            false => normal(key, i),
        });
    }

    /// Gives every layer weights and biases that are uniform between -1 / sqrt(inputs) and 1 / sqrt(inputs), and leaves everything
    /// else. The members of an ensemble start with the same biases, but for the output layer, of which each has its own.
    pub fn start_uniform(&mut self, seed: u64) {
        self.draw_layers(seed, |_, inputs, _, key, i| (2.0 * key.uniform(i) - 1.0) / (inputs.max(1) as f64).sqrt());
    }

    /// Gives every layer the weights and biases `draw(number of the layer, its inputs, whether it is a weight, key, place)`.
    fn draw_layers(&mut self, seed: u64, draw: impl Fn(usize, usize, bool, Key, u64) -> f64) {
        let Self { topology, parameters, spec, .. } = self;
        for (l, layer) in topology.layers.iter().enumerate() {
            let (key, held) = (Key::new(seed).part(1 + l as u64), topology.held_outputs(spec, l));
            for (view, is_weight) in [(layer.weight, true), (layer.bias, false)] {
                let view = &topology.layout.views[view];
                let rows = if layer.members.own { view.rows } else { view.part_rows() };
                let key = key.part(u64::from(!is_weight));
                let value = |i: usize| match held.contains(&(i % view.cols)) {
                    true if is_weight => T::ZERO,
                    _ => T::from_f64(draw(l, layer.inputs, is_weight, key, (i % (rows * view.cols)) as u64)),
                };
                let values: Vec<T> = (0..view.rows * view.cols).map(value).collect();
                view.write(parameters, &values);
            }
        }
        self.refresh();
    }
}

/// (inputs x outputs) draws from N(0, 1 / inputs), row-major.
fn normal_weights<T: Scalar>(inputs: usize, outputs: usize, key: Key) -> Vec<T> {
    let root = (inputs.max(1) as f64).sqrt();
    (0..(inputs * outputs) as u64).map(|i| T::from_f64(normal(key, i) / root)).collect()
}

/// The columns of h^(layer) over the rows of all blocks.
fn columns<T: Scalar>(blocks: &Blocks<T>, layer: usize, width: usize) -> Vec<Vec<f64>> {
    let of_blocks = |j: usize| blocks.used().iter().flat_map(move |block| block.column(layer, j).map(T::to_f64));
    (0..width).map(|j| of_blocks(j).collect()).collect()
}

/// 1 over the standard deviation; 1 where all values are equal.
fn scale(z: &[f64]) -> f64 {
    let mean = z.iter().sum::<f64>() / z.len() as f64;
    let deviation = (z.iter().map(|z| (z - mean).powi(2)).sum::<f64>() / z.len() as f64).sqrt();
    if deviation > 1e-12 { 1.0 / deviation } else { 1.0 }
}

/// A mean of random elements with random weights: the pieces into which uniform points cut the unit interval, which are
/// distributed like normalised Exp(1) draws.
fn random_mean(z: &[f64], key: Key) -> f64 {
    let mut cuts: Vec<f64> = (1..BIAS_ROWS as u64).map(|i| key.uniform(i)).chain([0.0, 1.0]).collect();
    cuts.sort_unstable_by(f64::total_cmp);
    let chosen = |i: usize| z[key.part(0).below(i as u64, z.len() as u64) as usize];
    cuts.windows(2).enumerate().map(|(i, cut)| (cut[1] - cut[0]) * chosen(i)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Activation, Head, Hidden, Inputs, NetworkSpec, NumericEmbedding};

    /// Every unit sees standard deviation 1, and its mean lies where the mean of a few rows lies.
    #[test]
    fn every_layer_starts_with_pre_activations_of_unit_scale() {
        let hidden = |activation| Hidden { parametric: true, ..Hidden::new(40, activation) };
        let periodic = NumericEmbedding::Periodic { features: vec![0, 1], frequencies: 8, sigma: 0.3 };
        let spec = NetworkSpec {
            numeric_embedding: Some(periodic),
            scale: true,
            ..NetworkSpec::new(3, vec![hidden(Activation::Selu), hidden(Activation::Mish)], 2, Head::gaussian())
        };
        let key = Key::new(5);
        let x: Vec<f64> = (0..900).map(|i| 50.0 * key.uniform(i) + 100.0).collect();
        let y = vec![0.0; 600];
        let data = Dataset::new(Inputs::numeric(&x, 3), &y);
        let mut network = Network::<f64>::new(&spec, 1).unwrap();
        let mut compute = Compute::new(2);
        network.start_from_data(&mut compute, &data, 3).unwrap();
        let rows: Vec<u32> = (0..300).collect();
        let mut blocks = Blocks::new(&spec, &network.topology, 300, &compute, false);
        let Network { topology, parameters, .. } = &network;
        blocks.each(&mut compute, &rows, &|(_, isa), block, select, first| {
            block.load((None, isa), &data.inputs, select, first);
            topology.stem.forward(isa, parameters, block);
        });
        for (l, layer) in topology.layers.iter().enumerate() {
            blocks.each(&mut compute, &rows, &|on, block, _, _| topology.pre_activate(l, on, parameters, block));
            let means = columns(&blocks, l + 1, layer.outputs).into_iter().map(|z| {
                assert!((scale(&z) - 1.0).abs() < 1e-6, "layer {l}: {}", scale(&z));
                z.iter().sum::<f64>() / 300.0
            });
            let means: Vec<f64> = means.collect();
            assert!(
                means.iter().all(|mean| mean.abs() < 3.5) && means.iter().any(|mean| mean.abs() > 1e-3),
                "{means:?}"
            );
            blocks.each(&mut compute, &rows, &|on, block, _, _| topology.forward_layer(l, on, parameters, block, None));
        }
        let mut again = Network::<f64>::new(&spec, 1).unwrap();
        again.start_from_data(&mut Compute::new(1), &data, 3).unwrap();
        (0..again.views().len()).for_each(|p| assert_eq!(again.parameter(p), network.parameter(p)));
    }

    #[test]
    fn a_normal_start_has_a_silent_output_layer() {
        let spec = NetworkSpec::new(9, vec![Hidden::new(300, Activation::Selu)], 2, Head::gaussian());
        let mut network = Network::<f32>::new(&spec, 1).unwrap();
        network.start_normal(7);
        let variance =
            |p: usize| network.parameter(p).iter().map(|x| x * x).sum::<f32>() / network.parameter(p).len() as f32;
        assert!(
            (variance(0) * 9.0 - 1.0).abs() < 0.1 && (variance(1) - 1.0).abs() < 0.25,
            "{} {}",
            variance(0),
            variance(1)
        );
        assert_eq!(variance(2) + variance(3), 0.0);
    }
}
