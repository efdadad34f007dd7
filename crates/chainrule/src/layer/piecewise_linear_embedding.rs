//! The piecewise-linear embedding of TabM (Gorishniy et al. 2022, 2025): a number x becomes e = x w + b + V' p, with edges
//! b_0 < ... < b_J that are given and w, b and V (J x dimension) of its own for each feature.
//!
//! p_j = (x - b_j) / (b_(j+1) - b_j), kept within 0 and 1 but for the first bin, which has no lower bound, and the last, which has
//! no upper one; a number on an edge is of the bin above. So p is 1 in the bins below that of x, q = p_j in bin j itself and 0
//! above: V' p = C_j + q V_j, C_j the sum of the rows of V before j.
//!
//! With g = dJ/de: dJ/dw = Σ x g, dJ/db = Σ g, and V_j gets Σ q g over the rows of bin j and Σ g over the rows of all bins above.
//! dJ/dx = g'(w + V_j / (b_(j+1) - b_j)).

use std::ops::Range;

use super::numeric_embedding::FeatureColumns;
use crate::block::Block;
use crate::kernel::{Isa, Simd, VectorJob, index};
use crate::params::{Layout, Role};
use crate::scalar::Scalar;

/// Most bins of a feature.
pub(crate) const MOST_BINS: usize = 256;
/// Most elements of a vector.
const MOST_DIMENSIONS: usize = 16;

/// The embedding of some features.
pub(crate) struct PiecewiseLinearEmbedding {
    features: Vec<usize>,
    edges: Vec<Vec<f64>>,
    dimension: usize,
    /// Where w, b (features x dimension) and V (all features' bins x dimension) lie, each row-major.
    places: [Range<usize>; 3],
    /// The row of V that is each feature's first, and that behind the last.
    first_bins: Vec<usize>,
}

/// A feature's bins.
struct Bins<T> {
    /// The edges between them.
    inner: [T; MOST_BINS],
    count: usize,
    start: [T; MOST_BINS],
    width: [T; MOST_BINS],
}

impl<T: Scalar> Bins<T> {
    fn new(edges: &[f64]) -> Self {
        let count = edges.len() - 1;
        let mut bins =
            Self { inner: [T::ZERO; MOST_BINS], count, start: [T::ZERO; MOST_BINS], width: [T::ONE; MOST_BINS] };
        for (j, pair) in edges.windows(2).enumerate() {
            bins.start[j] = T::from_f64(pair[0]);
            bins.width[j] = T::from_f64(pair[1]) - T::from_f64(pair[0]);
            bins.inner[j] = T::from_f64(pair[1]);
        }
        bins
    }

    /// The bin j of x, and q.
    #[inline(always)]
    fn place(&self, x: T) -> (usize, T) {
        let mut bin = 0u32;
        for edge in &self.inner[..self.count - 1] {
            bin += u32::from(*edge <= x);
        }
        let bin = bin as usize;
        (bin, (x - self.start[bin]) / self.width[bin])
    }
}

impl PiecewiseLinearEmbedding {
    pub(crate) fn new<T: Scalar>(
        features: &[usize],
        edges: &[Vec<f64>],
        dimension: usize,
        layout: &mut Layout,
    ) -> Self {
        let mut first_bins = vec![0];
        edges.iter().for_each(|edges| first_bins.push(first_bins[first_bins.len() - 1] + edges.len() - 1));
        let mut push = |name: &str, role, rows| {
            let view = layout.push::<T>(format!("numeric_embedding.{name}"), role, rows, dimension);
            layout.views[view].range()
        };
        let places = [
            push("weight", Role::NumericSlope, features.len()),
            push("bias", Role::NumericBias, features.len()),
            push("bins", Role::NumericWeight, first_bins[features.len()]),
        ];
        Self { features: features.to_vec(), edges: edges.to_vec(), dimension, places, first_bins }
    }

