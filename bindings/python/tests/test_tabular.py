"""TabularClassifier and TabularRegressor: scikit-learn's checks, frames of every kind, files, weights, errors."""

import ast
import copy
import doctest
import inspect
import os
import pickle
import re
import signal
import sys
import threading
import time
import warnings
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import chainrule
from chainrule import TabularClassifier, TabularRegressor

#: Small and fast, for what does not depend on size.
SMALL = {"preset": "plain", "hidden": [16], "epochs": 30, "learning_rate": 0.01}


@parametrize_with_checks([TabularClassifier(), TabularRegressor()])
def test_scikit_learn(estimator, check):
    check(estimator)


def frame(rows=200, seed=0):
    """Numbers, texts, categories, truth values and dates, some of each missing, and a class that depends on all."""
    random = np.random.default_rng(seed)
    number, color = random.normal(size=rows), random.choice(["red", "green", "blue"], rows)
    size, flag = random.choice(["S", "M", "L"], rows), random.random(rows) < 0.5
    day = pd.Timestamp("2024-01-01") + pd.to_timedelta(random.integers(0, 400, rows), unit="D")
    count = random.integers(0, 9, rows)
    signal_ = number + (color == "red") + (size == "L") - flag + (count > 4) + 0.5 * np.sin(day.day_of_year / 58)
    X = pd.DataFrame(
        {
            "number": np.where(random.random(rows) < 0.1, np.nan, number),
            "color": pd.Series(color, dtype=object).mask(random.random(rows) < 0.1),
            "size": pd.Categorical(size, ["S", "M", "L"], ordered=True),
            "flag": pd.array(np.where(random.random(rows) < 0.1, None, flag), dtype="boolean"),
            "day": pd.Series(day).mask(random.random(rows) < 0.1),
            "count": count,
        }
    )
    return X, np.where(signal_ > 0.5, "yes", "no"), signal_


def test_frames_of_every_library_give_the_same_model():
    X, y, _ = frame()
    table = pa.Table.from_pandas(X, preserve_index=False)
    frames = [X, table, pl.from_arrow(table), X.astype({"color": "category", "count": "uint8"})]
    models = [TabularClassifier(**SMALL).fit(other, y) for other in frames]
    expected = models[0].predict_proba(X)
    assert models[0].score(X, y) > 0.8
    for model in models:
        for other in frames:
            np.testing.assert_array_equal(model.predict_proba(other), expected)


def test_every_arrow_type_is_read():
    number = [0.5, 1.5, None, 2.5] * 10
    whole = [1, 2, None, 3] * 10
    text = ["a", "b", None, "a"] * 10
    times = pd.to_datetime(["2024-01-01", "2024-02-01", None, "2024-03-05"] * 10)
    table = pa.table(
        {
            **{str(t): pa.array(number, t) for t in (pa.float32(), pa.float64())},
            **{str(t): pa.array(whole, t) for t in (pa.int8(), pa.uint16(), pa.int64(), pa.decimal128(9, 2))},
            **{str(t): pa.array(text, t) for t in (pa.string(), pa.large_string(), pa.string_view())},
            "dictionary": pa.array(text).dictionary_encode(),
            "integers": pa.array(whole).dictionary_encode(),
            "bool": pa.array([True, False, None, True] * 10),
            "date32": pa.array(times.date, pa.date32()),
            "timestamp": pa.array(times, pa.timestamp("ns", "Europe/Berlin")),
        }
    )
    y = [0.0, 1.0, 2.0, 3.0] * 10
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # many columns have the values of others
        model = TabularRegressor(**SMALL).fit(table, y)
    # One of each kind: the others have the values of these.
    assert model._about["columns"] == ["float", "int8", "string", "integers", "bool", "date32", "timestamp"]
    assert model._about["known"] == {"string": "category", "integers": "category"}
    assert model.predict(table).shape == (40,)


