//! Faults that backpropagation invites, each planted into a plain backward pass written for the purpose: the comparison
//! that certifies the engine must find every one of them, and nothing in the pass without a fault.

use super::comparison::compare;
use super::reference::{Reference, Setup};
use super::{BOUND, Comparison};
use crate::activation::Activation;
use crate::cost::{Head, PointwiseCost, Scale};
use crate::data::WideRows as Rows;
use crate::layer::category_embedding::Embedding;
use crate::network::Network;
use crate::rng::Key;
use crate::spec::{Hidden, NetworkSpec};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    ElementwiseSoftmax,
    SoftmaxJacobianForgotten,
    ClassWeightForgotten,
    OutputSlopeForgotten,
    ScaleOutputIgnored,
    LinkDerivativeTwice,
    OffsetIgnored,
    OutputsAveraged,
    SignFlipped,
    RowWeightForgotten,
    RowWeightTwice,
    RowsAveragedByCount,
    PhiPrimeForgotten,
    PhiPrimeOfTheActivation,
    PhiPrimeOfTheLayerAbove,
    PhiPrimeBeforeTheSum,
    WeightTransposed,
    WeightsMovedTooEarly,
    DeltaOfTheLayerAbove,
    OuterProductSwapped,
    ActivationOfTheLayerAbove,
    BiasForgotten,
    BiasTimesActivation,
    MaskForgottenOnTheWayBack,
    MaskOfAnotherRow,
    EmbeddingRowOffByOne,
    EmbeddingOverwritten,
    L1Forgotten,
    L2Doubled,
    BiasPenalised,
}

impl Fault {
    const ALL: [Self; 30] = [
        Self::ElementwiseSoftmax,
        Self::SoftmaxJacobianForgotten,
        Self::ClassWeightForgotten,
        Self::OutputSlopeForgotten,
        Self::ScaleOutputIgnored,
        Self::LinkDerivativeTwice,
        Self::OffsetIgnored,
        Self::OutputsAveraged,
        Self::SignFlipped,
        Self::RowWeightForgotten,
        Self::RowWeightTwice,
        Self::RowsAveragedByCount,
        Self::PhiPrimeForgotten,
        Self::PhiPrimeOfTheActivation,
        Self::PhiPrimeOfTheLayerAbove,
        Self::PhiPrimeBeforeTheSum,
        Self::WeightTransposed,
        Self::WeightsMovedTooEarly,
        Self::DeltaOfTheLayerAbove,
        Self::OuterProductSwapped,
        Self::ActivationOfTheLayerAbove,
        Self::BiasForgotten,
        Self::BiasTimesActivation,
        Self::MaskForgottenOnTheWayBack,
        Self::MaskOfAnotherRow,
        Self::EmbeddingRowOffByOne,
        Self::EmbeddingOverwritten,
        Self::L1Forgotten,
        Self::L2Doubled,
        Self::BiasPenalised,
    ];

    /// A head under which the fault shows.
    fn head(self) -> Head {
        match self {
            Self::OutputSlopeForgotten => {
                Head::Pointwise { cost: PointwiseCost::SquaredError, output: Activation::Sigmoid }
            }
            Self::ScaleOutputIgnored => Head::Gaussian { scale: Scale::Learned },
            Self::OffsetIgnored | Self::LinkDerivativeTwice => Head::Poisson,
            _ => categorical(),
        }
    }
}

fn categorical() -> Head {
    Head::Categorical { smoothing: 0.0, class_weights: vec![0.5, 1.5, 1.0, 2.0], soft: false }
}

const ROWS: usize = 6;
/// Units of every layer, so that no fault is found by its shape.
const UNITS: usize = 4;
const OUTPUTS: usize = 4;
const PENALTY: (f64, f64) = (0.03, 0.2);
const SEED: u64 = 9;

