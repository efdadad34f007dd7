"""Feedforward networks trained by hand-derived backpropagation, as scikit-learn estimators.

scikit-learn is imported with the first estimator, not with the package.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from ._chainrule import __version__

if TYPE_CHECKING:
    from ._classifier import MLPClassifier
    from ._custom import Activation, Head
    from ._inspect import check_gradients, explain_weight
    from ._regressor import MLPRegressor
    from ._tabular import TabularClassifier, TabularRegressor

_MODULES = {
    "Activation": "._custom",
    "Head": "._custom",
    "MLPClassifier": "._classifier",
    "MLPRegressor": "._regressor",
    "TabularClassifier": "._tabular",
    "TabularRegressor": "._tabular",
    "check_gradients": "._inspect",
    "explain_weight": "._inspect",
}

__all__ = [
    "Activation",
    "Head",
    "MLPClassifier",
    "MLPRegressor",
    "TabularClassifier",
    "TabularRegressor",
    "__version__",
    "check_gradients",
    "explain_weight",
]


def __getattr__(name):
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name], __name__), name)


def __dir__():
    return __all__