def test_dates_as_texts_are_read_in_the_order_of_training():
    days = pd.date_range("2024-01-01", periods=90)
    y = days.dayofyear.to_numpy(dtype=float)
    expected = TabularRegressor(**SMALL).fit(pd.DataFrame({"day": days}), y)
    for form in ("%m/%d/%Y", "%d/%m/%Y", "%d %b %Y"):
        texts = pd.DataFrame({"day": days.strftime(form)})
        # The first twelve days of a month alone do not show the order.
        eval_set = (texts[:12], y[:12])
        for frame_of in (lambda frame: frame, pl.from_pandas):
            model = TabularRegressor(**SMALL).fit(frame_of(texts), y)
            np.testing.assert_array_equal(model.predict(frame_of(texts[:12])), expected.predict(pd.DataFrame({"day": days[:12]})))
            TabularRegressor(**SMALL).fit(frame_of(texts), y, eval_set=(frame_of(eval_set[0]), eval_set[1]))
    with pytest.warns(UserWarning, match="dates are taken as text: month and day of the dates cannot be told apart"):
        TabularRegressor(**SMALL).fit(pd.DataFrame({"day": ["1/2/2024", "1/3/2024"] * 45}), y)


def test_a_frame_of_arrays_is_the_array():
    random = np.random.default_rng(1)
    X, y = random.normal(size=(80, 3)), random.integers(0, 3, 80)
    expected = TabularClassifier(**SMALL).fit(X, y).predict_proba(X)
    for other in (X.astype(object), X.tolist(), pd.DataFrame(X, columns=["x0", "x1", "x2"])):
        np.testing.assert_array_equal(TabularClassifier(**SMALL).fit(other, y).predict_proba(other), expected)


def test_columns_are_told_apart_by_place_where_names_are_missing():
    X, y, _ = frame()
    X = X[["number", "count"]]
    model = TabularClassifier(**SMALL).fit(X, y)
    with pytest.warns(UserWarning, match="valid feature names"):
        np.testing.assert_array_equal(model.predict(X.to_numpy(dtype=float)), model.predict(X))
    model = TabularClassifier(**SMALL).fit(X.to_numpy(dtype=float), y)
    for other in (X, pl.from_pandas(X)):
        with pytest.warns(UserWarning, match="fitted without"):
            np.testing.assert_array_equal(model.predict(other), model.predict(X.to_numpy(dtype=float)))


@pytest.mark.parametrize(
    "labels",
    [
        np.array(["b", "a", "ü"]),
        np.array(["b", "a", "NA"], dtype=object),
        np.array(["1", "10", "2"]),
        np.array([True, False]),
        np.array([-3, 7, 2], dtype=np.int8),
        np.array([1.0, 2.0, -1e15]),
        np.array([3, 2**40], dtype=np.int64),
    ],
    ids=lambda labels: f"{labels.dtype}-{len(labels)}",
)
def test_labels_come_back_as_they_were(labels):
    X = np.arange(60, dtype=float).reshape(-1, 1) ** 2
    y = labels[np.arange(60) * len(labels) // 60]
    model = TabularClassifier(**SMALL, valid_fraction=0).fit(X, y)
    np.testing.assert_array_equal(model.classes_, np.unique(labels))
    assert model.classes_.dtype == labels.dtype and model.predict(X).dtype == labels.dtype
    np.testing.assert_array_equal(model.predict(X), model.classes_[model.predict_proba(X).argmax(axis=1)])
    assert model.score(X, y) > 0.6
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).classes_, model.classes_)


def test_series_of_every_library_are_targets():
    X, y, z = frame()
    expected = TabularClassifier(**SMALL).fit(X, y).predict_proba(X)
    for other in (pd.Series(y), pd.Series(y, dtype="category"), pl.Series(y), pa.chunked_array([y]), list(y)):
        np.testing.assert_array_equal(TabularClassifier(**SMALL).fit(X, other).predict_proba(X), expected)
    expected = TabularRegressor(**SMALL).fit(X, z).predict(X)
    for other in (pd.Series(z, dtype="Float64"), pl.Series(z), pa.array(z), z.tolist()):
        np.testing.assert_array_equal(TabularRegressor(**SMALL).fit(X, other).predict(X), expected)