fn spec(head: Head) -> NetworkSpec {
    let hidden = |activation| Hidden { dropout: 0.3, ..Hidden::new(UNITS, activation) };
    let hidden = vec![hidden(Activation::Tanh), hidden(Activation::Sigmoid)];
    NetworkSpec {
        embeddings: vec![Embedding { levels: 3, dimension: 2 }],
        ..NetworkSpec::new(2, hidden, OUTPUTS, head)
    }
}

fn rows(spec: &NetworkSpec) -> Rows {
    let key = Key::new(4);
    let draws = |part: u64, n: usize| (0..n).map(move |i| key.part(part).uniform(i as u64));
    let width = spec.head.target_width(OUTPUTS);
    let target = |u: f64| if width == 1 { (u * OUTPUTS as f64).floor() } else { (3.0 * u).floor() };
    Rows {
        count: ROWS,
        numeric: draws(0, ROWS * 2).map(|u| 4.0 * u - 2.0).collect(),
        // Two rows of each level.
        codes: vec![0, 1, 2, 1, 0, 2],
        offset: Some(draws(2, ROWS).map(|u| u + 0.2).collect()),
        targets: draws(3, ROWS * width).map(target).collect(),
        weights: Some(draws(4, ROWS).map(|u| 0.4 + u).collect()),
    }
}

/// The plain pass: matrices as vectors of rows, one row of data after the other.
struct Naive<'a> {
    spec: &'a NetworkSpec,
    parameters: &'a [Vec<f64>],
    rows: &'a Rows,
    fault: Option<Fault>,
}

/// One row's way up: h^(0), h^(1), h^(2), and z of every layer.
struct Pass {
    h: Vec<Vec<f64>>,
    z: Vec<Vec<f64>>,
}

fn phi(l: usize, z: f64) -> f64 {
    if l == 0 { z.tanh() } else { 1.0 / (1.0 + (-z).exp()) }
}

fn phi_prime(l: usize, z: f64) -> f64 {
    let h = phi(l, z);
    if l == 0 { 1.0 - h * h } else { h * (1.0 - h) }
}

