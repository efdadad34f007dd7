"""The same numbers as scikit-learn's estimators, from the same random state."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse
from sklearn import neural_network as theirs
from sklearn.datasets import load_digits, load_iris, make_multilabel_classification, make_regression
from sklearn.exceptions import ConvergenceWarning

import chainrule

X_IRIS, Y_IRIS = load_iris(return_X_y=True)
X_DIGITS, Y_DIGITS = load_digits(return_X_y=True)
X_DIGITS, Y_DIGITS = X_DIGITS[:400] / 16, Y_DIGITS[:400]
X_REG, Y_REG = make_regression(n_samples=120, n_features=6, n_targets=2, noise=1.0, random_state=3)
X_REG, Y_REG = X_REG, Y_REG / Y_REG.std()

BASE = {"max_iter": 15, "random_state": 1}
SGD = {"solver": "sgd", "learning_rate_init": 0.05}
X_RARE = np.random.default_rng(0).binomial(1, 0.01, (400, 80)).astype(float)
Y_RARE = X_RARE[:, :40].sum(axis=1) > X_RARE[:, 40:].sum(axis=1)
# Whole columns beside those that have one value in most rows.
X_SCALED = np.hstack([np.random.default_rng(1).normal(size=(400, 5)), X_RARE])
X_SCALED = (X_SCALED - X_SCALED.mean(axis=0)) / np.maximum(X_SCALED.std(axis=0), 1e-9)
CLASSIFIERS = [
    ({}, X_IRIS, Y_IRIS),
    ({}, X_DIGITS, Y_DIGITS),
    ({"hidden_layer_sizes": ()}, X_IRIS, Y_IRIS),
    (SGD | {"hidden_layer_sizes": (20, 10, 5), "activation": "tanh", "alpha": 1.0}, X_IRIS, Y_IRIS),
    ({"activation": "logistic", "batch_size": 16, "shuffle": False}, X_IRIS, Y_IRIS == 1),
    ({"activation": "identity", "beta_1": 0.5, "beta_2": 0.9}, X_IRIS, np.array(["a", "b", "c"])[Y_IRIS]),
    (SGD, X_IRIS, Y_IRIS),
    (SGD | {"learning_rate": "invscaling", "power_t": 0.3}, X_IRIS, Y_IRIS),
    (SGD | {"learning_rate": "adaptive", "tol": 0.03, "n_iter_no_change": 2}, X_IRIS, Y_IRIS),
    (SGD | {"momentum": 0.5, "nesterovs_momentum": False}, X_IRIS, Y_IRIS),
    ({"early_stopping": True, "validation_fraction": 0.2}, X_IRIS, Y_IRIS == 2),
    ({"early_stopping": True, "n_iter_no_change": 3}, X_DIGITS, Y_DIGITS),
    # Most of such a feature's gradients are about as small as Adam's epsilon.
    ({}, X_RARE, Y_RARE),
    ({}, X_SCALED, Y_RARE),
    (SGD, X_SCALED, Y_RARE),
    ({"epsilon": 1e-3}, X_IRIS, Y_IRIS),
    ({}, *make_multilabel_classification(n_samples=80, random_state=1)),
]
REGRESSORS = [
    ({}, X_REG, Y_REG),
    (SGD | {"learning_rate_init": 1e-3, "alpha": 5.0}, X_REG, Y_REG[:, 0]),
    ({"early_stopping": True}, X_REG, Y_REG[:, 0]),
    ({"loss": "poisson"}, X_REG, np.floor(np.abs(Y_REG[:, 0]))),
]


def fit_both(name, parameters, X, y, **fit):
    estimators = []
    for module in (theirs, chainrule):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            estimators.append(getattr(module, name)(**BASE | parameters).fit(X, y, **fit))
    return estimators


def assert_same(expected, got, X):
    assert got.n_iter_ == expected.n_iter_ and got.t_ == expected.t_
    assert got.n_layers_ == expected.n_layers_ and got.n_outputs_ == expected.n_outputs_
    assert got.out_activation_ == expected.out_activation_
    for a, b in zip(expected.coefs_ + expected.intercepts_, got.coefs_ + got.intercepts_):
        assert_allclose(b, a, rtol=1e-4, atol=1e-5)
    if expected.validation_scores_ is not None:
        assert_allclose(got.validation_scores_, expected.validation_scores_, rtol=1e-6)
        assert_allclose(got.best_validation_score_, expected.best_validation_score_, rtol=1e-6)


@pytest.mark.parametrize("parameters, X, y", CLASSIFIERS)
def test_classifier(parameters, X, y):
    expected, got = fit_both("MLPClassifier", parameters, X, y)
    assert_same(expected, got, X)
    assert (got.classes_ == expected.classes_).all() and got.classes_.dtype == expected.classes_.dtype
    assert_allclose(got.loss_curve_, expected.loss_curve_, rtol=1e-5)
    assert_allclose(got.predict_proba(X), expected.predict_proba(X), rtol=1e-3, atol=1e-6)
    assert_allclose(got.predict_log_proba(X), expected.predict_log_proba(X), rtol=1e-3, atol=1e-6)
    assert (got.predict(X) == expected.predict(X)).all() and got.predict(X).dtype == expected.predict(X).dtype


@pytest.mark.parametrize("parameters, X, y", REGRESSORS)
def test_regressor(parameters, X, y):
    expected, got = fit_both("MLPRegressor", parameters, X, y)
    assert_same(expected, got, X)
    if "loss" not in parameters:
        assert_allclose(got.loss_curve_, expected.loss_curve_, rtol=1e-5)
    assert_allclose(got.predict(X), expected.predict(X), rtol=1e-3, atol=1e-5)


def test_row_weights():
    weights = np.linspace(0.0, 2.0, len(X_IRIS))
    expected, got = fit_both("MLPClassifier", {"batch_size": len(X_IRIS)}, X_IRIS, Y_IRIS, sample_weight=weights)
    assert_same(expected, got, X_IRIS)
    assert_allclose(got.loss_curve_, expected.loss_curve_, rtol=1e-5)


@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_partial_fit(solver):
    estimators = [
        module.MLPClassifier(solver=solver, learning_rate="invscaling", random_state=0)
        for module in (theirs, chainrule)
    ]
    for estimator in estimators:
        for part in range(6):
            rows = slice(25 * (part % 3), 25 * (part % 3) + 50)
            estimator.partial_fit(X_IRIS[rows], Y_IRIS[rows], classes=[0, 1, 2])
    assert_same(*estimators, X_IRIS)


def test_warm_start():
    estimators = [
        module.MLPRegressor(warm_start=True, max_iter=4, random_state=0) for module in (theirs, chainrule)
    ]
    for estimator in estimators:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            estimator.fit(X_REG, Y_REG).fit(X_REG, Y_REG)
        assert len(estimator.loss_curve_) == 8
    assert_same(*estimators, X_REG)


def test_parameters_are_scikit_learns_and_more():
    for name in ("MLPClassifier", "MLPRegressor"):
        expected, got = (getattr(module, name)().get_params() for module in (theirs, chainrule))
        assert expected.items() <= got.items()


def unordered(X):
    """In CSR format with columns that descend, each element in two halves, and indices of 64 bits."""
    rows = [np.flatnonzero(row)[::-1].repeat(2) for row in X]
    starts = np.cumsum([0, *map(len, rows)], dtype=np.int64)
    values = np.concatenate([row[columns] / 2 for row, columns in zip(X, rows)])
    return sparse.csr_matrix((values, np.concatenate(rows).astype(np.int64), starts), shape=X.shape)


@pytest.mark.parametrize("form", [sparse.csr_matrix, sparse.csc_matrix, sparse.coo_array, sparse.csr_array, unordered])
@pytest.mark.parametrize("parameters", [{}, {"solver": "lbfgs"}, {"early_stopping": True}, {"hidden_layer_sizes": ()}])
def test_sparse_rows_are_those_of_the_whole_matrix(form, parameters):
    rows = form(X_DIGITS)
    given = rows.copy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        whole, model = (chainrule.MLPClassifier(**BASE | parameters).fit(X, Y_DIGITS) for X in (X_DIGITS, rows))
    for a, b in zip(whole.coefs_, model.coefs_):
        assert (a == b).all()
    assert (model.predict_proba(rows) == whole.predict_proba(X_DIGITS)).all()
    assert (rows != given).nnz == 0 and (not hasattr(rows, "indices") or (rows.indices == given.indices).all())
    both = [chainrule.MLPRegressor(random_state=0).partial_fit(X, Y_DIGITS) for X in (X_DIGITS, rows)]
    assert (both[0].predict(X_DIGITS) == both[1].predict(rows)).all()


def test_sparse_rows_need_no_room_for_their_zeros():
    """The whole matrix would have 16 GB."""
    rng = np.random.default_rng(0)
    X = sparse.random(4_000, 500_000, 4e-5, format="csr", rng=rng)
    y = np.asarray(X[:, :250_000].sum(axis=1) > X[:, 250_000:].sum(axis=1)).ravel()
    expected, got = fit_both("MLPClassifier", {"hidden_layer_sizes": (2,), "max_iter": 2}, X, y)
    assert_same(expected, got, X)
    assert_allclose(got.predict_proba(X), expected.predict_proba(X), rtol=1e-3)
