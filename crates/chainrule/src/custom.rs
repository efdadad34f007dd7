//! What a user may bring: an activation or a head of their own, as functions of slices.
//!
//! Either becomes part of a network through [`Verified`](crate::check::Verified), which checks its derivatives first.

use crate::check::Complex;

/// An element-wise activation.
pub trait CustomActivation: Send + Sync + 'static {
    /// A name for messages.
    fn name(&self) -> &str;

    /// h = phi(z), element by element; the slices are equally long.
    fn phi(&self, z: &[f64], h: &mut [f64]);

    /// phi'(z), element by element.
    fn phi_prime(&self, z: &[f64], slope: &mut [f64]);

    /// phi(z) on complex numbers, where it continues to them: its derivative is then checked to the last digits, else by
    /// differences.
    fn phi_complex(&self, z: Complex) -> Option<Complex> {
        let _ = z;
        None
    }
}

/// A head: the cost of one row and its derivative.
pub trait CustomHead: Send + Sync + 'static {
    /// A name for messages.
    fn name(&self) -> &str;

    /// J(y, z) of one row, a sum over its targets; `delta` becomes dJ/dz.
    fn cost_and_delta(&self, z: &[f64], y: &[f64], delta: &mut [f64]) -> f64;

    /// The prediction o(z) of one row, as many numbers as outputs.
    fn mean(&self, z: &[f64], o: &mut [f64]);

    /// [`cost_and_delta`](Self::cost_and_delta) of as many rows as there are `costs`, one behind the other in each slice: for heads
    /// to which a call is dear.
    fn cost_and_delta_of_rows(&self, z: &[f64], y: &[f64], delta: &mut [f64], costs: &mut [f64]) {
        let (outputs, width) = (z.len() / costs.len().max(1), y.len() / costs.len().max(1));
        for (row, cost) in costs.iter_mut().enumerate() {
            let (z, delta) = (&z[row * outputs..][..outputs], &mut delta[row * outputs..][..outputs]);
            *cost = self.cost_and_delta(z, &y[row * width..][..width], delta);
        }
    }

    /// [`mean`](Self::mean) of rows of `outputs` outputs, one behind the other.
    fn mean_of_rows(&self, outputs: usize, z: &[f64], o: &mut [f64]) {
        z.chunks_exact(outputs).zip(o.chunks_exact_mut(outputs)).for_each(|(z, o)| self.mean(z, o));
    }

    /// Numbers in a row of targets for a network with `outputs` outputs.
    fn target_width(&self, outputs: usize) -> usize {
        outputs
    }

    /// Whether `y` can be a target.
    fn takes(&self, y: f64) -> bool {
        let _ = y;
        true
    }

    /// A row of possible targets for `outputs` outputs, from random numbers in [0, 1), to check the derivatives with.
    fn example(&self, outputs: usize, uniform: &mut dyn FnMut() -> f64) -> Vec<f64>;

    /// J(y, z) on complex numbers, where it continues to them, as for
    /// [`CustomActivation::phi_complex`].
    fn cost_complex(&self, z: &[Complex], y: &[f64]) -> Option<Complex> {
        let _ = (z, y);
        None
    }
}
