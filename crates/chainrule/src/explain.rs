//! A network from inside: the same numbers in double precision, and derivatives that training has no use for.

use crate::compute::Compute;
use crate::data::Dataset;
use crate::error::Result;
use crate::kernel::unpack;
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
    pub fn input_gradient(&self, compute: &mut Compute, data: &Dataset<'_, T>) -> Result<Vec<T>> {
        // Training goes down to the input only where that has parameters of its own.
        let descending = self.down_to_input();
        let (_, blocks) = descending.backpropagate(compute, data)?;
        let (numeric, inputs) = (self.spec.inputs, self.topology.layers[0].inputs);
        let mut gradient = Vec::with_capacity(data.len() * numeric);
        for block in blocks.used() {
            let mut delta = vec![T::ZERO; block.rows * inputs];
            unpack(&block.delta[0], block.rows, inputs, &mut delta);
            gradient.extend(delta.chunks_exact(inputs).flat_map(|row| &row[..numeric]));
        }
        Ok(gradient)
    }
}
