"""Writes heads.json beside itself: densities, distribution functions, quantiles and means of scipy, mpmath and numpy.

Run: pip install numpy scipy mpmath && python heads.py

A case is a head as data, the pre-activations of one row, and at some targets the logarithm of the density, P(<= y) and, by
level, the quantile.
"""

import json
from pathlib import Path

import mpmath as m
import numpy as np
from scipy import stats
from scipy.special import expit, softmax

m.mp.dps = 30
LEVELS = [0.001, 0.05, 0.5, 0.9, 0.999]


def softplus(x):
    return float(np.logaddexp(0, x))


def of_scipy(head, z, distribution, points):
    discrete = hasattr(distribution.dist, "pmf")
    log = distribution.logpmf if discrete else distribution.logpdf
    return {
        "head": head,
        "z": z,
        "mean": float(distribution.mean()),
        "points": [{"y": float(y), "log_density": float(log(y)), "cdf": float(distribution.cdf(y))} for y in points],
        "quantiles": [float(distribution.ppf(p)) for p in LEVELS],
    }


class Huber:
    """The density by its definition, the rest by quadrature and root finding."""

    def __init__(self, mean, scale, threshold):
        self.mean, self.scale, self.c = m.mpf(mean), m.mpf(scale), m.mpf(threshold)
        self.area = m.quad(self.shape, [-m.inf, -self.c, self.c, m.inf])

    def shape(self, u):
        u = abs(u)
        return m.exp(-u * u / 2 if u <= self.c else self.c**2 / 2 - self.c * u)

    def cdf(self, y):
        u = (m.mpf(y) - self.mean) / self.scale
        corners = sorted(x for x in (-self.c, self.c) if x < u)
        return m.quad(self.shape, [-m.inf, *corners, u]) / self.area

    def case(self, head, z, points):
        density = lambda y: m.log(self.shape((y - self.mean) / self.scale) / self.area / self.scale)
        return {
            "head": head,
            "z": z,
            "mean": float(self.mean),
            "points": [{"y": y, "log_density": float(density(y)), "cdf": float(self.cdf(y))} for y in points],
            "quantiles": [float(m.findroot(lambda y: self.cdf(y) - p, (self.mean - 2, self.mean + 2), solver="anderson")) for p in LEVELS],
        }


def tweedie(head, z, mean, p, phi, points):
    """A Poisson number of gamma amounts, summed over the number."""
    mean, p, phi = m.mpf(mean), m.mpf(p), m.mpf(phi)
    rate, shape = mean ** (2 - p) / (phi * (2 - p)), (2 - p) / (p - 1)
    scale = phi * (p - 1) * mean ** (p - 1)
    count = lambda n: m.exp(-rate) * rate**n / m.factorial(n)
    most = int(rate * 4 + 60)
    amount = lambda n, y: y ** (n * shape - 1) * m.exp(-y / scale) / (m.gamma(n * shape) * scale ** (n * shape))
    density = lambda y: m.exp(-rate) if y == 0 else m.fsum(count(n) * amount(n, y) for n in range(1, most))
    below = lambda y: m.exp(-rate) + m.fsum(
        count(n) * m.gammainc(n * shape, 0, y / scale, regularized=True) for n in range(1, most)
    )
    quantile = lambda q: 0.0 if q <= below(m.mpf(0)) else m.findroot(lambda y: below(y) - q, (mean / 4, mean), solver="anderson")
    return {
        "head": head,
        "z": z,
        "mean": float(mean),
        "points": [{"y": y, "log_density": float(m.log(density(m.mpf(y)))), "cdf": float(below(m.mpf(y)))} for y in points],
        "quantiles": [float(quantile(q)) for q in LEVELS],
    }


def classes(head, z, probabilities):
    points = [{"y": k, "log_density": float(np.log(p)), "cdf": None} for k, p in enumerate(probabilities)]
    return {"head": head, "z": z, "mean": None, "points": points, "quantiles": []}


