//! Faults of the layers beside the dense ones, numeric embeddings, scale, parametric activations and ensembles, planted like those
//! of `faults.rs` into a plain backward pass: the comparison must find every one.

use std::collections::BTreeMap;
use std::f64::consts::PI;

use super::comparison::compare;
use super::reference::{Reference, Setup};
use super::{BOUND, Comparison};
use crate::activation::Activation;
use crate::cost::Head;
use crate::data::WideRows as Rows;
use crate::layer::ensemble_dense::{Ensemble, EnsembleKind};
use crate::layer::numeric_embedding::NumericEmbedding;
use crate::network::Network;
use crate::rng::Key;
use crate::spec::{Hidden, NetworkSpec};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    CircleForgottenInFrequency,
    SignOfSine,
    PhaseOfCosine,
    PeriodicOutputBiasForgotten,
    PeriodicWeightTransposed,
    BinsBelowForgotten,
    BinsAboveIncluded,
    OuterBinsBounded,
    PartNotDividedByWidth,
    LinearPartTakesItsBins,
    ScaleTimesItself,
    ScaleForgottenOnTheWayBack,
    AlphaOfPhiAlone,
    AlphaForgottenInSlope,
    AlphaOfDelta,
    SForgottenOnTheWayBack,
    SOfPreActivation,
    SOfSharedRows,
    RForgottenOnTheWayBack,
    RSquared,
    RForgottenInWeight,
    SForgottenInWeight,
    WeightOfOneMember,
    BiasTimesS,
    BiasOfAllMembers,
    HeadOfAnotherMember,
    MembersAdded,
}

impl Fault {
    const ALL: [Self; 27] = [
        Self::CircleForgottenInFrequency,
        Self::SignOfSine,
        Self::PhaseOfCosine,
        Self::PeriodicOutputBiasForgotten,
        Self::PeriodicWeightTransposed,
        Self::BinsBelowForgotten,
        Self::BinsAboveIncluded,
        Self::OuterBinsBounded,
        Self::PartNotDividedByWidth,
        Self::LinearPartTakesItsBins,
        Self::ScaleTimesItself,
        Self::ScaleForgottenOnTheWayBack,
        Self::AlphaOfPhiAlone,
        Self::AlphaForgottenInSlope,
        Self::AlphaOfDelta,
        Self::SForgottenOnTheWayBack,
        Self::SOfPreActivation,
        Self::SOfSharedRows,
        Self::RForgottenOnTheWayBack,
        Self::RSquared,
        Self::RForgottenInWeight,
        Self::SForgottenInWeight,
        Self::WeightOfOneMember,
        Self::BiasTimesS,
        Self::BiasOfAllMembers,
        Self::HeadOfAnotherMember,
        Self::MembersAdded,
    ];
}

const ROWS: usize = 6;
const INPUTS: usize = 3;
/// The features with vectors; the other one comes after them.
const EMBEDDED: [usize; 2] = [0, 2];
const PLAIN: usize = 1;
const FREQUENCIES: usize = 3;
const DIMENSION: usize = 4;
/// Elements of h^(0).
const WIDTH: usize = 2 * DIMENSION + 1;
const UNITS: usize = 4;
const OUTPUTS: usize = 2;
const MEMBERS: usize = 3;

/// Edges of both features; rows lie in every bin and beyond.
fn edges() -> Vec<Vec<f64>> {
    vec![vec![-1.3, -0.4, 0.1, 1.5], vec![-1.0, 0.2, 1.1]]
}

fn spec(periodic: bool) -> NetworkSpec {
    let features = EMBEDDED.to_vec();
    let embedding = match periodic {
        true => NumericEmbedding::Periodic { features, frequencies: FREQUENCIES, sigma: 1.0 },
        false => NumericEmbedding::PiecewiseLinear { features, edges: edges(), dimension: DIMENSION },
    };
    let hidden = Hidden { parametric: true, ..Hidden::new(UNITS, Activation::Tanh) };
    NetworkSpec {
        numeric_embedding: Some(embedding),
        scale: true,
        ensemble: Some(Ensemble { members: MEMBERS, kind: EnsembleKind::Full }),
        ..NetworkSpec::new(INPUTS, vec![hidden], OUTPUTS, Head::gaussian())
    }
}

fn rows() -> Rows {
    let draws = |part: u64, n: usize| (0..n).map(move |i| 4.0 * Key::new(4).part(part).uniform(i as u64) - 2.0);
    Rows {
        count: ROWS,
        numeric: draws(0, ROWS * INPUTS).collect(),
        codes: vec![],
        offset: None,
        targets: draws(1, ROWS * OUTPUTS).collect(),
        weights: Some(draws(2, ROWS).map(|u| 0.3 * u + 1.0).collect()),
    }
}