    /// w, b and V of feature number `i` of those that are embedded.
    fn parameters<'a, T>(&self, flat: &'a [T], i: usize) -> [&'a [T]; 3] {
        let [weight, bias, bins] = self.places.each_ref().map(|place| &flat[place.clone()]);
        let (n, bin) = (self.dimension, self.first_bins[i]);
        [&weight[i * n..][..n], &bias[i * n..][..n], &bins[bin * n..self.first_bins[i + 1] * n]]
    }

    /// e of all rows into the first columns of `out`.
    pub(crate) fn forward<T: Scalar>(
        &self,
        isa: Isa,
        rows: usize,
        parameters: &[T],
        x: &FeatureColumns<T>,
        out: &mut [T],
    ) {
        for (i, &feature) in self.features.iter().enumerate() {
            let parameters = self.parameters(parameters, i);
            let (bins, x) = (Bins::new(&self.edges[i]), &x.feature(feature)[..rows]);
            let e = &mut out[index::<T>(rows, 0, i * self.dimension)..];
            T::dispatch(isa, Forward { bins: &bins, parameters, x, e });
        }
    }

    /// dJ/dx of feature number `i` of those that are embedded, for the rows of a block.
    pub(crate) fn input_delta<T: Scalar>(&self, _: Isa, i: usize, parameters: &[T], block: &Block<T>, dx: &mut [T]) {
        let ([weight, _, table], bins) = (self.parameters(parameters, i), Bins::new(&self.edges[i]));
        let x = block.features.feature(self.features[i]);
        for (row, dx) in dx.iter_mut().enumerate().take(block.rows) {
            let (bin, _) = bins.place(x[row]);
            *dx = T::ZERO;
            for d in 0..self.dimension {
                let slope = weight[d] + table[bin * self.dimension + d] / bins.width[bin];
                *dx += block.delta[0][index::<T>(block.rows, row, i * self.dimension + d)] * slope;
            }
        }
    }

    /// Sums of all features, and of one.
    #[allow(clippy::extra_unused_type_parameters)] // As the other kind's, which needs it.
    pub(crate) fn sums<T: Scalar>(&self) -> (usize, usize) {
        let most = self.edges.iter().map(Vec::len).max().unwrap_or(1) - 1;
        let piece = (2 + 2 * most) * self.dimension;
        (self.features.len() * piece, piece)
    }

    /// Of feature number `i` Σ x g, Σ g, and for each bin Σ q g and Σ g of its rows, over the rows of all blocks in order.
    pub(crate) fn add_to_sums<T: Scalar>(&self, isa: Isa, i: usize, _: &[T], blocks: &[Block<T>], sums: &mut [T]) {
        let bins = Bins::new(&self.edges[i]);
        for block in blocks {
            let g = &block.delta[0][index::<T>(block.rows, 0, i * self.dimension)..];
            let x = &block.features.feature(self.features[i])[..block.rows];
            T::dispatch(isa, Gradient { bins: &bins, dimension: self.dimension, x, g, sums });
        }
    }

    /// Puts the finished sums where they belong in the gradient.
    pub(crate) fn finish<T: Scalar>(&self, sums: &[T], gradient: &mut [T]) {
        let (n, (_, piece)) = (self.dimension, self.sums::<T>());
        let [weight, bias, table] = self.places.each_ref().map(|place| place.start);
        for (i, sums) in sums.chunks_exact(piece).enumerate() {
            gradient[weight + i * n..][..n].copy_from_slice(&sums[..n]);
            gradient[bias + i * n..][..n].copy_from_slice(&sums[n..2 * n]);
            let bins = &sums[2 * n..];
            for d in 0..n {
                let mut above = T::ZERO;
                for bin in (0..self.edges[i].len() - 1).rev() {
                    let within = bins[2 * bin * n + d];
                    gradient[table + (self.first_bins[i] + bin) * n + d] = within + above;
                    above += bins[(2 * bin + 1) * n + d];
                }
            }
        }
    }
}

/// e of one feature for all rows.
struct Forward<'a, T> {
    bins: &'a Bins<T>,
    parameters: [&'a [T]; 3],
    x: &'a [T],
    /// From the first element of the first row on.
    e: &'a mut [T],
}

impl<T: Scalar> VectorJob<T> for Forward<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<T>>(self, _: S) {
        let Self { bins, parameters: [weight, bias, table], x, e } = self;
        let n = weight.len();
        // b + C_j
        let mut below = [T::ZERO; MOST_BINS * MOST_DIMENSIONS];
        below[..n].copy_from_slice(bias);
        for j in 1..bins.count {
            for d in 0..n {
                below[j * n + d] = below[(j - 1) * n + d] + table[(j - 1) * n + d];
            }
        }
        for (row, &x) in x.iter().enumerate() {
            let (bin, q) = bins.place(x);
            let e = &mut e[row * T::PANEL..][..n];
            let (below, table) = (&below[bin * n..][..n], &table[bin * n..][..n]);
            for (d, e) in e.iter_mut().enumerate() {
                *e = x.mul_add(weight[d], q.mul_add(table[d], below[d]));
            }
        }
    }
}

/// The sums of one feature over the rows of a block.
struct Gradient<'a, T> {
    bins: &'a Bins<T>,
    dimension: usize,
    x: &'a [T],
    /// From the first element of the first row on.
    g: &'a [T],
    sums: &'a mut [T],
}

impl<T: Scalar> VectorJob<T> for Gradient<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<T>>(self, _: S) {
        let Self { bins, dimension: n, x, g, sums } = self;
        let (linear, of_bins) = sums.split_at_mut(2 * n);
        for (row, &x) in x.iter().enumerate() {
            let (bin, q) = bins.place(x);
            let g = &g[row * T::PANEL..][..n];
            let (by_weight, by_bias) = linear.split_at_mut(n);
            let (within, all) = of_bins[2 * bin * n..][..2 * n].split_at_mut(n);
            for (d, &g) in g.iter().enumerate() {
                by_weight[d] = x.mul_add(g, by_weight[d]);
                by_bias[d] += g;
                within[d] = q.mul_add(g, within[d]);
                all[d] += g;
            }
        }
    }
}
