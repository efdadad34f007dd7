//! What a network is trained on: matrices, and which of their rows.

use crate::cost::Rows;
use crate::error::{Error, Result, expect_len};
use crate::matrix::{Matrix, SparseMatrix, first_not_finite};
use crate::scalar::Scalar;
use crate::spec::NetworkSpec;

/// The inputs of `rows` rows.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a, T> {
    /// Rows.
    pub rows: usize,
    /// Numeric features of a row.
    pub width: usize,
    /// (rows x width).
    pub numeric: Matrix<'a, T>,
    /// Embedded categories of a row.
    pub categories: usize,
    /// Category codes (rows x categories), row-major.
    pub codes: &'a [u32],
    /// Added to the pre-activation of each output that is a location: ln(exposure) for counts.
    pub offset: Option<&'a [T]>,
}

impl<'a, T: Scalar> Inputs<'a, T> {
    /// Numeric features only: `numeric` is (rows x width), row-major.
    pub fn numeric(numeric: &'a [T], width: usize) -> Self {
        let rows = numeric.len().checked_div(width).unwrap_or(0);
        Self { rows, width, numeric: Matrix::Dense(numeric), categories: 0, codes: &[], offset: None }
    }

    /// Numeric features only, (rows x width), most of them zero and not there.
    pub fn sparse(numeric: SparseMatrix<'a, T>, width: usize) -> Self {
        let rows = numeric.starts.len().saturating_sub(1);
        Self { rows, width, numeric: Matrix::Sparse(numeric), categories: 0, codes: &[], offset: None }
    }

    /// Compares the sizes with the network's and looks for numbers that are not finite and codes that are too large.
    pub(crate) fn check(&self, spec: &NetworkSpec) -> Result<()> {
        expect_len("numeric features of a row", spec.inputs, self.width)?;
        expect_len("categories of a row", spec.embeddings.len(), self.categories)?;
        expect_len("category codes", self.rows * self.categories, self.codes.len())?;
        if u32::try_from(self.rows).is_err() {
            return Err(Error::Setting(format!("at most {} rows, got {}", u32::MAX, self.rows)));
        }
        self.numeric.check(self.rows, self.width)?;
        for (at, &code) in self.codes.iter().enumerate() {
            let (row, j) = (at / self.categories + 1, at % self.categories);
            if code as usize >= spec.embeddings[j].levels {
                let what = format!("row {row}: code {code} of category {} (levels)", j + 1);
                return Err(Error::Shape { what, expected: spec.embeddings[j].levels, got: code as usize });
            }
        }
        if let Some(offset) = self.offset {
            expect_len("offsets", self.rows, offset.len())?;
            if let Some(row) = first_not_finite(offset) {
                return Err(Error::Setting(format!("row {}: the offset is not a finite number", row + 1)));
            }
        }
        Ok(())
    }
}

/// Inputs with targets, or a selection of their rows.
#[derive(Clone, Copy, Debug)]
pub struct Dataset<'a, T> {
    /// Inputs of all rows.
    pub inputs: Inputs<'a, T>,
    /// (rows x targets of a row), row-major; see [`Head`](crate::Head) for what a target is.
    pub targets: &'a [T],
    /// One weight >= 0 for each row; 1 if absent.
    pub weights: Option<&'a [T]>,
    /// The rows that count, by number; all if absent.
    pub select: Option<&'a [u32]>,
}

impl<'a, T: Scalar> Dataset<'a, T> {
    /// All rows, each with weight 1.
    pub fn new(inputs: Inputs<'a, T>, targets: &'a [T]) -> Self {
        Self { inputs, targets, weights: None, select: None }
    }

    /// The numbers of the rows that count.
    pub(crate) fn rows(&self) -> impl Iterator<Item = u32> + use<'a, T> {
        let all = if self.select.is_some() { 0 } else { self.inputs.rows as u32 };
        self.select.unwrap_or_default().iter().copied().chain(0..all)
    }

    /// How many rows count.
    pub(crate) fn len(&self) -> usize {
        self.select.map_or(self.inputs.rows, <[u32]>::len)
    }

    /// The sum of the weights of the rows that count.
    pub(crate) fn total_weight(&self) -> f64 {
        self.rows().map(|row| self.weights.map_or(1.0, |weights| weights[row as usize].to_f64())).sum()
    }

    /// Compares everything with the network; the targets with the head's support.
    pub(crate) fn check(&self, spec: &NetworkSpec) -> Result<()> {
        self.inputs.check(spec)?;
        let width = spec.head.target_width(spec.outputs);
        expect_len("targets", self.inputs.rows * width, self.targets.len())?;
        if let Some(weights) = self.weights {
            expect_len("row weights", self.inputs.rows, weights.len())?;
        }
        let (mut total, mut y) = (0.0, Vec::with_capacity(width));
        for row in self.rows() {
            let row = row as usize;
            if row >= self.inputs.rows {
                return Err(Error::Shape { what: "selected row".into(), expected: self.inputs.rows, got: row });
            }
            y.clear();
            y.extend(self.targets[row * width..][..width].iter().map(|y| y.to_f64()));
            spec.head.check_targets(row, &y, spec.outputs)?;
            let weight = self.weights.map_or(1.0, |w| w[row].to_f64());
            if !(weight >= 0.0 && weight.is_finite()) {
                return Err(Error::Weight(format!("row {}: weight {weight} is not a finite number >= 0", row + 1)));
            }
            total += weight;
        }
        if total > 0.0 {
            return Ok(());
        }
        Err(Error::Weight("no row to learn from: there are none, or all weights are 0".into()))
    }
}