def test_whole_weights_are_repetitions_and_others_scale_the_cost():
    X, y, z = frame(60)
    X, weights = X[["number", "color"]], np.arange(60) % 4
    repeated = np.repeat(np.arange(60), weights)
    rows = X.iloc[repeated].sample(frac=1, random_state=0)
    for estimator, target in ((TabularClassifier(**SMALL), y), (TabularRegressor(**SMALL), z)):
        target = pd.Series(target)
        expected = clone(estimator).fit(rows, target[rows.index]).predict(X)
        np.testing.assert_array_equal(clone(estimator).fit(X, target, weights).predict(X), expected)
        for other in (pl.from_pandas(X), pa.Table.from_pandas(X)):
            np.testing.assert_array_equal(clone(estimator).fit(other, target, weights).predict(other), expected)
    # Two kinds of rows that contradict one another: the weight decides.
    X, y = np.repeat([[0.0], [1.0]], 40, axis=0), np.tile(["a", "b"], 40)
    weights = np.where(np.repeat([True, False], 40) == (y == "a"), 30.5, 0.5)
    model = TabularClassifier(preset="plain", hidden=[8], valid_fraction=0, learning_rate=0.03).fit(X, y, weights)
    assert list(model.predict([[0.0], [1.0]])) == ["a", "b"]
    assert abs(model.predict_proba([[0.0]])[0, 0] - 30.5 / 31) < 0.02


def test_an_evaluation_set_chooses_the_epoch():
    X, y, _ = frame()
    model = TabularClassifier(**SMALL).fit(X[:150], y[:150], eval_set=(X[150:], y[150:]))
    assert len(model.history_["train_cost"]) == model.n_iter_ <= 30
    assert 1 <= model.best_epoch_ <= model.n_iter_
    log_loss = -np.log(model.predict_proba(X[150:])[np.arange(50), (y[150:] == "yes").astype(int)]).mean()
    # The rows that choose the epoch fit the temperature of the probabilities too, which can only lower their cost.
    assert 0.8 < log_loss / model.history_["valid_score"][model.best_epoch_ - 1] < 1 + 1e-5
    weighted = TabularClassifier(**SMALL).fit(X[:150], y[:150], np.full(150, 0.5), eval_set=(X[150:], y[150:]))
    assert weighted.best_epoch_ is not None
    with pytest.raises(ValueError, match=r"eval_set, row 1 \(counted from 0\), column \"target\": the class \"x\""):
        TabularClassifier(**SMALL).fit(X, y, eval_set=(X[:2], ["no", "x"]))
    with pytest.raises(ValueError, match="eval_set must be a tuple"):
        TabularClassifier(**SMALL).fit(X, y, eval_set=(X,))


def test_intervals_and_quantiles():
    random = np.random.default_rng(2)
    X = random.normal(size=(1500, 2))
    y = 100 + 20 * X[:, 0] + 5 * random.normal(size=1500)
    model = TabularRegressor(preset="plain", hidden=[32], epochs=60).fit(X[:1000], y[:1000])
    assert model.score(X[1000:], y[1000:]) > 0.9
    interval, quantiles = model.predict_interval(X, 0.8), model.predict_quantiles(X, [0.1, 0.5, 0.9])
    np.testing.assert_allclose(quantiles[:, 1], model.predict(X), rtol=1e-12)
    # The interval is of the errors on rows held out, the quantiles are of the head's distribution.
    for lower, upper in (interval.T, quantiles[:, [0, 2]].T):
        assert 0.74 < np.mean((lower[1000:] <= y[1000:]) & (y[1000:] <= upper[1000:])) < 0.86
    by_quantile = TabularRegressor(**SMALL, head={"quantile": {"levels": [0.1, 0.5, 0.9]}}).fit(X, y)
    assert (np.diff(by_quantile.predict_quantiles(X, (0.1, 0.9)), axis=1) >= 0).all()
    with pytest.raises(ValueError, match="needs the quantiles 0.25; this model has 0.1, 0.5, 0.9"):
        by_quantile.predict_quantiles(X, [0.25])
    for level in (0, 1, -0.5, np.nan):
        with pytest.raises(ValueError, match="between 0 and 1"):
            model.predict_interval(X, level)


def test_counts_have_their_head():
    random = np.random.default_rng(3)
    X = random.normal(size=(400, 1))
    y = random.poisson(np.exp(0.5 + X[:, 0]))
    model = TabularRegressor(**SMALL, head="poisson").fit(X, y)
    assert (model.predict(X) > 0).all() and np.corrcoef(model.predict(X), np.exp(X[:, 0]))[0, 1] > 0.9
    lower, upper = model.predict_interval(X, 0.9).T
    assert (lower == np.floor(lower)).all() and (upper >= lower).all()
    with pytest.raises(ValueError, match=r"row 0 \(counted from 0\), column \"target\": -1 is outside the poisson"):
        TabularRegressor(head="poisson").fit(X, np.full(400, -1.0))
    with pytest.raises(ValueError, match="bernoulli head does not fit a numeric target"):
        TabularRegressor(head="bernoulli").fit(X, y)


