"""Estimators for tables of numbers, texts, truth values and times."""

import json
import os
import re
import warnings
from time import monotonic

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.inspection import permutation_importance
from sklearn.utils import check_array
from sklearn.utils.validation import check_consistent_length, check_is_fitted, validate_data

from . import _settings
from ._callbacks import CallbackSupportMixin, Observer, fit_task, with_callbacks
from ._chainrule import TabularModel
from ._columns import column_names, is_frame, label_column, number_column, table
from ._html import WithLossCurve
from ._progress import Progress
from ._targets import (
    class_labels,
    class_names,
    class_target,
    free_name,
    number_target,
    ordered_levels,
    target_name,
    weighted,
)


class _Tabular(WithLossCurve, CallbackSupportMixin, BaseEstimator):
    """What classifier and regressor share."""

    def __init__(self, **parameters):
        for name, default in _settings.PARAMETERS.items():
            setattr(self, name, parameters.pop(name, default))
        for name in parameters:
            raise TypeError(f"{type(self).__name__} has no parameter {name!r}; {_settings.hint(name)}")

    @with_callbacks
    def fit(self, X, y, sample_weight=None, eval_set=None):
        """Fits encoder and network.

        Ctrl-C ends the training after the batch, with a warning: the model is the best so far.

        Parameters
        ----------
        X : data frame or array-like of shape (n_samples, n_features)
            The features. Columns of a frame hold numbers, texts, categories, truth values or times; an array holds numbers.
            All may have missing values.
        y : array-like of shape (n_samples,)
            The targets, none missing.
        sample_weight : array-like of shape (n_samples,), optional
            How much each row's cost counts. A row of weight 0 is left out. Whole numbers are repetitions, 3 the same as three
            equal rows, as long as that makes at most four times as many rows.
        eval_set : tuple of (X, y), optional
            The rows that choose the best epoch. Without it a part of the rows is held out, see `valid_fraction`.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            Data or a parameter that cannot be used, with the column and the row, counted from 0.
        """
        started, limit = monotonic(), _settings.time_limit(self)
        X = self._features(X, reset=True)
        levels = ordered_levels(y, self.head)
        name, y = target_name(y, column_names(X)), self._target(y)
        check_consistent_length(X, y)
        task = fit_task(self, X, y, sample_weight, None)
        X, y, weights, counts = weighted(X, y, sample_weight)
        names = column_names(X)
        weight = None if weights is None else free_name("sample_weight", [*names, name])
        roles = [self._target_column(name, y)] + ([] if weights is None else [number_column(weight, weights)])
        known = {"class_order": class_names(levels, y)} if levels else {}
        with Progress(self.verbose) as progress:
            observer = Observer(progress, task)
            model, raised = TabularModel.fit(
                _settings.as_json(self, self._task, **known),
                table("X and y", X, more=roles),
                name,
                weight=weight,
                valid=None if eval_set is None else self._validation(eval_set, names, name, weight),
                counts=counts,
                threads=self._threads(),
                # Where nobody listens, no epoch waits for the interpreter.
                observer=observer if self.verbose or task.is_told else None,
                time_limit=None if limit is None else max(limit - (monotonic() - started), 0.0),
            )
        self._adopt(model, y)
        self._names, self._from_file = names, False
        for column, message in self._about["left_out"]:
            warnings.warn(f"column {column!r}: {message}", UserWarning, stacklevel=3)
        if isinstance(raised, KeyboardInterrupt):
            warnings.warn("Training interrupted by user; the model is the best so far.", UserWarning, stacklevel=3)
        elif raised is not None:
            raise raised
        observer.end()
        task.end(dict)
        return self

    def feature_importances(self, X, y, *, n_repeats=5, scoring=None, random_state=0):
        """Permutation importance: how much the score falls when a column's values change places.

        Parameters
        ----------
        X : data frame or array-like of shape (n_samples, n_features)
            Rows, best such that the estimator was not fitted on.
        y : array-like of shape (n_samples,)
            Their targets.
        n_repeats : int, default=5
            Permutations of each column.
        scoring : str or callable, optional
            The score; that of `score` if absent.
        random_state : int, default=0
            Seed of the permutations.

        Returns
        -------
        sklearn.utils.Bunch
            `importances_mean` and `importances_std` of shape (n_features,), `importances` of shape (n_features, n_repeats), and
            `feature_names`.
        """
        if is_frame(X) and not hasattr(X, "iloc"):
            X = X.to_pandas()
        result = permutation_importance(self, X, y, n_repeats=n_repeats, scoring=scoring, random_state=random_state)
        result["feature_names"] = column_names(X if is_frame(X) else np.asarray(X))
        return result

    def save(self, path):
        """Writes the model file that the command line also writes and reads; it appears whole or not at all.

        Parameters
        ----------
        path : str or path-like
            The file.
        """
        check_is_fitted(self)
        self._model.save(os.fspath(path))

    @classmethod
    def load(cls, path):
        """Reads a model file, of `save` or of the command line.

        Labels and names of columns are those in the file: labels that all look like numbers are numbers. A frame to predict on
        may have more columns than the model uses, in any order.

        Parameters
        ----------
        path : str or path-like
            The file.

        Returns
        -------
        estimator : object
            A fitted estimator with the model's parameters.

        Raises
        ------
        OSError
            A file that cannot be read.
        ValueError
            A file that is no model, is damaged, or holds a model of the other task.
        """
        model = TabularModel.load(os.fspath(path))
        about = json.loads(model.describe())
        if bool(about["classes"]) != issubclass(cls, ClassifierMixin):
            other = "TabularClassifier" if about["classes"] else "TabularRegressor"
            raise ValueError(f"{os.fspath(path)} holds a model for {other}.load")
        settings = about["settings"]
        parameters = {name: settings[name] for name in _settings.NAMES if name in settings}
        estimator = cls(random_state=settings["seed"], **parameters)
        estimator._adopt(model)
        names = [*about["columns"], *(column for column, _ in about["left_out"])]
        estimator._names, estimator._from_file = names, True
        estimator.n_features_in_ = len(names)
        estimator.feature_names_in_ = np.asarray(names, dtype=object)
        return estimator

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    def _curves(self):
        if not hasattr(self, "history_"):
            return {}, None
        curves = {"training cost": self.history_["train_cost"]}
        if any(score is not None for score in self.history_["valid_score"]):
            curves["validation score"] = self.history_["valid_score"]
        return curves, self.best_epoch_

    def _threads(self):
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        jobs = cores if self.n_jobs is None else self.n_jobs
        return jobs if jobs > 0 else max(cores + 1 + jobs, 1)

    def _features(self, X, *, reset):
        """X with its names and its width checked: a frame as it is, anything else as an array of numbers."""
        least = 2 if reset else 1
        if is_frame(X):
            if X.shape[0] < least:
                raise ValueError(f"X has {X.shape[0]} sample(s), of {least} needed")
            return validate_data(self, X, reset=reset, skip_check_array=True)
        if hasattr(X, "collect_schema"):
            raise TypeError("X is a lazy frame: collect() it first")
        try:
            return validate_data(self, X, reset=reset, dtype="numeric", ensure_all_finite="allow-nan", ensure_min_samples=least)
        except ValueError as error:
            if "could not convert string" in str(error) or "bytes/strings" in str(error):
                raise ValueError(f"X is an array with text ({error}); columns of text need a data frame") from error
            raise

    def _validation(self, eval_set, names, target, weight):
        """The table of the rows that choose the epoch."""
        if len(eval_set) != 2:
            raise ValueError(f"eval_set must be a tuple (X, y), got {len(eval_set)} parts")
        X, y = self._features(eval_set[0], reset=False), self._target(eval_set[1], "the y of eval_set")
        check_consistent_length(X, y)
        ones = [] if weight is None else [number_column(weight, np.ones(len(y)))]
        return table("eval_set", X, names=names, more=[self._target_column(target, y), *ones])

    def _adopt(self, model, y=None):
        """Takes over a model and what it says of itself; `y`: the targets it was trained on."""
        self._model, self._about = model, json.loads(model.describe())
        history = self._about["history"]
        keys = ("epoch", "train_cost", "valid_score", "learning_rate")
        self.history_ = {key: [record.get(key) for record in history] for key in keys}
        self.n_iter_, self.best_epoch_ = len(history), self._about["best_epoch"]

    def _table(self, X):
        """The rows to predict on as the model's table."""
        check_is_fitted(self)
        text = self._about["text"]
        if not self._from_file:
            return table("X", self._features(X, reset=False), names=self._names, text=text)
        if is_frame(X):
            return table("X", X, text=text)
        X = check_array(X, dtype="numeric", ensure_all_finite="allow-nan")
        if all(re.fullmatch(r"x\d+", name) for name in self._names):
            return table("X", X)
        if X.shape[1] != len(self._names):
            raise ValueError(f"X has {X.shape[1]} columns where the model has {', '.join(self._names)}")
        return table("X", X, names=self._names)


