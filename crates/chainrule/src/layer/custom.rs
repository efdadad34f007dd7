//! The activation of a user: the layer's product gives z, and this pass, in double precision, phi(z) and phi'(z).

use super::dropout::Mask;
use crate::custom::CustomActivation;
use crate::kernel::{Isa, Tile, index, panel_count};
use crate::scalar::Scalar;

/// Replaces z in `h` (rows x width, in panels) by phi(z), and `slope`, if given, by phi'(z), both times the dropout mask
/// if there is one.
pub(crate) fn activate<T: Scalar>(
    f: &dyn CustomActivation,
    isa: Isa,
    (rows, width): (usize, usize),
    h: &mut [T],
    mut slope: Option<&mut [T]>,
    mask: Option<Mask>,
) {
    for panel in 0..panel_count::<T>(width) {
        let col = panel * T::PANEL;
        let cols = T::PANEL.min(width - col);
        let elements = || (0..rows).flat_map(|r| (0..cols).map(move |c| index::<T>(rows, r, col + c)));
        let z: Vec<f64> = elements().map(|at| h[at].to_f64()).collect();
        let mut out = vec![0.0; z.len()];
        f.phi(&z, &mut out);
        elements().zip(&out).for_each(|(at, &x)| h[at] = T::from_f64(x));
        let Some(slope) = slope.as_deref_mut() else { continue };
        f.phi_prime(&z, &mut out);
        elements().zip(&out).for_each(|(at, &x)| slope[at] = T::from_f64(x));
        if let Some(mask) = mask {
            let at = index::<T>(rows, 0, col);
            let tile = Tile { offset: at, row: 0, rows, col, cols };
            let panel = at..at + rows * T::PANEL;
            mask.apply(isa, tile, width, [&mut h[panel.clone()], &mut slope[panel]]);
        }
    }
}