/// Values or gradients of the parameters by their names.
type Named = BTreeMap<String, Vec<f64>>;

/// The plain pass, one row and member after the other.
struct Naive<'a> {
    periodic: bool,
    parameters: &'a Named,
    rows: &'a Rows,
    fault: Option<Fault>,
    gradient: Named,
}

impl Naive<'_> {
    fn has(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    fn p(&self, name: &str, i: usize) -> f64 {
        self.parameters[name][i]
    }

    fn add(&mut self, name: &str, i: usize, g: f64) {
        self.gradient.get_mut(name).unwrap()[i] += g;
    }

    /// The part of bin `j` between these edges that lies below `x`.
    fn part(&self, edges: &[f64], j: usize, x: f64) -> f64 {
        let p = (x - edges[j]) / (edges[j + 1] - edges[j]);
        let p = if j > 0 { p.max(0.0) } else { p };
        if j + 2 < edges.len() { p.min(1.0) } else { p }
    }

    /// The angle of frequency `k` of feature `i`.
    fn angle(&self, i: usize, k: usize, x: f64) -> f64 {
        let k = i * FREQUENCIES + k;
        2.0 * PI * self.p("numeric_embedding.frequency", k) * x + self.p("numeric_embedding.phase", k)
    }

    fn vector(&self, i: usize, x: f64) -> Vec<f64> {
        let place = |d: usize| i * DIMENSION + d;
        if !self.periodic {
            let (edges, first) = (&edges()[i], i * (edges()[0].len() - 1));
            let element = |d: usize| {
                let bin =
                    |j: usize| self.part(edges, j, x) * self.p("numeric_embedding.bins", (first + j) * DIMENSION + d);
                let linear =
                    x * self.p("numeric_embedding.weight", place(d)) + self.p("numeric_embedding.bias", place(d));
                linear + (0..edges.len() - 1).map(bin).sum::<f64>()
            };
            return (0..DIMENSION).map(element).collect();
        }
        let element = |d: usize| {
            let term = |k: usize| {
                self.angle(i, k, x).cos() * self.p("numeric_embedding.weight", 3 * (i * FREQUENCIES + k) + d)
            };
            self.p("numeric_embedding.bias", 3 * i + d) + (0..FREQUENCIES).map(term).sum::<f64>()
        };
        (0..3).map(element).chain([x]).collect()
    }

    fn add_row(&mut self, row: usize) {
        let x = &self.rows.numeric[row * INPUTS..][..INPUTS];
        let vectors = EMBEDDED.iter().enumerate().flat_map(|(i, &feature)| self.vector(i, x[feature]));
        let unscaled: Vec<f64> = vectors.chain([x[PLAIN]]).collect();
        let h: Vec<f64> = (0..WIDTH).map(|i| unscaled[i] * self.p("scale", i)).collect();
        for member in 0..MEMBERS {
            let delta = self.add_member(row, member, &h);
            self.add_stem(x, &unscaled, &delta);
        }
    }

    /// One member of one row; returns dJ/dh^(0).
    fn add_member(&mut self, row: usize, member: usize, h: &[f64]) -> Vec<f64> {
        let own = |width: usize, i: usize| member * width + i;
        let x: Vec<f64> = (0..WIDTH).map(|i| self.p("layers.0.r", own(WIDTH, i)) * h[i]).collect();
        let product = |j: usize| (0..WIDTH).map(|i| self.p("layers.0.weight", i * UNITS + j) * x[i]).sum::<f64>();
        let y: Vec<f64> = (0..UNITS).map(product).collect();
        let s: Vec<f64> = (0..UNITS).map(|j| self.p("layers.0.s", own(UNITS, j))).collect();
        let z: Vec<f64> = (0..UNITS).map(|j| s[j] * y[j] + self.p("layers.0.bias", own(UNITS, j))).collect();
        let alpha: Vec<f64> = (0..UNITS).map(|j| self.p("layers.0.alpha", j)).collect();
        let out: Vec<f64> = (0..UNITS).map(|j| z[j] + alpha[j] * (z[j].tanh() - z[j])).collect();
        let head = |member: usize, j: usize, k: usize| (member * UNITS + j) * OUTPUTS + k;
        let mean = |k: usize| {
            let sum: f64 = (0..UNITS).map(|j| self.p("layers.1.weight", head(member, j, k)) * out[j]).sum();
            sum + self.p("layers.1.bias", own(OUTPUTS, k))
        };
        let share = if self.has(Fault::MembersAdded) { 1.0 } else { 1.0 / MEMBERS as f64 } * self.rows.weight(row);
        let d: Vec<f64> = (0..OUTPUTS).map(|k| share * (mean(k) - self.rows.targets[row * OUTPUTS + k])).collect();
        let whose = if self.has(Fault::HeadOfAnotherMember) { (member + 1) % MEMBERS } else { member };
        let g: Vec<f64> = (0..UNITS)
            .map(|j| (0..OUTPUTS).map(|k| self.p("layers.1.weight", head(whose, j, k)) * d[k]).sum())
            .collect();
        for (k, &d) in d.iter().enumerate() {
            (0..UNITS).for_each(|j| self.add("layers.1.weight", head(member, j, k), out[j] * d));
            self.add("layers.1.bias", own(OUTPUTS, k), d);
        }
        let slope = |j: usize| {
            let phi_prime = 1.0 - z[j].tanh() * z[j].tanh();
            if self.has(Fault::AlphaForgottenInSlope) { phi_prime } else { 1.0 - alpha[j] + alpha[j] * phi_prime }
        };
        let delta: Vec<f64> = (0..UNITS).map(|j| g[j] * slope(j)).collect();
        for j in 0..UNITS {
            let by_alpha = match self.fault {
                Some(Fault::AlphaOfPhiAlone) => g[j] * z[j].tanh(),
                Some(Fault::AlphaOfDelta) => delta[j] * (z[j].tanh() - z[j]),
                _ => g[j] * (z[j].tanh() - z[j]),
            };
            self.add("layers.0.alpha", j, by_alpha);
        }
        self.add_layer(member, h, &x, &y, &z, &s, &delta)
    }

    #[allow(clippy::too_many_arguments)] // The elements of one equation.
    fn add_layer(
        &mut self,
        member: usize,
        h: &[f64],
        x: &[f64],
        y: &[f64],
        z: &[f64],
        s: &[f64],
        delta: &[f64],
    ) -> Vec<f64> {
        let u: Vec<f64> = (0..UNITS).map(|j| delta[j] * s[j]).collect();
        for j in 0..UNITS {
            let by_s = if self.has(Fault::SOfPreActivation) { delta[j] * z[j] } else { delta[j] * y[j] };
            let of_s = if self.has(Fault::SOfSharedRows) { 0 } else { member };
            self.add("layers.0.s", of_s * UNITS + j, by_s);
            let by_b = if self.has(Fault::BiasTimesS) { u[j] } else { delta[j] };
            let all = if self.has(Fault::BiasOfAllMembers) { 0..MEMBERS } else { member..member + 1 };
            all.for_each(|member| self.add("layers.0.bias", member * UNITS + j, by_b));
        }
        let left = if self.has(Fault::RForgottenInWeight) { h } else { x };
        let right = if self.has(Fault::SForgottenInWeight) { delta } else { &u };
        for (i, left) in left.iter().enumerate() {
            for (j, right) in right.iter().enumerate() {
                if !(self.has(Fault::WeightOfOneMember) && member > 0) {
                    self.add("layers.0.weight", i * UNITS + j, left * right);
                }
            }
        }
        let arrives = if self.has(Fault::SForgottenOnTheWayBack) { delta } else { &u };
        let below = |i: usize| (0..UNITS).map(|j| self.p("layers.0.weight", i * UNITS + j) * arrives[j]).sum::<f64>();
        let v: Vec<f64> = (0..WIDTH).map(below).collect();
        for i in 0..WIDTH {
            let by_r = if self.has(Fault::RSquared) { v[i] * x[i] } else { v[i] * h[i] };
            self.add("layers.0.r", member * WIDTH + i, by_r);
        }
        let r = |i: usize| match self.fault {
            Some(Fault::RForgottenOnTheWayBack) => 1.0,
            _ => self.p("layers.0.r", member * WIDTH + i),
        };
        (0..WIDTH).map(|i| v[i] * r(i)).collect()
    }

    fn add_stem(&mut self, x: &[f64], unscaled: &[f64], delta: &[f64]) {
        let mut g = [0.0; WIDTH];
        for i in 0..WIDTH {
            let s = self.p("scale", i);
            let by = if self.has(Fault::ScaleTimesItself) { unscaled[i] * s } else { unscaled[i] };
            self.add("scale", i, delta[i] * by);
            g[i] = if self.has(Fault::ScaleForgottenOnTheWayBack) { delta[i] } else { delta[i] * s };
        }
        for (i, &feature) in EMBEDDED.iter().enumerate() {
            let g = &g[i * DIMENSION..][..DIMENSION];
            if self.periodic { self.add_periodic(i, x[feature], g) } else { self.add_linear(i, x[feature], g) }
        }
    }

    fn add_periodic(&mut self, i: usize, x: f64, g: &[f64]) {
        for k in 0..FREQUENCIES {
            let (angle, at) = (self.angle(i, k, x), i * FREQUENCIES + k);
            let weight = |d: usize| match self.fault {
                Some(Fault::PeriodicWeightTransposed) => 3 * (i * FREQUENCIES + d) + k,
                _ => 3 * at + d,
            };
            let by_cos: f64 = (0..3).map(|d| g[d] * self.p("numeric_embedding.weight", weight(d))).sum();
            let by_angle = match self.fault {
                Some(Fault::SignOfSine) => by_cos * angle.sin(),
                Some(Fault::PhaseOfCosine) => by_cos * angle.cos(),
                _ => -by_cos * angle.sin(),
            };
            let circle = if self.has(Fault::CircleForgottenInFrequency) { 1.0 } else { 2.0 * PI };
            self.add("numeric_embedding.frequency", at, circle * x * by_angle);
            self.add("numeric_embedding.phase", at, by_angle);
            (0..3).for_each(|d| self.add("numeric_embedding.weight", 3 * at + d, angle.cos() * g[d]));
        }
        if !self.has(Fault::PeriodicOutputBiasForgotten) {
            (0..3).for_each(|d| self.add("numeric_embedding.bias", 3 * i + d, g[d]));
        }
    }

    fn add_linear(&mut self, i: usize, x: f64, g: &[f64]) {
        let (edges, first) = (&edges()[i], i * (edges()[0].len() - 1));
        let bin = edges[1..edges.len() - 1].iter().filter(|&&edge| edge <= x).count();
        for (d, &g) in g.iter().enumerate() {
            let by_weight = if self.has(Fault::LinearPartTakesItsBins) { x - edges[bin] } else { x };
            self.add("numeric_embedding.weight", i * DIMENSION + d, by_weight * g);
            self.add("numeric_embedding.bias", i * DIMENSION + d, g);
            for j in 0..edges.len() - 1 {
                let part = match self.fault {
                    Some(Fault::BinsBelowForgotten) if j < bin => 0.0,
                    Some(Fault::BinsAboveIncluded) if j > bin => 1.0,
                    Some(Fault::OuterBinsBounded) => self.part(edges, j, x).clamp(0.0, 1.0),
                    Some(Fault::PartNotDividedByWidth) if j == bin => x - edges[j],
                    _ => self.part(edges, j, x),
                };
                self.add("numeric_embedding.bins", (first + j) * DIMENSION + d, part * g);
            }
        }
    }
}

