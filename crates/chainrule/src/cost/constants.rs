//! The parts of a cost that no network can change: ln y! of a count, the series of a Tweedie density. They are found once
//! for a data set and added to each batch's cost, so that training does not compute them again in every epoch.

use super::Head;
use crate::data::Dataset;
use crate::kernel::{Isa, Simd, VectorFn, map_all, math};
use crate::scalar::Scalar;

/// The constant part of each row's cost, times the row's weight, in a place for every row; empty if there is none.
///
/// In double precision and by the kernels' own functions: the same bits on every machine.
pub(crate) struct Constants(Vec<f64>);

impl Constants {
    /// Those of the rows of `data` that count.
    pub(crate) fn new<T: Scalar>(head: &Head, data: &Dataset<'_, T>) -> Self {
        let mut constants = match *head {
            Head::Poisson | Head::NegativeBinomial { .. } => sums(data, &LnFactorial),
            Head::Tweedie { power, dispersion } => {
                sums(data, &TweedieConstant::new(power, dispersion.number().unwrap_or(1.0)))
            }
            _ => vec![],
        };
        if let Some(weights) = data.weights {
            constants.iter_mut().zip(weights).for_each(|(constant, weight)| *constant *= weight.to_f64());
        }
        Self(constants)
    }

    /// The sum over the rows of these numbers.
    pub(crate) fn of(&self, rows: &[u32]) -> f64 {
        if self.0.is_empty() { 0.0 } else { rows.iter().map(|&row| self.0[row as usize]).sum() }
    }
}

/// The sum of f over the targets of each row.
fn sums<T: Scalar>(data: &Dataset<'_, T>, f: &impl VectorFn<f64, 1, 0>) -> Vec<f64> {
    let width = data.targets.len().checked_div(data.inputs.rows).unwrap_or(0).max(1);
    let rows: Vec<usize> = data.rows().map(|row| row as usize).collect();
    let targets = rows.iter().flat_map(|&row| &data.targets[row * width..][..width]);
    let mut values: Vec<f64> = targets.map(|y| y.to_f64()).collect();
    values.resize(values.len().next_multiple_of(f64::PANEL), 0.0);
    map_all(Isa::detect(), [&mut values], [], f);
    let mut constants = vec![0.0; data.inputs.rows];
    rows.iter().zip(values.chunks_exact(width)).for_each(|(&row, values)| constants[row] = values.iter().sum());
    constants
}

/// y -> ln y! = ln Gamma(y + 1)
#[derive(Clone, Copy)]
struct LnFactorial;

impl VectorFn<f64, 1, 0> for LnFactorial {
    #[inline(always)]
    fn apply<S: Simd<f64>>(&self, simd: S, [y]: [S::Vector; 1], []: [S::Vector; 0]) -> [S::Vector; 1] {
        [math::ln_gamma(simd, simd.add(y, simd.splat(1.0)))]
    }
}

/// y -> -ln a(y), the part of a Tweedie density without the mean (Dunn, Smyth 2005): a(0) = 1 and, with
/// b = (2 - p) / (p - 1), a(y) = sum_j W_j / y over j >= 1,
/// ln W_j = j [b ln y - ln(d (2 - p)) - b ln(d (p - 1))] - ln j! - ln Gamma(j b), d being the dispersion.
#[derive(Clone, Copy)]
struct TweedieConstant {
    power: f64,
    b: f64,
    dispersion: f64,
}

impl TweedieConstant {
    fn new(power: f64, dispersion: f64) -> Self {
        Self { power, b: (2.0 - power) / (power - 1.0), dispersion }
    }
}

impl VectorFn<f64, 1, 0> for TweedieConstant {
    /// From the largest term, at about j = y^(2-p) / (d (2 - p)), outwards until no lane gains anything.
    #[inline(always)]
    fn apply<S: Simd<f64>>(&self, simd: S, [y]: [S::Vector; 1], []: [S::Vector; 0]) -> [S::Vector; 1] {
        let number = |x: f64| simd.splat(x);
        let (zero, one) = (number(0.0), number(1.0));
        let (p, d) = (self.power, self.dispersion);
        let positive = simd.lt(zero, y);
        let ln_y = math::ln(simd, simd.select(positive, y, one));
        let factor = simd.fma(number(self.b), ln_y, number(-(d * (2.0 - p)).ln() - self.b * (d * (p - 1.0)).ln()));
        let log_w = |j: S::Vector| {
            let factorials =
                simd.add(math::ln_gamma(simd, simd.add(j, one)), math::ln_gamma(simd, simd.mul(j, number(self.b))));
            simd.sub(simd.mul(j, factor), factorials)
        };
        let peak = math::exp(simd, simd.mul(ln_y, number(2.0 - p)));
        // A sum with 1.5 * 2^52 is rounded to a whole number.
        let whole = number(1.5 * 2f64.powi(52));
        let peak = simd.sub(simd.fma(peak, number(1.0 / (d * (2.0 - p))), whole), whole);
        let peak = simd.max(one, peak);
        let largest = log_w(peak);
        let mut sum = one;
        for direction in [1.0, -1.0] {
            let mut j = simd.add(peak, number(direction));
            loop {
                let inside = simd.le(one, j);
                let term = math::exp(simd, simd.sub(log_w(simd.max(one, j)), largest));
                let term = simd.select(inside, term, zero);
                sum = simd.add(sum, term);
                if !simd.any(simd.lt(simd.mul(sum, number(1e-17)), term)) {
                    break;
                }
                j = simd.add(j, number(direction));
            }
        }
        let log = simd.add(largest, simd.sub(math::ln(simd, sum), ln_y));
        [simd.select(positive, simd.neg(log), zero)]
    }
}
