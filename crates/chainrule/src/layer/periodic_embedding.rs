//! The periodic embedding of RealMLP (Holzmüller et al. 2024): a number x becomes e = [W' phi + b, x] with phi = cos(a) and
//! a_k = 2 pi w_k x + c_k, with w, c, W and b of its own for each feature.
//!
//! With g = dJ/de, the first elements of which belong to W' phi + b and the last, g_x, to x: dJ/db = Σ g and dJ/dW = Σ phi g' over
//! the rows. dJ/dphi = W g, and phi' = -sin(a), so with t = -sin(a) ⊙ W g: dJ/dc = Σ t, dJ/dw = 2 pi Σ x t, and
//! dJ/dx = g_x + 2 pi w't.

use std::f64::consts::TAU;
use std::ops::Range;

use super::numeric_embedding::FeatureColumns;
use crate::block::{Block, REGISTER};
use crate::kernel::{Isa, Simd, VectorJob, index, load, math, store, transpose_tile};
use crate::params::{Layout, Role};
use crate::scalar::Scalar;

/// Length of W' phi + b.
pub(crate) const PROJECTED: usize = 3;
/// Length of e.
pub(crate) const DIMENSION: usize = PROJECTED + 1;

/// Sums of a frequency over rows: t, x t, and phi g'.
const SUMS: usize = 2 + PROJECTED;

/// Room for a transposed tile: a panel's columns, each with as many rows as a panel has columns.
type Transposed<T> = [T; 1024];

/// The embedding of some features.
pub(crate) struct PeriodicEmbedding {
    features: Vec<usize>,
    frequencies: usize,
    /// Where w, c (features x frequencies), W (features x frequencies * 3) and b (features x 3) lie, each row-major.
    places: [Range<usize>; 4],
}

/// The parameters of one feature.
#[derive(Clone, Copy)]
struct Parameters<'a, T> {
    frequency: &'a [T],
    phase: &'a [T],
    /// (frequencies x 3), row-major.
    weight: &'a [T],
    bias: &'a [T],
}

impl PeriodicEmbedding {
    pub(crate) fn new<T: Scalar>(features: &[usize], frequencies: usize, layout: &mut Layout) -> Self {
        let mut push = |name: &str, role, cols| {
            let view = layout.push::<T>(format!("numeric_embedding.{name}"), role, features.len(), cols);
            layout.views[view].range()
        };
        let places = [
            push("frequency", Role::NumericWeight, frequencies),
            push("phase", Role::NumericBias, frequencies),
            push("weight", Role::NumericWeight, frequencies * PROJECTED),
            push("bias", Role::NumericBias, PROJECTED),
        ];
        Self { features: features.to_vec(), frequencies, places }
    }

