"""Small networks with their data, for the other scripts: 3 inputs, hidden layers of 5 and 4 units, numbers of three decimals.

A head is data as the Rust library reads it; `held` outputs are the same for all rows, so that their weights are 0.
"""

import json
from pathlib import Path

import numpy as np

ROWS, INPUTS, HIDDEN = 6, 3, [5, 4]
ACTIVATIONS = ["identity", "relu", "leaky_relu", "elu", "selu", "gelu", "silu", "mish", "softplus", "tanh", "sigmoid"]
SCALES = ["unit", 0.7, "shared", "learned"]


def scaled(name, key, **more):
    return [{name: {**more, key: scale}} for scale in SCALES]


def heads():
    """(head, outputs, kind of target)"""
    one = lambda heads, kind: [(h, 2 if list(h.values())[0][key(h)] in ("shared", "learned") else 1, kind) for h in heads]
    key = lambda h: [k for k in list(h.values())[0] if k in ("scale", "dispersion", "shape", "precision")][0]
    weights = [0.5, 1.5, 1.0]
    return [
        *one(scaled("gaussian", "scale"), "real"),
        *one(scaled("laplace", "scale"), "real"),
        *one(scaled("huber", "scale", threshold=1.345), "real"),
        *one(scaled("student_t", "scale", degrees=4.0), "real"),
        *one(scaled("negative_binomial", "dispersion"), "count"),
        *one(scaled("gamma", "shape"), "positive"),
        *one(scaled("beta", "precision"), "between"),
        *one(scaled("weibull_aft", "shape"), "time"),
        ("gaussian", 3, "real"),
        ("poisson", 1, "count"),
        ("poisson", 2, "count"),
        ("bernoulli", 1, "bit"),
        ("bernoulli", 3, "bit"),
        ("categorical", 4, "class"),
        ({"categorical": {"smoothing": 0.1, "class_weights": weights}}, 3, "class"),
        ({"categorical": {"smoothing": 0.05, "class_weights": weights, "soft": True}}, 3, "distribution"),
        ("ordinal", 3, "class"),
        ({"ordinal": {"proportional": False}}, 3, "class"),
        ({"quantile": {"levels": [0.1, 0.5, 0.8]}}, 3, "real"),
        ({"tweedie": {"power": 1.4, "dispersion": 0.8}}, 1, "amount"),
        ({"pointwise": {"cost": "squared_error", "output": "sigmoid"}}, 2, "between"),
        ({"pointwise": {"cost": "absolute_error", "output": "tanh"}}, 2, "real"),
        ({"pointwise": {"cost": "cross_entropy", "output": "sigmoid"}}, 2, "bit"),
        ({"pointwise": {"cost": "poisson", "output": "softplus"}}, 1, "count"),
    ]


def parts(head):
    """Name and parameters."""
    return (head, {}) if isinstance(head, str) else next(iter(head.items()))


def held(head, outputs):
    name, values = parts(head)
    if "shared" in values.values():
        return outputs // 2
    return outputs - 1 if name == "ordinal" and values.get("proportional", True) else 0


def offsets(case):
    """(rows x outputs), for the outputs that are locations."""
    name, values = parts(case["head"])
    second = any(v in ("shared", "learned") for v in values.values() if isinstance(v, str))
    columns = np.arange(case["outputs"]) < case["outputs"] // (2 if second else 1)
    return np.outer(np.zeros(ROWS) if case["offset"] is None else case["offset"], columns)


def targets(rng, kind, outputs, classes):
    row = {
        "real": lambda: rng.normal(size=outputs),
        "count": lambda: rng.poisson(3.0, size=outputs),
        "positive": lambda: rng.gamma(2.0, size=outputs) + 0.05,
        "between": lambda: rng.uniform(0.05, 0.95, size=outputs),
        "bit": lambda: rng.integers(0, 2, size=outputs),
        "class": lambda: rng.integers(0, classes, size=1),
        "distribution": lambda: rng.dirichlet(np.ones(outputs)),
        "amount": lambda: rng.gamma(2.0, size=outputs) * rng.integers(0, 2, size=outputs),
        "time": lambda: np.stack([rng.gamma(2.0, size=outputs) + 0.05, rng.integers(0, 2, size=outputs)], 1).ravel(),
    }[kind]
    y = np.stack([row() for _ in range(ROWS)]).round(3)
    if kind == "distribution":
        y[:, -1] = (1 - y[:, :-1].sum(1)).round(3)
    return y.astype(float)


def case(rng, head, outputs, kind, activation):
    name, values = parts(head)
    second = any(v in ("shared", "learned") for v in values.values() if isinstance(v, str))
    locations = 1 if name == "quantile" else outputs // 2 if second else outputs
    classes = outputs + 1 if name == "ordinal" else outputs
    widths = [INPUTS, *HIDDEN, outputs]
    parameters = []
    for rows, cols in zip(widths, widths[1:]):
        parameters += [rng.normal(size=(rows, cols)) / np.sqrt(rows), 0.2 * rng.normal(size=(1, cols))]
    if keep := held(head, outputs):
        parameters[-2][:, -keep:] = 0
    return {
        "head": head,
        "activation": activation,
        "outputs": outputs,
        "x": (2 * rng.normal(size=(ROWS, INPUTS))).round(3),
        "y": targets(rng, kind, outputs if kind == "distribution" else locations, classes),
        "weights": rng.uniform(0.5, 1.5, size=ROWS).round(3) if rng.integers(0, 2) else None,
        "offset": rng.normal(size=ROWS).round(3) if name in ("poisson", "gamma", "tweedie") else None,
        "parameters": [p.round(3) for p in parameters],
    }


def cases():
    """Every head under some activation, and every activation under a gaussian and a categorical head."""
    rng = np.random.default_rng(20261124)
    turn = [(head, ACTIVATIONS[i % len(ACTIVATIONS)]) for i, head in enumerate(heads())]
    turn += [(head, a) for a in ACTIVATIONS for head in (("gaussian", 2, "real"), ("categorical", 3, "class"))]
    return [case(rng, *head, activation) for head, activation in turn]


def write(script, data):
    """Writes data beside the script, arrays as flat lists."""
    flat = lambda array: np.asarray(array, dtype=float).ravel().tolist()
    Path(script).with_suffix(".json").write_text(json.dumps(data, default=flat) + "\n")
