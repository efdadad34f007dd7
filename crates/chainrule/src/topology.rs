//! The layers in their order: forward down them, backward up them in reverse.

use std::ops::Range;

use crate::activation::Activation;
use crate::block::{Block, Blocks, On};
use crate::compute::Compute;
use crate::kernel::{Operands, Outer, panels_len};
use crate::layer::category_embedding::CategoryEmbedding;
use crate::layer::custom;
use crate::layer::dense::{Dense, Slope};
use crate::layer::dropout::Mask;
use crate::params::{Layout, Role, View};
use crate::rng::Key;
use crate::scalar::Scalar;
use crate::spec::{Hidden, NetworkSpec};

/// Multiply-adds from which a step is worth sharing between threads (some 25 microseconds of one core): before that the way
/// of W, h and delta from one core's cache to the other's costs more than is won.
const SHARED_WORK: usize = 4_000_000;

/// Work of a training step in forward passes: forward, the recursion and the gradient.
pub(crate) const PASSES: usize = 3;

/// Where a backward pass leaves its gradients: a buffer, or an optimizer that uses each piece while it is in cache.
/// Gradients are sums over rows.
pub(crate) trait GradientSink<T: Scalar> {
    /// The gradients of all weights and biases, Eq. (6), to be computed by `outer_sums` with these arguments. `transposed`
    /// holds each W' and follows W.
    fn layers(
        &mut self,
        compute: &mut Compute,
        shared: bool,
        operands: (&[Outer], &dyn Operands<T>),
        transposed: &mut [T],
    );

    /// The gradient of a category's table, which `fill` adds to a zeroed slice of the view's layout.
    fn table(&mut self, compute: &mut Compute, view: &View, fill: &mut dyn FnMut(&mut [T]));
}

/// The layers of a network and where their parameters lie.
pub(crate) struct Topology {
    pub(crate) layers: Vec<Dense>,
    pub(crate) embedding: Option<CategoryEmbedding>,
    pub(crate) layout: Layout,
    /// Each layer's gradient, Eq. (6), and where it belongs.
    gradients: Vec<Outer>,
    /// Where each layer's W and b lie.
    ranges: Vec<[Range<usize>; 2]>,
}

impl Topology {
    pub(crate) fn new<T: Scalar>(spec: &NetworkSpec) -> Self {
        Self::build::<T>(spec, !spec.embeddings.is_empty())
    }

    /// The same with a recursion that goes down to delta^(0) even where the input has no parameters of its own.
    pub(crate) fn down_to_input<T: Scalar>(spec: &NetworkSpec) -> Self {
        Self::build::<T>(spec, true)
    }

    fn build<T: Scalar>(spec: &NetworkSpec, to_input: bool) -> Self {
        let mut layout = Layout::default();
        let tables = spec.embeddings.iter().enumerate();
        let tables: Vec<_> = tables
            .map(|(j, e)| layout.push::<T>(format!("embeddings.{j}.table"), Role::Table, e.levels, e.dimension))
            .collect();
        let embedding = (!tables.is_empty()).then(|| CategoryEmbedding {
            embeddings: spec.embeddings.clone(),
            tables,
            first_column: spec.inputs,
        });
        let output = Hidden::new(spec.outputs, Activation::Identity);
        let mut inputs = spec.input_width();
        let mut layers = Vec::with_capacity(spec.hidden.len() + 1);
        for (l, hidden) in spec.hidden.iter().chain([&output]).enumerate() {
            layers.push(Dense {
                inputs,
                outputs: hidden.width,
                activation: hidden.activation,
                dropout: hidden.dropout,
                weight: layout.push::<T>(format!("layers.{l}.weight"), Role::Weight, inputs, hidden.width),
                bias: layout.push::<T>(format!("layers.{l}.bias"), Role::Bias, 1, hidden.width),
            });
            inputs = hidden.width;
        }
        let mut transposed = 0;
        let place = |(l, layer): (usize, &Dense)| {
            // W' is needed where the recursion goes on to the layer below.
            let start = (l > 0 || to_input).then_some(transposed);
            transposed += start.map_or(0, |_| panels_len::<T>(layer.outputs, layer.inputs));
            layer.gradient::<T>(&layout.views, start)
        };
        let mut gradients: Vec<Outer> = layers.iter().enumerate().map(place).collect();
        if let Some(output) = gradients.last_mut() {
            output.moving = spec.head.held_outputs(spec.outputs).start;
        }
        let range = |number: usize| layout.views[number].range::<T>();
        let ranges = layers.iter().map(|layer| [range(layer.weight), range(layer.bias)]).collect();
        Self { layers, embedding, layout, gradients, ranges }
    }

