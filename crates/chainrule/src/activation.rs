//! Activations: phi and phi' side by side, one [`Pair`] each.
//!
//! phi' is written as a function of h = phi(z) where that is possible, so that the backward pass needs nothing but the
//! activations; for the others (gelu, silu, mish) it is a function of z and kept by the forward pass.

use std::marker::PhantomData;

use serde::{Deserialize, Serialize};

use crate::check::Verified;
use crate::custom::CustomActivation;
use crate::kernel::{Isa, Simd, VectorFn, map_all, math};
use crate::scalar::Scalar;

/// An element-wise activation phi of Eq. (2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// z
    Identity,
    /// max(0, z)
    Relu,
    /// z where z > 0, else 0.01 z
    LeakyRelu,
    /// z where z > 0, else e^z - 1
    Elu,
    /// 1.0507 z where z > 0, else 1.0507 * 1.6733 (e^z - 1) (Klambauer et al. 2017)
    Selu,
    /// z Phi(z), Phi the normal distribution function (Hendrycks, Gimpel 2016)
    Gelu,
    /// z sigmoid(z)
    Silu,
    /// z tanh(ln(1 + e^z)) (Misra 2019)
    Mish,
    /// ln(1 + e^z)
    Softplus,
    /// tanh z
    Tanh,
    /// 1 / (1 + e^-z)
    Sigmoid,
    /// A user's own, which has passed the check of its derivative.
    #[serde(skip)]
    Custom(Verified<dyn CustomActivation>),
}

impl Activation {
    /// Every built-in activation.
    pub const ALL: [Self; 11] = [
        Self::Identity,
        Self::Relu,
        Self::LeakyRelu,
        Self::Elu,
        Self::Selu,
        Self::Gelu,
        Self::Silu,
        Self::Mish,
        Self::Softplus,
        Self::Tanh,
        Self::Sigmoid,
    ];

    /// The name in specifications and flags.
    pub fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Relu => "relu",
            Self::LeakyRelu => "leaky_relu",
            Self::Elu => "elu",
            Self::Selu => "selu",
            Self::Gelu => "gelu",
            Self::Silu => "silu",
            Self::Mish => "mish",
            Self::Softplus => "softplus",
            Self::Tanh => "tanh",
            Self::Sigmoid => "sigmoid",
            Self::Custom(f) => f.get().name(),
        }
    }
}

impl Activation {
    /// phi(z) and phi'(z) of a single number, by the code that training runs.
    pub fn value_and_slope(self, z: f64) -> (f64, f64) {
        if let Self::Custom(f) = self {
            let (mut h, mut slope) = ([0.0], [0.0]);
            f.phi(&[z], &mut h);
            f.phi_prime(&[z], &mut slope);
            return (h[0], slope[0]);
        }
        let (mut h, mut slope) = ([z; f64::PANEL], [0.0; f64::PANEL]);
        with_pair!(self, P => map_all(Isa::detect(), [&mut h, &mut slope], [], &ValueAndSlope(PhantomData::<P>)));
        (h[0], slope[0])
    }
}

/// (z, anything) -> (phi(z), phi'(z))
#[derive(Clone, Copy)]
pub(crate) struct ValueAndSlope<P>(pub(crate) PhantomData<P>);

impl<T: Scalar, P: Pair> VectorFn<T, 2, 0> for ValueAndSlope<P> {
    #[inline(always)]
    fn apply<S: Simd<T>>(&self, simd: S, [z, _]: [S::Vector; 2], []: [S::Vector; 0]) -> [S::Vector; 2] {
        let h = P::phi(simd, z);
        [h, P::phi_prime(simd, if P::FROM_OUTPUT { h } else { z })]
    }
}

/// phi and phi' of one activation, on whole registers.
pub(crate) trait Pair: Copy + Sync {
    /// Whether `phi_prime` takes h = phi(z) instead of z.
    const FROM_OUTPUT: bool;
    /// h = phi(z).
    fn phi<T: Scalar, S: Simd<T>>(simd: S, z: S::Vector) -> S::Vector;
    /// phi'(z), from h if `FROM_OUTPUT`, else from z.
    fn phi_prime<T: Scalar, S: Simd<T>>(simd: S, x: S::Vector) -> S::Vector;
}

/// Evaluates `$body` with the type `$pair` bound to the activation's [`Pair`].
macro_rules! with_pair {
    ($activation:expr, $pair:ident => $body:expr) => {{
        use $crate::activation::{self as pairs, Activation};
        macro_rules! with {
            ($name:ident) => {{
                type $pair = pairs::$name;
                $body
            }};
        }
        match $activation {
            Activation::Identity => with!(Identity),
            Activation::Relu => with!(Relu),
            Activation::LeakyRelu => with!(LeakyRelu),
            Activation::Elu => with!(Elu),
            Activation::Selu => with!(Selu),
            Activation::Gelu => with!(Gelu),
            Activation::Silu => with!(Silu),
            Activation::Mish => with!(Mish),
            Activation::Softplus => with!(Softplus),
            Activation::Tanh => with!(Tanh),
            Activation::Sigmoid => with!(Sigmoid),
            Activation::Custom(_) => with!(Custom),
        }
    }};
}
pub(crate) use with_pair;