def quantiles(levels, z, points):
    """The product of asymmetric Laplace densities."""
    values = np.cumsum([z[0], *map(softplus, z[1:])])
    density = lambda y: sum(
        np.log(t * (1 - t)) - (y - q) * (t - (y < q)) for t, q in zip(levels, values)
    )
    points = [{"y": y, "log_density": float(density(y)), "cdf": None} for y in points]
    return {"head": {"quantile": {"levels": levels}}, "z": z, "mean": None, "points": points, "quantiles": []}


def cases():
    real = [-3.0, 0.1, 0.4, 2.5]
    yield of_scipy("gaussian", [0.4], stats.norm(0.4, 1), real)
    yield of_scipy({"gaussian": {"scale": "learned"}}, [0.4, -1.2], stats.norm(0.4, np.exp(-1.2)), real)
    yield of_scipy({"laplace": {"scale": 0.7}}, [0.4], stats.laplace(0.4, 0.7), real)
    yield Huber(0.4, np.exp(0.3), 1.345).case("huber", [0.4, 0.3], real)
    yield Huber(0.4, 1, 0.5).case({"huber": {"threshold": 0.5, "scale": "unit"}}, [0.4], real)
    yield of_scipy({"student_t": {"degrees": 3}}, [0.4, 0.3], stats.t(3, 0.4, np.exp(0.3)), real)
    yield of_scipy({"student_t": {"degrees": 1.5, "scale": 2}}, [0.4], stats.t(1.5, 0.4, 2), real)
    yield quantiles([0.05, 0.5, 0.9], [-0.3, 0.2, -1.0], real)
    yield of_scipy("bernoulli", [0.8], stats.bernoulli(expit(0.8)), [0, 1])
    yield classes("categorical", [0.3, -1.0, 2.0, 0.0], softmax([0.3, -1.0, 2.0, 0.0]))
    cuts = 1.2 - np.cumsum([0, softplus(0.5), softplus(-0.4)])
    yield classes("ordinal", [1.2, 0.5, -0.4], -np.diff([1, *expit(cuts), 0]))
    for z in (-2.0, 1.5, 5.0):
        yield of_scipy("poisson", [z], stats.poisson(np.exp(z)), [0, 1, 3, 140])
        for log in (-3.0, 0.5):
            n = np.exp(-log)
            yield of_scipy("negative_binomial", [z, log], stats.nbinom(n, n / (n + np.exp(z))), [0, 1, 3, 140])
    for log in (-1.5, 2.5):
        a = np.exp(log)
        yield of_scipy({"gamma": {"shape": "shared"}}, [0.6, log], stats.gamma(a, scale=np.exp(0.6) / a), [0.01, 1.5, 6.0])
        a, b = expit(0.6) * np.exp(log), expit(-0.6) * np.exp(log)
        yield of_scipy("beta", [0.6, log], stats.beta(a, b), [0.001, 0.5, 0.97])
    yield of_scipy("gamma", [0.6], stats.expon(scale=np.exp(0.6)), [0.01, 1.5, 6.0])
    for z, power, phi in [(0.4, 1.5, 1), (3.0, 1.2, 0.5), (-1.0, 1.8, 2)]:
        head = {"tweedie": {"power": power, "dispersion": phi}}
        yield tweedie(head, [z], m.exp(m.mpf(z)), power, phi, [0.0, 0.2, 2.0, 25.0])
    for log in (-0.7, 0.9):
        yield of_scipy("weibull_aft", [0.6, log], stats.weibull_min(np.exp(log), scale=np.exp(0.6)), [0.01, 1.5, 6.0])


if __name__ == "__main__":
    data = {"levels": LEVELS, "cases": list(cases())}
    text = json.dumps(data).replace('{"head"', '\n{"head"')
    Path(__file__).with_name("heads.json").write_text(text + "\n")
