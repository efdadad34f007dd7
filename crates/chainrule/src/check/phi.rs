//! phi of every activation, restated from its formula on complex numbers.

use super::complex::Complex;
use super::differences::Difference;
use crate::activation::Activation;
use crate::special::erf;

/// phi(z).
pub(super) fn phi(activation: Activation, z: Complex) -> Complex {
    let zero = Complex::from(0.0);
    let positive = z.re > 0.0;
    match activation {
        Activation::Identity => z,
        Activation::Relu => {
            if positive {
                z
            } else {
                zero
            }
        }
        Activation::LeakyRelu => {
            if positive {
                z
            } else {
                z * 0.01
            }
        }
        Activation::Elu => {
            if positive {
                z
            } else {
                z.exp() - 1.0
            }
        }
        Activation::Selu => {
            const LAMBDA: f64 = 1.050_700_987_355_480_5;
            const ALPHA: f64 = 1.673_263_242_354_377_2;
            if positive { z * LAMBDA } else { (z.exp() - 1.0) * ALPHA * LAMBDA }
        }
        Activation::Gelu => {
            let x = z.re / std::f64::consts::SQRT_2;
            let slope = (-x * x).exp() * std::f64::consts::FRAC_2_SQRT_PI / std::f64::consts::SQRT_2;
            z * (z.through(erf(x), slope) + 1.0) * 0.5
        }
        Activation::Silu => z * sigmoid(z),
        Activation::Mish => z * softplus(z).tanh(),
        Activation::Softplus => softplus(z),
        Activation::Tanh => z.tanh(),
        Activation::Sigmoid => sigmoid(z),
        Activation::Custom(f) => f.phi_complex(z).unwrap_or_else(|| {
            let value = |x: f64| {
                let mut h = [0.0];
                f.phi(&[x], &mut h);
                h[0]
            };
            z.through(value(z.re), Difference::new(value, z.re).derivative)
        }),
    }
}

/// Whether phi' jumps at 0.
pub(super) fn has_kink(activation: Activation) -> bool {
    matches!(activation, Activation::Relu | Activation::LeakyRelu | Activation::Selu)
}

/// 1 / (1 + e^-z), with an exponential that cannot overflow.
pub(super) fn sigmoid(z: Complex) -> Complex {
    let one = Complex::from(1.0);
    if z.re < 0.0 { one - sigmoid(-z) } else { one / ((-z).exp() + 1.0) }
}

/// ln(1 + e^z), likewise.
pub(super) fn softplus(z: Complex) -> Complex {
    if z.re > 0.0 { z + (-z).exp().ln_1p() } else { z.exp().ln_1p() }
}