    /// The parameters of feature number `i` of those that are embedded.
    fn parameters<'a, T>(&self, flat: &'a [T], i: usize) -> Parameters<'a, T> {
        let [frequency, phase, weight, bias] = self.places.each_ref().map(|place| &flat[place.clone()]);
        let n = self.frequencies;
        Parameters {
            frequency: &frequency[i * n..][..n],
            phase: &phase[i * n..][..n],
            weight: &weight[i * n * PROJECTED..][..n * PROJECTED],
            bias: &bias[i * PROJECTED..][..PROJECTED],
        }
    }

    /// e of all rows into the first columns of `out`. Rows lie across the lanes; tile by tile they are turned round.
    pub(crate) fn forward<T: Scalar>(
        &self,
        isa: Isa,
        rows: usize,
        parameters: &[T],
        x: &FeatureColumns<T>,
        out: &mut [T],
    ) {
        let mut tile: Transposed<T> = [T::ZERO; 1024];
        for (panel, features) in self.features.chunks(T::PANEL / DIMENSION).enumerate() {
            for row in (0..rows).step_by(T::PANEL) {
                for (i, &feature) in features.iter().enumerate() {
                    let parameters = self.parameters(parameters, panel * T::PANEL / DIMENSION + i);
                    let x = &x.feature(feature)[row..][..T::PANEL];
                    T::dispatch(isa, Forward { parameters, x, e: &mut tile[i * DIMENSION * T::PANEL..] });
                }
                let count = T::PANEL.min(rows - row);
                let to = &mut out[panel * rows * T::PANEL + row * T::PANEL..][..count * T::PANEL];
                transpose_tile(isa, &tile, features.len() * DIMENSION, to);
            }
        }
    }

    /// dJ/dx of feature number `i` of those that are embedded, into whole panels of `dx`.
    pub(crate) fn input_delta<T: Scalar>(&self, isa: Isa, i: usize, parameters: &[T], block: &Block<T>, dx: &mut [T]) {
        let mut g: Transposed<T> = [T::ZERO; 1024];
        for (panel, dx) in dx.chunks_exact_mut(T::PANEL).enumerate() {
            let first = panel * T::PANEL;
            for row in first..block.rows.min(first + T::PANEL) {
                for d in 0..DIMENSION {
                    g[d * T::PANEL + row - first] = block.delta[0][index::<T>(block.rows, row, i * DIMENSION + d)];
                }
            }
            let x = &block.features.feature(self.features[i])[first..][..T::PANEL];
            T::dispatch(isa, InputDelta { parameters: self.parameters(parameters, i), x, g: &g, dx });
        }
    }

    /// Sums of all features, and of a panel of them.
    pub(crate) fn sums<T: Scalar>(&self) -> (usize, usize) {
        (self.features.len() * self.feature_sums(), T::PANEL / DIMENSION * self.feature_sums())
    }

    /// The sums of a feature, each in as many parts as rows go round.
    fn feature_sums(&self) -> usize {
        (self.frequencies * SUMS + PROJECTED) * REGISTER
    }

    /// The sums over the rows of all blocks for the features of panel number `panel`. Row r adds to part r mod 16 of a sum, so that
    /// neither the blocks nor the length of a register makes a difference; the parts are added up at the end, in the first.
    pub(crate) fn add_to_sums<T: Scalar>(
        &self,
        isa: Isa,
        panel: usize,
        parameters: &[T],
        blocks: &[Block<T>],
        sums: &mut [T],
    ) {
        let mut tile: Transposed<T> = [T::ZERO; 1024];
        let (piece, first) = (self.feature_sums(), panel * T::PANEL / DIMENSION);
        for block in blocks {
            for row in (0..block.rows).step_by(T::PANEL) {
                let count = T::PANEL.min(block.rows - row);
                let from = &block.delta[0][(panel * block.rows + row) * T::PANEL..][..count * T::PANEL];
                transpose_tile(isa, from, count, &mut tile[..sums.len() / piece * DIMENSION * T::PANEL]);
                for (i, sums) in sums.chunks_exact_mut(piece).enumerate() {
                    let parameters = self.parameters(parameters, first + i);
                    let x = &block.features.feature(self.features[first + i])[row..][..T::PANEL];
                    let g = &tile[i * DIMENSION * T::PANEL..];
                    T::dispatch(isa, Gradient { parameters, x, g, sums });
                }
            }
        }
        for parts in sums.chunks_exact_mut(REGISTER) {
            for half in [8, 4, 2, 1] {
                (0..half).for_each(|i| parts[i] += parts[i + half]);
            }
        }
    }

    /// Puts the finished sums where they belong in the gradient.
    pub(crate) fn finish<T: Scalar>(&self, sums: &[T], gradient: &mut [T]) {
        let [frequency, phase, weight, bias] = self.places.each_ref().map(|place| place.start);
        for (i, sums) in sums.chunks_exact(self.feature_sums()).enumerate() {
            let sum = |number: usize| sums[number * REGISTER];
            for k in 0..self.frequencies {
                let at = i * self.frequencies + k;
                gradient[phase + at] = sum(k * SUMS);
                gradient[frequency + at] = T::from_f64(TAU) * sum(k * SUMS + 1);
                (0..PROJECTED).for_each(|d| gradient[weight + at * PROJECTED + d] = sum(k * SUMS + 2 + d));
            }
            let projected = |d: usize| sum(self.frequencies * SUMS + d);
            (0..PROJECTED).for_each(|d| gradient[bias + i * PROJECTED + d] = projected(d));
        }
    }
}

impl<T: Scalar> Parameters<'_, T> {
    /// a_k = 2 pi w_k x + c_k
    #[inline(always)]
    fn angle<S: Simd<T>>(&self, simd: S, k: usize, x: S::Vector) -> S::Vector {
        simd.fma(simd.splat(T::from_f64(TAU) * self.frequency[k]), x, simd.splat(self.phase[k]))
    }

    /// Row k of W.
    #[inline(always)]
    fn weights<S: Simd<T>>(&self, simd: S, k: usize) -> [S::Vector; PROJECTED] {
        let mut row = [simd.splat(T::ZERO); PROJECTED];
        for (d, w) in row.iter_mut().enumerate() {
            *w = simd.splat(self.weight[k * PROJECTED + d]);
        }
        row
    }

    /// t_k = -sin(a_k) (W g)_k, and phi_k.
    #[inline(always)]
    fn t_and_phi<S: Simd<T>>(&self, simd: S, k: usize, x: S::Vector, g: [S::Vector; PROJECTED]) -> [S::Vector; 2] {
        let [sin, cos] = math::sin_cos(simd, self.angle(simd, k, x));
        let [w0, w1, w2] = self.weights(simd, k);
        let by_phi = simd.fma(w2, g[2], simd.fma(w1, g[1], simd.mul(w0, g[0])));
        [simd.neg(simd.mul(sin, by_phi)), cos]
    }
}

