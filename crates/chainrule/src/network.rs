//! A network with its parameters: built from a specification, asked for predictions and gradients.

use crate::block::Blocks;
use crate::compute::Compute;
use crate::cost::Constants;
use crate::data::{Dataset, Inputs};
use crate::error::{Result, expect_len};
use crate::gradient::Store;
use crate::init::{self, Initializer};
use crate::kernel::{Buffer, transpose};
use crate::layer::dropout::Masks;
use crate::params::View;
use crate::predict::Predictor;
use crate::rng::Key;
use crate::scalar::Scalar;
use crate::spec::NetworkSpec;
use crate::topology::Topology;

/// A network with its parameters.
pub struct Network<T> {
    pub(crate) spec: NetworkSpec,
    pub(crate) topology: Topology,
    pub(crate) parameters: Buffer<T>,
    /// W' of the layers whose recursion goes on below, kept equal to W.
    pub(crate) transposed: Buffer<T>,
}

impl<T: Scalar> Network<T> {
    /// A network with random initial weights, a function of `seed` alone, and zero biases.
    ///
    /// # Errors
    /// As [`NetworkSpec::validate`].
    pub fn new(spec: &NetworkSpec, seed: u64) -> Result<Self> {
        spec.validate()?;
        Ok(Self::with_topology(spec, Topology::new::<T>(spec), seed))
    }

    fn with_topology(spec: &NetworkSpec, topology: Topology, seed: u64) -> Self {
        let mut network = Self {
            parameters: Buffer::zeros(topology.layout.len()),
            transposed: Buffer::zeros(topology.transposed_len::<T>()),
            spec: spec.clone(),
            topology,
        };
        network.initialize(Key::new(seed));
        network
    }

    /// The same network with a recursion that goes down to the input.
    pub(crate) fn down_to_input(&self) -> Self {
        self.with_parameters(&self.spec, Topology::down_to_input::<T>(&self.spec))
    }

    /// The same without dropout: of what is predicted, not of what is trained.
    pub(crate) fn down_to_input_without_dropout(&self) -> Self {
        let mut spec = self.spec.clone();
        spec.hidden.iter_mut().for_each(|hidden| hidden.dropout = 0.0);
        self.with_parameters(&spec, Topology::down_to_input::<T>(&spec))
    }

    /// The same network once more.
    pub(crate) fn duplicate(&self) -> Self {
        self.with_parameters(&self.spec, Topology::new::<T>(&self.spec))
    }

    fn with_parameters(&self, spec: &NetworkSpec, topology: Topology) -> Self {
        let mut network = Self::with_topology(spec, topology, 0);
        network.parameters.copy_from_slice(&self.parameters);
        network.refresh();
        network
    }

    fn initialize(&mut self, key: Key) {
        for number in 0..self.views().len() {
            let view = &self.topology.layout.views[number];
            let Some(draws) = init::beside_layers(&self.spec, view, key.part(number as u64)) else { continue };
            let draws: Vec<T> = draws.into_iter().map(T::from_f64).collect();
            view.write(&mut self.parameters, &draws);
        }
        for (l, layer) in self.topology.layers.iter().enumerate() {
            let chosen = self.spec.hidden.get(l).and_then(|hidden| hidden.initializer);
            let initializer = chosen.unwrap_or(Initializer::for_activation(layer.activation));
            let (key, view) = (key.part(layer.weight as u64), &self.topology.layout.views[layer.weight]);
            let of = |part: usize| if layer.members.own { key.part(part as u64) } else { key };
            let parts = 0..view.parts;
            let draws = parts.flat_map(|part| initializer.draw(layer.inputs, layer.outputs, of(part)));
            // The weights of outputs that are the same for all rows stay zero.
            let held = self.topology.held_outputs(&self.spec, l);
            let start = |(i, x)| T::from_f64(if held.contains(&(i % layer.outputs)) { 0.0 } else { x });
            let draws: Vec<T> = draws.enumerate().map(start).collect();
            view.write(&mut self.parameters, &draws);
        }
        self.refresh();
    }

