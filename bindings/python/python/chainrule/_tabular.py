"""Estimators for tables of numbers, texts, truth values and times."""

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin

from . import _settings
from ._columns import label_column, number_column
from ._tabular_base import Tabular
from ._targets import class_labels, class_target, number_target


class TabularClassifier(ClassifierMixin, Tabular):
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


class TabularRegressor(RegressorMixin, Tabular):
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


for _estimator in (TabularClassifier, TabularRegressor):
    _estimator.__doc__ = _settings.documented(_estimator.__doc__)
