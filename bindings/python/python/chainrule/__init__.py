"""Feedforward networks trained by hand-derived backpropagation, as scikit-learn estimators."""

from ._chainrule import __version__
from ._tabular import TabularClassifier, TabularRegressor

__all__ = ["TabularClassifier", "TabularRegressor", "__version__"]
