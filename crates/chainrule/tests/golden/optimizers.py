"""Writes optimizers.json beside itself: the parameters of a small network after ten steps of PyTorch's optimizers, in double
precision. `cargo xtask golden` runs it.

Ten batches of four rows in order. `settings` is what makes chainrule do the same; weight decay is on weights only.
"""

import numpy as np
import torch
from torch.optim.swa_utils import AveragedModel

import cases

torch.set_default_dtype(torch.float64)
ROWS, BATCH, STEPS, WIDTHS = 20, 4, 10, [3, 5, 4, 2]

rng = np.random.default_rng(20261125)
x = rng.normal(size=(ROWS, WIDTHS[0])).round(3)
y = (x[:, :2] * x[:, 1:] + 0.3 * rng.normal(size=(ROWS, 2))).round(3)
start = []
for rows, cols in zip(WIDTHS, WIDTHS[1:]):
    start += [(rng.normal(size=(rows, cols)) / np.sqrt(rows)).round(3), (0.2 * rng.normal(size=(1, cols))).round(3)]


class Network(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.all = torch.nn.ParameterList(torch.tensor(p) for p in start)

    def forward(self, x):
        w1, b1, w2, b2, w3, b3 = self.all
        return torch.tanh(torch.tanh(x @ w1 + b1) @ w2 + b2) @ w3 + b3


def groups(network, decay):
    weights, biases = list(network.all)[0::2], list(network.all)[1::2]
    return [{"params": weights, "weight_decay": decay}, {"params": biases, "weight_decay": 0.0}]


def average(decay):
    """optax.ema with debias: the first average is the first step's parameters, those after it go on with this part."""
    return lambda mean, w, done: mean + (1 - decay) / (1 - decay ** (done + 1)) * (w - mean)


def train(make, clip=None, ema=None):
    network = Network()
    optimizer = make(network)
    averaged = ema and AveragedModel(network, avg_fn=average(ema))
    for step in range(STEPS):
        rows = slice(step * BATCH % ROWS, step * BATCH % ROWS + BATCH)
        optimizer.zero_grad()
        cost = 0.5 * ((network(torch.tensor(x[rows])) - torch.tensor(y[rows])) ** 2).sum() / BATCH
        cost.backward()
        if clip:
            norm = torch.nn.utils.get_total_norm([p.grad for p in network.all])
            for p in network.all:
                p.grad *= min(1.0, clip / norm)
        optimizer.step()
        if averaged:
            averaged.update_parameters(network)
    return [p.detach().numpy() for p in (averaged.module if averaged else network).all]


o = torch.optim
MAKE = {
    "sgd": (lambda n: o.SGD(n.all, lr=0.1), {"optimizer": {"kind": "sgd"}, "learning_rate": 0.1}),
    "sgd, l2": (lambda n: o.SGD(groups(n, 0.03), lr=0.1), {"optimizer": {"kind": "sgd"}, "learning_rate": 0.1, "l2": 0.03}),
    "momentum": (
        lambda n: o.SGD(n.all, lr=0.05, momentum=0.9),
        {"optimizer": {"kind": "momentum", "momentum": 0.9}, "learning_rate": 0.05},
    ),
    "nesterov": (
        lambda n: o.SGD(n.all, lr=0.05, momentum=0.8, nesterov=True),
        {"optimizer": {"kind": "momentum", "momentum": 0.8, "nesterov": True}, "learning_rate": 0.05},
    ),
    "adam": (lambda n: o.Adam(n.all, lr=0.02), {"optimizer": {"kind": "adam"}, "learning_rate": 0.02}),
    "adam, l2": (
        lambda n: o.Adam(groups(n, 0.03), lr=0.02, betas=(0.8, 0.95), eps=1e-6),
        {"optimizer": {"kind": "adam", "beta1": 0.8, "beta2": 0.95, "epsilon": 1e-6}, "learning_rate": 0.02, "l2": 0.03},
    ),
    "adamw": (
        lambda n: o.AdamW(groups(n, 0.1), lr=0.02),
        {"optimizer": {"kind": "adam", "weight_decay": 0.1}, "learning_rate": 0.02},
    ),
    "rmsprop": (lambda n: o.RMSprop(n.all, lr=0.01), {"optimizer": {"kind": "rmsprop"}, "learning_rate": 0.01}),
    "rmsprop, own constants": (
        lambda n: o.RMSprop(n.all, lr=0.01, alpha=0.9, eps=1e-4),
        {"optimizer": {"kind": "rmsprop", "decay": 0.9, "epsilon": 1e-4}, "learning_rate": 0.01},
    ),
    "adagrad": (lambda n: o.Adagrad(n.all, lr=0.05), {"optimizer": {"kind": "adagrad"}, "learning_rate": 0.05}),
    "rprop": (lambda n: o.Rprop(n.all, lr=0.01), {"optimizer": {"kind": "rprop"}, "learning_rate": 0.01}),
    "rprop, short steps": (
        lambda n: o.Rprop(n.all, lr=0.01, etas=(0.4, 1.5), step_sizes=(0.003, 0.03)),
        {
            "optimizer": {"kind": "rprop", "shrink": 0.4, "grow": 1.5, "shortest": 0.003, "longest": 0.03},
            "learning_rate": 0.01,
        },
    ),
}
runs = [(name, make, settings) for name, (make, settings) in MAKE.items()]
runs += [
    (f"{name}, clipped", MAKE[name][0], {**MAKE[name][1], "clip_norm": 0.3}) for name in ("sgd", "adam", "nesterov")
]
runs += [(f"{name}, averaged", MAKE[name][0], {**MAKE[name][1], "ema": 0.8}) for name in ("sgd", "adam")]

cases.write(
    __file__,
    {
        "widths": WIDTHS,
        "batch": BATCH,
        "steps": STEPS,
        "x": x,
        "y": y,
        "start": start,
        "runs": [
            {"name": n, "settings": s, "end": train(make, s.get("clip_norm"), s.get("ema"))} for n, make, s in runs
        ],
    },
)