    /// Where W' of layer `l` lies in the buffer of transposed weights, if it is kept.
    pub(crate) fn transposed<T: Scalar>(&self, l: usize) -> Option<Range<usize>> {
        let Outer { rows, cols, transposed, .. } = self.gradients[l];
        transposed.map(|start| start..start + panels_len::<T>(cols, rows))
    }

    /// Elements of the buffer of transposed weights.
    pub(crate) fn transposed_len<T: Scalar>(&self) -> usize {
        (0..self.layers.len()).filter_map(|l| self.transposed::<T>(l)).map(|range| range.end).max().unwrap_or(0)
    }

    /// Multiply-adds of one row's way forward.
    pub(crate) fn work(&self) -> usize {
        self.layers.iter().map(|layer| layer.inputs * layer.outputs).sum()
    }

    /// Whether `rows` rows, each with `passes` times a forward pass's work, are worth sharing between threads.
    pub(crate) fn is_shared(&self, rows: usize, passes: usize) -> bool {
        rows * passes * self.work() >= SHARED_WORK
    }

    /// Eq. (2) from h^(0) = x in `block` to z^(L). With `masks` it is a training pass, which keeps what the backward pass
    /// needs.
    pub(crate) fn forward<T: Scalar>(
        &self,
        (mut team, isa): On<'_>,
        parameters: &[T],
        block: &mut Block<T>,
        masks: Option<Key>,
    ) {
        self.embed(parameters, block);
        for (l, layer) in self.layers.iter().enumerate() {
            let (below, above) = block.h.split_at_mut(l + 1);
            let slope = masks.and_then(|_| block.slopes[l].as_deref_mut());
            let mask = masks.filter(|_| layer.dropout > 0.0);
            let mask = mask.map(|key| Mask::new(layer.dropout, key.part(l as u64), block.first));
            let on = (team.as_deref_mut(), isa);
            let wb = self.weight_and_bias(l, parameters);
            if let Activation::Custom(f) = layer.activation {
                let mut slope = slope;
                layer.forward(on, block.rows, wb, &below[l], &mut above[0], slope.as_deref_mut(), None);
                custom::activate(f.get(), isa, (block.rows, layer.outputs), &mut above[0], slope, mask);
            } else {
                layer.forward(on, block.rows, wb, &below[l], &mut above[0], slope, mask);
            }
        }
    }

    fn embed<T: Scalar>(&self, parameters: &[T], block: &mut Block<T>) {
        if let Some(embedding) = &self.embedding {
            embedding.forward(block.rows, &self.layout.views, parameters, &block.codes, &mut block.h[0]);
        }
    }

    fn weight_and_bias<'a, T: Scalar>(&self, l: usize, parameters: &'a [T]) -> (&'a [T], &'a [T]) {
        let [weight, bias] = &self.ranges[l];
        (&parameters[weight.clone()], &parameters[bias.clone()])
    }

    /// Eq. (9) from delta^(L) in `block` down to the first layer, or to the input where that has parameters of its own.
    pub(crate) fn backward<T: Scalar>(&self, (mut team, isa): On<'_>, transposed: &[T], block: &mut Block<T>) {
        for (l, layer) in self.layers.iter().enumerate().rev() {
            let Some(range) = self.transposed::<T>(l) else { continue };
            let phi_prime = match l.checked_sub(1) {
                None => Slope::One,
                Some(below) => match &block.slopes[below] {
                    Some(slope) => Slope::Kept(slope),
                    None => Slope::OfOutput(self.layers[below].activation, &block.h[l]),
                },
            };
            let (below, above) = block.delta.split_at_mut(l + 1);
            let on = (team.as_deref_mut(), isa);
            layer.backward(on, block.rows, &transposed[range], &above[0], phi_prime, &mut below[l]);
        }
    }

    /// The gradients of all parameters, Eq. (6) and (8), from the blocks' h and delta, handed to `sink`.
    ///
    /// All delta are computed by now, so a sink may change every W at once.
    pub(crate) fn gradients<T: Scalar>(
        &self,
        compute: &mut Compute,
        blocks: &Blocks<T>,
        transposed: &mut [T],
        sink: &mut impl GradientSink<T>,
    ) {
        sink.layers(compute, blocks.shared(), (&self.gradients, blocks), transposed);
        for (j, &table) in self.embedding.iter().flat_map(|e| e.tables.iter().enumerate()) {
            sink.table(compute, &self.layout.views[table], &mut |gradient| {
                for block in blocks.used() {
                    let embedding = self.embedding.iter();
                    embedding.for_each(|e| e.gradient(j, block.rows, &block.codes, &block.delta[0], gradient));
                }
            });
        }
    }
}
