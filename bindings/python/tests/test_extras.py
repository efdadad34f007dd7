"""What scikit-learn's estimators do not have."""

import _thread
import copy
import pickle
import threading
import time
import tracemalloc

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.datasets import load_iris, make_regression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from chainrule import MLPClassifier, MLPRegressor, check_gradients

X, Y = load_iris(return_X_y=True)
X_REG, Y_REG = make_regression(n_samples=200, n_features=5, noise=5.0, random_state=0)
Y_REG = Y_REG / Y_REG.std()

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def quick(**parameters):
    return MLPClassifier(**({"hidden_layer_sizes": 8, "max_iter": 5, "random_state": 0} | parameters))


def test_class_weights_are_row_weights():
    weights = {0: 1.0, 1: 3.0, 2: 0.5}
    a = quick(class_weight=weights).fit(X, Y)
    b = quick().fit(X, Y, sample_weight=np.array([weights[y] for y in Y]))
    assert_array_equal(a.coefs_[0], b.coefs_[0])
    assert not np.array_equal(a.coefs_[0], quick(class_weight="balanced").fit(X, Y == 1).coefs_[0])


def test_each_layer_has_its_activation():
    model = quick(hidden_layer_sizes=(6, 4), activation=["gelu", "tanh"]).fit(X, Y)
    assert model.score(X, Y) >= 0.2
    with pytest.raises(ValueError, match="activation has 1 elements for 2"):
        quick(hidden_layer_sizes=(6, 4), activation=["gelu"]).fit(X, Y)
    with pytest.raises(ValueError, match="'swish' is unknown"):
        quick(activation="swish").fit(X, Y)


def test_dropout_depends_on_the_seed_alone():
    fits = [quick(dropout=0.5, random_state=seed).fit(X, Y).coefs_[0] for seed in (1, 1, 2)]
    assert_array_equal(fits[0], fits[1])
    assert not np.array_equal(fits[0], fits[2])
    assert not np.array_equal(fits[0], quick(random_state=1).fit(X, Y).coefs_[0])


@pytest.mark.parametrize(
    "loss", ["gaussian", "laplace", "huber", {"student_t": {"degrees": 6}}, {"quantile": {"levels": [0.1, 0.5, 0.9]}}]
)
def test_any_head_can_be_the_loss(loss):
    model = MLPRegressor(loss, 16, max_iter=150, learning_rate_init=0.01, random_state=0).fit(X_REG, Y_REG)
    assert model.predict(X_REG).shape == (200,) and model.score(X_REG, Y_REG) > 0.9
    assert_allclose(pickle.loads(pickle.dumps(model)).predict(X_REG), model.predict(X_REG))


def test_ordered_classes():
    model = quick(loss="ordinal", max_iter=300, learning_rate_init=0.02).fit(X, Y)
    assert_allclose(model.predict_proba(X).sum(axis=1), 1.0)
    assert model.score(X, Y) > 0.9


SIZES = ["small", "middle", "large"]


def sizes(y):
    """Levels whose order is not that of the alphabet, and one that no row has."""
    return pd.Series(pd.Categorical(np.array(SIZES)[y], [*SIZES, "huge"], ordered=True))


def enum(y):
    return pl.Series(np.array(SIZES)[y].tolist(), dtype=pl.Enum([*SIZES, "huge"]))


@pytest.mark.parametrize("ordered", [sizes, enum])
def test_ordered_classes_are_those_of_the_categories(ordered):
    expected = quick(loss="ordinal", max_iter=50).fit(X, Y)
    model = quick(loss="ordinal", max_iter=50).fit(X, ordered(Y))
    assert_array_equal(model.classes_, sorted(SIZES))
    assert_array_equal(model.coefs_[0], expected.coefs_[0])
    assert_array_equal(model.predict_proba(X)[:, [2, 1, 0]], expected.predict_proba(X))
    assert_array_equal(model.predict(X), np.array(SIZES)[expected.predict(X)])
    assert model.score(X, ordered(Y)) == expected.score(X, Y)
    assert_array_equal(pickle.loads(pickle.dumps(model)).predict(X), model.predict(X))
    watched = quick(loss="ordinal", early_stopping=True).fit(X, ordered(Y))
    assert_allclose(watched.validation_scores_, quick(loss="ordinal", early_stopping=True).fit(X, Y).validation_scores_)
    assert check_gradients(model, X[::30], np.array(SIZES)[Y[::30]])["holds"]
    alphabetical = quick(loss="ordinal", max_iter=50).fit(X, np.array(SIZES)[Y])
    assert not np.array_equal(alphabetical.coefs_[0], model.coefs_[0])