def test_copies_predict_the_same():
    X, y, _ = frame()
    model = TabularClassifier(**SMALL | {"preset": "realmlp_s"}, random_state=3).fit(X, y)
    for other in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model), _through_joblib(model)):
        np.testing.assert_array_equal(other.predict_proba(X), model.predict_proba(X))
        assert other.get_params() == model.get_params() and other.history_ == model.history_
    fresh = clone(model).fit(X, y)
    np.testing.assert_array_equal(fresh.predict_proba(X), model.predict_proba(X))


def _through_joblib(model):
    import io

    buffer = io.BytesIO()
    joblib.dump(model, buffer)
    buffer.seek(0)
    return joblib.load(buffer)


def test_the_number_of_threads_changes_nothing_and_the_seed_does():
    X, y, _ = frame()
    first = TabularClassifier(**SMALL, n_jobs=1).fit(X, y).predict_proba(X)
    for jobs in (2, -1, None):
        np.testing.assert_array_equal(TabularClassifier(**SMALL, n_jobs=jobs).fit(X, y).predict_proba(X), first)
    np.testing.assert_array_equal(TabularClassifier(**SMALL, random_state=0).fit(X, y).predict_proba(X), first)
    for state in (1, np.random.RandomState(0)):
        assert (TabularClassifier(**SMALL, random_state=state).fit(X, y).predict_proba(X) != first).any()


def test_it_is_at_home_in_scikit_learn():
    X, y, z = frame()
    numbers = ColumnTransformer([("scale", StandardScaler(), ["count"])], remainder="passthrough")
    for container in ("pandas", "polars"):
        data = X if container == "pandas" else pl.from_pandas(X)
        pipeline = make_pipeline(numbers.set_output(transform=container), TabularClassifier(**SMALL)).fit(data, y)
        assert pipeline.score(data, y) > 0.8
        assert "remainder__color" in pipeline[-1].feature_names_in_
    search = GridSearchCV(TabularRegressor(epochs=5), {"hidden": [[4], [8]], "dropout": [0.0, 0.2]}, cv=2).fit(X, z)
    assert search.best_params_["hidden"] in ([4], [8])
    assert cross_val_score(TabularClassifier(**SMALL), X, y, cv=2).min() > 0.6


def test_importances_find_the_column_that_matters():
    random = np.random.default_rng(4)
    X = pd.DataFrame({"noise": random.normal(size=300), "cause": random.choice(["a", "b"], 300)})
    y = (X["cause"] == "a").to_numpy()
    model = TabularClassifier(**SMALL).fit(X, y)
    for data in (X, pl.from_pandas(X)):
        found = model.feature_importances(data, y, n_repeats=3)
        assert found["feature_names"] == ["noise", "cause"]
        assert found["importances_mean"][1] > 0.3 > 0.1 > abs(found["importances_mean"][0])


def test_an_interrupt_ends_the_training_and_leaves_a_model(monkeypatch):
    X, y, _ = frame()
    model = TabularClassifier(epochs=20_000, patience=0, verbose=True)
    # Started once only: networks train side by side, and a second signal would meet the lines below.
    interrupt = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT))

    def interrupt_soon(_observer, epoch, *_):
        if epoch == 20 and not interrupt.ident:
            interrupt.start()

    monkeypatch.setattr("chainrule._tabular_base.Observer.__call__", interrupt_soon)
    # Python's handler is not there where the tests run in the background.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.warns(UserWarning, match="interrupted"):
            model.fit(X, y)
    finally:
        signal.signal(signal.SIGINT, before)
    assert 20 <= model.n_iter_ < 20_000 and model._about["ended"] == {"kind": "stopped"}
    assert model.score(X, y) > 0.7


def test_other_threads_run_while_it_trains():
    X, y, _ = frame()
    ticks, done = [], threading.Event()

    def tick():
        while not done.wait(0.005):
            ticks.append(time.monotonic())

    thread = threading.Thread(target=tick)
    thread.start()
    started = time.monotonic()
    TabularClassifier(epochs=300, patience=0).fit(X, y)
    ended = time.monotonic()
    done.set()
    thread.join()
    during = [t for t in ticks if started < t < ended]
    assert len(during) > (ended - started) / 0.05


