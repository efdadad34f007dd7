//! What a network is trained on: row-major matrices, and which of their rows.

use crate::cost::{Head, Rows};
use crate::error::{Error, Result, expect_len};
use crate::network::NetworkSpec;
use crate::scalar::Scalar;

/// The inputs of `rows` rows.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a, T> {
    /// Rows.
    pub rows: usize,
    /// Numeric features of a row.
    pub width: usize,
    /// (rows x width), row-major.
    pub numeric: &'a [T],
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
        Self { rows, width, numeric, categories: 0, codes: &[], offset: None }
    }

    /// The rows `first..first + count`.
    pub(crate) fn part(&self, first: usize, count: usize) -> Self {
        Self {
            rows: count,
            numeric: &self.numeric[first * self.width..][..count * self.width],
            codes: &self.codes[first * self.categories..][..count * self.categories],
            offset: self.offset.map(|offset| &offset[first..][..count]),
            ..*self
        }
    }

    /// Compares the sizes with the network's and looks for numbers that are not finite and codes that are too large.
    pub(crate) fn check(&self, spec: &NetworkSpec) -> Result<()> {
        expect_len("numeric features of a row", spec.inputs, self.width)?;
        expect_len("numeric inputs", self.rows * self.width, self.numeric.len())?;
        expect_len("categories of a row", spec.embeddings.len(), self.categories)?;
        expect_len("category codes", self.rows * self.categories, self.codes.len())?;
        if u32::try_from(self.rows).is_err() {
            return Err(Error::Setting(format!("at most {} rows, got {}", u32::MAX, self.rows)));
        }
        if let Some(at) = self.numeric.iter().position(|x| !x.is_finite()) {
            let (row, feature) = (at / self.width + 1, at % self.width + 1);
            return Err(Error::Input { row, feature, value: self.numeric[at].to_f64() });
        }
        for (at, &code) in self.codes.iter().enumerate() {
            let (row, j) = (at / self.categories + 1, at % self.categories);
            if code as usize >= spec.embeddings[j].levels {
                let what = format!("row {row}: code {code} of category {} (levels)", j + 1);
                return Err(Error::Shape { what, expected: spec.embeddings[j].levels, got: code as usize });
            }
        }
        if let Some(offset) = self.offset {
            expect_len("offsets", self.rows, offset.len())?;
            if let Some(row) = offset.iter().position(|x| !x.is_finite()) {
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

    pub(crate) fn target_width(&self) -> usize {
        self.targets.len().checked_div(self.inputs.rows).unwrap_or(0)
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

/// The targets, weights and offsets of one batch, gathered.
pub(crate) struct Batch<T> {
    targets: Vec<T>,
    width: usize,
    weights: Option<Vec<T>>,
    offset: Option<Vec<T>>,
    rows: usize,
    /// The constant part of the cost of each row of the data; empty if there is none.
    constants: Vec<f64>,
    /// That of this batch, with the rows' weights.
    constant: f64,
}

impl<T: Scalar> Batch<T> {
    /// Room for `capacity` rows of `data`, whose targets are for `head`.
    pub(crate) fn new(data: &Dataset<'_, T>, head: &Head, capacity: usize) -> Self {
        let width = data.target_width();
        let column = |wanted: bool| wanted.then(|| Vec::with_capacity(capacity));
        Self {
            targets: Vec::with_capacity(capacity * width),
            width,
            weights: column(data.weights.is_some()),
            offset: column(data.inputs.offset.is_some()),
            rows: 0,
            constants: head.constants(data),
            constant: 0.0,
        }
    }

    /// Gathers the selected rows.
    pub(crate) fn load(&mut self, data: &Dataset<'_, T>, select: &[u32]) {
        self.rows = select.len();
        self.targets.clear();
        for &row in select {
            self.targets.extend_from_slice(&data.targets[row as usize * self.width..][..self.width]);
        }
        for (to, from) in [(&mut self.weights, data.weights), (&mut self.offset, data.inputs.offset)] {
            if let (Some(to), Some(from)) = (to, from) {
                to.clear();
                to.extend(select.iter().map(|&row| from[row as usize]));
            }
        }
        if !self.constants.is_empty() {
            let weight = |row: usize| data.weights.map_or(1.0, |weights| weights[row].to_f64());
            self.constant = select.iter().map(|&row| weight(row as usize) * self.constants[row as usize]).sum();
        }
    }

    pub(crate) fn y(&self) -> Rows<'_, T> {
        Rows {
            targets: &self.targets,
            width: self.width,
            weights: self.weights.as_deref(),
            offset: self.offset.as_deref(),
            constant: self.constant,
        }
    }

    /// The sum of the rows' weights.
    pub(crate) fn total_weight(&self) -> f64 {
        match &self.weights {
            Some(weights) => weights.iter().map(|w| w.to_f64()).sum(),
            None => self.rows as f64,
        }
    }
}