def test_ordered_classes_in_parts():
    model, expected = quick(loss="ordinal"), quick(loss="ordinal").partial_fit(X, Y, classes=[0, 1, 2]).partial_fit(X, Y)
    model.partial_fit(X, sizes(Y), classes=pd.Categorical(SIZES, SIZES, ordered=True)).partial_fit(X, sizes(Y))
    assert_array_equal(model.coefs_[0], expected.coefs_[0])


def test_unknown_heads_are_refused():
    with pytest.raises(ValueError, match="unknown head"):
        MLPRegressor("squared_eror").fit(X_REG, Y_REG)
    with pytest.raises(ValueError, match="outside the poisson head's range"):
        MLPRegressor("poisson").fit(X_REG, Y_REG)


@pytest.mark.parametrize(
    "parameter, value",
    [("alpha", -1), ("max_iter", 0), ("solver", "newton"), ("momentum", 1.5), ("batch_size", "all"), ("n_jobs", 0),
     ("dtype", "int8"), ("tol", "small"), ("dropout", 1.0), ("hidden_layer_sizes", (5, 0)), ("n_iter_no_change", 2.5)],
)  # fmt: skip
def test_wrong_parameters_are_named(parameter, value):
    with pytest.raises(ValueError, match=parameter):
        quick(**{parameter: value}).fit(X, Y)


def test_own_validation_rows_and_metric():
    model = quick(early_stopping=True, scoring="neg_log_loss", max_iter=30)
    model.fit(X[::2], Y[::2], validation_data=(X[1::2], Y[1::2]))
    assert len(model.validation_scores_) == model.n_iter_ and max(model.validation_scores_) < 0
    assert model.best_validation_score_ == max(model.validation_scores_)
    from sklearn.metrics import log_loss

    assert_allclose(-log_loss(Y[1::2], model.predict_proba(X[1::2])), model.best_validation_score_)


def test_callbacks_see_every_epoch_and_may_stop():
    seen = []

    def watch(estimator):
        seen.append((estimator.n_iter_, estimator.loss_, estimator.predict(X[:1]).shape))
        return estimator.n_iter_ == 3

    model = quick(callbacks=watch).fit(X, Y)
    assert [n for n, *_ in seen] == [1, 2, 3] and model.n_iter_ == 3
    with pytest.raises(ZeroDivisionError):
        quick(callbacks=[lambda _: 1 / 0]).fit(X, Y)


def test_precision():
    assert quick(dtype="float32").fit(X, Y).coefs_[0].dtype == np.float32
    assert quick(dtype=np.float64).fit(X.astype(np.float32), Y).predict_proba(X).dtype == np.float64


def test_threads_change_nothing():
    models = [quick(n_jobs=n, hidden_layer_sizes=(64, 64)).fit(X, Y) for n in (1, 2, -1)]
    for model in models[1:]:
        assert all(map(np.array_equal, models[0].coefs_, model.coefs_))


@pytest.mark.parametrize("copied", [lambda m: pickle.loads(pickle.dumps(m)), copy.deepcopy])
def test_copies_predict_the_same(copied, tmp_path):
    model = quick().fit(X, Y)
    assert_array_equal(copied(model).predict_proba(X), model.predict_proba(X))
    joblib.dump(model, tmp_path / "model")
    assert_array_equal(joblib.load(tmp_path / "model").predict_proba(X), model.predict_proba(X))


COPIES = [lambda m: pickle.loads(pickle.dumps(m)), copy.deepcopy, lambda m: pickle.loads(pickle.dumps(copy.copy(m)))]


@pytest.mark.parametrize("copied", COPIES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "parameters",
    [{}, {"solver": "sgd"}, {"solver": "sgd", "momentum": 0.0}, {"dropout": 0.3}, {"hidden_layer_sizes": (), "solver": "sgd"}],
)
def test_copies_go_on_learning_as_the_original(parameters, dtype, copied):
    model = quick(dtype=dtype, **parameters)
    for _ in range(3):
        model.partial_fit(X, Y, classes=[0, 1, 2])
    other = copied(model)
    assert_array_equal(other.predict_proba(X), model.predict_proba(X))
    for estimator in (model, other):
        for _ in range(3):
            estimator.partial_fit(X, Y)
    assert all(map(np.array_equal, model.coefs_, other.coefs_)) and model.loss_curve_ == other.loss_curve_