def test_progress_is_printed(capsys):
    X, y, _ = frame()
    for n_jobs in (1, 2):
        TabularClassifier(hidden=[8], epochs=3, members=2, verbose=True, n_jobs=n_jobs).fit(X, y)
        lines = capsys.readouterr().out.splitlines()
        told = [line.split(":")[0] for line in lines]
        expected = [f"network {k}, epoch {i}" for k in (1, 2) for i in (1, 2, 3)]
        # Side by side their epochs mingle.
        assert told == expected if n_jobs == 1 else sorted(told) == expected
        assert all(", validation score " in line for line in lines)
    TabularClassifier(hidden=[8], epochs=3, members=2).fit(X, y)
    assert capsys.readouterr().out == ""


def test_a_notebook_shows_the_losses():
    X, y, _ = frame()
    model = TabularClassifier(**SMALL)
    assert "<svg" not in model._repr_html_()
    html = model.fit(X, y)._repr_html_()
    assert html.count("<polyline") == 2 and f"the model is that of epoch {model.best_epoch_}" in html
    assert TabularClassifier(**SMALL, valid_fraction=0).fit(X, y)._repr_html_().count("<polyline") == 1


def test_left_out_columns_are_named():
    X, y, _ = frame()
    with pytest.warns(UserWarning, match="column 'key': left out: it numbers the rows"):
        model = TabularClassifier(**SMALL).fit(X.assign(key=np.arange(len(X))), y)
    assert model.n_features_in_ == 7


def test_a_target_may_have_the_name_of_a_feature():
    X, y, _ = frame()
    model = TabularClassifier(**SMALL).fit(X, pd.Series(y, name="color"))
    assert model._about["target"] == "color_"
    model = TabularClassifier(**SMALL).fit(X, pd.Series(y, name="answer"), np.full(len(X), 0.5))
    assert (model._about["target"], model._about["other_columns"]) == ("answer", ["sample_weight"])


