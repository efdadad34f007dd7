//! The whole network's cost as one plain function of its parameters and inputs, row by row, on complex numbers. Shares no
//! code with layers, heads or kernels; only a dropout mask is asked of the engine, since it is part of the question.

use std::cell::Cell;

use super::complex::Complex;
use super::costs::{cost, kink_distance};
use super::embedding::numeric_embedding;
use super::phi::{has_kink, phi};
use crate::data::WideRows as Rows;
use crate::layer::dropout::Masks;
use crate::rng::Key;
use crate::spec::NetworkSpec;

/// The step of the complex step.
pub(super) const STEP: f64 = 1e-30;

/// What besides the network's own cost is differentiated.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Setup {
    /// Dropout masks, those of a batch that consists of all rows in order.
    pub(super) masks: Option<Masks>,
    /// The mean over the rows' total weight, plus l1 sum |w| + (l2 / 2) sum w^2 over the weights; None: the plain sum.
    pub(super) mean_and_penalty: Option<(f64, f64)>,
}

impl Setup {
    /// What [`Network::gradient`](crate::Network::gradient) differentiates.
    pub(super) fn gradient() -> Self {
        Self { masks: Some(Masks { key: Key::new(0), factor: 1.0 }), mean_and_penalty: None }
    }

    /// What the first step of a training with this seed differentiates.
    pub(super) fn first_step(seed: u64, l1: f64, l2: f64) -> Self {
        let key = Key::new(seed).part(u64::MAX).part(0);
        Self { masks: Some(Masks { key, factor: 1.0 }), mean_and_penalty: Some((l1, l2)) }
    }
}

/// The numbers of a layer's parameters among all.
struct Places {
    weight: usize,
    bias: usize,
    alpha: Option<usize>,
    /// What each member of an ensemble has for the layer's inputs and outputs.
    r: Option<usize>,
    s: Option<usize>,
}

impl Places {
    /// Those of all layers, the output layer last.
    fn new(spec: &NetworkSpec) -> Vec<Self> {
        let names: Vec<String> = spec.parameter_shapes().into_iter().map(|(name, ..)| name).collect();
        let find = |l: usize, kind: &str| names.iter().position(|name| *name == format!("layers.{l}.{kind}"));
        let places = |l: usize| Self {
            weight: find(l, "weight").unwrap_or(usize::MAX),
            bias: find(l, "bias").unwrap_or(usize::MAX),
            alpha: find(l, "alpha"),
            r: find(l, "r"),
            s: find(l, "s"),
        };
        (0..=spec.hidden.len()).map(places).collect()
    }
}

/// The cost as a function.
pub(super) struct Reference<'a> {
    spec: &'a NetworkSpec,
    places: Vec<Places>,
    /// The number of the scale layer's factors.
    scale: Option<usize>,
    rows: &'a Rows,
    setup: Setup,
    parameters: Vec<Vec<Complex>>,
    numeric: Vec<Complex>,
    /// The least distance of any pre-activation or output from a kink, so far.
    kink: Cell<f64>,
}

impl<'a> Reference<'a> {
    /// `parameters` in the order of [`Network::views`](crate::Network::views).
    pub(super) fn new(spec: &'a NetworkSpec, parameters: &[Vec<f64>], rows: &'a Rows, setup: Setup) -> Self {
        let complex = |values: &[f64]| values.iter().map(|&x| Complex::from(x)).collect::<Vec<_>>();
        Self {
            spec,
            places: Places::new(spec),
            scale: spec.parameter_shapes().iter().position(|(name, ..)| name == "scale"),
            rows,
            setup,
            parameters: parameters.iter().map(|p| complex(p)).collect(),
            numeric: complex(&rows.numeric),
            kink: Cell::new(f64::INFINITY),
        }
    }

