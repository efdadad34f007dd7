"""Writes gradients_jax.json beside itself: costs and gradients as JAX has them, in double precision, for the heads whose density is
in jax.scipy. `cargo xtask golden` runs it.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy import stats

import cases

jax.config.update("jax_enable_x64", True)

PHI = {
    "identity": lambda z: z, "relu": jax.nn.relu, "leaky_relu": jax.nn.leaky_relu, "elu": jax.nn.elu, "selu": jax.nn.selu,
    "gelu": lambda z: jax.nn.gelu(z, approximate=False), "silu": jax.nn.silu, "mish": jax.nn.mish,
    "softplus": jax.nn.softplus, "tanh": jnp.tanh, "sigmoid": jax.nn.sigmoid,
}


def second(values, z):
    value = next((v for k, v in values.items() if k in ("scale", "dispersion", "shape", "precision")), "unit")
    if value in ("shared", "learned"):
        half = z.shape[1] // 2
        return z[:, :half], jnp.exp(z[:, half:])
    return z, 1.0 if value == "unit" else value


def gamma(values, z, y):
    z, s = second(values, z)
    return -stats.gamma.logpdf(y, s, scale=jnp.exp(z) / s)


def beta(values, z, y):
    z, s = second(values, z)
    mean = jax.nn.sigmoid(z)
    return -stats.beta.logpdf(y, mean * s, (1 - mean) * s)


def negative_binomial(values, z, y):
    z, s = second(values, z)
    return -stats.nbinom.logpmf(y, 1 / s, 1 / (1 + s * jnp.exp(z)))


COST = {
    "gaussian": lambda v, z, y: -stats.norm.logpdf(y, *second(v, z)),
    "laplace": lambda v, z, y: -stats.laplace.logpdf(y, *second(v, z)),
    "student_t": lambda v, z, y: -stats.t.logpdf(y, v["degrees"], *second(v, z)),
    "bernoulli": lambda v, z, y: -stats.bernoulli.logpmf(y, jax.nn.sigmoid(z)),
    "poisson": lambda v, z, y: -stats.poisson.logpmf(y, jnp.exp(z)),
    "categorical": lambda v, z, y: -jnp.take_along_axis(jax.nn.log_softmax(z), y.astype(int), 1),
    "gamma": gamma, "beta": beta, "negative_binomial": negative_binomial,
}


def solve(case):
    name, values = cases.parts(case["head"])

    def cost(parameters):
        h = case["x"]
        for layer in range(3):
            w, b = parameters[2 * layer : 2 * layer + 2]
            if layer == 2 and (held := cases.held(case["head"], case["outputs"])):
                w = w.at[:, -held:].set(0.0)
            z = h @ w + b
            h = PHI[case["activation"]](z)
        z = z + cases.offsets(case)
        weights = 1.0 if case["weights"] is None else case["weights"]
        return (COST[name](values, z, case["y"]).sum(1) * weights).sum()

    value, gradients = jax.value_and_grad(cost)([jnp.asarray(p) for p in case["parameters"]])
    return {**case, "cost": float(value), "gradients": [np.asarray(g) for g in gradients]}


known = lambda case: cases.parts(case["head"])[0] in COST and cases.parts(case["head"])[1].get("soft") is None
plain = lambda case: "class_weights" not in cases.parts(case["head"])[1]
cases.write(__file__, [solve(case) for case in cases.cases() if known(case) and plain(case)])