X, Y, Z = frame(40)
BAD_FITS = {
    "a missing label": (X, np.where(np.arange(40) == 7, None, Y), "y has no value in row 7 (counted from 0)"),
    "pandas' NA": (X, pd.array([pd.NA, *Y[1:]], dtype="string"), "y has no value in row 0 (counted from 0)"),
    "one class": (X, ["a"] * 40, 'column "target": the target has one class only, "a"'),
    "numbers as labels": (X, Z, "Unknown label type: continuous"),
    "huge labels": (X, 2**60 + np.arange(40) // 20, "beyond 2**53"),
    "labels of two kinds": (X, np.array(["a", 1] * 20, dtype=object), "y has labels of several kinds"),
    "no row": (X[:0], Y[:0], "X has 0 sample(s), of 2 needed"),
    "no column": (X[[]], Y, "column"),
    "lengths": (X, Y[:39], "inconsistent numbers of samples: [40, 39]"),
    "an infinite number": (
        X.assign(number=np.where(np.arange(40) == 3, np.inf, 0.5)),
        Y,
        'X and y, row 3 (counted from 0), column "number": the number is infinite',
    ),
    "an infinite number in an array": ([[np.inf], [1.0]], ["a", "b"], "infinity"),
    "complex numbers": (X.assign(number=1j * np.arange(40)), Y, "column 'number': cannot use its values (complex"),
    "lists": (X.assign(number=[[1]] * 40), Y, "column 'number': cannot use its values"),
    "lists of Arrow": (pa.table({"tags": [[1]] * 40}), Y, 'column "tags": cannot use values of type List'),
    "a name twice": (pd.concat([X, X], axis=1), Y, "number"),
    "constant columns": (X[["number"]].assign(number=1.0), Y, "no column to learn from"),
    "text in an array": ([["a", 1.0], ["b", 2.0]], ["a", "b"], "columns of text need a data frame"),
    "one dimension": ([1.0, 2.0], ["a", "b"], "Expected 2D array"),
    "no target": (X, None, "y should be a 1d array"),
}


@pytest.mark.parametrize("case", BAD_FITS)
def test_what_cannot_be_fitted_is_refused_by_name(case):
    X, y, message = BAD_FITS[case]
    with pytest.raises(ValueError) as error:
        TabularClassifier(**SMALL).fit(X, y)
    assert message in str(error.value)


def test_what_cannot_be_a_number_is_refused_by_row():
    for y, message in (
        (["1.5", "x", *["2"] * 38], "y holds 'x' in row 1 (counted from 0), where a number is needed"),
        (np.where(np.arange(40) == 5, np.nan, Z), "y has no value in row 5"),
        (np.where(np.arange(40) == 5, np.inf, Z), "y is infinite in row 5 (counted from 0)"),
        (np.stack([Z, Z], axis=1), "y should be a 1d array"),
    ):
        with pytest.raises(ValueError) as error:
            TabularRegressor(**SMALL).fit(X, y)
        assert message in str(error.value)


def test_kinds_of_arrays_that_are_refused():
    with pytest.raises(TypeError, match="dense data is required"):
        TabularClassifier().fit(sparse.csr_array(np.eye(4)), [0, 1, 0, 1])
    with pytest.raises(TypeError, match="collect"):
        TabularClassifier().fit(pl.from_pandas(X).lazy(), Y)
    for weights, message in (([1.0] * 39, "sample_weight.shape"), ([-1.0] * 40, "egative"), ([np.nan] * 40, "NaN")):
        with pytest.raises(ValueError, match=message):
            TabularClassifier().fit(X, Y, weights)


def test_what_cannot_be_predicted_on_is_refused_by_name():
    model = TabularClassifier(**SMALL).fit(X, Y)
    text = X.assign(number=["a", *["1"] * 39])
    for data, message in (
        (text, 'X, row 0 (counted from 0), column "number": "a" is not a number, which this column held in training'),
        (pl.from_pandas(text), 'column "number": "a" is not a number'),
        (X.drop(columns="number"), "yet now missing:\n- number"),
        (X.assign(other=1), "unseen at fit time:\n- other"),
        (X[X.columns[::-1]], "same order"),
        (X[:0], "X has 0 sample(s), of 1 needed"),
    ):
        with pytest.raises(ValueError) as error:
            model.predict(data)
        assert message in str(error.value)
    # Numbers as text are numbers, as in a file.
    np.testing.assert_array_equal(model.predict(X.assign(count=X["count"].astype(str))), model.predict(X))
    # Unseen levels and columns without any value are no reason to fail.
    assert len(model.predict(X.assign(color="violet", day=None))) == 40


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"epochs": 0}, "epochs must be at least 1"),
        ({"epochs": "many"}, "epochs"),
        ({"hidden": 64}, "hidden"),
        ({"preset": "fancy"}, "fancy"),
        ({"optimizer": "sgdd"}, "sgdd"),
        ({"head": "gaussian"}, "the gaussian head does not fit classification"),
        ({"learning_rate": -1}, "learning_rate must be > 0"),
        ({"hidden": [2**40]}, "hidden layer 1: width"),
        ({"hidden": [2**20, 2**20]}, "fewer or narrower hidden layers"),
        ({"recipe": {"clips": True}}, "clips"),
    ],
)
def test_parameters_that_cannot_work_are_refused_in_fit(parameters, message):
    with pytest.raises(ValueError, match=message):
        TabularClassifier(**parameters).fit(X, Y)


def test_a_training_that_breaks_says_why():
    with pytest.raises(ValueError, match="the learning rate .* is too high"):
        TabularRegressor(preset="plain", hidden=[4], learning_rate=1e30).fit(X, Z)


def test_an_unknown_parameter_is_refused_at_once():
    with pytest.raises(TypeError, match="has no parameter 'epoch'; did you mean 'epochs'"):
        TabularClassifier(epoch=3)
    with pytest.raises(ValueError, match="Invalid parameter 'epoch'"):
        TabularRegressor().set_params(epoch=3)
    with pytest.raises(TypeError):
        TabularRegressor(random_state=0, seed=1)


