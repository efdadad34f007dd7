//! The derivatives of outputs instead of the cost: the recursion from delta^(L) = v, down to what a row brings with it.

use crate::block::{Block, Blocks};
use crate::compute::Compute;
use crate::data::Inputs;
use crate::error::{Result, expect_len};
use crate::kernel::Isa;
use crate::layer::dropout::Masks;
use crate::network::Network;
use crate::predict::CHUNK;
use crate::rng::Key;
use crate::scalar::Scalar;
use crate::spec::NetworkSpec;

/// The derivatives of f = v' z^(L) for every row, with the row's own v: all matrices row-major.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OutputGradient<T> {
    /// z^(L) without offsets, (rows x outputs).
    pub outputs: Vec<T>,
    /// df/dx with respect to the numeric features, (rows x inputs).
    pub numeric: Vec<T>,
    /// df/dE_c with respect to the vectors of the row's codes, one category after the other, (rows x sum of the dimensions).
    pub vectors: Vec<T>,
}

impl<T: Scalar> Network<T> {
    /// The gradient of f = v' z^(L), a combination of the outputs before their link, with respect to a row's inputs, without
    /// dropout; of an ensemble z^(L) is the mean of its members'. `v` is (rows x outputs), row-major: a unit vector e_k for the gradient of output k.
    ///
    /// df/dz^(L) = v takes the place of Eq. (10), and the recursion, Eq. (9), goes on to df/dh^(0) = W^(1) delta^(1) =: delta^(0). The stem,
    /// h^(0) = s ⊙ (e(x), x, E_c), takes it on to df/dx_i = s_i delta_i^(0) for a feature that is an input as it is, to
    /// df/dx_i = (s ⊙ delta^(0))' e'(x_i) for one that has a vector e(x_i), the dot product over its elements, and to
    /// df/dE_c = s ⊙ delta^(0) for the vector of a code.
    ///
    /// # Errors
    /// If the inputs do not fit the network or are not finite, or `v` has another size.
    pub fn output_gradient(&self, compute: &mut Compute, inputs: &Inputs<'_, T>, v: &[T]) -> Result<OutputGradient<T>> {
        inputs.check(&self.spec)?;
        expect_len("factors of outputs", inputs.rows * self.spec.outputs, v.len())?;
        let mut descent = Descent::new(self.down_to_input_without_dropout(), inputs.rows, compute);
        let mut gradient = OutputGradient::default();
        let rows: Vec<u32> = (0..inputs.rows as u32).collect();
        for rows in rows.chunks(CHUNK) {
            descent.run(compute, inputs, v, rows);
            descent.append_to(compute.isa, &mut gradient);
        }
        Ok(gradient)
    }
}

/// A network without dropout whose recursion goes down to the input, with buffers for some rows at a time.
pub(crate) struct Descent<T> {
    pub(crate) network: Network<T>,
    blocks: Blocks<T>,
}

impl<T: Scalar> Descent<T> {
    /// Room for `rows` rows, but no more than [`CHUNK`].
    pub(crate) fn new(network: Network<T>, rows: usize, compute: &Compute) -> Self {
        let blocks = Blocks::new(&network.spec, &network.topology, rows.clamp(1, CHUNK), compute, true);
        Self { network, blocks }
    }

    /// Forward pass of the selected rows, and the recursion from their rows of `v` down to delta^(0).
    pub(crate) fn run(&mut self, compute: &mut Compute, inputs: &Inputs<'_, T>, v: &[T], select: &[u32]) {
        let Network { spec, topology, parameters, transposed } = &self.network;
        self.blocks.each(compute, select, &|(mut team, isa), block, select, first| {
            block.load((None, isa), inputs, select, first);
            // A training pass, which keeps phi'; nothing is dropped.
            let masks = Masks { key: Key::new(0), factor: 0.0 };
            topology.forward((team.as_deref_mut(), isa), parameters, block, Some(masks));
            block.start_from(isa, spec.outputs, v, select);
            topology.backward((team, isa), (parameters, transposed), block);
        });
    }

    /// Appends the rows of the last [`run`](Self::run), in their order: of an ensemble the means over its members.
    pub(crate) fn append_to(&self, isa: Isa, to: &mut OutputGradient<T>) {
        let Network { spec, topology, parameters, .. } = &self.network;
        let mut all = [&mut to.outputs, &mut to.numeric, &mut to.vectors];
        let starts = all.each_ref().map(|all| all.len());
        for block in self.blocks.used() {
            let numeric = topology.stem.input_delta(isa, spec.inputs, parameters, block);
            let parts = [self.outputs(block), numeric, topology.stem.vector_delta(vectors_width(spec), block)];
            for ((all, start), part) in all.iter_mut().zip(starts).zip(parts) {
                if block.member == 0 {
                    all.extend(part);
                    continue;
                }
                let first = start + block.first * part.len() / block.rows;
                all[first..].iter_mut().zip(part).for_each(|(sum, x)| *sum += x);
            }
        }
        if spec.members() > 1 {
            let share = T::from_f64(1.0 / spec.members() as f64);
            all.iter_mut().zip(starts).for_each(|(all, start)| all[start..].iter_mut().for_each(|x| *x = *x * share));
        }
    }

    fn outputs(&self, block: &Block<T>) -> Vec<T> {
        let outputs = self.network.spec.outputs;
        let mut z = vec![T::ZERO; block.rows * outputs];
        block.pre_activations(outputs, &mut z);
        z
    }
}

/// Elements of the vectors of a row's codes.
pub(crate) fn vectors_width(spec: &NetworkSpec) -> usize {
    spec.embeddings.iter().map(|embedding| embedding.dimension).sum()
}
