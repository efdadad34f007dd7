"""The parts of a set as pandas tables, and as the libraries want their columns."""

from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass
class Part:
    """Some rows: features, target, row weights (with the exposure in them) and exposure; the last two are 1 if not given."""

    x: pd.DataFrame
    y: np.ndarray
    weight: np.ndarray
    exposure: np.ndarray


def read(folder, name, arguments):
    """A part as `Part`; with an exposure the target is the rate per unit of it, weighted by it: the same likelihood."""
    table = pd.read_parquet(f"{folder}/{name}.parquet")
    y = table[arguments.target]
    y = y.astype(str).to_numpy(dtype=object) if arguments.task == "classification" else y.to_numpy(dtype=float)
    ones = np.ones(len(table))
    weight = table[arguments.weight].to_numpy(dtype=float) if arguments.weight else ones
    exposure = table[arguments.exposure].to_numpy(dtype=float) if arguments.exposure else ones
    if arguments.exposure:
        y, weight = y / exposure, weight * exposure
    roles = [name for name in (arguments.target, arguments.weight, arguments.exposure) if name]
    return Part(features(table.drop(columns=roles)), y, weight, exposure)


def select(part, rows):
    """The rows of a part where `rows` is true."""
    return Part(part.x[rows], part.y[rows], part.weight[rows], part.exposure[rows])


def features(table):
    """Numbers as floats, text as text, truth values as 0 and 1, times as day, time of year, weekday and hour."""
    columns = {}
    for name, values in table.items():
        if pd.api.types.is_datetime64_any_dtype(values):
            time = values.dt.tz_localize(None)
            columns[f"{name} day"] = (time - pd.Timestamp("1970-01-01")) / pd.Timedelta(days=1)
            parts = {"day of year": time.dt.dayofyear, "weekday": time.dt.weekday, "hour": time.dt.hour}
            columns |= {f"{name} {part}": value.astype(float) for part, value in parts.items()}
        elif pd.api.types.is_bool_dtype(values) or pd.api.types.is_numeric_dtype(values):
            columns[name] = values.astype(float)
        else:
            # A column that holds truth values and gaps is of objects.
            kinds = {type(value) for value in values.dropna().unique()}
            columns[name] = values.astype(float) if kinds == {bool} else values.astype(object)
    return pd.DataFrame(columns, index=table.index)


def is_text(table):
    return [name for name in table if table[name].dtype == object]


def as_categories(train, *others):
    """Text as pandas categories, which are those of the training rows; another level is missing."""
    dtypes = {name: pd.CategoricalDtype(sorted(train[name].dropna().unique())) for name in is_text(train)}
    return [table.astype(dtypes) for table in (train, *others)]


def as_text(train, *others):
    """Missing text as a level of its own."""
    text = is_text(train)
    return [table.assign(**{name: table[name].fillna("missing") for name in text}) for table in (train, *others)]


def without_gaps(train, *others):
    """Missing numbers as the training median, with a column that says where they were; constant columns left out."""
    numbers = [name for name in train if name not in is_text(train)]
    filled = []
    for table in (train, *others):
        table = table.copy()
        for name in numbers:
            if train[name].isna().any():
                table[f"{name} is missing"] = table[name].isna().astype(float)
            median = train[name].median()
            table[name] = table[name].fillna(0.0 if np.isnan(median) else median)
        filled.append(table)
    used = [name for name in filled[0] if filled[0][name].nunique(dropna=False) > 1]
    return [table[used] for table in filled]
