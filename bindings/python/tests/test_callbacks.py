"""scikit-learn's callbacks."""

import pickle
import subprocess
import sys

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from chainrule import MLPClassifier, TabularClassifier

callback = pytest.importorskip("sklearn.callback", reason="scikit-learn before 1.9 has no callbacks")

X, Y = load_iris(return_X_y=True)
MLP = MLPClassifier(8, max_iter=4, random_state=0)
TABULAR = TabularClassifier(preset="plain", hidden=[8], epochs=4)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


class Recorder:
    """Writes down what it is told, and stops the task of this number."""

    def __init__(self, stop=None):
        self.told, self.stop = [], stop

    def setup(self, estimator, context):
        self.told.append("setup")

    def teardown(self, estimator, context):
        self.told.append("teardown")

    def on_fit_task_begin(self, estimator, context):
        self.told.append(("begin", context.task_name, context.task_id, context.max_subtasks))

    def on_fit_task_end(self, estimator, context, *, X, y, metadata, fitted_estimator):
        self.told.append(("end", context.task_name, context.task_id, len(X), len(y), metadata and list(metadata)))
        self.fitted = fitted_estimator
        return context.task_name == "epoch" and context.task_id == self.stop


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_epochs_are_told(solver):
    recorder = Recorder()
    clone(MLP).set_params(solver=solver).set_callbacks(recorder).fit(X, Y, sample_weight=np.ones(150))
    epochs = [
        told
        for epoch in range(4)
        for told in [("begin", "epoch", epoch, 0), ("end", "epoch", epoch, 150, 150, ["sample_weight"])]
    ]
    end = ("end", "fit", 0, 150, 150, ["sample_weight"])
    assert recorder.told == ["setup", ("begin", "fit", 0, 4), *epochs, end, "teardown"]
    assert recorder.fitted.predict(X).shape == (150,)


def test_networks_and_epochs_of_tables_are_told():
    network = [("epoch", epoch, 0) for epoch in range(4)]
    expected = [("fit", 0, None), ("network", 0, 4), *network, ("network", 1, 4), *network]
    for n_jobs in (1, 2):
        recorder = Recorder()
        clone(TABULAR).set_params(members=2, n_jobs=n_jobs).set_callbacks(recorder).fit(X, Y)
        begun = [told[1:] for told in recorder.told if told[0] == "begin"]
        # Side by side their epochs mingle.
        assert begun == expected if n_jobs == 1 else sorted(begun[1:]) == sorted(expected[1:])
        assert sum(told[0] == "end" for told in recorder.told) == len(begun)
        assert recorder.fitted.predict(X).shape == (150,)


@pytest.mark.parametrize("estimator", [MLP, TABULAR])
def test_callbacks_may_stop(estimator):
    model = clone(estimator).set_callbacks(Recorder(stop=1)).fit(X, Y)
    assert model.n_iter_ == 2


@pytest.mark.parametrize("estimator", [MLP, TABULAR])
def test_callbacks_are_torn_down_after_errors(estimator):
    class Failing(Recorder):
        def on_fit_task_end(self, estimator, context):
            raise ZeroDivisionError

    failing = Failing()
    model = clone(estimator).set_callbacks(failing)
    with pytest.raises(ZeroDivisionError):
        model.fit(X, Y)
    assert failing.told[-1] == "teardown" and not hasattr(model, "_callback_fit_ctx")


def test_partial_fits_are_not_told():
    recorder = Recorder()
    clone(MLP).set_callbacks(recorder).partial_fit(X, Y, classes=[0, 1, 2])
    assert recorder.told == []


def test_copies_in_training_are_those_of_the_epoch():
    monitor = callback.ScoringMonitor(scoring="accuracy")
    seen = []
    model = clone(MLP).set_params(learning_rate_init=0.05, callbacks=lambda model: seen.append(model.score(X, Y)))
    model.set_callbacks(monitor).fit(X, Y)
    epochs = [row["accuracy"] for row in monitor.get_logs().data if row["task_name"] == "epoch"]
    assert epochs == seen and len(set(seen)) > 1


def test_in_pipelines_and_searches():
    recorder = Recorder()
    make_pipeline(StandardScaler(), clone(MLP).set_callbacks(recorder)).fit(X, Y)
    assert ("end", "epoch", 3, 150, 150, None) in recorder.told
    monitor = callback.ScoringMonitor(scoring="accuracy")
    GridSearchCV(clone(MLP).set_callbacks(monitor), {"alpha": [1e-4, 1e-2]}, cv=2, n_jobs=2).fit(X, Y)
    assert pickle.loads(pickle.dumps(clone(MLP).set_callbacks(monitor))).get_params() == MLP.get_params()


@pytest.mark.parametrize("estimator", ["MLPRegressor(max_iter=20)", "TabularRegressor(epochs=5, preset='plain')"])
def test_progress_bars(estimator):
    code = f"""
from chainrule import MLPRegressor, TabularRegressor
from sklearn.callback import ProgressBar
from sklearn.datasets import load_diabetes
{estimator}.set_callbacks(ProgressBar()).fit(*load_diabetes(return_X_y=True))
"""
    shown = subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True, capture_output=True, text=True, timeout=60)
    assert "Regressor - fit" in shown.stdout and shown.stderr == ""
