//! Special functions in plain double precision, term by term from their series: for distributions' quantiles and for the
//! check of derivatives, which must not share code with the kernels' own functions. Nothing here runs in training.

use std::f64::consts::{FRAC_2_SQRT_PI, PI};

/// ln sqrt(2 pi).
pub(crate) const LN_SQRT_2_PI: f64 = 0.918_938_533_204_672_8;

/// From here on Stirling's series with eight terms is exact to the last bit.
const STIRLING_FROM: f64 = 15.0;

/// B_2k / (2k (2k - 1)), k = 1..8: Stirling's series of ln Gamma (Abramowitz, Stegun 6.1.40).
const STIRLING: [f64; 8] = [
    1.0 / 12.0,
    -1.0 / 360.0,
    1.0 / 1260.0,
    -1.0 / 1680.0,
    1.0 / 1188.0,
    -691.0 / 360_360.0,
    1.0 / 156.0,
    -3617.0 / 122_400.0,
];

/// ln Gamma(x), x > 0: Stirling's series at x + n, less ln of x (x + 1) ... (x + n - 1).
pub(crate) fn ln_gamma(x: f64) -> f64 {
    let (mut x, mut product) = (x, 1.0);
    while x < STIRLING_FROM {
        product *= x;
        x += 1.0;
    }
    let square = 1.0 / (x * x);
    let series = STIRLING.iter().rev().fold(0.0, |sum, c| sum * square + c) / x;
    (x - 0.5) * x.ln() - x + LN_SQRT_2_PI + series - f64::ln(product)
}

/// psi(x) = d ln Gamma(x) / dx, x > 0: the derivative of the same series.
pub(crate) fn digamma(x: f64) -> f64 {
    let (mut x, mut sum) = (x, 0.0);
    while x < STIRLING_FROM {
        sum += 1.0 / x;
        x += 1.0;
    }
    let square = 1.0 / (x * x);
    let terms = STIRLING.iter().enumerate().rev();
    let series = terms.fold(0.0, |series, (k, c)| series * square + (2 * k + 1) as f64 * c) * square;
    x.ln() - 0.5 / x - series - sum
}

/// The error function: its series without cancellation (Abramowitz, Stegun 7.1.6), or 1 - erfc.
pub(crate) fn erf(x: f64) -> f64 {
    if x.abs() > 2.5 {
        return (1.0 - erfc(x.abs())).copysign(x);
    }
    let (mut term, mut sum, mut n) = (x, x, 0.0);
    while sum + term != sum || n == 0.0 {
        n += 1.0;
        term *= 2.0 * x * x / (2.0 * n + 1.0);
        sum += term;
    }
    FRAC_2_SQRT_PI * (-x * x).exp() * sum
}

/// 1 - erf x, to full relative precision for large x by the continued fraction 7.1.14.
pub(crate) fn erfc(x: f64) -> f64 {
    if x < 2.5 {
        return 1.0 - erf(x);
    }
    let fraction = (1..=60).rev().fold(x, |tail, k| x + 0.5 * f64::from(k) / tail);
    (-x * x).exp() / (fraction * PI.sqrt())
}

/// P(X <= x) of the standard normal distribution.
pub(crate) fn normal_cdf(x: f64) -> f64 {
    0.5 * erfc(-x * std::f64::consts::FRAC_1_SQRT_2)
}

/// The standard normal quantile, 0 < p < 1: Newton's steps on ln Phi, which is concave, so that they cannot diverge.
pub(crate) fn normal_quantile(p: f64) -> f64 {
    if p > 0.5 {
        return -normal_quantile(1.0 - p);
    }
    let mut x = (p / (1.0 - p)).ln() / 1.7;
    for _ in 0..100 {
        let phi = normal_cdf(x);
        let density = (-0.5 * x * x - LN_SQRT_2_PI).exp();
        let step = (phi / p).ln() * phi / density;
        x -= step;
        if step.abs() <= 1e-15 * x.abs() {
            break;
        }
    }
    x
}

/// The regularised incomplete gamma function P(a, x): its series for x < a + 1, else one minus [`gamma_q`].
pub(crate) fn gamma_p(a: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= a + 1.0 {
        return 1.0 - gamma_q(a, x);
    }
    let (mut term, mut sum, mut n) = (1.0 / a, 1.0 / a, a);
    while term > 1e-17 * sum {
        n += 1.0;
        term *= x / n;
        sum += term;
    }
    sum * (a * x.ln() - x - ln_gamma(a)).exp()
}

/// Q(a, x) = 1 - P(a, x) by Legendre's continued fraction.
pub(crate) fn gamma_q(a: f64, x: f64) -> f64 {
    if x < a + 1.0 {
        return 1.0 - gamma_p(a, x);
    }
    let numerator = |k: f64| k * (a - k);
    let fraction = continued_fraction(x + 1.0 - a, |k| (numerator(k), x + 2.0 * k + 1.0 - a));
    (a * x.ln() - x - ln_gamma(a)).exp() / fraction
}

/// b_0 + a_1 / (b_1 + a_2 / (b_2 + ...)) by the method of Lentz (1976); `terms(k)` is (a_k, b_k).
fn continued_fraction(b0: f64, terms: impl Fn(f64) -> (f64, f64)) -> f64 {
    const TINY: f64 = 1e-290;
    let away = |x: f64| if x.abs() < TINY { TINY } else { x };
    let (mut value, mut c, mut d) = (away(b0), away(b0), 0.0);
    for k in 1..10_000 {
        let (a, b) = terms(f64::from(k));
        d = 1.0 / away(b + a * d);
        c = away(b + a / c);
        value *= c * d;
        if (c * d - 1.0).abs() < 1e-16 {
            break;
        }
    }
    value
}