    /// The cost.
    pub(super) fn cost(&self) -> Complex {
        let rows = 0..self.rows.count;
        let sum = rows.clone().fold(Complex::from(0.0), |sum, row| sum + self.row_cost(row) * self.rows.weight(row));
        let Some((l1, l2)) = self.setup.mean_and_penalty else { return sum };
        let total: f64 = rows.map(|row| self.rows.weight(row)).sum();
        let mut cost = sum * (1.0 / total);
        for &w in self.weight_matrices().flatten() {
            cost += w * (l1 * sign(w.re)) + w * w * (l2 / 2.0);
        }
        cost
    }

    /// dJ / d(element `i` of parameter `p`).
    pub(super) fn derivative(&mut self, p: usize, i: usize) -> f64 {
        self.parameters[p][i].im = STEP;
        let cost = self.cost();
        self.parameters[p][i].im = 0.0;
        cost.im / STEP
    }

    /// dJ / d(feature of a row) of the plain sum; `i` counts row after row.
    pub(super) fn input_derivative(&mut self, i: usize) -> f64 {
        self.numeric[i].im = STEP;
        let row = i / self.spec.inputs;
        let cost = self.row_cost(row) * self.rows.weight(row);
        self.numeric[i].im = 0.0;
        cost.im / STEP
    }

    /// The least distance from a kink in all evaluations so far; infinite if there is no kink.
    pub(super) fn kink_distance(&self) -> f64 {
        self.kink.get()
    }

    /// The weight matrices.
    fn weight_matrices(&self) -> impl Iterator<Item = &Vec<Complex>> {
        self.places.iter().map(|places| &self.parameters[places.weight])
    }

    /// d(v' z^(L))/dx of feature `i`, and of the elements of the vectors of categories behind the features, for one row; of an
    /// ensemble the mean of its members'.
    pub(super) fn output_derivative(&mut self, row: usize, v: &[f64], i: usize) -> f64 {
        let inputs = self.spec.inputs;
        let element =
            if i < inputs { &mut self.numeric[row * inputs + i] } else { self.vector_element(row, i - inputs) };
        element.im = STEP;
        let of_member = |member| self.row_outputs(row, member).iter().zip(v).map(|(z, v)| z.im * v).sum::<f64>();
        let sum: f64 = (0..self.spec.members()).map(of_member).sum();
        let element =
            if i < inputs { &mut self.numeric[row * inputs + i] } else { self.vector_element(row, i - inputs) };
        element.im = 0.0;
        sum / self.spec.members() as f64 / STEP
    }

    /// Element `i` of the vectors of a row's codes, all in one.
    fn vector_element(&mut self, row: usize, mut i: usize) -> &mut Complex {
        let tables = self.spec.embeddings.len();
        let mut j = 0;
        while i >= self.spec.embeddings[j].dimension {
            i -= self.spec.embeddings[j].dimension;
            j += 1;
        }
        let code = self.rows.codes[row * tables + j] as usize;
        &mut self.parameters[j][code * self.spec.embeddings[j].dimension + i]
    }

    /// z^(L) of a member, without offset.
    fn row_outputs(&self, row: usize, member: usize) -> Vec<Complex> {
        let mut h = self.input(row);
        for l in 0..self.places.len() {
            let z = self.pre_activations(l, member, &h);
            h = if l < self.spec.hidden.len() { self.activate(l, member * self.rows.count + row, &z) } else { z };
        }
        h
    }

    /// The cost of a row: of an ensemble the mean of its members'.
    fn row_cost(&self, row: usize) -> Complex {
        let members = self.spec.members();
        let costs = (0..members).map(|member| self.member_cost(row, member));
        costs.fold(Complex::from(0.0), |sum, cost| sum + cost) * (1.0 / members as f64)
    }

    fn member_cost(&self, row: usize, member: usize) -> Complex {
        let mut h = self.row_outputs(row, member);
        let offset = self.rows.offset.as_ref().map_or(0.0, |offset| offset[row]);
        self.spec.head.offset_outputs(h.len()).for_each(|k| h[k] = h[k] + offset);
        let width = self.spec.head.target_width(self.spec.outputs);
        let y = &self.rows.targets[row * width..][..width];
        self.see_kink(kink_distance(&self.spec.head, &h, y));
        cost(&self.spec.head, &h, y)
    }