/// A constant in every lane.
#[inline(always)]
fn all<T: Scalar, S: Simd<T>>(simd: S, x: f64) -> S::Vector {
    simd.splat(T::from_f64(x))
}

/// `yes` where x > 0, else `no`.
#[inline(always)]
fn where_positive<T: Scalar, S: Simd<T>>(simd: S, x: S::Vector, yes: S::Vector, no: S::Vector) -> S::Vector {
    simd.select(simd.lt(all(simd, 0.0), x), yes, no)
}

#[derive(Clone, Copy)]
pub(crate) struct Identity;
impl Pair for Identity {
    const FROM_OUTPUT: bool = true;
    #[inline(always)]
    fn phi<T: Scalar, S: Simd<T>>(_: S, z: S::Vector) -> S::Vector {
        z
    }
    #[inline(always)]
    fn phi_prime<T: Scalar, S: Simd<T>>(simd: S, _: S::Vector) -> S::Vector {
        all(simd, 1.0)
    }
}

#[derive(Clone, Copy)]
pub(crate) struct Relu;
impl Pair for Relu {
    const FROM_OUTPUT: bool = true;
    #[inline(always)]
    fn phi<T: Scalar, S: Simd<T>>(simd: S, z: S::Vector) -> S::Vector {
        // In this order a NaN stays a NaN.
        simd.max(all(simd, 0.0), z)
    }
    #[inline(always)]
    fn phi_prime<T: Scalar, S: Simd<T>>(simd: S, h: S::Vector) -> S::Vector {
        where_positive(simd, h, all(simd, 1.0), all(simd, 0.0))
    }
}

#[derive(Clone, Copy)]
pub(crate) struct LeakyRelu;
impl LeakyRelu {
    const SLOPE: f64 = 0.01;
}
impl Pair for LeakyRelu {
    const FROM_OUTPUT: bool = true;
    #[inline(always)]
    fn phi<T: Scalar, S: Simd<T>>(simd: S, z: S::Vector) -> S::Vector {
        where_positive(simd, z, z, simd.mul(z, all(simd, Self::SLOPE)))
    }
    #[inline(always)]
    fn phi_prime<T: Scalar, S: Simd<T>>(simd: S, h: S::Vector) -> S::Vector {
        where_positive(simd, h, all(simd, 1.0), all(simd, Self::SLOPE))
    }
}

#[derive(Clone, Copy)]
pub(crate) struct Elu;
impl Pair for Elu {
    const FROM_OUTPUT: bool = true;
    #[inline(always)]
    fn phi<T: Scalar, S: Simd<T>>(simd: S, z: S::Vector) -> S::Vector {
        where_positive(simd, z, z, math::expm1(simd, z))
    }
    #[inline(always)]
    fn phi_prime<T: Scalar, S: Simd<T>>(simd: S, h: S::Vector) -> S::Vector {
        let one = all(simd, 1.0);
        where_positive(simd, h, one, simd.add(h, one))
    }
}

#[derive(Clone, Copy)]
pub(crate) struct Selu;
impl Selu {
    const SCALE: f64 = 1.050_700_987_355_480_5;
    const SCALE_ALPHA: f64 = 1.758_099_340_847_376_6;
}
impl Pair for Selu {
    const FROM_OUTPUT: bool = true;
    #[inline(always)]
    fn phi<T: Scalar, S: Simd<T>>(simd: S, z: S::Vector) -> S::Vector {
        let negative = simd.mul(math::expm1(simd, z), all(simd, Self::SCALE_ALPHA));
        where_positive(simd, z, simd.mul(z, all(simd, Self::SCALE)), negative)
    }
    #[inline(always)]
    fn phi_prime<T: Scalar, S: Simd<T>>(simd: S, h: S::Vector) -> S::Vector {
        where_positive(simd, h, all(simd, Self::SCALE), simd.add(h, all(simd, Self::SCALE_ALPHA)))
    }
}

#[derive(Clone, Copy)]
pub(crate) struct Gelu;
impl Gelu {
    /// Phi(z) = (1 + erf(z / sqrt 2)) / 2
    #[inline(always)]
    fn distribution<T: Scalar, S: Simd<T>>(simd: S, z: S::Vector) -> S::Vector {
        let half = all(simd, 0.5);
        let erf = math::erf(simd, simd.mul(z, all(simd, std::f64::consts::FRAC_1_SQRT_2)));
        simd.fma(half, erf, half)
    }
}
impl Pair for Gelu {
    const FROM_OUTPUT: bool = false;
    #[inline(always)]
    fn phi<T: Scalar, S: Simd<T>>(simd: S, z: S::Vector) -> S::Vector {
        simd.mul(z, Self::distribution(simd, z))
    }
    #[inline(always)]
    fn phi_prime<T: Scalar, S: Simd<T>>(simd: S, z: S::Vector) -> S::Vector {
        // Phi(z) + z e^(-z^2 / 2) / sqrt(2 pi)
        let exp = math::exp(simd, simd.mul(simd.mul(z, z), all(simd, -0.5)));
        let density = simd.mul(exp, all(simd, 0.398_942_280_401_432_7));
        simd.fma(z, density, Self::distribution(simd, z))
    }
}