/// Registers of elements `0..3` of a transposed tile.
#[inline(always)]
fn projected<T: Scalar, S: Simd<T>>(simd: S, tile: &[T], lane: usize) -> [S::Vector; PROJECTED] {
    let mut g = [simd.splat(T::ZERO); PROJECTED];
    for (d, g) in g.iter_mut().enumerate() {
        *g = load(simd, &tile[d * T::PANEL + lane..]);
    }
    g
}

/// e of a panel's height of rows, element by element.
struct Forward<'a, T> {
    parameters: Parameters<'a, T>,
    x: &'a [T],
    e: &'a mut [T],
}

impl<T: Scalar> VectorJob<T> for Forward<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<T>>(self, simd: S) {
        let Self { parameters, x, e } = self;
        for lane in (0..T::PANEL).step_by(S::LANES) {
            let x = load(simd, &x[lane..]);
            let mut sums = [simd.splat(T::ZERO); PROJECTED];
            for (sum, &b) in sums.iter_mut().zip(parameters.bias) {
                *sum = simd.splat(b);
            }
            for k in 0..parameters.frequency.len() {
                let phi = math::cos(simd, parameters.angle(simd, k, x));
                let weights = parameters.weights(simd, k);
                for (sum, w) in sums.iter_mut().zip(weights) {
                    *sum = simd.fma(w, phi, *sum);
                }
            }
            for (d, sum) in sums.into_iter().enumerate() {
                store(simd, sum, &mut e[d * T::PANEL + lane..]);
            }
            store(simd, x, &mut e[PROJECTED * T::PANEL + lane..]);
        }
    }
}

/// The sums of one feature over a panel's height of rows.
struct Gradient<'a, T> {
    parameters: Parameters<'a, T>,
    x: &'a [T],
    g: &'a [T],
    sums: &'a mut [T],
}

impl<T: Scalar> VectorJob<T> for Gradient<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<T>>(self, simd: S) {
        let Self { parameters, x, g, sums } = self;
        let frequencies = parameters.frequency.len();
        for lane in (0..T::PANEL).step_by(S::LANES) {
            let part = lane % REGISTER;
            let (x, g) = (load(simd, &x[lane..]), projected(simd, g, lane));
            for k in 0..frequencies {
                let [t, phi] = parameters.t_and_phi(simd, k, x, g);
                let sums = &mut sums[k * SUMS * REGISTER..][..SUMS * REGISTER];
                add(simd, t, &mut sums[part..]);
                multiply_add(simd, t, x, &mut sums[REGISTER + part..]);
                for (d, g) in g.into_iter().enumerate() {
                    multiply_add(simd, phi, g, &mut sums[(2 + d) * REGISTER + part..]);
                }
            }
            for (d, g) in g.into_iter().enumerate() {
                add(simd, g, &mut sums[(frequencies * SUMS + d) * REGISTER + part..]);
            }
        }
    }
}

#[inline(always)]
fn add<T: Scalar, S: Simd<T>>(simd: S, x: S::Vector, sum: &mut [T]) {
    store(simd, simd.add(load(simd, sum), x), sum);
}

#[inline(always)]
fn multiply_add<T: Scalar, S: Simd<T>>(simd: S, a: S::Vector, b: S::Vector, sum: &mut [T]) {
    store(simd, simd.fma(a, b, load(simd, sum)), sum);
}

/// dJ/dx of one feature for a panel's height of rows.
struct InputDelta<'a, T> {
    parameters: Parameters<'a, T>,
    x: &'a [T],
    g: &'a [T],
    dx: &'a mut [T],
}

impl<T: Scalar> VectorJob<T> for InputDelta<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<T>>(self, simd: S) {
        let Self { parameters, x, g, dx } = self;
        for lane in (0..T::PANEL).step_by(S::LANES) {
            let x = load(simd, &x[lane..]);
            let mut sum = load(simd, &g[PROJECTED * T::PANEL + lane..]);
            let g = projected(simd, g, lane);
            for k in 0..parameters.frequency.len() {
                let [t, _] = parameters.t_and_phi(simd, k, x, g);
                sum = simd.fma(simd.splat(T::from_f64(TAU) * parameters.frequency[k]), t, sum);
            }
            store(simd, sum, &mut dx[lane..]);
        }
    }
}
