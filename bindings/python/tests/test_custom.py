"""Activations and heads of the user's own."""

import copy
import pickle
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.datasets import load_iris, make_multilabel_classification, make_regression
from sklearn.model_selection import GridSearchCV

from chainrule import Activation, Head, MLPClassifier, MLPRegressor, check_gradients, explain_weight

X, Y = load_iris(return_X_y=True)
X_REG, Y_REG = make_regression(n_samples=150, n_features=4, n_targets=2, noise=1.0, random_state=0)
Y_REG = Y_REG / Y_REG.std()

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def tanh_prime(z):
    return 1.0 - np.tanh(z) ** 2


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def cross_entropy(y, z):
    return -(y * np.log(softmax(z))).sum(axis=1)


def cross_entropy_delta(y, z):
    return softmax(z) - y


def half_square(y, z):
    return ((z - y) ** 2).sum(axis=1) / 2


def difference(y, z):
    return z - y


TANH = Activation(np.tanh, tanh_prime)
CROSS_ENTROPY = Head(cross_entropy, cross_entropy_delta, softmax, "classes")
HALF_SQUARE = Head(half_square, difference)


def quick(estimator=MLPClassifier, **parameters):
    return estimator(**({"hidden_layer_sizes": (8, 5), "max_iter": 20, "random_state": 0} | parameters))


def same_start(model, other, X, y):
    """Both fitted from the same weights; the losses of their first epoch, with others, are left out."""
    for estimator in (model, other):
        estimator.set_params(warm_start=True, n_iter_no_change=np.inf, max_iter=1).fit(X, y).set_params(max_iter=20)
    other.coefs_, other.intercepts_ = list(model.coefs_), list(model.intercepts_)
    for estimator in (model, other):
        estimator.fit(X, y)
        del estimator.loss_curve_[0]
    return model, other


@pytest.mark.parametrize("activation", [TANH, [TANH, "tanh"], ["tanh", TANH]])
def test_an_own_activation_trains_as_the_built_in_one(activation):
    own, built_in = same_start(quick(activation=activation), quick(activation="tanh"), X, Y)
    assert_allclose(own.loss_curve_, built_in.loss_curve_, rtol=1e-4)
    assert_allclose(own.predict_proba(X), built_in.predict_proba(X), rtol=1e-3)


def test_an_own_head_trains_as_the_built_in_one():
    own, built_in = same_start(quick(loss=CROSS_ENTROPY), quick(), X, Y)
    assert_allclose(own.loss_curve_, built_in.loss_curve_, rtol=1e-4)
    assert_allclose(own.predict_proba(X), built_in.predict_proba(X), rtol=1e-3)
    assert own.out_activation_ == "cross_entropy"


def test_an_own_head_of_several_targets():
    own, built_in = same_start(quick(MLPRegressor, loss=HALF_SQUARE), quick(MLPRegressor), X_REG, Y_REG)
    assert_allclose(own.loss_curve_, 2 * np.array(built_in.loss_curve_), rtol=1e-2)
    assert_allclose(own.predict(X_REG), built_in.predict(X_REG), rtol=1e-3, atol=1e-5)


def test_two_classes_and_labels():
    model = quick(loss=CROSS_ENTROPY, max_iter=100, learning_rate_init=0.02).fit(X, np.array(["b", "a", "a"])[Y])
    assert model.score(X, np.array(["b", "a", "a"])[Y]) > 0.95
    assert_allclose(model.predict_proba(X).sum(axis=1), 1.0)
    rows, labels = make_multilabel_classification(n_samples=80, random_state=1)
    model = quick(loss=HALF_SQUARE).fit(rows, labels)
    assert model.predict(rows).shape == labels.shape


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_precision_early_stopping_and_lbfgs(dtype):
    model = quick(loss=CROSS_ENTROPY, activation=TANH, dtype=dtype, early_stopping=True).fit(X, Y)
    assert model.coefs_[0].dtype == dtype and len(model.validation_scores_) == model.n_iter_
    model = quick(loss=CROSS_ENTROPY, activation=TANH, dtype=dtype, solver="lbfgs", max_iter=200).fit(X, Y)
    assert model.score(X, Y) > 0.97


@pytest.mark.parametrize("threads", [1, 2])
def test_threads_change_nothing(threads):
    expected = quick(activation=TANH, loss=CROSS_ENTROPY, n_jobs=1).fit(X, Y).coefs_[0]
    assert_array_equal(quick(activation=TANH, loss=CROSS_ENTROPY, n_jobs=threads).fit(X, Y).coefs_[0], expected)


def test_wrong_derivatives_are_refused():
    with pytest.raises(ValueError, match="bent.* z = .*2"):
        Activation(lambda z: z**2, lambda z: z, "bent")
    with pytest.raises(ValueError, match="half_square.*y = "):
        Head(half_square, lambda y, z: y - z)
    # For rows whose targets do not sum to one it is not the derivative.
    with pytest.raises(ValueError, match="cross_entropy"):
        Head(cross_entropy, cross_entropy_delta, softmax, "real")