#[derive(Clone, Copy)]
pub(crate) struct Silu;
impl Pair for Silu {
    const FROM_OUTPUT: bool = false;
    #[inline(always)]
    fn phi<T: Scalar, S: Simd<T>>(simd: S, z: S::Vector) -> S::Vector {
        simd.mul(z, math::sigmoid(simd, z))
    }
    #[inline(always)]
    fn phi_prime<T: Scalar, S: Simd<T>>(simd: S, z: S::Vector) -> S::Vector {
        // s + z s (1 - s)
        let s = math::sigmoid(simd, z);
        simd.fma(simd.mul(z, s), simd.sub(all(simd, 1.0), s), s)
    }
}

#[derive(Clone, Copy)]
pub(crate) struct Mish;
impl Mish {
    /// e = e^z, 1 + e, r = 1 / (n + 2) and t = tanh(ln(1 + e^z)) = n r, with n = e (e + 2). From z = 40 on t is 1 in
    /// either precision, and n stays finite.
    #[inline(always)]
    fn parts<T: Scalar, S: Simd<T>>(simd: S, z: S::Vector) -> [S::Vector; 4] {
        let two = all(simd, 2.0);
        let e = math::exp(simd, simd.min(z, all(simd, 40.0)));
        let n = simd.mul(e, simd.add(e, two));
        let r = simd.div(all(simd, 1.0), simd.add(n, two));
        [e, simd.add(all(simd, 1.0), e), r, simd.mul(n, r)]
    }
}
impl Pair for Mish {
    const FROM_OUTPUT: bool = false;
    #[inline(always)]
    fn phi<T: Scalar, S: Simd<T>>(simd: S, z: S::Vector) -> S::Vector {
        let [_, _, _, t] = Self::parts(simd, z);
        simd.mul(z, t)
    }
    #[inline(always)]
    fn phi_prime<T: Scalar, S: Simd<T>>(simd: S, z: S::Vector) -> S::Vector {
        // t + z sigmoid(z) (1 - t^2), where sigmoid(z) (1 - t^2) = 4 e (1 + e) r^2
        let [e, e1, r, t] = Self::parts(simd, z);
        let slope = simd.mul(simd.mul(simd.mul(e, all(simd, 4.0)), simd.mul(e1, r)), r);
        simd.fma(z, slope, t)
    }
}

#[derive(Clone, Copy)]
pub(crate) struct Softplus;
impl Pair for Softplus {
    const FROM_OUTPUT: bool = true;
    #[inline(always)]
    fn phi<T: Scalar, S: Simd<T>>(simd: S, z: S::Vector) -> S::Vector {
        math::softplus(simd, z)
    }
    #[inline(always)]
    fn phi_prime<T: Scalar, S: Simd<T>>(simd: S, h: S::Vector) -> S::Vector {
        // sigmoid(z) = 1 - e^-h
        simd.neg(math::expm1(simd, simd.neg(h)))
    }
}

#[derive(Clone, Copy)]
pub(crate) struct Tanh;
impl Pair for Tanh {
    const FROM_OUTPUT: bool = true;
    #[inline(always)]
    fn phi<T: Scalar, S: Simd<T>>(simd: S, z: S::Vector) -> S::Vector {
        math::tanh(simd, z)
    }
    #[inline(always)]
    fn phi_prime<T: Scalar, S: Simd<T>>(simd: S, h: S::Vector) -> S::Vector {
        simd.fnma(h, h, all(simd, 1.0))
    }
}

#[derive(Clone, Copy)]
pub(crate) struct Sigmoid;
impl Pair for Sigmoid {
    const FROM_OUTPUT: bool = true;
    #[inline(always)]
    fn phi<T: Scalar, S: Simd<T>>(simd: S, z: S::Vector) -> S::Vector {
        math::sigmoid(simd, z)
    }
    #[inline(always)]
    fn phi_prime<T: Scalar, S: Simd<T>>(simd: S, h: S::Vector) -> S::Vector {
        simd.fnma(h, h, h)
    }
}

/// Leaves z as it is, for a pass of its own, `layer/custom.rs`, to replace.
#[derive(Clone, Copy)]
pub(crate) struct Custom;
impl Pair for Custom {
    const FROM_OUTPUT: bool = false;
    #[inline(always)]
    fn phi<T: Scalar, S: Simd<T>>(_: S, z: S::Vector) -> S::Vector {
        z
    }
    #[inline(always)]
    fn phi_prime<T: Scalar, S: Simd<T>>(simd: S, _: S::Vector) -> S::Vector {
        all(simd, 1.0)
    }
}
