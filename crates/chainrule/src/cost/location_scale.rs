//! Distributions of y = mu + sigma e: gaussian, laplace, huber, student_t.
//!
//! With u = (mu - y) / sigma, s = ln sigma and the standard density e^(-rho(u)) / C: J = rho(u) + s + ln C. With
//! psi = rho', dJ/dmu = psi(u) / sigma and dJ/ds = 1 - u psi(u), since du/ds = -u. The outputs are mu and, where it is
//! learned, s.

use super::Head;
use super::link::Second;
use super::scale::Scale;
use super::{Likelihood, Rows};
use crate::kernel::{Columns, Simd, math};
use crate::scalar::Scalar;
use crate::special::{LN_SQRT_2_PI, erf, ln_gamma};

/// rho.
#[derive(Clone, Copy)]
enum Errors {
    /// rho = u^2 / 2, C = sqrt(2 pi)
    Gaussian,
    /// rho = |u|, psi = sign u (0 at 0), C = 2
    Laplace,
    /// With threshold c: rho = u^2 / 2 where |u| <= c, c |u| - c^2 / 2 beyond; psi = u, but between -c and c;
    /// C = sqrt(2 pi) erf(c / sqrt 2) + 2 e^(-c^2 / 2) / c
    Huber(f64),
    /// With v degrees of freedom: rho = (v + 1) / 2 ln(1 + u^2 / v), psi = (v + 1) u / (v + u^2),
    /// C = sqrt(v pi) Gamma(v / 2) / Gamma((v + 1) / 2)
    StudentT(f64),
}

impl Errors {
    /// ln C
    fn ln_constant(self) -> f64 {
        match self {
            Self::Gaussian => LN_SQRT_2_PI,
            Self::Laplace => std::f64::consts::LN_2,
            Self::Huber(c) => {
                let inside = LN_SQRT_2_PI.exp() * erf(c * std::f64::consts::FRAC_1_SQRT_2);
                (inside + 2.0 * (-0.5 * c * c).exp() / c).ln()
            }
            Self::StudentT(v) => 0.5 * (v * std::f64::consts::PI).ln() + ln_gamma(0.5 * v) - ln_gamma(0.5 * v + 0.5),
        }
    }

    /// rho(u), psi(u)
    #[inline(always)]
    fn rho_psi<T: Scalar, S: Simd<T>>(self, simd: S, u: S::Vector) -> (S::Vector, S::Vector) {
        let number = |x: f64| simd.splat(T::from_f64(x));
        let (zero, half) = (number(0.0), number(0.5));
        match self {
            Self::Gaussian => (simd.mul(simd.mul(u, half), u), u),
            Self::Laplace => {
                let negative = simd.select(simd.lt(u, zero), number(-1.0), zero);
                (simd.abs(u), simd.select(simd.lt(zero, u), number(1.0), negative))
            }
            Self::Huber(c) => {
                let psi = simd.max(number(-c), simd.min(number(c), u));
                // psi (u - psi / 2) is u^2 / 2 inside and c |u| - c^2 / 2 outside.
                (simd.mul(psi, simd.fnma(half, psi, u)), psi)
            }
            Self::StudentT(v) => {
                let square = simd.mul(u, u);
                let log = math::log1p(simd, simd.div(square, number(v)));
                let psi = simd.div(simd.mul(u, number(v + 1.0)), simd.add(square, number(v)));
                (simd.mul(log, number(0.5 * (v + 1.0))), psi)
            }
        }
    }
}

/// One of these distributions.
pub(super) struct LocationScale {
    errors: Errors,
    ln_constant: f64,
    second: Second,
}

impl LocationScale {
    /// That of a head; gaussian for one that is none of them.
    pub(super) fn new(head: &Head) -> Self {
        let errors = match head {
            Head::Laplace { .. } => Errors::Laplace,
            Head::Huber { threshold, .. } => Errors::Huber(*threshold),
            Head::StudentT { degrees, .. } => Errors::StudentT(*degrees),
            _ => Errors::Gaussian,
        };
        let second = Second::new(head.scale().unwrap_or(Scale::Unit));
        Self { errors, ln_constant: errors.ln_constant(), second }
    }
}

impl Likelihood for LocationScale {
    #[inline(always)]
    fn cost_and_delta<T: Scalar, S: Simd<T>>(&self, simd: S, z: &mut Columns<'_, T>, y: Rows<'_, T>) -> S::Vector {
        let one = simd.splat(T::ONE);
        let targets = self.second.targets(z);
        let mut cost = simd.splat(T::from_f64(targets as f64 * self.ln_constant));
        for k in 0..targets {
            let (s, outside) = self.second.log(simd, z, k);
            let inverse = math::exp(simd, simd.neg(s));
            let u = simd.mul(simd.sub(z.get(simd, k), y.target(simd, z, k)), inverse);
            let (rho, psi) = self.errors.rho_psi(simd, u);
            cost = simd.add(cost, simd.add(simd.add(rho, s), simd.abs(outside)));
            z.set(simd, k, simd.mul(psi, inverse));
            self.second.set_slope(simd, z, k, outside, simd.fnma(u, psi, one));
        }
        cost
    }

    #[inline(always)]
    fn mean<T: Scalar, S: Simd<T>>(&self, simd: S, z: &mut Columns<'_, T>) {
        for k in 0..self.second.targets(z) {
            self.second.set_value(simd, z, k);
        }
    }
}
