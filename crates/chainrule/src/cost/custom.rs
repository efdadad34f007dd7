//! A user's own head: a function of rows in double precision, whatever the network's precision.

use super::{Likelihood, Rows};
use crate::check::Verified;
use crate::custom::CustomHead;
use crate::kernel::{Columns, Simd, lanes_from, to_lanes};
use crate::scalar::Scalar;

/// Calls the user's functions row by row.
pub(super) struct Custom(pub(super) Verified<dyn CustomHead>);

/// (columns x lanes) as doubles.
fn read<T: Scalar, S: Simd<T>>(simd: S, z: &Columns<'_, T>) -> Vec<[f64; 32]> {
    (0..z.width()).map(|k| to_lanes(simd, z.get(simd, k)).map(Scalar::to_f64)).collect()
}

fn write<T: Scalar, S: Simd<T>>(simd: S, z: &mut Columns<'_, T>, columns: &[[f64; 32]]) {
    for (k, column) in columns.iter().enumerate() {
        z.set(simd, k, lanes_from(simd, z.count, |i| T::from_f64(column[i])));
    }
}

impl Likelihood for Custom {
    #[inline(always)]
    fn cost_and_delta<T: Scalar, S: Simd<T>>(&self, simd: S, z: &mut Columns<'_, T>, y: Rows<'_, T>) -> S::Vector {
        let mut columns = read(simd, z);
        let mut costs = [0.0; 32];
        let mut delta = vec![0.0; columns.len()];
        for (i, cost) in costs.iter_mut().enumerate().take(z.count) {
            let row: Vec<f64> = columns.iter().map(|column| column[i]).collect();
            let targets = &y.targets[(z.first + i) * y.width..][..y.width];
            let targets: Vec<f64> = targets.iter().map(|y| y.to_f64()).collect();
            *cost = self.0.cost_and_delta(&row, &targets, &mut delta);
            columns.iter_mut().zip(&delta).for_each(|(column, delta)| column[i] = *delta);
        }
        write(simd, z, &columns);
        lanes_from(simd, z.count, |i| T::from_f64(costs[i]))
    }

    #[inline(always)]
    fn mean<T: Scalar, S: Simd<T>>(&self, simd: S, z: &mut Columns<'_, T>) {
        let mut columns = read(simd, z);
        let mut o = vec![0.0; columns.len()];
        for i in 0..z.count {
            let row: Vec<f64> = columns.iter().map(|column| column[i]).collect();
            self.0.mean(&row, &mut o);
            columns.iter_mut().zip(&o).for_each(|(column, o)| column[i] = *o);
        }
        write(simd, z, &columns);
    }
}
