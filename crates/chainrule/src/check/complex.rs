//! Complex numbers in double precision, no more of them than the complex step needs.

use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub};

/// re + i im.
///
/// The complex step (Squire, Trapp 1998): for an f that is real on the real axis and continues analytically,
/// f(x + i h) = f(x) + i h f'(x) + O(h^2), so Im f(x + i h) / h is f'(x) to the last digits: nothing is subtracted, and
/// with h = 1e-30 the rest is far below one rounding.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Complex {
    /// The real part.
    pub re: f64,
    /// The imaginary part.
    pub im: f64,
}

impl Complex {
    /// e^z.
    #[must_use]
    pub fn exp(self) -> Self {
        let (sin, cos) = self.im.sin_cos();
        let e = self.re.exp();
        Self { re: e * cos, im: e * sin }
    }

    /// cos(x + i y) = cos x cosh y - i sin x sinh y.
    #[must_use]
    pub fn cos(self) -> Self {
        let (sin, cos) = self.re.sin_cos();
        Self { re: cos * self.im.cosh(), im: -sin * self.im.sinh() }
    }

    /// The principal logarithm.
    #[must_use]
    pub fn ln(self) -> Self {
        Self { re: self.re.hypot(self.im).ln(), im: self.im.atan2(self.re) }
    }

    /// ln(1 + z), accurate for small z.
    #[must_use]
    pub fn ln_1p(self) -> Self {
        Self { re: self.re.ln_1p(), ..(self + 1.0).ln() }
    }

    /// tanh z = (1 - e^-2z) / (1 + e^-2z) for a real part > 0, and the odd continuation.
    #[must_use]
    pub fn tanh(self) -> Self {
        if self.re < 0.0 {
            return -(-self).tanh();
        }
        let e = (self * -2.0).exp();
        (Self::from(1.0) - e) / (e + 1.0)
    }

    /// A function of which the value and the derivative at the real part are known: f(x + i h) = f(x) + i h f'(x), which
    /// drops O(h^2). For functions that have no complex version here (erf, ln Gamma).
    #[must_use]
    pub fn through(self, value: f64, derivative: f64) -> Self {
        Self { re: value, im: self.im * derivative }
    }
}

impl From<f64> for Complex {
    fn from(re: f64) -> Self {
        Self { re, im: 0.0 }
    }
}

impl Add for Complex {
    type Output = Self;
    fn add(self, b: Self) -> Self {
        Self { re: self.re + b.re, im: self.im + b.im }
    }
}

impl Sub for Complex {
    type Output = Self;
    fn sub(self, b: Self) -> Self {
        Self { re: self.re - b.re, im: self.im - b.im }
    }
}

impl Mul for Complex {
    type Output = Self;
    fn mul(self, b: Self) -> Self {
        Self { re: self.re * b.re - self.im * b.im, im: self.re * b.im + self.im * b.re }
    }
}

impl Div for Complex {
    type Output = Self;
    fn div(self, b: Self) -> Self {
        let square = b.re * b.re + b.im * b.im;
        Self { re: (self.re * b.re + self.im * b.im) / square, im: (self.im * b.re - self.re * b.im) / square }
    }
}

impl Neg for Complex {
    type Output = Self;
    fn neg(self) -> Self {
        Self { re: -self.re, im: -self.im }
    }
}

impl Add<f64> for Complex {
    type Output = Self;
    fn add(self, b: f64) -> Self {
        Self { re: self.re + b, ..self }
    }
}

impl Sub<f64> for Complex {
    type Output = Self;
    fn sub(self, b: f64) -> Self {
        Self { re: self.re - b, ..self }
    }
}

impl Mul<f64> for Complex {
    type Output = Self;
    fn mul(self, b: f64) -> Self {
        Self { re: self.re * b, im: self.im * b }
    }
}

impl AddAssign for Complex {
    fn add_assign(&mut self, b: Self) {
        *self = *self + b;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_complex_step_gives_derivatives_to_the_last_digits() {
        const H: f64 = 1e-30;
        let at = |x: f64, f: fn(Complex) -> Complex| f(Complex { re: x, im: H }).im / H;
        let close = |a: f64, b: f64| assert!((a / b - 1.0).abs() < 1e-15, "{a} {b}");
        close(at(0.7, Complex::exp), 0.7f64.exp());
        close(at(0.7, Complex::ln), 1.0 / 0.7);
        close(at(1e-9, Complex::ln_1p), 1.0 / (1.0 + 1e-9));
        close(at(-0.4, Complex::tanh), 1.0 - 0.4f64.tanh().powi(2));
        close(at(0.7, Complex::cos), -0.7f64.sin());
        close(at(3.0, |z| Complex::from(1.0) / (z * z)), -2.0 / 27.0);
    }

    #[test]
    fn values_are_those_of_the_functions_in_the_whole_plane() {
        // exp(1 + 2i) and ln(1 + 2i) of mpmath.
        let z = Complex { re: 1.0, im: 2.0 };
        let close = |a: Complex, re: f64, im: f64| assert!((a.re - re).abs() + (a.im - im).abs() < 1e-15, "{a:?}");
        close(z.exp(), -1.131_204_383_756_814, 2.471_726_672_004_819);
        close(z.cos(), 2.032_723_007_019_666, -3.051_897_799_151_8);
        close(z.ln(), 0.804_718_956_217_050_2, 1.107_148_717_794_090_4);
        close(z.tanh(), 1.166_736_257_240_92, -0.243_458_201_185_725_3);
    }
}