class TabularClassifier(ClassifierMixin, _Tabular):
    """A network that tells the class of a row of numbers, texts, truth values and times.

    The same model as that of `chainrule train --task classification`, in the same file.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted.
    {attributes}

    Examples
    --------
    >>> import pandas as pd
    >>> from chainrule import TabularClassifier
    >>> X = pd.DataFrame({{"size": [1.0, 2.0, None, 4.0] * 10, "color": ["red", "blue", "red", "blue"] * 10}})
    >>> y = ["no", "yes", "no", "yes"] * 10
    >>> model = TabularClassifier(hidden=[16], epochs=20).fit(X, y)
    >>> model.predict(X[:2]).tolist()
    ['no', 'yes']
    >>> model.predict_proba(X).shape
    (40, 2)
    """

    _task = "classification"

    def predict(self, X):
        """The most probable class of each row.

        Parameters
        ----------
        X : data frame or array-like of shape (n_samples, n_features)
            Rows with the columns that the estimator was fitted on, of the same kinds.

        Returns
        -------
        ndarray of shape (n_samples,)
            Labels.

        Raises
        ------
        ValueError
            A column that is missing or of another kind than in `fit`, or a number that is infinite.
        """
        table = self._table(X)
        return self._labels[self._model.predict(table, self._threads())]

    def predict_proba(self, X):
        """The probability of each class for each row.

        Parameters
        ----------
        X : data frame or array-like of shape (n_samples, n_features)
            As in `predict`.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            In the order of `classes_`; each row sums to 1.
        """
        table = self._table(X)
        return self._model.predict_proba(table, self._threads())[:, self._order]

    _target = staticmethod(class_target)
    _target_column = staticmethod(label_column)

    def _adopt(self, model, y=None):
        super()._adopt(model, y)
        # In the model's order, which scikit-learn's metrics do not know.
        self._labels = class_labels(self._about["classes"], None if y is None else y.dtype)
        self._order = np.argsort(self._labels)
        self.classes_ = self._labels[self._order]


