//! The layers in their order: forward down them, backward up them in reverse.

use std::ops::Range;

use crate::activation::Activation;
use crate::block::{Block, Blocks, On};
use crate::compute::Compute;
use crate::kernel::{Isa, MOST_ACROSS, Operands, Outer, Outers, add_rows, panels_len};
use crate::layer::custom;
use crate::layer::dense::{Dense, Slope};
use crate::layer::dropout::Masks;
use crate::layer::ensemble_dense::{self, MemberSums, Members};
use crate::layer::parametric::{self, Derivatives};
use crate::params::{Layout, Role, View};
use crate::scalar::Scalar;
use crate::spec::{Hidden, NetworkSpec};
use crate::stem::Stem;

/// Multiply-adds from which work is worth sharing between threads (some 20 microseconds of one core): threads that sleep have to wake up
/// for it.
const SHARED_WORK: usize = 4_000_000;

/// Multiply-adds of a training step that may be worth it: its threads are awake, and it depends on the way from one core's cache to
/// the other's whether W, h and delta come soon enough.
const DOUBTFUL_WORK: Range<usize> = 400_000..32_000_000;

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
        operands: (&Outers, &dyn Operands<T>),
        transposed: &mut [T],
    );

    /// The gradients of all other parameters: `views` and `gradient` begin like those of the network.
    fn others(&mut self, compute: &mut Compute, views: &[View], gradient: &[T]);
}

/// The layers of a network and where their parameters lie.
pub(crate) struct Topology {
    pub(crate) stem: Stem,
    pub(crate) layers: Vec<Dense>,
    pub(crate) layout: Layout,
    /// How many of the first views, and elements, are no layer's W or b.
    others: (usize, usize),
    /// Each layer's gradient, Eq. (6), and where it belongs; of the output layer one for each member.
    gradients: Outers,
    /// Whether the recursion goes down to delta^(0).
    to_input: bool,
}

impl Topology {
    pub(crate) fn new<T: Scalar>(spec: &NetworkSpec) -> Self {
        Self::build::<T>(spec, false)
    }

    /// The same with a recursion that goes down to delta^(0) even where the input has no parameters of its own.
    pub(crate) fn down_to_input<T: Scalar>(spec: &NetworkSpec) -> Self {
        Self::build::<T>(spec, true)
    }

    fn build<T: Scalar>(spec: &NetworkSpec, to_input: bool) -> Self {
        let mut layout = Layout::default();
        let stem = Stem::new::<T>(spec, &mut layout);
        let to_input = to_input || stem.has_parameters() || spec.ensemble.is_some();
        let mut alpha = |(l, hidden): (usize, &Hidden)| {
            hidden.parametric.then(|| layout.push::<T>(format!("layers.{l}.alpha"), Role::Alpha, 1, hidden.width))
        };
        let mut alphas: Vec<_> = spec.hidden.iter().enumerate().map(&mut alpha).collect();
        alphas.push(None);
        let members = Members::of_layers::<T>(spec, &mut layout);
        let others = (layout.views.len(), layout.len());
        let output = Hidden::new(spec.outputs, Activation::Identity);
        let mut inputs = spec.input_width();
        let mut layers = Vec::with_capacity(spec.hidden.len() + 1);
        for ((l, hidden), members) in spec.hidden.iter().chain([&output]).enumerate().zip(members) {
            let parts = if members.own { spec.members() } else { 1 };
            // Of few outputs the panels of W would be padding for the most part.
            let narrow = l == spec.hidden.len() && inputs > 0 && spec.outputs <= MOST_ACROSS;
            let (name, shape) = (format!("layers.{l}.weight"), (inputs, hidden.width));
            layers.push(Dense {
                inputs,
                outputs: hidden.width,
                activation: hidden.activation,
                dropout: hidden.dropout,
                weight: match narrow {
                    true => layout.push_transposed::<T>(name, parts, shape),
                    false => layout.push_parts::<T>(name, Role::Weight, parts, shape),
                },
                bias: members.bias.unwrap_or_else(|| {
                    layout.push_parts::<T>(format!("layers.{l}.bias"), Role::Bias, parts, (1, hidden.width))
                }),
                members,
                alpha: alphas[l],
                narrow,
            });
            inputs = hidden.width;
        }
        let mut transposed = 0;
        let mut place = |(l, layer, member): (usize, &Dense, usize)| {
            // W' is needed where the recursion goes on to the layer below.
            let start = ((l > 0 || to_input) && !layer.narrow).then_some(transposed);
            transposed += start.map_or(0, |_| panels_len::<T>(layer.outputs, layer.inputs));
            layer.gradient(&layout.views, member, start)
        };
        let parts = |layer: &Dense| 0..layout.views[layer.weight].parts;
        let each = layers.iter().enumerate().flat_map(|(l, layer)| parts(layer).map(move |member| (l, layer, member)));
        let mut gradients: Vec<Outer> = each.map(&mut place).collect();
        let moving = spec.head.held_outputs(spec.outputs).start;
        gradients[spec.hidden.len()..].iter_mut().for_each(|output| output.moving = moving);
        let gradients = Outers::new::<T>(gradients);
        Self { stem, layers, layout, others, gradients, to_input }
    }

