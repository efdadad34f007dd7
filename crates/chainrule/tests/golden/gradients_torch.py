"""Writes gradients_torch.json beside itself: the cost of every head and its gradients, by PyTorch's automatic differentiation in
double precision. `cargo xtask golden` runs it.
"""

import math

import torch
import torch.distributions as d
import torch.nn.functional as F

import cases

torch.set_default_dtype(torch.float64)

PHI = {
    "identity": lambda z: z, "relu": F.relu, "leaky_relu": F.leaky_relu, "elu": F.elu, "selu": F.selu, "gelu": F.gelu,
    "silu": F.silu, "mish": F.mish, "softplus": F.softplus, "tanh": torch.tanh, "sigmoid": torch.sigmoid,
}


def second(values, z):
    """Location and second parameter."""
    value = next((v for k, v in values.items() if k in ("scale", "dispersion", "shape", "precision")), "unit")
    if value in ("shared", "learned"):
        half = z.shape[1] // 2
        return z[:, :half], z[:, half:].exp()
    return z, torch.as_tensor(1.0 if value == "unit" else value)


def huber(values, z, y):
    z, s = second(values, z)
    c = values["threshold"]
    area = math.sqrt(2 * math.pi) * math.erf(c / math.sqrt(2)) + 2 * math.exp(-c * c / 2) / c
    return F.huber_loss((y - z) / s, torch.zeros_like(y), reduction="none", delta=c) + s.log() + math.log(area)


def categorical(values, z, y):
    weight, smoothing = values.get("class_weights"), values.get("smoothing", 0.0)
    y = y if values.get("soft") else y[:, 0].long()
    weight = torch.tensor(weight) if weight else None
    return F.cross_entropy(z, y, weight=weight, label_smoothing=smoothing, reduction="none")[:, None]


def ordinal(values, z, y):
    """Differences of P(y > k)."""
    c = torch.cat([z[:, :1], z[:, :1] - F.softplus(z[:, 1:]).cumsum(1)], 1)
    above = torch.cat([torch.ones(len(z), 1), torch.sigmoid(c), torch.zeros(len(z), 1)], 1)
    k = y.long()
    return -(above.gather(1, k) - above.gather(1, k + 1)).log()


def quantile(values, z, y):
    t = torch.tensor(values["levels"])
    q = torch.cat([z[:, :1], z[:, :1] + F.softplus(z[:, 1:]).cumsum(1)], 1)
    return torch.maximum(t * (y - q), (t - 1) * (y - q)) - (t * (1 - t)).log()


def negative_binomial(values, z, y):
    z, s = second(values, z)
    mean, r = z.exp(), 1 / s
    return -d.NegativeBinomial(r, probs=mean / (mean + r)).log_prob(y)


def gamma(values, z, y):
    z, s = second(values, z)
    return -d.Gamma(s, s / z.exp()).log_prob(y)


def tweedie(values, z, y):
    """A Poisson number of gamma amounts, summed over the number."""
    p, phi = values["power"], values["dispersion"]
    mean = z.exp()
    rate, shape = mean ** (2 - p) / (phi * (2 - p)), (2 - p) / (p - 1)
    n = torch.arange(1.0, 200.0)
    amount = d.Gamma(n * shape, 1 / (phi * (p - 1) * mean ** (p - 1)))
    positive = torch.logsumexp(d.Poisson(rate).log_prob(n) + amount.log_prob(y.clamp(min=1e-3)), 1, keepdim=True)
    return torch.where(y > 0, -positive, rate)


def beta(values, z, y):
    z, s = second(values, z)
    mean = torch.sigmoid(z)
    return -d.Beta(mean * s, (1 - mean) * s).log_prob(y)


def weibull(values, z, y):
    z, s = second(values, z)
    time, seen = y[:, 0::2], y[:, 1::2]
    later = -((time / z.exp()) ** s)
    return -torch.where(seen > 0, d.Weibull(z.exp(), s.expand_as(z)).log_prob(time), later)


def pointwise(values, z, y):
    o = PHI[values["output"]](z)
    return {
        "squared_error": lambda: 0.5 * F.mse_loss(o, y, reduction="none"),
        "absolute_error": lambda: F.l1_loss(o, y, reduction="none"),
        "cross_entropy": lambda: F.binary_cross_entropy(o, y, reduction="none"),
        "poisson": lambda: F.poisson_nll_loss(o, y, log_input=False, eps=0.0, reduction="none"),
    }[values["cost"]]()


COST = {
    "gaussian": lambda v, z, y: -d.Normal(*second(v, z)).log_prob(y),
    "laplace": lambda v, z, y: -d.Laplace(*second(v, z)).log_prob(y),
    "student_t": lambda v, z, y: -d.StudentT(v["degrees"], *second(v, z)).log_prob(y),
    "bernoulli": lambda v, z, y: F.binary_cross_entropy_with_logits(z, y, reduction="none"),
    "poisson": lambda v, z, y: -d.Poisson(z.exp()).log_prob(y),
    "huber": huber, "categorical": categorical, "ordinal": ordinal, "quantile": quantile, "gamma": gamma,
    "negative_binomial": negative_binomial, "tweedie": tweedie, "beta": beta, "weibull_aft": weibull, "pointwise": pointwise,
}


def solve(case):
    parameters = [torch.tensor(p, requires_grad=True) for p in case["parameters"]]
    name, values = cases.parts(case["head"])
    h = torch.tensor(case["x"])
    for layer in range(3):
        w, b = parameters[2 * layer : 2 * layer + 2]
        if layer == 2 and (held := cases.held(case["head"], case["outputs"])):
            w = torch.cat([w[:, :-held], torch.zeros(w.shape[0], held)], 1)
        z = h @ w + b
        h = PHI[case["activation"]](z)
    z = z + torch.tensor(cases.offsets(case))
    rows = COST[name](values, z, torch.tensor(case["y"])).sum(1)
    cost = (rows * torch.tensor(case["weights"])).sum() if case["weights"] is not None else rows.sum()
    gradients = torch.autograd.grad(cost, parameters)
    return {**case, "cost": cost.item(), "gradients": [g.numpy() for g in gradients]}


cases.write(__file__, [solve(case) for case in cases.cases()])
