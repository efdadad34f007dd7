//! Proof that the derivatives are right: every gradient of the engine against an independent reference.
//!
//! The reference is the whole network's cost written down once more, plainly, row by row, on complex numbers; it shares
//! no code with layers, heads and kernels. Its derivatives come from the complex step, see [`Complex`], and are good to the
//! last digits. erf and ln Gamma, which the reference does not continue into the complex plane, enter by value and
//! derivative, both from series of their own; where phi or the cost has a kink (relu, absolute error) the side is that of
//! the real part, and [`Certificate::kink_distance`] says how far the nearest was.
//!
//! [`certify`] checks a network on rows of data, [`builtins`] every combination of what is built in, [`Verified`] a user's
//! own activation or head.

mod builtins;
mod comparison;
mod complex;
mod costs;
mod differences;
mod embedding;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod layer_faults;
mod outputs;
mod phi;
mod reference;
mod verified;

use serde::{Deserialize, Serialize};

use crate::activation::Activation;
use crate::compute::Compute;
use crate::cost::Head;
use crate::data::{Dataset, WideRows as Rows};
use crate::error::Result;
use crate::network::Network;
use crate::output_gradient::vectors_width;
use crate::rng::Key;
use crate::scalar::Scalar;
use crate::spec::NetworkSpec;
pub use builtins::{Combination, builtins};
use comparison::Elements;
pub use comparison::{Comparison, compare};
pub use complex::Complex;
use reference::{Reference, Setup};
pub use verified::Verified;

/// The largest relative error that a certificate allows.
pub const BOUND: f64 = 1e-10;

/// The same where a user's function has no complex version and differences take its place.
const DIFFERENCES_BOUND: f64 = 1e-8;

/// What was compared, and how well it agreed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Certificate {
    /// Derivatives compared: parameters and, where all are compared, inputs.
    pub compared: usize,
    /// Parameters of the network.
    pub parameters: usize,
    /// Rows of data.
    pub rows: usize,
    /// The derivative that agrees least.
    pub worst: Comparison,
    /// The largest relative error allowed.
    pub bound: f64,
    /// How the independent derivatives were found.
    pub method: String,
    /// The least distance of a pre-activation or output from a kink of phi or of the cost; None where there is no kink.
    pub kink_distance: Option<f64>,
}

impl Certificate {
    /// Whether every derivative compared is within the bound.
    pub fn holds(&self) -> bool {
        self.worst.error <= self.bound
    }
}

/// Checks the gradient of `network` on the rows of `data` in double precision, whatever the network was trained in: its
/// numbers are the same in both. `most` bounds how many parameters are compared, drawn from all matrices; with None all
/// are, and the derivatives with respect to the numeric inputs too.
///
/// Layers with dropout have a mask, the same on both sides.
///
/// # Errors
/// If the data does not fit the network.
pub fn certify<T: Scalar>(
    network: &Network<T>,
    compute: &mut Compute,
    data: &Dataset<'_, T>,
    most: Option<usize>,
) -> Result<Certificate> {
    data.check(network.spec())?;
    let mut network = network.widen()?;
    let spec = network.spec().clone();
    let rows = Rows::new(data);
    let data = rows.dataset(&spec);
    let (_, analytic) = network.gradient(compute, &data)?;
    let mut reference = Reference::new(&spec, &parameters(&network), &rows, Setup::gradient());
    let mut elements = Elements::default();
    for place in sample(&analytic, most) {
        elements.push(place, analytic[place.0][place.1], reference.derivative(place.0, place.1));
    }
    if most.is_none() {
        let inputs = network.input_gradient(compute, &data)?;
        for (i, &analytic) in inputs.iter().enumerate() {
            elements.push((INPUT, i), analytic, reference.input_derivative(i));
        }
    }
    Ok(certificate(&network, &reference, &elements, rows.count))
}

/// The numeric derivatives that [`certify`] compares with: one row-major matrix for each of
/// [`Network::views`](crate::Network::views). Takes one evaluation of the whole cost for each parameter.
///
/// # Errors
/// If the data does not fit the network.
pub fn numeric_gradient(network: &Network<f64>, data: &Dataset<'_, f64>) -> Result<Vec<Vec<f64>>> {
    data.check(network.spec())?;
    let rows = Rows::new(data);
    let parameters = parameters(network);
    let mut reference = Reference::new(network.spec(), &parameters, &rows, Setup::gradient());
    let each = parameters.iter().enumerate();
    Ok(each.map(|(p, values)| (0..values.len()).map(|i| reference.derivative(p, i)).collect()).collect())
}

/// The number under which the inputs stand among the parameters.
const INPUT: usize = usize::MAX;
/// The number under which the inputs stand where outputs are differentiated: the features, then the vectors of the row's codes.
const INPUT_OF_OUTPUTS: usize = usize::MAX - 1;

fn parameters(network: &Network<f64>) -> Vec<Vec<f64>> {
    (0..network.views().len()).map(|p| network.parameter(p)).collect()
}

/// All places in the matrices, or `most` of them drawn at random.
fn sample(matrices: &[Vec<f64>], most: Option<usize>) -> Vec<(usize, usize)> {
    let mut places: Vec<_> =
        matrices.iter().enumerate().flat_map(|(p, matrix)| (0..matrix.len()).map(move |i| (p, i))).collect();
    if let Some(most) = most.filter(|&most| most < places.len()) {
        Key::new(0).shuffle(&mut places);
        places.truncate(most);
        places.sort_unstable();
    }
    places
}

fn certificate(network: &Network<f64>, reference: &Reference<'_>, elements: &Elements, rows: usize) -> Certificate {
    let spec = network.spec();
    let views = network.views();
    let worst = elements.worst(|p| match views.get(p) {
        Some(view) => (&view.name, view.cols),
        None if p == INPUT_OF_OUTPUTS => ("input of outputs", spec.inputs + vectors_width(spec)),
        None => ("input", spec.inputs),
    });
    let (method, bound) = method(spec);
    Certificate {
        compared: elements.len(),
        parameters: views.iter().map(|view| view.rows * view.cols).sum(),
        rows,
        worst,
        bound,
        method,
        kink_distance: Some(reference.kink_distance()).filter(|d| d.is_finite()),
    }
}

/// How derivatives of a network's cost are found, and how well they must agree.
fn method(spec: &NetworkSpec) -> (String, f64) {
    let any = |is: &dyn Fn(Activation) -> bool| spec.hidden.iter().any(|hidden| is(hidden.activation));
    let ln_gamma = match spec.head {
        Head::NegativeBinomial { .. } | Head::Beta { .. } => true,
        Head::Gamma { shape } => shape.is_output(),
        _ => false,
    };
    let zero = Complex::from(0.0);
    let real = any(&|a| matches!(a, Activation::Custom(f) if f.phi_complex(zero).is_none()))
        || matches!(spec.head, Head::Custom(_));
    let through =
        [("erf", any(&|a| a == Activation::Gelu)), ("ln Gamma", ln_gamma), ("differences of user's functions", real)];
    let through: Vec<_> = through.iter().filter(|(_, is)| *is).map(|(name, _)| *name).collect();
    let bound = if real { DIFFERENCES_BOUND } else { BOUND };
    match through.as_slice() {
        [] => ("complex step".into(), bound),
        names => (format!("complex step; {} by value and derivative", names.join(" and ")), bound),
    }
}