class TabularRegressor(RegressorMixin, _Tabular):
    """A network that predicts a number from a row of numbers, texts, truth values and times, with its distribution.

    The same model as that of `chainrule train --task regression`, in the same file.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    {attributes}

    Examples
    --------
    >>> import numpy as np
    >>> from chainrule import TabularRegressor
    >>> X = np.linspace(0, 1, 200).reshape(-1, 1) ** 2
    >>> y = 10 + 5 * X[:, 0]
    >>> model = TabularRegressor(hidden=[16], learning_rate=0.01).fit(X, y)
    >>> bool(model.score(X, y) > 0.99)
    True
    >>> model.predict_interval(X, level=0.9).shape
    (200, 2)
    """

    _task = "regression"

    def predict(self, X):
        """The mean of each row's target, as far as the head has one: of quantiles the one nearest the median.

        Parameters
        ----------
        X : data frame or array-like of shape (n_samples, n_features)
            Rows with the columns that the estimator was fitted on, of the same kinds.

        Returns
        -------
        ndarray of shape (n_samples,)
            Numbers in the target's unit.

        Raises
        ------
        ValueError
            A column that is missing or of another kind than in `fit`, or a number that is infinite.
        """
        table = self._table(X)
        return self._model.predict(table, self._threads())

    def predict_interval(self, X, level=0.9):
        """An interval for each row's target, from the errors on held-out rows where these say enough.

        Parameters
        ----------
        X : data frame or array-like of shape (n_samples, n_features)
            As in `predict`.
        level : float, default=0.9
            The probability that the target is in it, over all rows.

        Returns
        -------
        ndarray of shape (n_samples, 2)
            Lower and upper bounds in the target's unit.

        Raises
        ------
        ValueError
            As `predict`; a level outside of (0, 1), or quantiles that the head was not trained for.
        """
        table = self._table(X)
        return self._model.predict_interval(table, level, self._threads())

    def predict_quantiles(self, X, q=(0.05, 0.5, 0.95)):
        """Quantiles of each row's target.

        Parameters
        ----------
        X : data frame or array-like of shape (n_samples, n_features)
            As in `predict`.
        q : sequence of float, default=(0.05, 0.5, 0.95)
            Their levels, each in (0, 1).

        Returns
        -------
        ndarray of shape (n_samples, len(q))
            In the target's unit, as far as the head's distribution is true.

        Raises
        ------
        ValueError
            As `predict_interval`.
        """
        table = self._table(X)
        return self._model.predict_quantiles(table, list(q), self._threads())

    _target = staticmethod(number_target)
    _target_column = staticmethod(number_column)


_Tabular.__init__.__signature__ = _settings.signature()
for _estimator in (TabularClassifier, TabularRegressor):
    _estimator.__doc__ = _settings.documented(_estimator.__doc__)
