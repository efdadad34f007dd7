"""Targets and weights of rows, checked."""

import re
from numbers import Real

import numpy as np
from sklearn.utils import _safe_indexing
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, column_or_1d

#: Every whole number up to here is exactly a float64.
_LARGEST_WHOLE = 2**53

#: Whole-number weights repeat rows, up to so many times as many rows as there are.
_MOST_REPETITIONS = 4


def target_name(y, taken):
    """The column name of a target: its own if it is a series with one, and one that no feature has."""
    name = getattr(y, "name", None)
    return free_name(name if isinstance(name, str) and name else "target", taken)


def free_name(name, taken):
    """`name`, with underscores after it while it is among the `taken`."""
    while name in taken:
        name += "_"
    return name


def ordered_levels(y, head):
    """The levels of an ordered categorical of pandas, or of an Enum of polars, from the lowest to the highest.

    Returns
    -------
    list or None
        None for any other column, and where the head is not for classes in order.
    """
    dtype = getattr(y, "dtype", None)
    ordered = getattr(dtype, "ordered", type(dtype).__name__ == "Enum")
    ordinal = head == "ordinal" or (isinstance(head, dict) and "ordinal" in head)
    return list(dtype.categories) if ordered and ordinal else None


def class_names(levels, y):
    """How a model calls those of the levels that occur in y."""
    occurring = set(y.tolist())
    return [_class_name(level) for level in levels if level in occurring]


def _class_name(label):
    if isinstance(label, (bool, np.bool_)):
        return str(bool(label)).lower()
    return str(int(label) if isinstance(label, Real) else label)


def class_target(y, name="y"):
    """Class labels as an array of numbers, truth values or texts.

    Raises
    ------
    ValueError
        A label that is missing, with its row; labels that are no classes.
    """
    y = _complete(y, name)
    try:
        check_classification_targets(y)
    except TypeError:
        raise ValueError(f"{name} has labels of several kinds; make them all text") from None
    if y.dtype.kind in "iuf" and np.abs(y.astype(np.float64)).max(initial=0.0) > _LARGEST_WHOLE:
        raise ValueError(f"{name} has labels beyond 2**53, which lose digits as numbers; make them text")
    return y


def number_target(y, name="y"):
    """Numbers as an array of float64.

    Raises
    ------
    ValueError
        A number that is missing or a value that is none, with its row.
    """
    y = _complete(y, name)
    try:
        return y.astype(np.float64)
    except (TypeError, ValueError):
        row, value = next((row, value) for row, value in enumerate(y.tolist()) if not _is_number(value))
        raise ValueError(f"{name} holds {value!r} in row {row} (counted from 0), where a number is needed") from None


def _complete(y, name):
    """A column of values, none missing or infinite."""
    y = column_or_1d(y, warn=True)
    for unusable, what, remedy in (
        (_is_missing(y), "has no value", "fill it in"),
        (y.dtype.kind == "f" and np.isinf(y), "is infinite", "correct it"),
    ):
        if np.any(unusable):
            row = int(np.argmax(unusable))
            raise ValueError(f"{name} {what} in row {row} (counted from 0); {remedy} or remove the row")
    return y


def _is_missing(y):
    """Which values are missing."""
    if y.dtype.kind == "O":
        return np.fromiter((_stands_for_none(value) for value in y), dtype=bool, count=len(y))
    # NaN and NaT differ from themselves.
    return y != y


def _stands_for_none(value):
    try:
        return value is None or bool(value != value)
    except (TypeError, ValueError):
        # pandas' NA is neither equal to anything nor not.
        return type(value).__name__ == "NAType"


def _is_number(value):
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


def class_labels(names, dtype=None):
    """The labels of a model's classes, in its order.

    Parameters
    ----------
    names : list of str
        The classes' names in the model.
    dtype : numpy.dtype, optional
        That of the labels it was trained on. Without it, labels are what all names look like: whole numbers, numbers, truth
        values, or else texts.

    Returns
    -------
    ndarray of shape (n_classes,)
    """
    if dtype is None:
        dtype = _looks_like(names)
    if dtype.kind == "b":
        return np.asarray([name == "true" for name in names])
    if dtype.kind in "iuf":
        return np.asarray([float(name) for name in names]).astype(dtype)
    return np.asarray(names, dtype=dtype)


def _looks_like(names):
    if sorted(names) == ["false", "true"]:
        return np.dtype(bool)
    # As the core writes numbers: neither blanks nor leading zeros.
    if all(re.fullmatch(r"-?(0|[1-9]\d*)", name) for name in names):
        return np.dtype(np.int64)
    if all(re.fullmatch(r"-?(0|[1-9]\d*)(\.\d+)?(e-?\d+)?", name) for name in names):
        return np.dtype(np.float64)
    return np.dtype(object)


def weighted(X, y, sample_weight):
    """The rows that count, with their weights.

    Returns
    -------
    X, y
        The rows of a weight above 0.
    weights : ndarray or None
        Their weights.
    counts : ndarray of uint32 or None
        In place of weights: how often each row stands for itself.
    """
    if sample_weight is None:
        return X, y, None, None
    weights = _check_sample_weight(sample_weight, y, dtype=np.float64, ensure_non_negative=True)
    if not weights.all():
        kept = np.flatnonzero(weights)
        X, y, weights = _safe_indexing(X, kept), y[kept], weights[kept]
    if (weights == np.floor(weights)).all() and weights.sum() <= _MOST_REPETITIONS * len(weights):
        return X, y, None, weights.astype(np.uint32)
    return X, y, weights, None
