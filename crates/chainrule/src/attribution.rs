//! Integrated gradients (Sundararajan, Taly, Yan 2017): what of f(x) - f(x') is due to which input, x' being a baseline.

use crate::compute::Compute;
use crate::data::Inputs;
use crate::error::{Result, expect_len};
use crate::matrix::Matrix;
use crate::network::Network;
use crate::output_gradient::{Descent, OutputGradient, vectors_width};
use crate::predict::CHUNK;
use crate::quadrature::gauss_legendre;
use crate::scalar::Scalar;

/// Points of the quadrature: rows go on to the next number while their residual is above the tolerance.
const POINTS: [usize; 6] = [16, 32, 64, 128, 256, 512];

/// The inputs that rows are compared with.
#[derive(Clone, Copy, Debug)]
pub struct Baseline<'a, T> {
    /// One number for each numeric feature.
    pub numeric: &'a [T],
    /// One code for each embedded category.
    pub codes: &'a [u32],
}

/// What each input of each row contributes: all matrices row-major.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Attribution {
    /// Of each numeric feature, (rows x inputs).
    pub numeric: Vec<f64>,
    /// Of each embedded category, (rows x categories).
    pub categories: Vec<f64>,
    /// f(x') for each row's f.
    pub baseline: Vec<f64>,
    /// f(x).
    pub value: Vec<f64>,
    /// The sum of a row's contributions less f(x) - f(x'): what the quadrature leaves.
    pub residual: Vec<f64>,
}

impl Attribution {
    /// Adds `share` times another one, of the same rows and inputs; nothing is the sum of none.
    pub fn add(&mut self, other: &Self, share: f64) {
        let Self { numeric, categories, baseline, value, residual } = self;
        for (sums, terms) in [
            (numeric, &other.numeric),
            (categories, &other.categories),
            (baseline, &other.baseline),
            (value, &other.value),
            (residual, &other.residual),
        ] {
            sums.resize(terms.len(), 0.0);
            sums.iter_mut().zip(terms).for_each(|(sum, term)| *sum += share * term);
        }
    }
}

impl<T: Scalar> Network<T> {
    /// Integrated gradients of f = v' z^(L), see [`output_gradient`](Self::output_gradient), in double precision and without
    /// dropout and offsets.
    ///
    /// On the straight way x(t) = x' + t (x - x') from the baseline to the row, the contribution of feature i is
    /// (x_i - x'_i) ∫ df/dx_i(x(t)) dt over t in [0, 1], and that of a category (E_c - E_c')' ∫ df/dE(x(t)) dt: there the way runs
    /// between the vectors of the two codes. By the fundamental theorem of calculus a row's contributions sum to f(x) - f(x').
    /// The integrals are Gauss-Legendre sums of 16 points, of twice as many for rows whose residual is above
    /// `tolerance` max(1, |f(x) - f(x')|), and so on up to 512: with activations that have a kink the sums converge slowly.
    ///
    /// # Errors
    /// If inputs, baseline or `v` do not fit the network, or are not finite.
    pub fn integrated_gradients(
        &self,
        compute: &mut Compute,
        inputs: &Inputs<'_, T>,
        baseline: Baseline<'_, T>,
        v: &[f64],
        tolerance: f64,
    ) -> Result<Attribution> {
        inputs.check(&self.spec)?;
        Inputs { rows: 1, numeric: Matrix::Dense(baseline.numeric), codes: baseline.codes, offset: None, ..*inputs }
            .check(&self.spec)?;
        expect_len("factors of outputs", inputs.rows * self.spec.outputs, v.len())?;
        let network = self.widen()?.down_to_input_without_dropout();
        let mut path = Path::new(network, inputs.rows, baseline, compute);
        let mut all = Attribution::default();
        for first in (0..inputs.rows).step_by(CHUNK) {
            let rows = first..inputs.rows.min(first + CHUNK);
            path.load(inputs, v, rows);
            path.attribute(compute, tolerance, &mut all);
        }
        Ok(all)
    }
}

/// The straight way from the baseline to some rows.
struct Path {
    descent: Descent<f64>,
    /// The tables of the embeddings, which the network has for t = 1.
    tables: Vec<Vec<f64>>,
    start: Vec<f64>,
    start_codes: Vec<u32>,
    numeric: Vec<f64>,
    codes: Vec<u32>,
    v: Vec<f64>,
    rows: usize,
}

impl Path {
    fn new<T: Scalar>(network: Network<f64>, rows: usize, baseline: Baseline<'_, T>, compute: &Compute) -> Self {
        // The tables come first among the parameters.
        let tables = (0..network.spec().embeddings.len()).map(|j| network.parameter(j)).collect();
        Self {
            descent: Descent::new(network, rows, compute),
            tables,
            start: baseline.numeric.iter().map(|x| x.to_f64()).collect(),
            start_codes: baseline.codes.to_vec(),
            numeric: vec![],
            codes: vec![],
            v: vec![],
            rows: 0,
        }
    }

    fn load<T: Scalar>(&mut self, inputs: &Inputs<'_, T>, v: &[f64], rows: std::ops::Range<usize>) {
        let part = |width: usize| rows.start * width..rows.end * width;
        self.rows = rows.len();
        self.numeric = inputs.numeric.widen(inputs.width, rows.clone());
        self.codes = inputs.codes[part(inputs.categories)].to_vec();
        self.v = v[part(v.len() / inputs.rows)].to_vec();
    }

