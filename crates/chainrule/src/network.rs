//! A network: forward down the layers, backward up them in reverse.

use serde::{Deserialize, Serialize};

use crate::activation::Activation;
use crate::compute::Compute;
use crate::cost::{Head, Rows};
use crate::data::{Dataset, Inputs};
use crate::error::{Error, Result, expect_len, setting};
use crate::init::{Initializer, normal};
use crate::kernel::{Buffer, Product, gather, multiply, panels_len, scratch_len, transpose};
use crate::kernel::{Epilogue, Isa, Out, Tile};
use crate::layer::GradientSink;
use crate::layer::category_embedding::{CategoryEmbedding, Embedding};
use crate::layer::dense::{Dense, Slope};
use crate::layer::dropout::Mask;
use crate::params::{Layout, Role, View};
use crate::rng::Key;
use crate::scalar::Scalar;

/// Rows that prediction and evaluation pass through the network at a time.
pub(crate) const CHUNK: usize = 256;

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
    fn input_width(&self) -> usize {
        let embedded = self.embeddings.iter().map(|e| e.dimension);
        embedded.fold(self.inputs, usize::saturating_add)
    }

    /// Every parameter's name, rows and columns, in the order of the flat buffer.
    pub fn parameter_shapes(&self) -> Vec<(String, usize, usize)> {
        let topology = Topology::new::<f32>(self);
        topology.layout.views.into_iter().map(|view| (view.name, view.rows, view.cols)).collect()
    }
}

/// The layers of a network and where their parameters lie.
pub(crate) struct Topology {
    pub(crate) layers: Vec<Dense>,
    pub(crate) embedding: Option<CategoryEmbedding>,
    pub(crate) layout: Layout,
}

impl Topology {
    fn new<T: Scalar>(spec: &NetworkSpec) -> Self {
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
        Self { layers, embedding, layout }
    }

    /// Whether the recursion goes on from layer `l` to the layer below, which needs W' of it.
    fn descends(&self, l: usize) -> bool {
        l > 0 || self.embedding.is_some()
    }

    /// Eq. (2) from h^(0) = x in `work` to z^(L). With `masks` it is a training pass, which keeps what the backward pass
    /// needs.
    pub(crate) fn forward<T: Scalar>(
        &self,
        compute: &mut Compute,
        parameters: &[T],
        work: &mut Workspace<T>,
        masks: Option<Key>,
    ) {
        let views = &self.layout.views;
        if let Some(embedding) = &self.embedding {
            embedding.forward(work.rows, views, parameters, &work.codes, &mut work.h[0]);
        }
        for (l, layer) in self.layers.iter().enumerate() {
            let (below, above) = work.h.split_at_mut(l + 1);
            let w = &parameters[views[layer.weight].range::<T>()];
            let b = &parameters[views[layer.bias].range::<T>()];
            let slope = masks.and_then(|_| work.slopes[l].as_deref_mut());
            let mask = masks.filter(|_| layer.dropout > 0.0).map(|key| Mask::new(layer.dropout, key.part(l as u64)));
            layer.forward(compute, work.rows, (w, b), &below[l], &mut above[0], slope, mask);
        }
    }