def test_names_alone_choose_variants():
    for parameters in ({"optimizer": "sgd"}, {"optimizer": "lbfgs", "dropout": 0.0}):
        model = TabularClassifier(**SMALL, **parameters).fit(X, Y)
        assert model._about["settings"]["optimizer"]["kind"] == parameters["optimizer"]
    model = TabularClassifier(**SMALL, schedule="constant", optimizer={"kind": "adam", "beta1": 0.8}).fit(X, Y)
    assert model._about["settings"]["schedule"]["kind"] == "constant"
    assert model._about["settings"]["optimizer"]["beta1"] == 0.8


def test_stubs_and_documentation_name_every_parameter():
    names = list(inspect.signature(TabularClassifier).parameters)
    stub = ast.parse((Path(chainrule.__file__).parent / "_tabular.pyi").read_text())
    init = next(node for node in ast.walk(stub) if getattr(node, "name", None) == "__init__")
    assert sorted(argument.arg for argument in init.args.kwonlyargs) == sorted(names)
    for estimator in (TabularClassifier, TabularRegressor):
        for name in names:
            assert re.search(rf"^    ([\w, ]+, )?{name}(, \w+)* : ", estimator.__doc__, re.MULTILINE), name


def test_examples_run():
    results = doctest.testmod(sys.modules["chainrule._tabular"])
    assert results.failed == 0 and results.attempted > 10


def test_an_effort_is_a_preset():
    X, y = np.arange(60.0)[:, None], np.arange(60) % 2
    small = {"hidden": [4], "epochs": 2}
    fast, plain = (TabularClassifier(**small, **more).fit(X, y) for more in ({"effort": "fast"}, {"preset": "plain"}))
    np.testing.assert_array_equal(fast.predict_proba(X), plain.predict_proba(X))
    with pytest.raises(ValueError, match="give effort or preset, not both"):
        TabularClassifier(effort="fast", preset="plain").fit(X, y)
    with pytest.raises(ValueError, match='unknown effort "slow"; there are fast, default, best'):
        TabularClassifier(effort="slow").fit(X, y)


def test_a_time_limit_ends_training_with_a_model():
    X = np.random.default_rng(0).normal(size=(2000, 5))
    started = time.monotonic()
    model = TabularRegressor(preset="plain", epochs=10**6, patience=0, time_limit="1s").fit(X, X[:, 0])
    assert 0.5 < time.monotonic() - started < 20
    assert model.score(X, X[:, 0]) > 0.5
    for wrong in ("soon", -1, 0, float("nan"), True):
        with pytest.raises(ValueError, match="time"):
            TabularRegressor(time_limit=wrong).fit(X, X[:, 0])


@pytest.mark.parametrize("levels", [["small", "middle", "large"], [3, 1, 2], [3.0, 1.0, 2.0]])
@pytest.mark.parametrize("head", ["ordinal", {"ordinal": {"proportional": False}}])
def test_ordered_classes_are_those_of_the_categories(levels, head, tmp_path):
    X, _, number = frame()
    codes = np.digitize(np.asarray(number), [-0.5, 1.0])
    labels = np.array(levels)[codes]
    y = pd.Series(pd.Categorical(labels, [*levels, type(levels[0])(7)], ordered=True))
    model = TabularClassifier(**SMALL, head=head).fit(X, y)
    named = TabularClassifier(**SMALL, head=head, class_order=[f"{level}".removesuffix(".0") for level in levels]).fit(X, labels)
    assert model.classes_.tolist() == sorted(levels)
    np.testing.assert_array_equal(model.predict_proba(X), named.predict_proba(X))
    assert model.score(X, labels) == np.mean(model.classes_[model.predict_proba(X).argmax(axis=1)] == labels) > 0.5
    model.save(tmp_path / "model")
    loaded = TabularClassifier.load(tmp_path / "model")
    assert loaded.class_order == named.class_order and loaded.classes_.tolist() == sorted(levels)
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))


def test_the_order_of_a_polars_enum():
    X, _, number = frame()
    labels = np.array(["small", "middle", "large"])[np.digitize(np.asarray(number), [-0.5, 1.0])]
    model = TabularClassifier(**SMALL, head="ordinal")
    expected = clone(model).set_params(class_order=["small", "middle", "large"]).fit(X, labels).predict_proba(X)
    y = pl.Series(labels.tolist(), dtype=pl.Enum(["small", "middle", "large"]))
    np.testing.assert_array_equal(model.fit(X, y).predict_proba(X), expected)
    with pytest.raises(ValueError, match="needs the order of the classes"):
        model.fit(X, labels)
