//! Numeric embeddings, restated from their formulas on complex numbers.

use super::complex::Complex;
use crate::layer::numeric_embedding::NumericEmbedding;

/// The vectors of all embedded features of a row `x`, with the parameters in their order, and the least distance of a feature
/// from a kink.
pub(super) fn numeric_embedding(
    embedding: &NumericEmbedding,
    parameters: &[Vec<Complex>],
    x: &[Complex],
) -> (Vec<Complex>, f64) {
    match embedding {
        NumericEmbedding::Periodic { features, frequencies, .. } => {
            let vector = |(i, &feature): (usize, &usize)| periodic(parameters, *frequencies, i, x[feature]);
            (features.iter().enumerate().flat_map(vector).collect(), f64::INFINITY)
        }
        NumericEmbedding::PiecewiseLinear { features, edges, dimension } => {
            let (mut h, mut kink, mut first) = (vec![], f64::INFINITY, 0);
            for (i, (&feature, edges)) in features.iter().zip(edges).enumerate() {
                let parts = parts(edges, x[feature]);
                for d in 0..*dimension {
                    let linear = x[feature] * parameters[0][i * dimension + d] + parameters[1][i * dimension + d];
                    let bins = parts.iter().enumerate();
                    h.push(bins.fold(linear, |e, (j, &p)| e + p * parameters[2][(first + j) * dimension + d]));
                }
                let inner = &edges[1..edges.len() - 1];
                kink = inner.iter().map(|edge| (edge - x[feature].re).abs()).fold(kink, f64::min);
                first += parts.len();
            }
            (h, kink)
        }
    }
}

/// [W' cos(2 pi w x + c) + b, x]
fn periodic(parameters: &[Vec<Complex>], frequencies: usize, feature: usize, x: Complex) -> Vec<Complex> {
    let [w, c, weight, b, ..] = parameters else { panic!("four parameters of an embedding") };
    let mut e = vec![];
    for d in 0..3 {
        let term = |k: usize| {
            let k = feature * frequencies + k;
            (w[k] * x * (2.0 * std::f64::consts::PI) + c[k]).cos() * weight[3 * k + d]
        };
        e.push((0..frequencies).fold(b[3 * feature + d], |e, k| e + term(k)));
    }
    e.push(x);
    e
}

/// How much of each bin lies below x; the first has no lower bound, the last no upper one. A number on an edge is of the bin above.
fn parts(edges: &[f64], x: Complex) -> Vec<Complex> {
    let bins = edges.len() - 1;
    let part = |j: usize| {
        if x.re < edges[j] && j > 0 {
            Complex::from(0.0)
        } else if x.re >= edges[j + 1] && j + 1 < bins {
            Complex::from(1.0)
        } else {
            (x - edges[j]) * (1.0 / (edges[j + 1] - edges[j]))
        }
    };
    (0..bins).map(part).collect()
}