    /// Appends the contributions of the rows loaded.
    fn attribute(&mut self, compute: &mut Compute, tolerance: f64, all: &mut Attribution) {
        let everybody: Vec<u32> = (0..self.rows as u32).collect();
        let [start, end] = [0.0, 1.0].map(|t| {
            let there = self.at(compute, t, &everybody);
            self.values(&there, &everybody)
        });
        let (width, categories) = (self.start.len(), self.tables.len());
        let mut found = Attribution {
            numeric: vec![0.0; self.rows * width],
            categories: vec![0.0; self.rows * categories],
            residual: vec![0.0; self.rows],
            baseline: start,
            value: end,
        };
        let mut left = everybody;
        for points in POINTS {
            let integral = self.integrate(compute, points, &left);
            self.contribute(&integral, &left, &mut found);
            left.retain(|&row| {
                let row = row as usize;
                let numeric = &found.numeric[row * width..][..width];
                let all = numeric.iter().chain(&found.categories[row * categories..][..categories]);
                let difference = found.value[row] - found.baseline[row];
                found.residual[row] = all.sum::<f64>() - difference;
                // A residual that is no number stays what it is.
                found.residual[row].abs() > tolerance * difference.abs().max(1.0)
            });
        }
        all.numeric.append(&mut found.numeric);
        all.categories.append(&mut found.categories);
        all.residual.append(&mut found.residual);
        all.value.append(&mut found.value);
        all.baseline.append(&mut found.baseline);
    }

    /// Outputs and gradients of the selected rows at x(t).
    fn at(&mut self, compute: &mut Compute, t: f64, select: &[u32]) -> OutputGradient<f64> {
        let width = self.start.len();
        let between = |(i, &x): (usize, &f64)| {
            let from = self.start[i % width];
            from + t * (x - from)
        };
        let numeric: Vec<f64> = self.numeric.iter().enumerate().map(between).collect();
        self.move_tables(t);
        let inputs = Inputs {
            rows: self.rows,
            width,
            numeric: Matrix::Dense(&numeric),
            categories: self.tables.len(),
            codes: &self.codes,
            offset: None,
        };
        self.descent.run(compute, &inputs, &self.v, select);
        let mut gradient = OutputGradient::default();
        self.descent.append_to(compute.isa, &mut gradient);
        gradient
    }

    /// Gives every code c the vector E_c' + t (E_c - E_c').
    fn move_tables(&mut self, t: f64) {
        let network = &mut self.descent.network;
        for (j, table) in self.tables.iter().enumerate() {
            let dimension = network.spec.embeddings[j].dimension;
            let from = &table[self.start_codes[j] as usize * dimension..][..dimension];
            let moved: Vec<f64> =
                table.iter().enumerate().map(|(i, &e)| from[i % dimension] + t * (e - from[i % dimension])).collect();
            network.topology.layout.views[j].write(&mut network.parameters, &moved);
        }
    }

    /// f of the selected rows.
    fn values(&self, gradient: &OutputGradient<f64>, select: &[u32]) -> Vec<f64> {
        let outputs = self.descent.network.spec.outputs;
        let value = |(z, &row): (&[f64], &u32)| {
            let v = &self.v[row as usize * outputs..][..outputs];
            z.iter().zip(v).map(|(z, v)| z * v).sum()
        };
        gradient.outputs.chunks_exact(outputs).zip(select).map(value).collect()
    }

    /// The mean gradients of the selected rows on the way.
    fn integrate(&mut self, compute: &mut Compute, points: usize, select: &[u32]) -> OutputGradient<f64> {
        let vectors = vectors_width(self.descent.network.spec());
        let mut sums = OutputGradient {
            outputs: vec![],
            numeric: vec![0.0; select.len() * self.start.len()],
            vectors: vec![0.0; select.len() * vectors],
        };
        for (t, weight) in gauss_legendre(points).into_iter().filter(|_| !select.is_empty()) {
            let gradient = self.at(compute, t, select);
            let add = |to: &mut [f64], from: &[f64]| to.iter_mut().zip(from).for_each(|(to, g)| *to += weight * g);
            add(&mut sums.numeric, &gradient.numeric);
            add(&mut sums.vectors, &gradient.vectors);
        }
        sums
    }

    /// The differences of the selected rows from the baseline times their mean gradients.
    fn contribute(&self, integral: &OutputGradient<f64>, select: &[u32], to: &mut Attribution) {
        let (width, vectors) = (self.start.len(), vectors_width(self.descent.network.spec()));
        for (place, &row) in select.iter().enumerate() {
            let row = row as usize;
            for i in 0..width {
                let difference = self.numeric[row * width + i] - self.start[i];
                to.numeric[row * width + i] = difference * integral.numeric[place * width + i];
            }
            let mut slope = integral.vectors[place * vectors..][..vectors].iter();
            for (j, table) in self.tables.iter().enumerate() {
                let dimension = self.descent.network.spec.embeddings[j].dimension;
                let vector = |code: u32| &table[code as usize * dimension..][..dimension];
                let code = self.codes[row * self.tables.len() + j];
                let both = vector(code).iter().zip(vector(self.start_codes[j]));
                to.categories[row * self.tables.len() + j] =
                    both.zip(&mut slope).map(|((e, from), g)| (e - from) * g).sum();
            }
        }
    }
}