/// How the pass with this fault compares with the reference.
fn comparison(periodic: bool, fault: Option<Fault>) -> Comparison {
    let (spec, rows) = (spec(periodic), rows());
    let mut network = Network::<f64>::new(&spec, 2).unwrap();
    for p in 0..network.views().len() {
        let draw = |i: usize| 2.0 * Key::new(7).part(p as u64).uniform(i as u64) - 0.7;
        let values: Vec<f64> = (0..network.parameter(p).len()).map(draw).collect();
        network.set_parameter(p, &values).unwrap();
    }
    let parameters = super::parameters(&network);
    let mut reference = Reference::new(&spec, &parameters, &rows, Setup::gradient());
    let of = |(p, values): (usize, &Vec<f64>)| (0..values.len()).map(|i| reference.derivative(p, i)).collect();
    let numeric: Vec<Vec<f64>> = parameters.iter().enumerate().map(of).collect();
    let names = || network.views().iter().map(|view| view.name.clone());
    let named: Named = names().zip(parameters).collect();
    let gradient = named.iter().map(|(name, values)| (name.clone(), vec![0.0; values.len()])).collect();
    let mut naive = Naive { periodic, parameters: &named, rows: &rows, fault, gradient };
    (0..ROWS).for_each(|row| naive.add_row(row));
    let analytic: Vec<Vec<f64>> = names().map(|name| naive.gradient[&name].clone()).collect();
    compare(network.views(), &analytic, &numeric)
}

#[test]
fn a_pass_without_fault_is_within_the_bound() {
    for periodic in [true, false] {
        let found = comparison(periodic, None);
        assert!(found.error <= BOUND, "{found:?}");
    }
}

#[test]
fn every_planted_fault_is_caught() {
    for (number, fault) in Fault::ALL.into_iter().enumerate() {
        // The first five are those of the periodic embedding.
        let found = comparison(number < 5, Some(fault));
        println!("{fault:?}: {:.1e} at {}[{}, {}]", found.error, found.parameter, found.row, found.column);
        assert!(found.error > 1e6 * BOUND, "{fault:?}: {found:?}");
    }
}
