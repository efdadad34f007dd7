//! The passes that hold every kernel for every instruction set, as functions that are not generic: their machine code is made once, with
//! this crate, and not again in every crate that trains a network.

use crate::block::{Block, Blocks, On};
use crate::compute::Compute;
use crate::kernel::{Isa, Operands, Outers};
use crate::layer::dropout::Masks;
use crate::optimizer::Update;
use crate::params::View;
use crate::stem::Stem;
use crate::topology::Topology;

/// A method for each of these passes, of the same name but for its `_generic`; see there.
#[doc(hidden)]
#[allow(private_interfaces, missing_docs)] // Nobody outside can name the types, or has to.
pub trait Compiled: Sized {
    fn stem_forward(stem: &Stem, isa: Isa, parameters: &[Self], block: &mut Block<Self>);
    fn stem_input_delta(stem: &Stem, isa: Isa, inputs: usize, parameters: &[Self], block: &Block<Self>) -> Vec<Self>;
    fn forward(topology: &Topology, on: On<'_>, parameters: &[Self], block: &mut Block<Self>, masks: Option<Masks>);
    fn forward_layer(
        topology: &Topology,
        l: usize,
        on: On<'_>,
        parameters: &[Self],
        block: &mut Block<Self>,
        masks: Option<Masks>,
    );
    fn pre_activate(topology: &Topology, l: usize, on: On<'_>, parameters: &[Self], block: &mut Block<Self>);
    fn backward(topology: &Topology, on: On<'_>, weights: (&[Self], &[Self]), block: &mut Block<Self>);
    fn other_gradients(topology: &Topology, compute: &mut Compute, parameters: &[Self], blocks: &mut Blocks<Self>);
    fn update_layers(
        update: &mut Update<'_, Self>,
        compute: &mut Compute,
        shared: bool,
        sums: (&Outers, &dyn Operands<Self>),
        transposed: &mut [Self],
    );
    fn update_parameters(update: &mut Update<'_, Self>, isa: Isa, views: &[View], gradient: &[Self]);
}

macro_rules! compiled {
    ($t:ty) => {
        #[allow(private_interfaces)]
        impl Compiled for $t {
            fn stem_forward(stem: &Stem, isa: Isa, parameters: &[Self], block: &mut Block<Self>) {
                stem.forward_generic(isa, parameters, block);
            }
            fn stem_input_delta(
                stem: &Stem,
                isa: Isa,
                inputs: usize,
                parameters: &[Self],
                block: &Block<Self>,
            ) -> Vec<Self> {
                stem.input_delta_generic(isa, inputs, parameters, block)
            }
            fn forward(
                topology: &Topology,
                on: On<'_>,
                parameters: &[Self],
                block: &mut Block<Self>,
                masks: Option<Masks>,
            ) {
                topology.forward_generic(on, parameters, block, masks);
            }
            fn forward_layer(
                topology: &Topology,
                l: usize,
                on: On<'_>,
                parameters: &[Self],
                block: &mut Block<Self>,
                masks: Option<Masks>,
            ) {
                topology.forward_layer_generic(l, on, parameters, block, masks);
            }
            fn pre_activate(topology: &Topology, l: usize, on: On<'_>, parameters: &[Self], block: &mut Block<Self>) {
                topology.pre_activate_generic(l, on, parameters, block);
            }
            fn backward(topology: &Topology, on: On<'_>, weights: (&[Self], &[Self]), block: &mut Block<Self>) {
                topology.backward_generic(on, weights, block);
            }
            fn other_gradients(
                topology: &Topology,
                compute: &mut Compute,
                parameters: &[Self],
                blocks: &mut Blocks<Self>,
            ) {
                topology.other_gradients_generic(compute, parameters, blocks);
            }
            fn update_layers(
                update: &mut Update<'_, Self>,
                compute: &mut Compute,
                shared: bool,
                sums: (&Outers, &dyn Operands<Self>),
                transposed: &mut [Self],
            ) {
                update.layers_generic(compute, shared, sums, transposed);
            }
            fn update_parameters(update: &mut Update<'_, Self>, isa: Isa, views: &[View], gradient: &[Self]) {
                update.parameters_generic(isa, views, gradient);
            }
        }
    };
}

compiled!(f32);
compiled!(f64);