impl Naive<'_> {
    fn has(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    /// w_ij of layer `l`.
    fn weight(&self, l: usize, i: usize, j: usize) -> f64 {
        self.parameters[1 + 2 * l][i * UNITS + j]
    }

    fn mask(&self, l: usize, row: usize, unit: usize) -> f64 {
        let masks = Setup::first_step(SEED, 0.0, 0.0).masks.unwrap();
        masks.of_layer(l, 0.3, 0).value(row, UNITS, unit)
    }

    fn forward(&self, row: usize) -> Pass {
        let code = self.rows.codes[row] as usize;
        let numeric = &self.rows.numeric[row * 2..][..2];
        let mut pass = Pass { h: vec![[numeric, &self.parameters[0][code * 2..][..2]].concat()], z: vec![] };
        for l in 0..3 {
            let h = &pass.h[l];
            let z: Vec<f64> = (0..UNITS)
                .map(|j| self.parameters[2 + 2 * l][j] + (0..UNITS).map(|i| self.weight(l, i, j) * h[i]).sum::<f64>())
                .collect();
            if l < 2 {
                pass.h.push((0..UNITS).map(|j| phi(l, z[j]) * self.mask(l, row, j)).collect());
            }
            pass.z.push(z);
        }
        pass
    }

    /// delta^(L) of one row, without its weight.
    fn start(&self, row: usize, z: &[f64]) -> Vec<f64> {
        let width = self.spec.head.target_width(OUTPUTS);
        let y = &self.rows.targets[row * width..][..width];
        let offset = if self.has(Fault::OffsetIgnored) { 0.0 } else { self.rows.offset.as_ref().unwrap()[row] };
        match &self.spec.head {
            Head::Categorical { class_weights, .. } => self.softmax(z, y[0] as usize, class_weights),
            Head::Poisson => {
                let delta = |(z, y): (&f64, &f64)| {
                    let o = (z + offset).exp();
                    if self.has(Fault::LinkDerivativeTwice) { (o - y) * o } else { o - y }
                };
                z.iter().zip(y).map(delta).collect()
            }
            Head::Pointwise { .. } => {
                let delta = |(z, y): (&f64, &f64)| {
                    let o = phi(1, z + offset);
                    if self.has(Fault::OutputSlopeForgotten) { o - y } else { (o - y) * o * (1.0 - o) }
                };
                z.iter().zip(y).map(delta).collect()
            }
            _ => {
                let u: Vec<f64> = (0..2).map(|k| (z[k] + offset - y[k]) / z[2 + k].exp()).collect();
                let mean = (0..2).map(|k| u[k] / z[2 + k].exp());
                let scale = u.iter().map(|u| if self.has(Fault::ScaleOutputIgnored) { 0.0 } else { 1.0 - u * u });
                mean.chain(scale).collect()
            }
        }
    }

    fn softmax(&self, z: &[f64], class: usize, class_weights: &[f64]) -> Vec<f64> {
        let sum: f64 = z.iter().map(|z| z.exp()).sum();
        let weight = if self.has(Fault::ClassWeightForgotten) { 1.0 } else { class_weights[class] };
        let delta = |(k, z): (usize, &f64)| {
            let o = z.exp() / sum;
            let is_class = f64::from(u8::from(k == class));
            // grad_o J is -1 / o at the class and 0 elsewhere.
            weight
                * match self.fault {
                    Some(Fault::ElementwiseSoftmax) => -is_class / o * o * (1.0 - o),
                    Some(Fault::SoftmaxJacobianForgotten) => -is_class / o,
                    _ => o - is_class,
                }
        };
        z.iter().enumerate().map(delta).collect()
    }

    fn gradient(&self) -> Vec<Vec<f64>> {
        let mut gradient: Vec<Vec<f64>> = self.parameters.iter().map(|p| vec![0.0; p.len()]).collect();
        (0..ROWS).for_each(|row| self.add_row(row, &mut gradient));
        let total: f64 = match self.fault {
            Some(Fault::RowsAveragedByCount) => ROWS as f64,
            _ => self.rows.weights.as_ref().unwrap().iter().sum(),
        };
        for (p, gradient) in gradient.iter_mut().enumerate() {
            let is_weight = p % 2 == 1;
            let penalised = is_weight || (p > 0 && self.has(Fault::BiasPenalised));
            for (g, w) in gradient.iter_mut().zip(&self.parameters[p]) {
                *g /= total;
                if penalised {
                    let (l1, l2) = PENALTY;
                    *g += if self.has(Fault::L1Forgotten) { 0.0 } else { l1 * w.signum() };
                    *g += if self.has(Fault::L2Doubled) { 2.0 * l2 * w } else { l2 * w };
                }
            }
        }
        gradient
    }

    fn add_row(&self, row: usize, gradient: &mut [Vec<f64>]) {
        let Pass { h, z } = self.forward(row);
        let mut factor = self.rows.weights.as_ref().unwrap()[row];
        match self.fault {
            Some(Fault::RowWeightForgotten) => factor = 1.0,
            Some(Fault::RowWeightTwice) => factor *= factor,
            Some(Fault::OutputsAveraged) => factor /= OUTPUTS as f64,
            Some(Fault::SignFlipped) => factor = -factor,
            _ => {}
        }
        let mut delta: Vec<f64> = self.start(row, &z[2]).iter().map(|d| d * factor).collect();
        for l in (0..3).rev() {
            let below = self.below(l, row, &delta, &z, &h);
            let mut of_gradient = delta.clone();
            if self.has(Fault::DeltaOfTheLayerAbove) && l == 1 {
                of_gradient = self.start(row, &z[2]).iter().map(|d| d * factor).collect();
            }
            let source = if self.has(Fault::ActivationOfTheLayerAbove) && l < 2 { l + 1 } else { l };
            for (i, h) in h[source].iter().enumerate() {
                for (j, delta) in of_gradient.iter().enumerate() {
                    let at = if self.has(Fault::OuterProductSwapped) { j * UNITS + i } else { i * UNITS + j };
                    gradient[1 + 2 * l][at] += h * delta;
                }
            }
            for j in 0..UNITS {
                gradient[2 + 2 * l][j] += match self.fault {
                    Some(Fault::BiasForgotten) => 0.0,
                    Some(Fault::BiasTimesActivation) => delta[j] * h[l][j],
                    _ => delta[j],
                };
            }
            delta = below;
        }
        self.add_embedding(row, &delta, &mut gradient[0]);
    }

    /// delta of the layer below layer `l`.
    fn below(&self, l: usize, row: usize, delta: &[f64], z: &[Vec<f64>], h: &[Vec<f64>]) -> Vec<f64> {
        let weight = |j: usize, k: usize| match self.fault {
            Some(Fault::WeightTransposed) if l > 0 => self.weight(l, k, j),
            Some(Fault::WeightsMovedTooEarly) => self.weight(l, j, k) - 0.1 * h[l][j] * delta[k],
            _ => self.weight(l, j, k),
        };
        let unit = |j: usize| {
            let sum: f64 = (0..UNITS).map(|k| weight(j, k) * delta[k]).sum();
            let Some(under) = l.checked_sub(1) else { return sum };
            let slope = match self.fault {
                Some(Fault::PhiPrimeForgotten) => 1.0,
                Some(Fault::PhiPrimeOfTheActivation) => phi_prime(under, h[l][j]),
                Some(Fault::PhiPrimeOfTheLayerAbove) => phi_prime(under, z[l][j]),
                // Of unit k in the sum, instead of unit j after it.
                Some(Fault::PhiPrimeBeforeTheSum) => {
                    let early = (0..UNITS).map(|k| weight(j, k) * delta[k] * phi_prime(under, z[under][k]));
                    return early.sum::<f64>() * self.mask(under, row, j);
                }
                _ => phi_prime(under, z[under][j]),
            };
            let mask = match self.fault {
                Some(Fault::MaskForgottenOnTheWayBack) => 1.0,
                Some(Fault::MaskOfAnotherRow) => self.mask(under, row + 1, j),
                _ => self.mask(under, row, j),
            };
            sum * slope * mask
        };
        (0..UNITS).map(unit).collect()
    }

    fn add_embedding(&self, row: usize, delta: &[f64], gradient: &mut [f64]) {
        let mut code = self.rows.codes[row] as usize;
        if self.has(Fault::EmbeddingRowOffByOne) {
            code = (code + 1) % 3;
        }
        for (d, g) in gradient[code * 2..][..2].iter_mut().enumerate() {
            *g = if self.has(Fault::EmbeddingOverwritten) { 0.0 } else { *g } + delta[2 + d];
        }
    }
}

