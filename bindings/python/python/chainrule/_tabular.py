"""Estimators for tables of numbers, texts, truth values and times."""

import inspect
import json
import os
import re
import warnings
from difflib import get_close_matches
from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.inspection import permutation_importance
from sklearn.utils import check_array, check_random_state
from sklearn.utils.validation import check_consistent_length, check_is_fitted, validate_data

from ._chainrule import TabularModel, setting_names
from ._columns import column_names, is_frame, label_column, number_column, table
from ._html import loss_curves
from ._targets import class_labels, class_target, free_name, number_target, target_name, weighted

#: The core's settings that are parameters under their own names; the class is the task, `random_state` the seed.
_SETTINGS = [name for name in setting_names() if name not in ("task", "seed")]

#: Settings with variants that have constants: the name alone means the usual ones.
_VARIANTS = ("optimizer", "schedule")

_PARAMETERS = {**dict.fromkeys(_SETTINGS), "random_state": None, "n_jobs": None, "verbose": False}


class _Tabular(BaseEstimator):
    """What classifier and regressor share."""

    def __init__(self, **parameters):
        for name, default in _PARAMETERS.items():
            setattr(self, name, parameters.pop(name, default))
        for name in parameters:
            near = get_close_matches(name, _PARAMETERS, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(_PARAMETERS)}"
            raise TypeError(f"{type(self).__name__} has no parameter {name!r}; {hint}")

    def fit(self, X, y, sample_weight=None, eval_set=None):
        """Fits encoder and network.

        Ctrl-C ends the training after the batch: the estimator then holds the best model so far, and `KeyboardInterrupt` is
        raised.

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
        X, name = self._features(X, reset=True), target_name(y, column_names_of(X))
        y = self._target(y)
        check_consistent_length(X, y)
        X, y, weights, counts = weighted(X, y, sample_weight)
        names = column_names(X)
        weight = None if weights is None else free_name("sample_weight", [*names, name])
        roles = [self._target_column(name, y)] + ([] if weights is None else [number_column(weight, weights)])
        model, raised = TabularModel.fit(
            self._settings(),
            table("X and y", X, more=roles),
            name,
            weight=weight,
            valid=None if eval_set is None else self._validation(eval_set, names, name, weight),
            counts=counts,
            threads=self._threads(),
            observer=_print_epoch if self.verbose else None,
        )
        self._adopt(model, y)
        self._names, self._from_file = names, False
        for column, message in self._about["left_out"]:
            warnings.warn(f"column {column!r}: {message}", UserWarning, stacklevel=2)
        if raised is not None:
            raise raised
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
        result["feature_names"] = column_names_of(X)
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
        parameters = {name: settings[name] for name in _SETTINGS if name in settings}
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

    def _html_repr(self):
        html = super()._html_repr()
        if not hasattr(self, "history_"):
            return html
        curves = {"training cost": self.history_["train_cost"]}
        if any(score is not None for score in self.history_["valid_score"]):
            curves["validation score"] = self.history_["valid_score"]
        return html + loss_curves(curves, self.best_epoch_)

    def _settings(self):
        """The parameters as the core's settings, in JSON."""
        settings = {name: getattr(self, name) for name in _SETTINGS if getattr(self, name) is not None}
        for name in _VARIANTS:
            if isinstance(settings.get(name), str):
                settings[name] = {"kind": settings[name]}
        return json.dumps({**settings, "task": self._task, "seed": _seed(self.random_state)}, default=_plain)

    def _threads(self):
        cores = os.cpu_count() or 1
        jobs = cores if self.n_jobs is None else self.n_jobs
        return jobs if jobs > 0 else max(cores + 1 + jobs, 1)

    def _features(self, X, *, reset):
        """X with its names and its width checked: a frame as it is, anything else as an array of numbers."""
        if is_frame(X):
            return validate_data(self, X, reset=reset, skip_check_array=True)
        if hasattr(X, "collect_schema"):
            raise TypeError("X is a lazy frame: collect() it first")
        return validate_data(self, X, reset=reset, dtype="numeric", ensure_all_finite="allow-nan")

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
    """A network that classifies the rows of tables.
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
        return self.classes_[self._model.predict(table, self._threads())]

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
        return self._model.predict_proba(table, self._threads())

    _target = staticmethod(class_target)
    _target_column = staticmethod(label_column)

    def _adopt(self, model, y=None):
        super()._adopt(model, y)
        self.classes_ = class_labels(self._about["classes"], y)


class TabularRegressor(RegressorMixin, _Tabular):
    """A network that predicts a number for the rows of tables.
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
        """An interval for each row's target that leaves the same probability on either side.

        Parameters
        ----------
        X : data frame or array-like of shape (n_samples, n_features)
            As in `predict`.
        level : float, default=0.9
            The probability that the target is in it, as far as the head's distribution is true.

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


def column_names_of(X):
    """The names of what may still be a list."""
    return column_names(X if is_frame(X) else np.asarray(X))


def _seed(random_state):
    """The seed that a random state stands for; of None the usual one."""
    if random_state is None or isinstance(random_state, Integral):
        return int(random_state or 0)
    return int(check_random_state(random_state).randint(2**31))


def _plain(value):
    """What JSON can hold of numpy's numbers and arrays."""
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"a parameter cannot hold {value!r}")


def _print_epoch(epoch, cost, score):
    print(f"epoch {epoch}: cost {cost:.6g}" + ("" if score is None else f", validation score {score:.6g}"), flush=True)


def _signature():
    """What help and completion show of the constructors, and what scikit-learn takes for the parameters."""
    keyword = inspect.Parameter.KEYWORD_ONLY
    parameters = [inspect.Parameter(name, keyword, default=default) for name, default in _PARAMETERS.items()]
    return inspect.Signature([inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD), *parameters])


_Tabular.__init__.__signature__ = _signature()
