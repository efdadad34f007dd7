"""Writes glm.json beside itself: coefficients of generalised linear models as scikit-learn, statsmodels and lifelines fit them, and the
lowest point of a small network's cost as scipy finds it. `cargo xtask golden` runs it.

`l2` is the penalty (l2 / 2) sum w^2 beside the mean cost that is the same as the library's own.
"""

import warnings

import numpy as np
import pandas as pd
import jax
import jax.numpy as jnp
import scipy.optimize
from lifelines import WeibullAFTFitter
from scipy.special import expit
from sklearn.linear_model import GammaRegressor, LogisticRegression, PoissonRegressor
from statsmodels.miscmodels.ordinal_model import OrderedModel

import cases

warnings.simplefilter("ignore")
jax.config.update("jax_enable_x64", True)
ROWS, FEATURES = 120, 3
TIGHT = {"solver": "newton-cholesky", "tol": 1e-13, "max_iter": 1000}

rng = np.random.default_rng(20261126)
x = (rng.normal(size=(ROWS, FEATURES)) * [1.0, 0.5, 2.0] + [0.0, 0.3, -0.5]).round(2)
line = x @ [0.4, -0.7, 0.2] + 0.5
weights = rng.uniform(0.5, 2.0, size=ROWS).round(2)
fits = []


def add(name, head, outputs, y, weights, l2, coefficients, intercept, **more):
    """coefficients: (features x outputs that have any)"""
    fits.append({
        "name": name, "head": head, "outputs": outputs, "y": y, "weights": weights, "l2": l2,
        "coefficients": np.asarray(coefficients), "intercept": np.asarray(intercept), **more,
    })


def regressions():
    counts = rng.poisson(np.exp(line)).astype(float)
    amounts = rng.gamma(2.0, np.exp(line) / 2).round(3) + 0.01
    for name, make, y in [("poisson", PoissonRegressor, counts), ("gamma", GammaRegressor, amounts)]:
        for alpha, w in [(0.0, None), (0.3, None), (0.3, weights)]:
            m = make(alpha=alpha, **TIGHT).fit(x, y, sample_weight=w)
            add(f"{make.__name__}, alpha={alpha}", name, 1, y, w, alpha, m.coef_[:, None], [m.intercept_])


def classifications():
    bits = rng.binomial(1, expit(line)).astype(float)
    scores = np.stack([0 * line, line, x @ [-0.5, 0.5, 0.6]], 1) + rng.gumbel(size=(ROWS, 3))
    for name, outputs, y in [("bernoulli", 1, bits), ("categorical", 3, scores.argmax(1).astype(float))]:
        for c, w in [(np.inf, None), (0.5, None), (0.5, weights)]:
            m = LogisticRegression(C=c, **TIGHT).fit(x, y, sample_weight=w)
            l2 = 1 / (c * (ROWS if w is None else w.sum()))
            add(f"LogisticRegression, C={c}", name, outputs, y, w, l2, m.coef_.T, m.intercept_)


def ordinal():
    latent = line + rng.logistic(size=ROWS)
    y = np.digitize(latent, [-0.5, 0.7, 2.0]).astype(float)
    model = OrderedModel(y, x, distr="logit")
    fit = model.fit(method="bfgs", gtol=1e-9, maxiter=1000, disp=False)
    fit = model.fit(start_params=fit.params, method="newton", tol=1e-12, disp=False)
    thresholds = model.transform_threshold_params(fit.params)[1:-1]
    add("OrderedModel", "ordinal", 3, y, None, 0.0, fit.params[:FEATURES, None], [-thresholds[0]], thresholds=thresholds)


def survival():
    times = (np.exp(line) * rng.weibull(1.6, size=ROWS)).round(3) + 0.01
    end = rng.uniform(1.0, 6.0, size=ROWS).round(2)
    seen, times = (times <= end).astype(float), np.minimum(times, end)
    table = pd.DataFrame(x, columns=list("abc")).assign(T=times, E=seen)
    fitter = WeibullAFTFitter()
    fitter._scipy_fit_method, fitter._scipy_fit_options = "BFGS", {"gtol": 1e-10, "maxiter": 1000}
    fitter.fit(table, "T", event_col="E")
    location, shape = fitter.params_["lambda_"], fitter.params_["rho_"]["Intercept"]
    add(
        "WeibullAFTFitter", "weibull_aft", 2, np.stack([times, seen], 1), None, 0.0, location[list("abc")].to_numpy()[:, None],
        [location["Intercept"]], log_shape=float(shape),
    )


def network():
    """A hidden layer of two tanh units and one output, least squares: the lowest point near the start."""
    y, l2, units = (np.sin(x[:, 0]) + 0.5 * x[:, 1] + 0.1 * rng.normal(size=ROWS)).round(3), 0.002, 2
    sizes = [(FEATURES, units), (1, units), (units, 1), (1, 1)]

    def cost(flat):
        w1, b1, w2, b2 = split(flat)
        error = jnp.tanh(x @ w1 + b1) @ w2 + b2 - y[:, None]
        return 0.5 * (error**2).mean() + 0.5 * l2 * ((w1**2).sum() + (w2**2).sum())

    def split(flat):
        return [p.reshape(size) for p, size in zip(jnp.split(flat, np.cumsum([r * c for r, c in sizes])[:-1]), sizes)]

    gradient, hessian = jax.jit(jax.grad(cost)), jax.jit(jax.hessian(cost))
    draw = 0.7 * rng.normal(size=sum(r * c for r, c in sizes))
    found = scipy.optimize.minimize(cost, draw, jac=gradient, method="L-BFGS-B", options={"maxiter": 5000, "ftol": 0, "gtol": 1e-9})
    flat = found.x
    for _ in range(5):  # Newton's method takes it to the last digits.
        flat = flat - np.linalg.solve(hessian(flat), gradient(flat))
    assert np.linalg.eigvalsh(hessian(flat)).min() > 1e-4, "no strict minimum"
    return {
        "y": y, "l2": l2, "start": [np.asarray(p) for p in split(flat.round(1))], "end": [np.asarray(p) for p in split(flat)],
    }


regressions(), classifications(), ordinal(), survival()
cases.write(__file__, {"x": x, "fits": fits, "network": network()})