    /// Eq. (9) from delta^(L) in `work` down to the input, and each layer's gradient, Eq. (6), handed to `sink`.
    ///
    /// A sink may change W^(l) at once, which is Eq. (8): delta^(l-1), the only other use of W^(l), is computed before.
    pub(crate) fn backward<T: Scalar>(
        &self,
        compute: &mut Compute,
        transposed: &mut [Option<Buffer<T>>],
        work: &mut Workspace<T>,
        sink: &mut impl GradientSink<T>,
    ) {
        let views = &self.layout.views;
        for (l, layer) in self.layers.iter().enumerate().rev() {
            if let Some(w_transposed) = &transposed[l] {
                let phi_prime = match (l.checked_sub(1), &work.slopes) {
                    (None, _) => Slope::One,
                    (Some(below), slopes) => match &slopes[below] {
                        Some(slope) => Slope::Kept(slope),
                        None => Slope::OfOutput(self.layers[below].activation, &work.h[l]),
                    },
                };
                layer.backward(compute, work.rows, w_transposed, &work.delta, phi_prime, &mut work.delta_below);
            }
            let mirror = transposed[l].as_deref_mut();
            layer.gradient(compute, work.rows, &work.h[l], &work.delta, views, mirror, sink);
            std::mem::swap(&mut work.delta, &mut work.delta_below);
        }
        if let Some(embedding) = &self.embedding {
            embedding.backward(compute, work.rows, views, &work.codes, &work.delta, sink);
        }
    }
}

/// The buffers of one batch, made once and used for every batch of at most `capacity` rows.
pub(crate) struct Workspace<T> {
    /// Rows of the current batch.
    pub(crate) rows: usize,
    /// Category codes, (rows x categories).
    pub(crate) codes: Vec<u32>,
    /// h^(0) = x, h^(1), ..., and z^(L) last; (rows x width) in panels.
    pub(crate) h: Vec<Buffer<T>>,
    /// phi'(z) of the layers that keep it.
    slopes: Vec<Option<Buffer<T>>>,
    /// delta of the layer at hand, and of the one below.
    pub(crate) delta: Buffer<T>,
    delta_below: Buffer<T>,
    pub(crate) scratch: Buffer<T>,
}

impl<T: Scalar> Workspace<T> {
    /// Buffers for `capacity` rows; those of the backward pass only for `training`.
    pub(crate) fn new(topology: &Topology, capacity: usize, training: bool) -> Self {
        let buffer = |width: usize| Buffer::zeros(panels_len::<T>(capacity, width));
        let layers = &topology.layers;
        let widths = || layers.iter().map(|l| l.inputs).chain(layers.last().map(|l| l.outputs));
        let outputs = layers.last().map_or(0, |l| l.outputs);
        let categories = topology.embedding.as_ref().map_or(0, |e| e.tables.len());
        // Without a backward pass `delta` only receives the outputs.
        let widest = if training { widths().max().unwrap_or(0) } else { outputs };
        Self {
            rows: 0,
            codes: Vec::with_capacity(capacity * categories),
            h: widths().map(buffer).collect(),
            slopes: layers.iter().map(|l| (training && l.keeps_slope()).then(|| buffer(l.outputs))).collect(),
            delta: buffer(widest),
            delta_below: buffer(if training { widest } else { 0 }),
            scratch: Buffer::zeros(scratch_len::<T>(outputs)),
        }
    }

    /// Makes the selected rows the current batch.
    pub(crate) fn load(&mut self, inputs: &Inputs<'_, T>, select: &[u32]) {
        self.rows = select.len();
        gather(inputs.numeric, inputs.width, select, &mut self.h[0]);
        self.codes.clear();
        for &row in select {
            let codes = &inputs.codes[row as usize * inputs.categories..][..inputs.categories];
            self.codes.extend_from_slice(codes);
        }
    }

    /// z^(L).
    fn z(&self) -> &[T] {
        self.h.last().map_or(&[], |z| z)
    }

    /// Replaces `delta` by delta^(L), Eq. (10); returns the batch's cost, a sum over rows.
    pub(crate) fn cost(&mut self, isa: Isa, head: Head, outputs: usize, y: Rows<'_, T>) -> f64 {
        let (z, delta) = (self.h.last().map_or(&[][..], |z| z), &mut self.delta);
        head.cost_and_delta(isa, (self.rows, outputs), z, y, delta, &mut self.scratch)
    }
}

/// A network with its parameters.
pub struct Network<T> {
    spec: NetworkSpec,
    pub(crate) topology: Topology,
    pub(crate) parameters: Buffer<T>,
    /// W' of the layers whose recursion goes on below, kept equal to W.
    pub(crate) transposed: Vec<Option<Buffer<T>>>,
}