/// ln B(a, b).
pub(crate) fn ln_beta(a: f64, b: f64) -> f64 {
    ln_gamma(a) + ln_gamma(b) - ln_gamma(a + b)
}

/// The regularised incomplete beta function I_x(a, b) by its continued fraction (Abramowitz, Stegun 26.5.8).
pub(crate) fn beta_inc(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return if x <= 0.0 { 0.0 } else { 1.0 };
    }
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - beta_inc(b, a, 1.0 - x);
    }
    let terms = |k: f64| {
        let m = (k / 2.0).floor();
        let a_k = if k % 2.0 == 0.0 {
            m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m))
        } else {
            -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0))
        };
        (a_k, 1.0)
    };
    let front = (a * x.ln() + b * (-x).ln_1p() - ln_beta(a, b)).exp() / a;
    front / continued_fraction(1.0, terms)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of mpmath with 40 digits.
    fn close(name: &str, got: f64, truth: f64, bound: f64) {
        let error = (got - truth).abs() / truth.abs().max(1e-300);
        assert!(got == truth || error < bound, "{name}: {got:e}, not {truth:e} ({error:e})");
    }

    #[test]
    fn gamma_functions_have_the_digits_of_mpmath() {
        let ln_gammas = [
            (1e-8, 18.42068073818021),
            (0.1, 2.252712651734206),
            (0.5, 0.5723649429247001),
            (1.5, -0.12078223763524522),
            (3.7, 1.428072326665388),
            (8.0, 8.525161361065415),
            (14.9, 24.924132002217277),
            (100.5, 361.4355404677776),
            (1e6, 12815504.569147611),
        ];
        ln_gammas.iter().for_each(|&(x, truth)| close("ln_gamma", ln_gamma(x), truth, 1e-13));
        assert!(ln_gamma(1.0).abs() < 1e-14 && ln_gamma(2.0).abs() < 1e-14);
        let digammas = [
            (1e-8, -100000000.57721564),
            (0.1, -10.423754940411076),
            (0.5, -1.9635100260214235),
            (1.0, -0.5772156649015329),
            (2.0, 0.42278433509846713),
            (3.7, 1.1671535393615113),
            (14.9, 2.6674289762160424),
            (100.5, 4.605174352581845),
            (1e6, 13.815510057964191),
        ];
        digammas.iter().for_each(|&(x, truth)| close("digamma", digamma(x), truth, 1e-14));
        let lower = [
            (0.1, 0.01, 0.6626212599544798),
            (0.5, 2.0, 0.9544997361036416),
            (3.0, 1.0, 0.08030139707139419),
            (3.0, 9.0, 0.9937678048936227),
            (50.0, 40.0, 0.07033506665939496),
            (50.0, 70.0, 0.994859497541494),
            (1000.0, 1010.0, 0.6276789447369947),
        ];
        lower.iter().for_each(|&(a, x, truth)| close("gamma_p", gamma_p(a, x), truth, 1e-12));
        let upper = [
            (0.1, 3.0, 0.001565271747114354),
            (3.0, 30.0, 4.501016648012124e-11),
            (50.0, 120.0, 1.600822679334483e-13),
        ];
        upper.iter().for_each(|&(a, x, truth)| close("gamma_q", gamma_q(a, x), truth, 1e-12));
    }

    #[test]
    fn error_and_beta_functions_have_the_digits_of_mpmath() {
        let erfs = [
            (-3.0, -0.9999779095030014),
            (-1e-5, -1.1283791670579e-05),
            (0.0, 0.0),
            (0.3, 0.3286267594591274),
            (1.0, 0.8427007929497149),
            (2.4, 0.999311486103355),
            (5.0, 0.9999999999984626),
        ];
        erfs.iter().for_each(|&(x, truth)| close("erf", erf(x), truth, 1e-15));
        let erfcs = [
            (-2.0, 1.9953222650189528),
            (1.0, 0.15729920705028513),
            (2.6, 0.00023603441652934908),
            (5.0, 1.537459794428035e-12),
            (20.0, 5.395865611607901e-176),
        ];
        erfcs.iter().for_each(|&(x, truth)| close("erfc", erfc(x), truth, 1e-13));
        let normals = [
            (1e-12, -7.034483825301132),
            (0.001, -3.0902323061678136),
            (0.05, -1.6448536269514726),
            (0.3, -0.5244005127080408),
            (0.5, 0.0),
            (0.999, 3.090232306167813),
        ];
        normals.iter().for_each(|&(p, truth)| close("normal_quantile", normal_quantile(p), truth, 1e-13));
        let betas = [
            (0.5, 0.5, 0.1, 0.20483276469913345),
            (2.0, 3.0, 0.5, 0.6875),
            (30.0, 20.0, 0.7, 0.9300129066994925),
            (0.2, 5.0, 0.01, 0.5846698531754057),
            (500.0, 3.0, 0.99, 0.12171819836073071),
            (1e4, 1e4, 0.5, 0.5),
        ];
        betas.iter().for_each(|&(a, b, x, truth)| close("beta_inc", beta_inc(a, b, x), truth, 1e-11));
    }
}
