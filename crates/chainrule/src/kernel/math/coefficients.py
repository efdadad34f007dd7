"""Writes coefficients.rs (minimax polynomials) and reference.rs (values for the tests) beside itself.

Run: pip install mpmath numpy && python coefficients.py && cargo fmt
"""

from pathlib import Path

import numpy as np
import mpmath as m
from mpmath import lu_solve, matrix, mp, mpf

mp.dps = 60
HERE = Path(__file__).parent


def chebyshev_points(a, b, n):
    return [(a + b) / 2 - (b - a) / 2 * m.cos(m.pi * (2 * k + 1) / (2 * n)) for k in range(n)]


def remez(f, weight, a, b, degree):
    """Coefficients (constant first) of the polynomial p with the least max |weight (f - p)| on [a, b], and that maximum."""
    grid = chebyshev_points(a, b, 40 * (degree + 2))
    values, weights = [f(x) for x in grid], [weight(x) for x in grid]
    n = degree + 2
    chosen = [round((k + mpf(1) / 2) * len(grid) / n) for k in range(n)]
    for _ in range(40):
        system = matrix(n, n)
        for i, g in enumerate(chosen):
            for k in range(degree + 1):
                system[i, k] = grid[g] ** k
            system[i, degree + 1] = (-1) ** i / weights[g]
        solution = lu_solve(system, matrix([values[g] for g in chosen]))
        p = list(solution)[: degree + 1]
        errors = [w * (v - m.polyval(p[::-1], x)) for x, v, w in zip(grid, values, weights)]
        extrema = alternating_extrema(errors, n)
        if extrema == chosen:
            break
        chosen = extrema
    return p, max(map(abs, errors))


def alternating_extrema(errors, n):
    """Indices of n extrema of alternating sign, the smallest dropped from the ends."""
    runs = []
    for i, e in enumerate(errors):
        if runs and (errors[runs[-1]] > 0) == (e > 0):
            if abs(e) > abs(errors[runs[-1]]):
                runs[-1] = i
        else:
            runs.append(i)
    while len(runs) > n:
        runs.pop(0 if abs(errors[runs[0]]) < abs(errors[runs[-1]]) else -1)
    assert len(runs) == n, "too few alternations"
    return runs


def tail(f, order):
    """x -> (f(x) - its Taylor polynomial of `order` terms at 0) / x^order, by the series near 0 where that cancels."""
    taylor = m.taylor(f, 0, order + 30)
    head, rest = taylor[:order][::-1], taylor[order:][::-1]
    return lambda x: m.polyval(rest, x) if abs(x) < 0.02 else (f(x) - m.polyval(head, x)) / x**order


def fits(erf_max):
    """name: (what is approximated, its weight for a relative error of the whole function, from, to)"""
    root, half_ln2, eighth_turn = m.sqrt(mpf(1) / 2), m.log(2) / 2 * mpf("1.001"), m.pi / 4 * mpf("1.02")
    in_square = lambda f: lambda t: f(m.sqrt(t))
    return {
        "EXP": (tail(m.exp, 2), lambda r: r**2 / abs(m.expm1(r)), -half_ln2, half_ln2),
        "LN": (tail(m.log1p, 3), lambda f: abs(f**3 / m.log1p(f)), root - 1, 2 * root - 1),
        "LN_UNIT": (tail(m.log1p, 2), lambda e: e**2 / m.log1p(e), mpf(0), mpf(1)),
        "TANH": (
            in_square(lambda x: (m.tanh(x) - x) / x**3),
            in_square(lambda x: x**3 / m.tanh(x)),
            mpf(0),
            mpf("0.56") ** 2,
        ),
        "ERF": (in_square(lambda x: m.erf(x) / x - 1), in_square(lambda x: x / m.erf(x)), mpf(0), mpf(1)),
        "ERFC": (lambda x: -m.log(m.erfc(x)) / x - 1, lambda x: x * m.erfc(x) / m.erf(x), mpf(1), mpf(erf_max)),
        "SIN": (
            in_square(lambda r: (m.sin(r) - r) / r**3),
            in_square(lambda r: r**3 / m.sin(r)),
            mpf(0),
            eighth_turn**2,
        ),
        "COS": (
            in_square(lambda r: (m.cos(r) - 1 + r**2 / 2) / r**4),
            in_square(lambda r: r**4 / m.cos(r)),
            mpf(0),
            eighth_turn**2,
        ),
    }


def least_degree(f, weight, a, b, tolerance):
    for degree in range(2, 40):
        p, error = remez(f, weight, a, b, degree)
        if error < tolerance:
            return p, error


def literal(x, kind):
    return str(kind(mp.nstr(x, 40)))


def parts(x, kind, count):
    """`count` numbers of the type whose sum is x to that many times the precision."""
    found = []
    for _ in range(count):
        found.append(kind(mp.nstr(x, 60)))
        x -= mpf(float(found[-1]))
    return "[" + ", ".join(map(str, found)) + "]"


