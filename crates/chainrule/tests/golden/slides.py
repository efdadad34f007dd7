"""Makes slides.json: 20 gradient steps written in numpy straight from docs/equations.md, in double precision.

Run: python slides.py   (needs numpy). The Rust test `tests/slides.rs` repeats the steps with chainrule.
"""

import json
from pathlib import Path

import numpy as np

STEPS, BATCH, MU = 20, 8, 0.05
WIDTHS = [5, 7, 6]
PHI = {
    "tanh": (np.tanh, lambda z: 1 - np.tanh(z) ** 2),
    "relu": (lambda z: np.maximum(z, 0), lambda z: (z > 0).astype(float)),
}
OUTPUTS = {"gaussian": 2, "bernoulli": 1, "categorical": 3}


def output(head, z):
    """o(z^(L))"""
    if head == "gaussian":
        return z
    if head == "bernoulli":
        return 1 / (1 + np.exp(-z))
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def targets(head, rng, rows):
    if head == "gaussian":
        return rng.normal(size=(rows, 2))
    return rng.integers(0, OUTPUTS[head] if head == "categorical" else 2, size=(rows, 1)).astype(float)


def train(activation, head, rng):
    phi, phi_prime = PHI[activation]
    widths = WIDTHS + [OUTPUTS[head]]
    x = rng.normal(size=(40, widths[0]))
    y = targets(head, rng, 40)
    y_full = np.eye(3)[y[:, 0].astype(int)] if head == "categorical" else y
    W = [rng.normal(size=(n, m)) / np.sqrt(n) for n, m in zip(widths, widths[1:])]
    b = [rng.normal(size=m) * 0.1 for m in widths[1:]]
    start = [w.ravel().tolist() for pair in zip(W, b) for w in pair]
    for step in range(STEPS):
        rows = slice(step * BATCH % 40, step * BATCH % 40 + BATCH)
        h, z = [x[rows]], []
        for l in range(len(W)):  # Eq. (2)
            z.append(h[l] @ W[l] + b[l])
            h.append(phi(z[l]) if l + 1 < len(W) else output(head, z[l]))
        delta = [None] * len(W)
        delta[-1] = h[-1] - y_full[rows]  # Eq. (10) for the link of the distribution
        for l in range(len(W) - 1, 0, -1):  # Eq. (9)
            delta[l - 1] = delta[l] @ W[l].T * phi_prime(z[l - 1])
        for l in range(len(W)):  # Eq. (6), (8), the mean over the batch
            W[l] = W[l] - MU * h[l].T @ delta[l] / BATCH
            b[l] = b[l] - MU * delta[l].sum(axis=0) / BATCH
    return {
        "activation": activation,
        "head": head,
        "widths": widths,
        "x": x.ravel().tolist(),
        "y": y.ravel().tolist(),
        "start": start,
        "end": [w.ravel().tolist() for pair in zip(W, b) for w in pair],
    }


rng = np.random.default_rng(20260701)
cases = [train(activation, head, rng) for activation in PHI for head in OUTPUTS]
out = {"steps": STEPS, "batch": BATCH, "learning_rate": MU, "cases": cases}
Path(__file__).with_name("slides.json").write_text(json.dumps(out) + "\n")