/// Rows of a [`Dataset`] in double precision, whatever theirs was; fields as there.
#[derive(Clone, Debug, Default)]
pub(crate) struct WideRows {
    pub(crate) count: usize,
    pub(crate) numeric: Vec<f64>,
    pub(crate) codes: Vec<u32>,
    pub(crate) offset: Option<Vec<f64>>,
    pub(crate) targets: Vec<f64>,
    pub(crate) weights: Option<Vec<f64>>,
}

impl WideRows {
    /// The rows of `data` that count.
    pub(crate) fn new<T: Scalar>(data: &Dataset<'_, T>) -> Self {
        let Inputs { rows, width, numeric, categories, codes, offset } = data.inputs;
        let numbers: Vec<usize> = data.rows().map(|row| row as usize).collect();
        let part = |values: &[T], width: usize| -> Vec<f64> {
            numbers.iter().flat_map(|&row| &values[row * width..][..width]).map(|x| x.to_f64()).collect()
        };
        Self {
            count: numbers.len(),
            numeric: numeric.widen(width, numbers.iter().copied()),
            codes: numbers.iter().flat_map(|&row| &codes[row * categories..][..categories]).copied().collect(),
            offset: offset.map(|offset| part(offset, 1)),
            targets: part(data.targets, data.targets.len() / rows.max(1)),
            weights: data.weights.map(|weights| part(weights, 1)),
        }
    }

    /// The same as the engine takes it.
    pub(crate) fn dataset(&self, spec: &NetworkSpec) -> Dataset<'_, f64> {
        let inputs = Inputs {
            rows: self.count,
            width: spec.inputs,
            numeric: Matrix::Dense(&self.numeric),
            categories: spec.embeddings.len(),
            codes: &self.codes,
            offset: self.offset.as_deref(),
        };
        Dataset { inputs, targets: &self.targets, weights: self.weights.as_deref(), select: None }
    }

    pub(crate) fn weight(&self, row: usize) -> f64 {
        self.weights.as_ref().map_or(1.0, |weights| weights[row])
    }
}

/// The targets, weights and offsets of some rows, gathered; weights and offsets are empty where there are none.
pub(crate) struct Batch<T> {
    targets: Vec<T>,
    width: usize,
    weights: Vec<T>,
    offset: Vec<T>,
}

impl<T: Scalar> Batch<T> {
    /// Room for `capacity` rows of `width` targets.
    pub(crate) fn new(capacity: usize, width: usize) -> Self {
        Self {
            targets: Vec::with_capacity(capacity * width),
            width,
            weights: Vec::with_capacity(capacity),
            offset: Vec::with_capacity(capacity),
        }
    }

    /// Gathers targets and weights of the selected rows.
    pub(crate) fn load(&mut self, data: &Dataset<'_, T>, select: &[u32]) {
        self.targets.clear();
        if self.width == 1 {
            self.targets.extend(select.iter().map(|&row| data.targets[row as usize]));
        } else {
            for &row in select {
                self.targets.extend_from_slice(&data.targets[row as usize * self.width..][..self.width]);
            }
        }
        gather(&mut self.weights, data.weights, select);
    }

    /// Gathers the offsets of the selected rows.
    pub(crate) fn load_offset(&mut self, inputs: &Inputs<'_, T>, select: &[u32]) {
        gather(&mut self.offset, inputs.offset, select);
    }

    pub(crate) fn y(&self) -> Rows<'_, T> {
        Rows {
            targets: &self.targets,
            width: self.width,
            weights: Some(self.weights.as_slice()).filter(|w| !w.is_empty()),
            offset: Some(self.offset.as_slice()).filter(|o| !o.is_empty()),
        }
    }
}

fn gather<T: Scalar>(to: &mut Vec<T>, from: Option<&[T]>, select: &[u32]) {
    to.clear();
    if let Some(from) = from {
        to.extend(select.iter().map(|&row| from[row as usize]));
    }
}