/// How the pass with this fault compares with the reference.
fn comparison(head: Head, fault: Option<Fault>) -> Comparison {
    let spec = spec(head);
    let rows = rows(&spec);
    let network = Network::<f64>::new(&spec, 2).unwrap();
    let parameters = super::parameters(&network);
    let (l1, l2) = PENALTY;
    let mut reference = Reference::new(&spec, &parameters, &rows, Setup::first_step(SEED, l1, l2));
    let numeric: Vec<Vec<f64>> = parameters
        .iter()
        .enumerate()
        .map(|(p, values)| (0..values.len()).map(|i| reference.derivative(p, i)).collect())
        .collect();
    let analytic = Naive { spec: &spec, parameters: &parameters, rows: &rows, fault }.gradient();
    compare(network.views(), &analytic, &numeric)
}

#[test]
fn a_pass_without_fault_is_within_the_bound() {
    for fault in Fault::ALL {
        let found = comparison(fault.head(), None);
        assert!(found.error <= BOUND, "{:?}: {found:?}", fault.head());
    }
}

#[test]
fn every_planted_fault_is_caught() {
    for fault in Fault::ALL {
        let found = comparison(fault.head(), Some(fault));
        println!("{fault:?}: {:.1e} at {}[{}, {}]", found.error, found.parameter, found.row, found.column);
        assert!(found.error > 1e6 * BOUND, "{fault:?}: {found:?}");
    }
}
