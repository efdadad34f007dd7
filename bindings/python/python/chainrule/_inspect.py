"""Looks inside a fitted network: its gradient beside an independent one, and what one weight's derivative is made of."""

import json

import numpy as np
from sklearn.utils.validation import check_is_fitted, check_X_y


def _rows(estimator, X, y):
    """The network, and X and y as it takes them."""
    check_is_fitted(estimator)
    X, y = check_X_y(X, y, accept_sparse=["csr", "csc"], multi_output=True, dtype=(np.float64, np.float32))
    dtype = estimator.coefs_[0].dtype
    network = estimator._connect(estimator.n_features_in_)
    return network, estimator._prepared(X, dtype), np.ascontiguousarray(estimator._encode(y), dtype=dtype)


def check_gradients(estimator, X, y, *, most=None):
    """Compare the derivatives that training uses with an independent reference.

    The reference writes the cost of the whole network down once more on complex numbers and differentiates it by the complex step, in
    double precision; it shares no code with training.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
        Fitted.
    X : array-like of shape (n_samples, n_features)
        A few rows: each parameter costs an evaluation of all of them.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Their targets.
    most : int, default=None
        Compare so many parameters, drawn from all; None compares all of them and the derivatives with respect to ``X``.

    Returns
    -------
    certificate : dict
        ``holds``: whether every relative error is within ``bound``; ``compared``, how many derivatives were; ``worst``, the one that
        agrees least; ``method`` and ``kink_distance``.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from chainrule import MLPClassifier, check_gradients
    >>> X, y = load_iris(return_X_y=True)
    >>> model = MLPClassifier(8, "tanh", max_iter=300, random_state=0).fit(X, y)
    >>> certificate = check_gradients(model, X[::50], y[::50])
    >>> certificate["holds"], certificate["compared"]
    (True, 79)
    """
    network, X, targets = _rows(estimator, X, y)
    certificate, holds = json.loads(network.certify(X, targets, None, most))
    return certificate | {"holds": holds}


def explain_weight(estimator, X, y, *, row=0, layer=0, source=0, target=0):
    """Show what the derivative of the cost with respect to one weight is made of, factor by factor.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
        Fitted.
    X : array-like of shape (n_samples, n_features)
        Rows.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Their targets.
    row, layer, source, target : int, default=0
        The row, and the weight ``coefs_[layer][source, target]``.

    Returns
    -------
    elements : dict
        ``source`` h_i, ``pre_activation`` z_j, ``slope`` phi'(z_j), ``terms`` of the layer above, ``delta``, and their product
        ``gradient``; what a step at ``learning_rate_init`` would do: ``updated_weight``, ``predicted_change``, ``measured_change``.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from chainrule import MLPClassifier, explain_weight
    >>> X, y = load_iris(return_X_y=True)
    >>> model = MLPClassifier(8, "tanh", max_iter=300, random_state=0).fit(X, y)
    >>> elements = explain_weight(model, X, y, row=50, layer=0, source=2, target=3)
    >>> bool(abs(elements["gradient"] - elements["source"] * elements["delta"]) < 1e-12)
    True
    """
    network, X, targets = _rows(estimator, X, y)
    place = (layer, source, target)
    return json.loads(network.explain_weight(X, targets, row, place, float(estimator.learning_rate_init)))