impl<T: Scalar> Network<T> {
    /// A network with random initial weights, a function of `seed` alone, and zero biases.
    ///
    /// # Errors
    /// As [`NetworkSpec::validate`].
    pub fn new(spec: &NetworkSpec, seed: u64) -> Result<Self> {
        spec.validate()?;
        let topology = Topology::new::<T>(spec);
        let mut network = Self {
            parameters: Buffer::zeros(topology.layout.len()),
            transposed: (0..topology.layers.len())
                .map(|l| {
                    let layer = &topology.layers[l];
                    topology.descends(l).then(|| Buffer::zeros(panels_len::<T>(layer.outputs, layer.inputs)))
                })
                .collect(),
            spec: spec.clone(),
            topology,
        };
        network.initialize(Key::new(seed));
        Ok(network)
    }

    fn initialize(&mut self, key: Key) {
        let tables = self.topology.embedding.iter().flat_map(|e| e.tables.clone());
        let tables: Vec<_> = tables.collect();
        for table in tables {
            let key = key.part(table as u64);
            let view = &self.topology.layout.views[table];
            let draws: Vec<T> = (0..view.rows * view.cols).map(|i| T::from_f64(normal(key, i as u64))).collect();
            view.write(&mut self.parameters, &draws);
        }
        for (l, layer) in self.topology.layers.iter().enumerate() {
            let chosen = self.spec.hidden.get(l).and_then(|hidden| hidden.initializer);
            let initializer = chosen.unwrap_or(Initializer::for_activation(layer.activation));
            let draws = initializer.draw(layer.inputs, layer.outputs, key.part(layer.weight as u64));
            let draws: Vec<T> = draws.into_iter().map(T::from_f64).collect();
            self.topology.layout.views[layer.weight].write(&mut self.parameters, &draws);
        }
        self.refresh();
    }