@pytest.mark.parametrize(
    "phi, error, message",
    [
        (lambda z: z[:-1], ValueError, r"phi of activation 'odd' must return an array of shape \(1,\).* got \(0,\)"),
        (lambda z: 1.0, ValueError, r"got \(\)"),
        (lambda z: None, TypeError, "phi of activation 'odd' must return real numbers"),
        (lambda z: z + 0j, TypeError, "got complex128"),
        (lambda z: ["a"] * len(z), TypeError, "real numbers"),
        ("tanh", TypeError, "must be a function of arrays, got 'tanh'"),
    ],
)
def test_wrong_results_are_named(phi, error, message):
    with pytest.raises(error, match=message):
        Activation(phi, tanh_prime, "odd")


def test_wrong_parts_of_heads_are_named():
    with pytest.raises(ValueError, match=r"cost of head 'total' must return an array of shape \(1,\).*got \(\)"):
        Head(lambda y, z: ((z - y) ** 2).sum() / 2, difference, name="total")
    with pytest.raises(ValueError, match="delta of head 'half_square'"):
        Head(half_square, lambda y, z: (z - y)[0])
    with pytest.raises(ValueError, match="targets must be a function or one of 'real'"):
        Head(half_square, difference, targets="any")
    with pytest.raises(ValueError, match="'loss' parameter of MLPRegressor must be a name"):
        quick(MLPRegressor, loss=half_square).fit(X_REG, Y_REG)
    odd = Head(half_square, difference, lambda z: z[:, :1], name="narrow")
    with pytest.raises(ValueError, match="mean of head 'narrow'"):
        quick(MLPRegressor, loss=odd).fit(X_REG, Y_REG).predict(X_REG)


class Fuse(Exception):
    pass


def test_exceptions_are_raised_as_they_are():
    burnt = []

    def phi(z):
        if burnt:
            raise Fuse("burnt")
        return np.tanh(z)

    model = quick(activation=Activation(phi, tanh_prime), callbacks=lambda model: burnt.append(model.n_iter_))
    with pytest.raises(Fuse, match="burnt"):
        model.fit(X, Y)
    assert burnt == [1]
    with pytest.raises(Fuse):
        model.predict(X)
    for look in (check_gradients, explain_weight):
        with pytest.raises(Fuse):
            look(model, X[:5], Y[:5])
    burnt.clear()
    assert_array_equal(quick(activation=Activation(phi, tanh_prime)).fit(X, Y).predict(X), quick(activation=TANH).fit(X, Y).predict(X))


@pytest.mark.parametrize("interrupted", [np.tanh, tanh_prime])
def test_an_interrupt_inside_a_function_leaves_a_model(interrupted):
    calls = []

    def counted(function):
        def call(z):
            calls.append(function)
            if len(calls) > 30_000 and function is interrupted and calls.count(None) == 0:
                calls.append(None)
                raise KeyboardInterrupt
            return function(z)

        return call

    activation = Activation(counted(np.tanh), counted(tanh_prime), "tanh")
    model = quick(activation=activation, max_iter=100_000, tol=0.0, n_iter_no_change=np.inf)
    with pytest.warns(UserWarning, match="interrupted"):
        model.fit(X, Y)
    assert model.predict(X).shape == Y.shape and np.isfinite(model.coefs_[0]).all()


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_copies(copied):
    model = quick(activation=[TANH, "relu"], loss=CROSS_ENTROPY).fit(X, Y)
    assert_array_equal(copied(model).predict_proba(X), model.predict_proba(X))
    assert_array_equal(copied(model).fit(X, Y).coefs_[0], model.coefs_[0])
    assert clone(model).get_params() == model.get_params()
    assert repr(TANH) == "Activation('tanh')" and "Head('cross_entropy')" in repr(model)


def test_lambdas_cannot_be_pickled():
    model = quick(activation=Activation(lambda z: z, lambda z: np.ones_like(z))).fit(X, Y)
    with pytest.raises((pickle.PicklingError, AttributeError), match="lambda"):
        pickle.dumps(model)


def test_search_in_processes():
    search = GridSearchCV(quick(loss=CROSS_ENTROPY), {"activation": [TANH, "relu"]}, n_jobs=2, cv=2).fit(X, Y)
    assert len(search.cv_results_["params"]) == 2


def test_gradients_and_weights_can_be_looked_at():
    model = quick(activation=TANH, loss=CROSS_ENTROPY).fit(X, Y)
    certificate = check_gradients(model, X[::30], Y[::30])
    assert certificate["holds"] and "differences" in certificate["method"]
    elements = explain_weight(model, X, Y, row=3, layer=1, source=2, target=1)
    assert_allclose(elements["gradient"], elements["source"] * elements["delta"])


def look_while_training():
    model = quick(activation=TANH, loss=CROSS_ENTROPY, max_iter=1).fit(X, Y)
    model.set_params(warm_start=True, max_iter=100_000, tol=0.0, n_iter_no_change=np.inf)
    parameters, done = model._network.parameters(), threading.Event()

    def look():
        for _ in range(30):
            model._network.set_parameters(parameters)
            explain_weight(model, X, Y)
            model._network.progress()
            model.predict(X)
        done.set()

    thread = threading.Thread(target=look)
    thread.start()
    model.set_params(callbacks=lambda _: done.is_set()).fit(X, Y)
    thread.join()


def test_another_thread_may_look_at_a_network_in_training():
    # In a process of its own: threads that wait for each other for ever would stop the tests too.
    code = "import test_custom; test_custom.look_while_training()"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60, cwd=Path(__file__).parent)