    /// z_j = s_j sum_i w_ij r_i h_i + b_j, or b_j alone for an output that all rows share. Only members of an ensemble have r and s.
    /// Parameters that each has for itself stand one member after the other.
    fn pre_activations(&self, l: usize, member: usize, h: &[Complex]) -> Vec<Complex> {
        let &Places { weight, bias, r, s, .. } = &self.places[l];
        let last = l == self.spec.hidden.len();
        let (inputs, outputs) = (h.len(), if last { self.spec.outputs } else { self.spec.hidden[l].width });
        let own = |values: &[Complex], size: usize| if values.len() > size { member * size } else { 0 };
        let w = &self.parameters[weight][own(&self.parameters[weight], inputs * outputs)..];
        let b = &self.parameters[bias][own(&self.parameters[bias], outputs)..];
        let factor = |place: Option<usize>, i: usize, width: usize, x: Complex| {
            place.map_or(x, |place| self.parameters[place][member * width + i] * x)
        };
        let x: Vec<Complex> = h.iter().enumerate().map(|(i, &h)| factor(r, i, inputs, h)).collect();
        let shared = if last { self.spec.head.held_outputs(outputs) } else { 0..0 };
        let unit = |j: usize| {
            if shared.contains(&j) {
                return b[j];
            }
            let y = x.iter().enumerate().fold(Complex::from(0.0), |y, (i, &x)| y + w[i * outputs + j] * x);
            factor(s, j, outputs, y) + b[j]
        };
        (0..outputs).map(unit).collect()
    }

    /// h^(0): the features' vectors, the other features, the vectors of the row's codes; times the scale.
    fn input(&self, row: usize) -> Vec<Complex> {
        let x = &self.numeric[row * self.spec.inputs..][..self.spec.inputs];
        let tables = self.spec.embeddings.len();
        let mut h = vec![];
        let embedded = self.spec.numeric_embedding.as_ref();
        if let Some(embedding) = embedded {
            let (h_of, distance) = numeric_embedding(embedding, &self.parameters[tables..], x);
            h = h_of;
            self.see_kink(distance);
        }
        let plain = |i: &usize| !embedded.is_some_and(|embedding| embedding.features().contains(i));
        h.extend((0..x.len()).filter(plain).map(|i| x[i]));
        for (j, embedding) in self.spec.embeddings.iter().enumerate() {
            let code = self.rows.codes[row * tables + j] as usize;
            h.extend_from_slice(&self.parameters[j][code * embedding.dimension..][..embedding.dimension]);
        }
        if let Some(scale) = self.scale {
            h.iter_mut().zip(&self.parameters[scale]).for_each(|(h, &s)| *h = *h * s);
        }
        h
    }

    /// phi of a hidden layer, and its dropout mask.
    fn activate(&self, l: usize, row: usize, z: &[Complex]) -> Vec<Complex> {
        let hidden = &self.spec.hidden[l];
        if has_kink(hidden.activation) {
            z.iter().for_each(|z| self.see_kink(z.re.abs()));
        }
        let mask = self.setup.masks.filter(|_| hidden.dropout > 0.0);
        let mask = mask.map(|masks| masks.of_layer(l, hidden.dropout, 0));
        let kept = |j: usize| mask.map_or(1.0, |mask| mask.value(row, hidden.width, j));
        let alpha = self.places[l].alpha.map(|alpha| &self.parameters[alpha]);
        let unit = |(j, &z): (usize, &Complex)| match alpha {
            None => phi(hidden.activation, z) * kept(j),
            Some(alpha) => (z + alpha[j] * (phi(hidden.activation, z) - z)) * kept(j),
        };
        z.iter().enumerate().map(unit).collect()
    }

    fn see_kink(&self, distance: f64) {
        self.kink.set(self.kink.get().min(distance));
    }
}

/// -1, 0 or 1: the slope of |w|, and 0 at its kink.
fn sign(w: f64) -> f64 {
    if w == 0.0 { 0.0 } else { w.signum() }
}