# The layout of the types, and from where on a function is 0, 1 or infinite in them.
LAYOUTS = {
    "f32": {
        "MANTISSA_BITS: u32": 23,
        "EXPONENT_BIAS: u64": 127,
        "SIGN_BIT: u64": "1 << 31",
        "MIN_POSITIVE: Self": "f32::MIN_POSITIVE",
        "INFINITY: Self": "f32::INFINITY",
        "EXP_MIN: Self": "-104.0",
        "EXP_MAX: Self": "89.0",
        "EXPM1_MIN: Self": "-18.0",
        "TANH_MAX: Self": "9.02",
        "ERF_MAX: Self": "3.95",
    },
    "f64": {
        "MANTISSA_BITS: u32": 52,
        "EXPONENT_BIAS: u64": 1023,
        "SIGN_BIT: u64": "1 << 63",
        "MIN_POSITIVE: Self": "f64::MIN_POSITIVE",
        "INFINITY: Self": "f64::INFINITY",
        "EXP_MIN: Self": "-746.0",
        "EXP_MAX: Self": "710.0",
        "EXPM1_MIN: Self": "-38.0",
        "TANH_MAX: Self": "19.1",
        "ERF_MAX: Self": "6.0",
    },
}


def constants(name, kind):
    """The lines of `impl Constants for name`."""
    layout = LAYOUTS[name]
    bits = layout["MANTISSA_BITS: u32"] + 1
    yield f"impl Constants for {name} {{"
    for const, value in layout.items():
        yield f"const {const} = {value};"
    yield f"const LOG2_E: Self = {literal(1 / m.log(2), kind)};"
    yield f"const LN_2: [Self; 2] = {parts(m.log(2), kind, 2)};"
    yield f"const FRAC_2_PI: Self = {literal(2 / m.pi, kind)};"
    yield f"const FRAC_PI_2: [Self; 3] = {parts(m.pi / 2, kind, 3)};"
    for const, (f, weight, a, b) in fits(layout["ERF_MAX: Self"]).items():
        # softplus adds to its logarithm, and has the least to spare.
        spare = 5 if const == "LN_UNIT" else 2
        p, error = least_degree(f, weight, a, b, mpf(2) ** -(bits + spare))
        yield f"// relative error 2^{mp.nstr(m.log(error, 2), 3)}"
        yield f"const {const}: &'static [Self] = &[{', '.join(literal(c, kind) for c in reversed(p))}];"
    yield "}"


def two_over_pi():
    """The bits of 2 / pi behind 64 zeros, in words."""
    count = 20
    with mp.workprec(64 * count + 64):
        bits = int(m.floor(2 / m.pi * mpf(2) ** (64 * (count - 1))))
    words = [(bits >> (64 * (count - 2 - i))) & (2**64 - 1) for i in range(count - 1)]
    digits = ["0x0", *(f"0x{w:016x}" for w in words)]
    return f"pub(super) const TWO_OVER_PI: [u64; {count}] = [{', '.join(digits)}];"


EXPONENTIAL = ((1, -60, 9.45), (-1, -60, 9.53))
# Numbers close to multiples of pi / 2; the last is the closest of all doubles (Muller, Elementary Functions, 11.3.1).
NEAR_QUARTERS = [*(float(k * m.pi / 2) for k in (1, 2, 3, 226, 81_919)), 355.0, 6381956970095103.0 * 2.0**797]
REFERENCES = {
    # name: (function, ranges of arguments: sign, and the magnitude from and to as powers of two)
    "EXP": (m.exp, EXPONENTIAL),
    "EXPM1": (m.expm1, EXPONENTIAL),
    "LN": (m.log, ((1, -1070, 1023.9), (1, -1, 1))),
    "LOG1P": (m.log1p, ((1, -60, 1023.9), (-1, -60, -0.0001))),
    "TANH": (m.tanh, ((1, -60, 4.5), (-1, -60, 4.5))),
    "SIGMOID": (lambda x: 1 / (1 + m.exp(-x)), EXPONENTIAL),
    "SOFTPLUS": (lambda x: m.log1p(m.exp(x)), EXPONENTIAL),
    "ERF": (m.erf, ((1, -60, 2.6), (-1, -60, 2.6))),
    "SIN": (m.sin, ((1, -30, 20), (-1, 0, 1023.9))),
    "COS": (m.cos, ((1, -30, 20), (-1, 0, 1023.9))),
}


def references():
    """Arguments, evenly over the logarithm of each range and again over its last octaves, and values rounded once."""
    for name, (f, ranges) in REFERENCES.items():
        points = [
            sign * float(2.0**power)
            for sign, low, high in ranges
            for power in (*np.linspace(low, high, 30), *np.linspace(max(low, high - 8), high, 30))
        ]
        points += NEAR_QUARTERS if f in (m.sin, m.cos) else []
        with mp.workprec(1400):
            pairs = ", ".join(f"({x!r}, {float(f(mpf(x)))!r})" for x in points)
        yield f"pub(super) const {name}: &[(f64, f64)] = &[{pairs}];"


def write(name, about, lines):
    header = f"//! {about}. Written by `coefficients.py`; change that, not this.\n"
    (HERE / name).write_text(header + "\n" + "\n".join(lines) + "\n")


def main():
    single = constants("f32", np.float32)
    double = constants("f64", np.float64)
    lints = "#![allow(clippy::approx_constant, clippy::excessive_precision)]"
    use = "use super::Constants;"
    write("coefficients.rs", "Constants and minimax polynomials", [lints, use, *single, *double, two_over_pi()])
    write("reference.rs", "Values of the functions to the last bit", [lints, *references()])


if __name__ == "__main__":
    main()
