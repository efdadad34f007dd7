//! The derivatives of outputs, [`Network::output_gradient`], beside the complex step.

use super::INPUT_OF_OUTPUTS;
use super::comparison::Elements;
use super::reference::Reference;
use crate::compute::Compute;
use crate::data::Inputs;
use crate::error::Result;
use crate::network::Network;
use crate::output_gradient::vectors_width;
use crate::rng::Key;

/// Adds the derivatives of a random combination of the outputs of each row, with respect to everything that the row brings.
pub(super) fn compare(
    network: &Network<f64>,
    compute: &mut Compute,
    inputs: &Inputs<'_, f64>,
    reference: &mut Reference<'_>,
    elements: &mut Elements,
) -> Result<()> {
    let spec = network.spec();
    let (outputs, vectors) = (spec.outputs, vectors_width(spec));
    let v: Vec<f64> = (0..inputs.rows * outputs).map(|i| 2.0 * Key::new(17).uniform(i as u64) - 1.0).collect();
    let gradient = network.output_gradient(compute, inputs, &v)?;
    let width = spec.inputs + vectors;
    for row in 0..inputs.rows {
        let numeric = &gradient.numeric[row * spec.inputs..][..spec.inputs];
        let all = numeric.iter().chain(&gradient.vectors[row * vectors..][..vectors]);
        for (i, &analytic) in all.enumerate() {
            let numeric = reference.output_derivative(row, &v[row * outputs..][..outputs], i);
            elements.push((INPUT_OF_OUTPUTS, row * width + i), analytic, numeric);
        }
    }
    Ok(())
}
