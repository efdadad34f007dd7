"""Feedforward networks trained by hand-derived backpropagation, as scikit-learn estimators."""

from ._chainrule import __version__
from ._classifier import MLPClassifier
from ._regressor import MLPRegressor

__all__ = ["MLPClassifier", "MLPRegressor", "__version__"]
