"""What the parameters of an estimator may be, and what the engine makes of them."""

import json
import sys
from numbers import Integral, Real

import numpy as np

from ._chainrule import Network
from ._custom import Activation, Head

ACTIVATIONS = (
    "identity", "relu", "leaky_relu", "elu", "selu", "gelu", "silu", "mish", "softplus", "tanh", "logistic", "sigmoid",
)  # fmt: skip
# Those whose initial weights scikit-learn has a rule for.
SKLEARN_ACTIVATIONS = ("identity", "logistic", "tanh", "relu")


def _real(low, high, *, low_open=False, high_open=False):
    def fits(x):
        if not isinstance(x, Real) or isinstance(x, (bool, np.bool_)):
            return False
        return (x > low if low_open else x >= low) and (x < high if high_open else x <= high)

    brackets = "(" if low_open else "[", ")" if high_open else "]"
    return fits, f"a number in {brackets[0]}{low}, {high}{brackets[1]}"


def _count(low):
    return lambda x: isinstance(x, Integral) and not isinstance(x, bool) and x >= low, f"a whole number >= {low}"


def _either(*names):
    return lambda x: isinstance(x, str) and x in names, f"one of {', '.join(map(repr, names))}"


def _or(extra, what, rule):
    return lambda x: extra(x) or rule[0](x), f"{what} or {rule[1]}"


_BOOLEAN = (lambda x: isinstance(x, (bool, np.bool_)), "True or False")
_POSITIVE = _real(0, np.inf, low_open=True, high_open=True)
_NOT_NEGATIVE = _real(0, np.inf, high_open=True)

RULES = {
    "solver": _either("lbfgs", "sgd", "adam"),
    "alpha": _NOT_NEGATIVE,
    "batch_size": _or(lambda x: isinstance(x, str) and x == "auto", "'auto'", _count(1)),
    "learning_rate": _either("constant", "invscaling", "adaptive"),
    "learning_rate_init": _POSITIVE,
    "power_t": _NOT_NEGATIVE,
    "max_iter": _count(1),
    "shuffle": _BOOLEAN,
    "tol": _NOT_NEGATIVE,
    "verbose": (lambda x: isinstance(x, (bool, np.bool_)) or _count(0)[0](x), "True, False or a whole number >= 0"),
    "warm_start": _BOOLEAN,
    "momentum": _real(0, 1, high_open=True),
    "nesterovs_momentum": _BOOLEAN,
    "early_stopping": _BOOLEAN,
    "validation_fraction": _real(0, 1, high_open=True),
    "beta_1": _real(0, 1, high_open=True),
    "beta_2": _real(0, 1, high_open=True),
    "epsilon": _POSITIVE,
    "n_iter_no_change": _or(lambda x: isinstance(x, Real) and x == np.inf, "infinity", _count(1)),
    "max_fun": _count(1),
    "loss": (lambda x: isinstance(x, (str, dict, Head)), "a name, a dict with one or a chainrule.Head"),
    "n_jobs": _or(lambda x: x is None, "None", (lambda x: isinstance(x, Integral) and x != 0, "a whole number, not 0")),
    "dtype": _or(
        lambda x: x is None, "None", (lambda x: x in ("float32", "float64", np.float32, np.float64), "float32, float64")
    ),
}


def check(estimator):
    """Refuses parameters that cannot work, with a ValueError that names them."""
    for name, (fits, what) in RULES.items():
        value = getattr(estimator, name)
        if not fits(value):
            owner = type(estimator).__name__
            raise ValueError(f"The {name!r} parameter of {owner} must be {what}. Got {value!r} instead.")


def hidden_sizes(estimator):
    """The widths of the hidden layers, as a list."""
    sizes = estimator.hidden_layer_sizes
    sizes = list(sizes) if hasattr(sizes, "__iter__") else [sizes]
    if not all(isinstance(size, Integral) and size > 0 for size in sizes):
        raise ValueError(f"hidden_layer_sizes must be > 0, got {sizes}.")
    return [int(size) for size in sizes]


def _for_each_layer(name, value, layers):
    values = list(value) if isinstance(value, (list, tuple)) else [value] * layers
    if len(values) != layers:
        raise ValueError(f"{name} has {len(values)} elements for {layers} hidden layers")
    return values


def activations(estimator):
    """The activation of each hidden layer: a name, or the user's own."""
    names = _for_each_layer("activation", estimator.activation, len(hidden_sizes(estimator)))
    for name in names:
        if not isinstance(name, Activation) and name not in ACTIVATIONS:
            known = ", ".join(ACTIVATIONS)
            raise ValueError(f"The 'activation' parameter: {name!r} is unknown; there are {known} and chainrule.Activation")
    return names


def loss_name(loss):
    """How a head is called."""
    if isinstance(loss, Head):
        return loss.name
    return loss if isinstance(loss, str) else next(iter(loss))


def outputs(head, targets):
    """Outputs of a network with this head for so many targets, or for one target of so many classes."""
    return targets if isinstance(head, Head) else Network.outputs(json.dumps(head), targets)


def network(estimator, inputs, outputs, head, *, single, seed):
    """A network of the engine with initial parameters that depend on `seed` alone, in single or double precision."""
    chosen, sizes = activations(estimator), hidden_sizes(estimator)
    dropout = _for_each_layer("dropout", estimator.dropout, len(sizes))
    # A function cannot stand in JSON: it goes with it and takes its place.
    names = ["identity" if isinstance(f, Activation) else {"logistic": "sigmoid"}.get(f, f) for f in chosen]
    spec = {
        "inputs": inputs,
        "hidden": [
            {"width": width, "activation": name, "dropout": float(rate)} for width, name, rate in zip(sizes, names, dropout)
        ],
        "outputs": outputs,
        "head": "bernoulli" if isinstance(head, Head) else head,
    }
    own = [f._core if isinstance(f, Activation) else None for f in chosen]
    return Network(json.dumps(spec), single, seed, own, head._core if isinstance(head, Head) else None)


def train_settings(estimator, rows, seed):
    """The engine's settings, as JSON."""
    if estimator.solver == "adam":
        optimizer = {
            "kind": "adam",
            "beta1": estimator.beta_1,
            "beta2": estimator.beta_2,
            "epsilon": estimator.epsilon,
            "epsilon_hat": True,
        }
    elif estimator.solver == "sgd":
        optimizer = {
            "kind": "momentum",
            "momentum": estimator.momentum,
            "nesterov": bool(estimator.nesterovs_momentum),
        }
    else:
        optimizer = {"kind": "lbfgs", "tolerance": max(estimator.tol, sys.float_info.min)}
    settings = {
        "batch": batch_size(estimator, rows),
        "optimizer": optimizer,
        "learning_rate": estimator.learning_rate_init,
        "row_l2": estimator.alpha,
        "shuffle": False,
        "seed": seed,
    }
    return json.dumps(settings, default=float)


def batch_size(estimator, rows):
    """Rows of a batch."""
    return min(200 if estimator.batch_size == "auto" else int(estimator.batch_size), rows)
