//! What the functions need to know about a number type; `coefficients.rs` has the numbers.

/// Layout, constants and polynomials (the highest power first) of a number type.
pub trait Constants: Sized + 'static {
    /// Stored bits of the significand.
    const MANTISSA_BITS: u32;
    /// What is added to the exponent where it is stored.
    const EXPONENT_BIAS: u64;
    /// The sign bit.
    const SIGN_BIT: u64;
    /// The least normal number.
    const MIN_POSITIVE: Self;
    /// Infinity.
    const INFINITY: Self;

    /// e^x is 0 from here down.
    const EXP_MIN: Self;
    /// e^x is infinite from here up.
    const EXP_MAX: Self;
    /// e^x - 1 is -1 from here down.
    const EXPM1_MIN: Self;
    /// tanh is 1 from here up.
    const TANH_MAX: Self;
    /// erf is 1 from here up.
    const ERF_MAX: Self;

    /// 1 / ln 2
    const LOG2_E: Self;
    /// ln 2 as a sum.
    const LN_2: [Self; 2];
    /// 2 / pi
    const FRAC_2_PI: Self;
    /// pi / 2 as a sum.
    const FRAC_PI_2: [Self; 3];

    /// (e^r - 1 - r) / r^2 for |r| <= ln 2 / 2
    const EXP: &'static [Self];
    /// (ln(1 + f) - f + f^2 / 2) / f^3 for 1 + f from the root of 1/2 to the root of 2
    const LN: &'static [Self];
    /// (ln(1 + e) - e) / e^2 for e from 0 to 1
    const LN_UNIT: &'static [Self];
    /// (tanh x - x) / x^3 in x^2 for |x| <= 0.56
    const TANH: &'static [Self];
    /// erf(x) / x - 1 in x^2 for |x| <= 1
    const ERF: &'static [Self];
    /// -ln(1 - erf x) / x - 1 for x from 1 to `ERF_MAX`
    const ERFC: &'static [Self];
    /// (sin r - r) / r^3 in r^2 for |r| <= pi / 4
    const SIN: &'static [Self];
    /// (cos r - 1 + r^2 / 2) / r^4 in r^2 for |r| <= pi / 4
    const COS: &'static [Self];
}
