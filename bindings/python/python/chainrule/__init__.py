"""Feedforward networks trained by hand-derived backpropagation, as scikit-learn estimators."""

from ._chainrule import __version__
from ._classifier import MLPClassifier
from ._inspect import check_gradients, explain_weight
from ._regressor import MLPRegressor
from ._tabular import TabularClassifier, TabularRegressor

__all__ = [
    "MLPClassifier",
    "MLPRegressor",
    "TabularClassifier",
    "TabularRegressor",
    "__version__",
    "check_gradients",
    "explain_weight",
]