def test_copies_start_warmly_as_the_original():
    model = quick(warm_start=True).fit(X, Y)
    other = pickle.loads(pickle.dumps(model)).fit(X, Y)
    assert_array_equal(other.coefs_[0], model.fit(X, Y).coefs_[0])


def test_copies_whose_weights_are_replaced_begin_anew():
    model = pickle.loads(pickle.dumps(quick(hidden_layer_sizes=8).partial_fit(X, Y, classes=[0, 1, 2])))
    model.coefs_ = [np.ones((4, 3)), np.ones((3, 3))]
    model.intercepts_ = [np.zeros(3), np.zeros(3)]
    model.set_params(hidden_layer_sizes=3).partial_fit(X, Y)
    assert model.coefs_[0].shape == (4, 3)


def test_parameters_can_be_replaced_but_not_changed_in_place():
    model = quick().fit(X, Y)
    with pytest.raises(ValueError, match="read-only"):
        model.coefs_[0][0, 0] = 1.0
    model.coefs_[-1] = np.zeros_like(model.coefs_[-1])
    model.intercepts_[-1] = np.zeros(3)
    assert_allclose(model.predict_proba(X), 1 / 3)


def test_search_over_parameters_in_processes():
    pipeline = make_pipeline(StandardScaler(), MLPClassifier(max_iter=20, random_state=0))
    search = GridSearchCV(pipeline, {"mlpclassifier__alpha": [1e-4, 1e-2]}, n_jobs=2, cv=2).fit(X, Y)
    assert search.best_score_ > 0.5


def test_fits_in_threads_are_those_one_after_the_other():
    expected = [quick(random_state=seed).fit(X, Y).coefs_[0] for seed in range(6)]
    fits = joblib.Parallel(n_jobs=3, backend="threading")(
        joblib.delayed(lambda s: quick(random_state=s).fit(X, Y))(s) for s in range(6)
    )
    assert all(np.array_equal(a, b.coefs_[0]) for a, b in zip(expected, fits))
    model, rows = fits[0], model_rows()
    results = joblib.Parallel(n_jobs=3, backend="threading")(joblib.delayed(model.predict_proba)(rows) for _ in range(9))
    assert all(np.array_equal(results[0], result) for result in results)


def model_rows():
    return np.repeat(X, 20, axis=0)


def test_an_interrupt_leaves_a_model():
    rows = np.repeat(X, 2000, axis=0)
    model = quick(max_iter=10_000, hidden_layer_sizes=(64, 64), tol=0.0, n_iter_no_change=np.inf)
    threading.Timer(0.5, _thread.interrupt_main).start()
    started = time.perf_counter()
    with pytest.warns(UserWarning, match="interrupted"):
        model.fit(rows, np.repeat(Y, 2000))
    assert time.perf_counter() - started < 5.0
    assert model.predict(X).shape == (150,) and hasattr(model, "n_iter_")


def test_other_threads_run_while_a_model_is_trained():
    counted, done = 0, threading.Event()

    def fit():
        quick(max_iter=20, hidden_layer_sizes=(64, 64), n_jobs=1).fit(np.repeat(X, 200, axis=0), np.repeat(Y, 200))
        done.set()

    thread = threading.Thread(target=fit)
    thread.start()
    while not done.wait(0.001):
        counted += 1
    thread.join()
    assert counted > 5


def test_rows_are_not_copied():
    rows = np.random.default_rng(0).standard_normal((200_000, 40), dtype=np.float32)
    y = (rows[:, 0] > 0).astype(int)
    tracemalloc.start()
    quick(max_iter=1, batch_size=1000).fit(rows, y)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 0.3 * rows.nbytes


def test_tables():
    frame = pd.DataFrame(X, columns=list("abcd"))
    model = quick().fit(frame, Y)
    assert list(model.feature_names_in_) == list("abcd")
    assert_array_equal(model.predict(frame), quick().fit(X, Y).predict(X))
    with pytest.raises(ValueError, match="feature names"):
        model.predict(frame.rename(columns={"a": "z"}))


def test_clone_and_repr():
    model = quick(activation=["selu"], loss="log_loss")
    assert clone(model).get_params() == model.get_params()
    assert "selu" in repr(model)


def test_wrong_rows_are_refused():
    model = quick().fit(X, Y)
    with pytest.raises(ValueError, match="NaN"):
        model.predict(np.full((1, 4), np.nan))
    with pytest.raises(ValueError, match="features"):
        model.predict(X[:, :3])
    with pytest.raises(ValueError, match="inconsistent"):
        model.fit(X, Y[:-1])
