//! A network from inside: the same numbers in double precision, and derivatives that training has no use for.

use crate::compute::Compute;
use crate::data::Dataset;
use crate::error::Result;
use crate::kernel::{Buffer, panels_len, transpose, unpack};
use crate::network::Network;
use crate::scalar::Scalar;

impl<T: Scalar> Network<T> {
    /// The same network in double precision, which holds every single-precision number exactly.
    ///
    /// # Errors
    /// As [`NetworkSpec::validate`](crate::NetworkSpec::validate).
    pub fn widen(&self) -> Result<Network<f64>> {
        let mut wide = Network::<f64>::new(self.spec(), 0)?;
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
    pub fn input_gradient(&mut self, compute: &mut Compute, data: &Dataset<'_, T>) -> Result<Vec<T>> {
        let first = &self.topology.layers[0];
        let (inputs, outputs) = (first.inputs, first.outputs);
        // Without embeddings training does not go down to the input, and has no W' of the first layer.
        let missing = self.transposed[0].is_none();
        if missing {
            let w = &self.parameters[self.topology.layout.views[first.weight].range::<T>()];
            let mut w_transposed = Buffer::zeros(panels_len::<T>(outputs, inputs));
            transpose(w, inputs, outputs, &mut w_transposed);
            self.transposed[0] = Some(w_transposed);
        }
        let done = self.backpropagate(compute, data);
        if missing {
            self.transposed[0] = None;
        }
        let work = done?.work;
        let mut delta = vec![T::ZERO; work.rows * inputs];
        unpack(&work.delta, work.rows, inputs, &mut delta);
        let numeric = self.spec().inputs;
        Ok(delta.chunks_exact(inputs).flat_map(|row| &row[..numeric]).copied().collect())
    }
}
