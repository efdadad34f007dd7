"""What the estimators for tables share: checks, fit, model files."""

import json
import os
import re
import warnings
from time import monotonic

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.inspection import permutation_importance
from sklearn.utils import check_array
from sklearn.utils.validation import check_consistent_length, check_is_fitted, validate_data

from . import _settings
from ._callbacks import CallbackSupportMixin, Observer, fit_task, with_callbacks
from ._chainrule import TabularModel
from ._columns import column_names, is_frame, number_column, table
from ._html import WithLossCurve
from ._progress import Progress
from ._targets import class_names, free_name, ordered_levels, target_name, weighted


class Tabular(WithLossCurve, CallbackSupportMixin, BaseEstimator):
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
        order = {"class_order": class_names(levels, y)} if levels else {}
        rows = table("X and y", X, more=roles)
        valid = None if eval_set is None else self._validation(eval_set, names, rows.known(), name, weight)
        with Progress(self.verbose) as progress:
            observer = Observer(progress, task)
            model, raised, notes = TabularModel.fit(
                _settings.as_json(self, self._task, **order),
                rows,
                name,
                weight=weight,
                valid=valid,
                counts=counts,
                threads=self._threads(),
                # Where nobody listens, no epoch waits for the interpreter.
                observer=observer if self.verbose or task.is_told else None,
                time_limit=None if limit is None else max(limit - (monotonic() - started), 0.0),
            )
        self._adopt(model, y)
        self._names, self._from_file = names, False
        for column, message in notes:
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

    def _validation(self, eval_set, names, known, target, weight):
        """The table of the rows that choose the epoch."""
        if len(eval_set) != 2:
            raise ValueError(f"eval_set must be a tuple (X, y), got {len(eval_set)} parts")
        X, y = self._features(eval_set[0], reset=False), self._target(eval_set[1], "the y of eval_set")
        check_consistent_length(X, y)
        ones = [] if weight is None else [number_column(weight, np.ones(len(y)))]
        return table("eval_set", X, names=names, known=known, more=[self._target_column(target, y), *ones])

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
        known = self._about["known"]
        if not self._from_file:
            return table("X", self._features(X, reset=False), names=self._names, known=known)
        if is_frame(X):
            return table("X", X, known=known)
        X = check_array(X, dtype="numeric", ensure_all_finite="allow-nan")
        if all(re.fullmatch(r"x\d+", name) for name in self._names):
            return table("X", X)
        if X.shape[1] != len(self._names):
            raise ValueError(f"X has {X.shape[1]} columns where the model has {', '.join(self._names)}")
        return table("X", X, names=self._names)


Tabular.__init__.__signature__ = _settings.signature()
