//! A user's own head: a function of rows in double precision, whatever the network's precision.

use super::{Likelihood, Rows};
use crate::check::Verified;
use crate::custom::CustomHead;
use crate::kernel::{Columns, Simd, lanes_from, to_lanes};
use crate::scalar::Scalar;

/// Calls the user's functions for as many rows as a register has lanes.
pub(super) struct Custom(pub(super) Verified<dyn CustomHead>);

/// The rows in use as doubles, one behind the other.
fn read<T: Scalar, S: Simd<T>>(simd: S, z: &Columns<'_, T>) -> Vec<f64> {
    let columns: Vec<[T; 32]> = (0..z.width()).map(|k| to_lanes(simd, z.get(simd, k))).collect();
    (0..z.count).flat_map(|i| columns.iter().map(move |column| column[i].to_f64())).collect()
}

fn write<T: Scalar, S: Simd<T>>(simd: S, z: &mut Columns<'_, T>, rows: &[f64]) {
    let width = z.width();
    for k in 0..width {
        z.set(simd, k, lanes_from(simd, z.count, |i| T::from_f64(rows[i * width + k])));
    }
}

impl Likelihood for Custom {
    #[inline(always)]
    fn cost_and_delta<T: Scalar, S: Simd<T>>(&self, simd: S, z: &mut Columns<'_, T>, y: Rows<'_, T>) -> S::Vector {
        let rows = read(simd, z);
        let targets = &y.targets[z.first * y.width..][..z.count * y.width];
        let targets: Vec<f64> = targets.iter().map(|y| y.to_f64()).collect();
        let (mut delta, mut costs) = (vec![0.0; rows.len()], vec![0.0; z.count]);
        self.0.cost_and_delta_of_rows(&rows, &targets, &mut delta, &mut costs);
        write(simd, z, &delta);
        lanes_from(simd, z.count, |i| T::from_f64(costs[i]))
    }

    #[inline(always)]
    fn mean<T: Scalar, S: Simd<T>>(&self, simd: S, z: &mut Columns<'_, T>) {
        let rows = read(simd, z);
        let mut o = vec![0.0; rows.len()];
        self.0.mean_of_rows(z.width(), &rows, &mut o);
        write(simd, z, &o);
    }
}