    /// Brings W' up to date after the parameters have been replaced from outside.
    pub(crate) fn refresh(&mut self) {
        for (layer, transposed) in self.topology.layers.iter().zip(&mut self.transposed) {
            if let Some(to) = transposed {
                let w = &self.parameters[self.topology.layout.views[layer.weight].range::<T>()];
                transpose(w, layer.inputs, layer.outputs, to);
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
        self.predict_numbers(compute, inputs, inputs.rows, |place| place as u32)
    }

    /// The means of the rows with these numbers, as [`predict`](Self::predict) gives them.
    ///
    /// # Errors
    /// As [`predict`](Self::predict), and if there is no row of such a number.
    pub fn predict_selected(&self, compute: &mut Compute, inputs: &Inputs<'_, T>, select: &[u32]) -> Result<Vec<T>> {
        if let Some(&row) = select.iter().find(|&&row| row as usize >= inputs.rows) {
            return Err(Error::Shape { what: "selected row".into(), expected: inputs.rows, got: row as usize });
        }
        self.predict_numbers(compute, inputs, select.len(), |place| select[place])
    }

    fn predict_numbers(
        &self,
        compute: &mut Compute,
        inputs: &Inputs<'_, T>,
        count: usize,
        number: impl Fn(usize) -> u32,
    ) -> Result<Vec<T>> {
        inputs.check(&self.spec)?;
        let mut out = vec![T::ZERO; count * self.spec.outputs];
        let mut work = Workspace::new(&self.topology, CHUNK.min(count), false);
        let (mut rows, mut offset) = (Vec::with_capacity(CHUNK), Vec::new());
        for first in (0..count).step_by(CHUNK) {
            rows.clear();
            rows.extend((first..count.min(first + CHUNK)).map(&number));
            self.predict_rows(compute, &mut work, inputs, &rows, &mut offset, &mut out[first * self.spec.outputs..]);
        }
        Ok(out)
    }

    /// The means of the selected rows, row-major, into the front of `out`.
    pub(crate) fn predict_rows(
        &self,
        compute: &mut Compute,
        work: &mut Workspace<T>,
        inputs: &Inputs<'_, T>,
        select: &[u32],
        offset: &mut Vec<T>,
        out: &mut [T],
    ) {
        work.load(inputs, select);
        self.topology.forward(compute, &self.parameters, work, None);
        offset.clear();
        offset.extend(inputs.offset.iter().flat_map(|all| select.iter().map(|&row| all[row as usize])));
        let shape = (work.rows, self.spec.outputs);
        let offset = (!offset.is_empty()).then_some(offset.as_slice());
        let (z, o) = (work.h.last().map_or(&[][..], |z| z), &mut work.delta);
        self.spec.head.mean(compute.isa, shape, z, offset, o, &mut work.scratch);
        crate::kernel::unpack(o, shape.0, shape.1, &mut out[..shape.0 * shape.1]);
    }

    /// The pre-activations z^(L) of every row: (rows x outputs), row-major.
    ///
    /// # Errors
    /// As [`predict`](Self::predict).
    pub fn scores(&self, compute: &mut Compute, inputs: &Inputs<'_, T>) -> Result<Vec<T>> {
        inputs.check(&self.spec)?;
        let mut work = Workspace::new(&self.topology, inputs.rows, false);
        work.load(inputs, &(0..inputs.rows as u32).collect::<Vec<_>>());
        self.topology.forward(compute, &self.parameters, &mut work, None);
        let mut out = vec![T::ZERO; inputs.rows * self.spec.outputs];
        crate::kernel::unpack(work.z(), inputs.rows, self.spec.outputs, &mut out);
        Ok(out)
    }

    /// The cost of all rows and its gradient, Eq. (1), both sums over rows: one row-major matrix for each of
    /// [`views`](Self::views).
    ///
    /// # Errors
    /// If the data does not fit the network.
    pub fn gradient(&mut self, compute: &mut Compute, data: &Dataset<'_, T>) -> Result<(f64, Vec<Vec<T>>)> {
        data.check(&self.spec)?;
        let rows: Vec<u32> = data.rows().collect();
        let mut batch = crate::data::Batch::new(data, rows.len());
        batch.load(data, &rows);
        let mut work = Workspace::new(&self.topology, rows.len(), true);
        work.load(&data.inputs, &rows);
        self.topology.forward(compute, &self.parameters, &mut work, Some(Key::new(0)));
        let cost = work.cost(compute.isa, self.spec.head, self.spec.outputs, batch.y());
        let mut sink = Store { gradient: Buffer::zeros(self.parameters.len()) };
        self.topology.backward(compute, &mut self.transposed, &mut work, &mut sink);
        let gradient = self.views().iter().map(|view| view.read(&sink.gradient)).collect();
        Ok((cost, gradient))
    }
}

/// The sink that keeps the gradient, in the parameters' layout.
struct Store<T> {
    gradient: Buffer<T>,
}

impl<T: Scalar> GradientSink<T> for Store<T> {
    fn weight(&mut self, compute: &mut Compute, view: &View, product: &Product<'_, T>, _: Option<&mut [T]>) {
        let Compute { team, isa } = compute;
        let out = Out::Keep(&mut self.gradient[view.range::<T>()]);
        multiply(team, *isa, product, out, [].into(), &AsItIs);
    }

    fn vector(&mut self, compute: &mut Compute, view: &View, fill: &mut dyn FnMut(&mut Compute, &mut [T])) {
        fill(compute, &mut self.gradient[view.range::<T>()]);
    }
}

struct AsItIs;

impl<T: Scalar> Epilogue<T, 0> for AsItIs {
    fn apply(&self, _: Isa, _: Tile, _: &mut [T], []: [&mut [T]; 0]) {}
}
