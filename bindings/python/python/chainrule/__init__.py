"""Feedforward networks trained by hand-derived backpropagation, as scikit-learn estimators."""

from ._chainrule import __version__

__all__ = ["__version__"]