    /// Whether the features go into the first layer as they are, so that it may do without those that are zero.
    pub(crate) fn takes_sparse(&self) -> bool {
        let plain = |first: &Dense| !first.narrow && first.members.r.is_none();
        !self.stem.has_parameters() && self.layers.first().is_some_and(plain)
    }

    /// Whether the recursion goes on below layer `l`.
    pub(crate) fn goes_below(&self, l: usize) -> bool {
        l > 0 || self.to_input
    }

    /// Where W' of layer `l`, or of what `member` has in its place, lies in the buffer of transposed weights, if it is kept there.
    pub(crate) fn transposed<T: Scalar>(&self, l: usize, member: usize) -> Option<Range<usize>> {
        let own = if self.layers[l].members.own { member } else { 0 };
        let Outer { rows, cols, transposed, .. } = self.gradients[l + own];
        transposed.map(|start| start..start + panels_len::<T>(cols, rows))
    }

    /// Elements of the buffer of transposed weights.
    pub(crate) fn transposed_len<T: Scalar>(&self) -> usize {
        self.gradients.lens::<T>()[1]
    }

    /// Multiply-adds of one row's way forward through one member.
    pub(crate) fn work(&self) -> usize {
        self.layers.iter().map(|layer| layer.inputs * layer.outputs).sum()
    }

    /// Features and units of all layers: the activations of one row.
    pub(crate) fn widths(&self) -> usize {
        self.layers.iter().map(|layer| layer.inputs).sum::<usize>()
            + self.layers.last().map_or(0, |layer| layer.outputs)
    }

    /// Whether some of the layers are no products, whose columns threads could share.
    pub(crate) fn goes_by_rows(&self) -> bool {
        let goes = |layer: &Dense| layer.alpha.is_some() || layer.members.own;
        self.stem.has_numeric_embedding() || self.layers.iter().any(goes)
    }

    /// Whether `rows` rows, each with `passes` times a forward pass's work, are worth sharing between threads.
    pub(crate) fn is_shared(&self, rows: usize, passes: usize) -> bool {
        rows * passes * self.work() >= SHARED_WORK
    }

    /// Whether that can only be found out by trying for training steps on `rows` rows.
    pub(crate) fn is_doubtful(&self, rows: usize) -> bool {
        DOUBTFUL_WORK.contains(&(rows * PASSES * self.work()))
    }

    /// Eq. (2) from h^(0) = x in `block` to z^(L). With `masks` it is a training pass, which keeps what the backward pass
    /// needs.
    pub(crate) fn forward<T: Scalar>(&self, on: On<'_>, parameters: &[T], block: &mut Block<T>, masks: Option<Masks>) {
        T::forward(self, on, parameters, block, masks);
    }

    /// As above, in machine code of its own.
    pub(crate) fn forward_generic<T: Scalar>(
        &self,
        (mut team, isa): On<'_>,
        parameters: &[T],
        block: &mut Block<T>,
        masks: Option<Masks>,
    ) {
        self.stem.forward_generic(isa, parameters, block);
        for l in 0..self.layers.len() {
            self.forward_layer_generic(l, (team.as_deref_mut(), isa), parameters, block, masks);
        }
    }

    /// Eq. (2) for layer number `l`.
    pub(crate) fn forward_layer<T: Scalar>(
        &self,
        l: usize,
        on: On<'_>,
        parameters: &[T],
        block: &mut Block<T>,
        masks: Option<Masks>,
    ) {
        T::forward_layer(self, l, on, parameters, block, masks);
    }

    /// As above, in machine code of its own.
    pub(crate) fn forward_layer_generic<T: Scalar>(
        &self,
        l: usize,
        (team, isa): On<'_>,
        parameters: &[T],
        block: &mut Block<T>,
        masks: Option<Masks>,
    ) {
        let layer = &self.layers[l];
        if layer.has_pass_of_its_own() {
            self.pre_activate_generic(l, (team, isa), parameters, block);
            return self.activate(l, isa, parameters, block, masks);
        }
        self.enter(l, isa, parameters, block);
        let mask = layer.mask(l, masks, block.row_number);
        let slope = masks.and_then(|_| block.slopes[l].as_deref_mut());
        let (w, b) = self.weight_and_bias(l, block.member, parameters);
        let (below, above) = block.h.split_at_mut(l + 1);
        let left = Block::left(&block.sparse, &block.entered, below);
        layer.forward((team, isa), block.rows, (w, Some(b)), left, &mut above[0], slope, mask);
    }

