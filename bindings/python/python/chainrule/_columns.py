"""From what Python holds a table in to the columns that the core reads."""

import sys

import numpy as np

from ._chainrule import Table

#: The code of a missing level.
_MISSING = np.uint32(0xFFFFFFFF)


def is_frame(X):
    """Whether X has named columns: a data frame of pandas, or an eager one that is a stream of Arrow batches."""
    return _is_pandas(X) or (hasattr(X, "__arrow_c_stream__") and hasattr(X, "columns") and hasattr(X, "shape"))


def _is_pandas(X):
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(X, pandas.DataFrame)


def table(name, X, *, names=None, more=(), known=None):
    """A table of a frame or an array (n_samples, n_features).

    Parameters
    ----------
    name : str
        How messages call it.
    X : data frame or ndarray
        The rows.
    names : list of str, optional
        The columns' names in their order; those of the frame, or x0, x1, ..., if absent.
    more : list of tuple
        Columns to add, as the core takes them.
    known : dict, optional
        What columns hold where cells alone may not say it: "category", "month_first" or "day_first".

    Returns
    -------
    chainrule._chainrule.Table
    """
    names = column_names(X) if names is None else list(names)
    known = known or {}
    if _is_pandas(X):
        return Table.from_columns(name, [*_pandas_columns(name, X, names, known), *more])
    if is_frame(X):
        return Table.from_arrow(name, X, names, list(more), known)
    columns = [number_column(column, X[:, j]) for j, column in enumerate(names)]
    return Table.from_columns(name, [*columns, *more])


def column_names(X):
    """The names of a frame's columns as text, or x0, x1, ... for an array."""
    if not is_frame(X):
        return [f"x{j}" for j in range(X.shape[1])]
    return [str(name) for name in getattr(X, "column_names", X.columns)]


def number_column(name, values):
    """A column of numbers; NaN is missing."""
    return name, "number", np.asarray(values, dtype=np.float64), None


def label_column(name, y):
    """A column of class labels: numbers, truth values or texts, none missing."""
    if y.dtype.kind == "b":
        return name, "boolean", y.astype(np.float64), None
    if y.dtype.kind in "iuf":
        return number_column(name, y)
    labels, codes = np.unique(y, return_inverse=True)
    return name, "label", codes.astype(np.uint32), [str(label) for label in labels]


def _pandas_columns(table_name, X, names, known):
    columns = []
    for position, name in enumerate(names):
        try:
            columns.append(_pandas_column(name, X.iloc[:, position], known.get(name, "text")))
        except (TypeError, ValueError) as error:
            raise ValueError(f"{table_name}, column {name!r}: cannot use its values ({error})") from error
    return columns


def _pandas_column(name, series, text_kind):
    types = sys.modules["pandas"].api.types
    dtype = series.dtype
    if isinstance(dtype, sys.modules["pandas"].CategoricalDtype):
        return name, "category", series.cat.codes.to_numpy().astype(np.uint32), [str(x) for x in dtype.categories]
    if types.is_bool_dtype(dtype):
        return name, "boolean", series.to_numpy(dtype=np.float64, na_value=np.nan), None
    if types.is_complex_dtype(dtype):
        raise ValueError("complex numbers; make columns of their parts")
    if types.is_numeric_dtype(dtype):
        return number_column(name, series.to_numpy(dtype=np.float64, na_value=np.nan))
    if types.is_datetime64_any_dtype(dtype):
        return name, "time", _microseconds(series), None
    if types.is_timedelta64_dtype(dtype):
        return number_column(name, (series / np.timedelta64(1, "s")).to_numpy(dtype=np.float64))
    codes, levels = sys.modules["pandas"].factorize(series)
    return name, text_kind, np.where(codes < 0, _MISSING, codes).astype(np.uint32), [str(level) for level in levels]


def _microseconds(series):
    """Microseconds since 1970 in UTC; what is missing is the least of all numbers, as the core has it."""
    if getattr(series.dt, "tz", None) is not None:
        series = series.dt.tz_convert("UTC").dt.tz_localize(None)
    return series.to_numpy(dtype="datetime64[us]").astype(np.int64)
