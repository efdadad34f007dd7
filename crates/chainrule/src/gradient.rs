//! Whole gradients: the sink that keeps one, and sums over its elements.

use crate::compute::Compute;
use crate::kernel::{Buffer, Isa, Operands, Outers, Part, Tile, TileFn, outer_sums};
use crate::params::View;
use crate::scalar::Scalar;
use crate::topology::GradientSink;

/// The sink that adds to a gradient in the parameters' layout.
pub(crate) struct Store<T> {
    pub(crate) gradient: Buffer<T>,
}

impl<T: Scalar> Store<T> {
    /// Zero, for `len` parameters.
    pub(crate) fn zeros(len: usize) -> Self {
        Self { gradient: Buffer::zeros(len) }
    }
}

impl<T: Scalar> GradientSink<T> for Store<T> {
    fn layers(&mut self, compute: &mut Compute, shared: bool, operands: (&Outers, &dyn Operands<T>), _: &mut [T]) {
        let Compute { team, isa } = compute;
        // W does not change, and so W' stays.
        outer_sums(team, *isa, shared, operands.0, operands.1, [&mut self.gradient], &mut [], &Add);
    }

    fn others(&mut self, _: &mut Compute, _: &[View], gradient: &[T]) {
        self.gradient.iter_mut().zip(gradient).for_each(|(to, g)| *to += *g);
    }
}

struct Add;

impl<T: Scalar> TileFn<T, 1> for Add {
    fn apply(&self, _: Isa, _: Part, _: Tile, gradient: &mut [T], [to]: [&mut [T]; 1]) {
        to.iter_mut().zip(gradient).for_each(|(to, g)| *to += *g);
    }
}

/// Σ a b, in an order that depends on the length alone: eight running sums, then those.
pub(crate) fn dot<T: Scalar>(a: &[T], b: &[T]) -> f64 {
    let mut sums = [0.0; 8];
    // Of a length that the compiler knows, so that the sums stay in registers.
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    for (a, b) in a.iter().zip(b) {
        for (sum, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
            *sum += a.to_f64() * b.to_f64();
        }
    }
    for (sum, (a, b)) in sums.iter_mut().zip(a_rest.iter().zip(b_rest)) {
        *sum += a.to_f64() * b.to_f64();
    }
    sums.iter().sum()
}