    /// x of layer number `l` from the h below, where its member has factors for it.
    fn enter<T: Scalar>(&self, l: usize, isa: Isa, parameters: &[T], block: &mut Block<T>) {
        let layer = &self.layers[l];
        if let (Some(r), Some(x)) = (layer.members.r, &mut block.entered[l]) {
            let r = self.of_member(r, block.member, parameters);
            ensemble_dense::enter(isa, (block.rows, layer.inputs), r, &block.h[l], x);
        }
    }

    /// What `member` has of parameter number `view`.
    fn of_member<'a, T: Scalar>(&self, view: usize, member: usize, parameters: &'a [T]) -> &'a [T] {
        &parameters[self.layout.views[view].part(member)]
    }

    /// z of layer number `l`.
    pub(crate) fn pre_activate<T: Scalar>(&self, l: usize, on: On<'_>, parameters: &[T], block: &mut Block<T>) {
        T::pre_activate(self, l, on, parameters, block);
    }

    /// As above, in machine code of its own.
    pub(crate) fn pre_activate_generic<T: Scalar>(&self, l: usize, on: On<'_>, parameters: &[T], block: &mut Block<T>) {
        let (layer, isa) = (&self.layers[l], on.1);
        self.enter(l, isa, parameters, block);
        let (w, b) = self.weight_and_bias(l, block.member, parameters);
        let (below, above) = block.h.split_at_mut(l + 1);
        let (left, z) = (Block::left(&block.sparse, &block.entered, below), &mut above[0]);
        let linear = layer.linear();
        let start = layer.members.s.map_or(Some(b), |_| None);
        linear.forward(on, block.rows, (w, start), left, z, None, None);
        let Some(s) = layer.members.s else { return };
        let s = self.of_member(s, block.member, parameters);
        ensemble_dense::leave(isa, (block.rows, layer.outputs), [s, b], z, block.products[l].as_deref_mut());
    }

    /// h from z of layer number `l`, whose activation is no part of the product's pass.
    fn activate<T: Scalar>(&self, l: usize, isa: Isa, parameters: &[T], block: &mut Block<T>, masks: Option<Masks>) {
        let layer = &self.layers[l];
        let (shape, mask) = ((block.rows, layer.outputs), layer.mask(l, masks, block.row_number));
        let (h, slope) = (&mut block.h[l + 1], masks.and_then(|_| block.slopes[l].as_deref_mut()));
        if let Activation::Custom(f) = layer.activation {
            return custom::activate(f.get(), isa, shape, h, slope, mask);
        }
        let Some(alpha) = layer.alpha else { return layer.activate(isa, block.rows, h, slope, mask) };
        let alpha = &parameters[self.layout.views[alpha].range()];
        let by_alpha = masks.and_then(|_| block.by_alpha[l].as_deref_mut());
        let kept = slope.zip(by_alpha).map(|(slope, by_alpha)| Derivatives { slope, by_alpha });
        parametric::activate(layer.activation, isa, shape, alpha, h, kept, mask);
    }

    /// Replaces W and b of layer number `l`, row-major.
    pub(crate) fn write_layer<T: Scalar>(&self, l: usize, parameters: &mut [T], w: &[T], b: &[T]) {
        self.layout.views[self.layers[l].weight].write(parameters, w);
        self.layout.views[self.layers[l].bias].write(parameters, b);
    }

    /// The outputs of layer number `l` that are the same for all rows: their weights stay zero.
    pub(crate) fn held_outputs(&self, spec: &NetworkSpec, l: usize) -> Range<usize> {
        if l + 1 < self.layers.len() { 0..0 } else { spec.head.held_outputs(spec.outputs) }
    }

    fn weight_and_bias<'a, T: Scalar>(&self, l: usize, member: usize, parameters: &'a [T]) -> (&'a [T], &'a [T]) {
        let layer = &self.layers[l];
        // The first part is all of what the members share.
        let of = |view: usize| self.of_member(view, member.min(self.layout.views[view].parts - 1), parameters);
        (of(layer.weight), of(layer.bias))
    }

    /// Eq. (9) from delta^(L) in `block` down to the first layer, or to the input where that has parameters of its own.
    pub(crate) fn backward<T: Scalar>(&self, on: On<'_>, weights: (&[T], &[T]), block: &mut Block<T>) {
        T::backward(self, on, weights, block);
    }

    /// As above, in machine code of its own.
    pub(crate) fn backward_generic<T: Scalar>(
        &self,
        (mut team, isa): On<'_>,
        (parameters, transposed): (&[T], &[T]),
        block: &mut Block<T>,
    ) {
        for (l, layer) in self.layers.iter().enumerate().rev() {
            let rows = block.rows;
            if let (Some(s), Some(y)) = (layer.members.s, &block.products[l]) {
                let s = self.of_member(s, block.member, parameters);
                let MemberSums { s: by_s, b: by_b, .. } = &mut block.sums[l];
                ensemble_dense::leave_backward(isa, rows, (s, y), &mut block.delta[l + 1], [by_s, by_b]);
            }
            if !self.goes_below(l) {
                continue;
            }
            let w_transposed = match self.transposed::<T>(l, block.member) {
                Some(range) => &transposed[range],
                None => self.weight_and_bias(l, block.member, parameters).0,
            };
            let phi_prime = match l.checked_sub(1) {
                None => Slope::One,
                Some(below) => match &block.slopes[below] {
                    Some(slope) => Slope::Kept(slope),
                    None => Slope::OfOutput(self.layers[below].activation, &block.h[l]),
                },
            };
            let (below, above) = block.delta.split_at_mut(l + 1);
            let on = (team.as_deref_mut(), isa);
            let by_alpha = l.checked_sub(1).and_then(|below| block.by_alpha[below].as_deref_mut());
            let Some(r) = layer.members.r else {
                layer.backward(on, rows, w_transposed, &above[0], phi_prime, &mut below[l], by_alpha);
                continue;
            };
            layer.backward(on, rows, w_transposed, &above[0], Slope::One, &mut below[l], None);
            let r = self.of_member(r, block.member, parameters);
            ensemble_dense::enter_backward(isa, rows, (r, &block.h[l]), &mut below[l], &mut block.sums[l].r);
            Dense::times_phi_prime(isa, (rows, layer.inputs), phi_prime, &mut below[l], by_alpha);
        }
        if let Some(rows) = &mut block.sparse {
            rows.set_delta(isa, self.layers[0].outputs, &block.delta[1]);
        }
        self.stem.backward(isa, parameters, block);
    }

    /// Elements of the gradient of all parameters that are no layer's W or b, and of the scratch that it needs.
    pub(crate) fn others_len<T: Scalar>(&self) -> [usize; 2] {
        [self.others.1, self.stem.sums_len::<T>()]
    }

    /// The gradient of all parameters that are no layer's W or b, kept in `blocks`.
    pub(crate) fn other_gradients<T: Scalar>(&self, compute: &mut Compute, parameters: &[T], blocks: &mut Blocks<T>) {
        T::other_gradients(self, compute, parameters, blocks);
    }

    /// As above, in machine code of its own.
    pub(crate) fn other_gradients_generic<T: Scalar>(
        &self,
        compute: &mut Compute,
        parameters: &[T],
        blocks: &mut Blocks<T>,
    ) {
        if self.others.0 == 0 {
            return;
        }
        let [mut gradient, mut sums] = std::mem::take(&mut blocks.others);
        gradient.fill(T::ZERO);
        sums.fill(T::ZERO);
        let Compute { team, isa } = compute;
        let on = (blocks.shared().then_some(team), *isa);
        self.stem.gradient(on, parameters, blocks.used(), &mut sums, &mut gradient);
        self.add_member_sums(*isa, blocks.used(), &mut gradient);
        for (l, layer) in self.layers.iter().enumerate() {
            let Some(alpha) = layer.alpha else { continue };
            let to = &mut gradient[self.layout.views[alpha].range()];
            for block in blocks.used() {
                let parts = block.by_alpha[l].as_deref().unwrap_or_default();
                add_rows(*isa, (block.rows, layer.outputs), parts, to);
            }
        }
        // Anything may stand in the padding of what was added, and the gradient's length must not see it.
        self.layout.views[..self.others.0].iter().for_each(|view| view.clear_padding(&mut gradient));
        blocks.others = [gradient, sums];
    }

    /// Adds what the blocks have summed for their members, block after block.
    fn add_member_sums<T: Scalar>(&self, isa: Isa, blocks: &[Block<T>], gradient: &mut [T]) {
        for (l, layer) in self.layers.iter().enumerate() {
            for block in blocks {
                let MemberSums { r, s, b } = &block.sums[l];
                let parts = [(layer.members.r, r), (layer.members.s, s), (layer.members.bias, b)];
                for (view, sums) in parts.iter().filter_map(|(view, sums)| Some((&self.layout.views[(*view)?], sums))) {
                    add_rows(isa, (1, view.cols), sums, &mut gradient[view.part(block.member)]);
                }
            }
        }
    }

    /// The gradients of all parameters, Eq. (6) and (8), from the blocks' h and delta and from what
    /// [`other_gradients`](Self::other_gradients) has left there, handed to `sink`.
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
        sink.others(compute, &self.layout.views[..self.others.0], &blocks.others[0]);
    }
}