    /// Brings W' up to date after the parameters have been replaced from outside.
    pub(crate) fn refresh(&mut self) {
        for (l, layer) in self.topology.layers.iter().enumerate() {
            let view = &self.topology.layout.views[layer.weight];
            for part in 0..view.parts {
                let Some(range) = self.topology.transposed::<T>(l, part) else { continue };
                let w = &self.parameters[view.part(part)];
                transpose(w, layer.inputs, layer.outputs, &mut self.transposed[range]);
            }
        }
    }

    /// What the network looks like.
    pub fn spec(&self) -> &NetworkSpec {
        &self.spec
    }

    /// The parameters' names, roles and shapes.
    pub fn views(&self) -> &[View] {
        &self.topology.layout.views
    }

    /// Parameter number `index` of [`views`](Self::views), row-major; a weight is (inputs x outputs).
    pub fn parameter(&self, index: usize) -> Vec<T> {
        self.views()[index].read(&self.parameters)
    }

    /// Replaces parameter number `index` of [`views`](Self::views) by `values`, row-major.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) if the number of values is not the parameter's.
    pub fn set_parameter(&mut self, index: usize, values: &[T]) -> Result<()> {
        let view = &self.topology.layout.views[index];
        expect_len(&format!("values of {}", view.name), view.rows * view.cols, values.len())?;
        view.write(&mut self.parameters, values);
        self.refresh();
        Ok(())
    }

    /// The means o of every row: (rows x outputs), row-major. Bernoulli and categorical heads give probabilities.
    ///
    /// # Errors
    /// If the inputs do not fit the network or are not finite.
    pub fn predict(&self, compute: &mut Compute, inputs: &Inputs<'_, T>) -> Result<Vec<T>> {
        let mut out = vec![T::ZERO; inputs.rows * self.spec.outputs];
        Predictor::new(self, inputs.rows, compute).predict(compute, inputs, &mut out)?;
        Ok(out)
    }

    /// The means of the rows with these numbers, as [`predict`](Self::predict) gives them.
    ///
    /// # Errors
    /// As [`predict`](Self::predict), and if there is no row of such a number.
    pub fn predict_selected(&self, compute: &mut Compute, inputs: &Inputs<'_, T>, select: &[u32]) -> Result<Vec<T>> {
        let mut out = vec![T::ZERO; select.len() * self.spec.outputs];
        Predictor::new(self, select.len(), compute).predict_selected(compute, inputs, select, &mut out)?;
        Ok(out)
    }

    /// The cost of all rows and its gradient, Eq. (1), both sums over rows: one row-major matrix for each of
    /// [`views`](Self::views).
    ///
    /// # Errors
    /// If the data does not fit the network.
    pub fn gradient(&mut self, compute: &mut Compute, data: &Dataset<'_, T>) -> Result<(f64, Vec<Vec<T>>)> {
        let (cost, blocks) = self.backpropagate(compute, data)?;
        let mut sink = Store::zeros(self.parameters.len());
        self.topology.gradients(compute, &blocks, &mut self.transposed, &mut sink);
        Ok((cost, self.views().iter().map(|view| view.read(&sink.gradient)).collect()))
    }

    /// One pass forward and the recursion back over all rows as one batch, with the dropout masks of a fixed key. Returns the
    /// cost, a sum over rows, and every h and delta.
    pub(crate) fn backpropagate(&self, compute: &mut Compute, data: &Dataset<'_, T>) -> Result<(f64, Blocks<T>)> {
        data.check(&self.spec)?;
        let rows: Vec<u32> = data.rows().collect();
        let mut blocks = Blocks::new(&self.spec, &self.topology, rows.len(), compute, true);
        let Self { spec, topology, parameters, transposed } = self;
        blocks.each(compute, &rows, &|(mut team, isa), block, select, first| {
            block.load_all((None, isa), data, select, first);
            let masks = Masks { key: Key::new(0), factor: 1.0 };
            topology.forward((team.as_deref_mut(), isa), parameters, block, Some(masks));
            block.cost(isa, spec);
            topology.backward((team, isa), (parameters, transposed), block);
        });
        topology.other_gradients(compute, parameters, &mut blocks);
        Ok((blocks.cost() + Constants::new(&spec.head, data).of(&rows), blocks))
    }
}
