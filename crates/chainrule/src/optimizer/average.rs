//! The average of the parameters over the steps.

use crate::error::{Result, expect_len};
use crate::kernel::{Buffer, Isa, Simd, VectorFn, map_all};
use crate::scalar::Scalar;

/// The exponential moving average of the parameters after each step: sum decay^(t-i) w_i / sum decay^(t-i). Divided by the sum of
/// its factors, as Adam's means are, so that the first steps are no part of it for longer than they should.
pub(crate) struct Average<T> {
    decay: f64,
    /// decay^t, t the steps done.
    power: f64,
    mean: Buffer<T>,
}

impl<T: Scalar> Average<T> {
    pub(crate) fn new(decay: f64, parameters: &Buffer<T>) -> Self {
        Self { decay, power: 1.0, mean: parameters.clone() }
    }

    /// decay^t and the mean.
    pub(crate) fn numbers(&self) -> (f64, Vec<T>) {
        (self.power, self.mean.to_vec())
    }

    /// Takes over what [`numbers`](Self::numbers) gave, if it is as long.
    pub(crate) fn set_numbers(&mut self, (power, mean): &(f64, Vec<T>)) -> Result<()> {
        expect_len("averaged parameters", self.mean.len(), mean.len())?;
        self.power = *power;
        self.mean.copy_from_slice(mean);
        Ok(())
    }

    /// Takes the parameters after a step in.
    pub(crate) fn add(&mut self, isa: Isa, parameters: &[T]) {
        self.power *= self.decay;
        let part = Toward(T::from_f64((1.0 - self.decay) / (1.0 - self.power)));
        map_all(isa, [&mut self.mean], [parameters], &part);
    }

    /// Exchanges the average and the parameters.
    pub(crate) fn exchange(&mut self, parameters: &mut Buffer<T>) {
        std::mem::swap(&mut self.mean, parameters);
    }
}

/// mean <- mean + part (w - mean)
#[derive(Clone, Copy)]
struct Toward<T>(T);

impl<T: Scalar> VectorFn<T, 1, 1> for Toward<T> {
    #[inline(always)]
    fn apply<S: Simd<T>>(&self, simd: S, [mean]: [S::Vector; 1], [w]: [S::Vector; 1]) -> [S::Vector; 1] {
        [simd.fma(simd.splat(self.0), simd.sub(w, mean), mean)]
    }
}
