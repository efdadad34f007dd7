"""What is seen of a training: printed lines, a line on a terminal, the picture in a notebook."""

import io
from contextlib import redirect_stdout

import numpy as np
import pytest
from sklearn.datasets import load_iris

from chainrule import MLPClassifier, MLPRegressor, TabularClassifier
from chainrule._progress import Progress

X, Y = load_iris(return_X_y=True)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


class Terminal(io.StringIO):
    def isatty(self):
        return True

    def states(self):
        """The lines as they were written over one another."""
        return [[state.removesuffix("\x1b[K") for state in line.split("\r") if state] for line in self.getvalue().split("\n")]


def test_a_line_with_rate_and_time_left(monkeypatch):
    monkeypatch.setenv("COLUMNS", "70")
    now = iter([0.0, *np.arange(1, 9) * 0.5, 10.0, 20.0])
    with redirect_stdout(Terminal()) as terminal, Progress(True, clock=lambda: next(now)) as progress:
        for done in range(1, 9):
            progress.epoch(done, 100, {"loss": 1 / done, "score": None}, ["unseen"])
        progress.epoch(1, 5, {"loss": 100.0}, ["unseen"], "second, ")
        progress.say("Done.")
        progress.epoch(2, 5, {"loss": 1.0, "x" * 70: 2.0}, ["unseen"])
    first, second, said, last, end = terminal.states()
    assert first[0] == "epoch 1/100 [00:00<00:50, 2.0 epochs/s] loss 1"
    assert first[-1] == "epoch 8/100 [00:04<00:46, 2.0 epochs/s] loss 0.125" and len(first) == 9
    assert second[-1] == "second, epoch 1/5 [00:06<00:24, 6.0 s/epoch] loss 100"
    assert said == ["Done."] and len(last[-1]) == 69 and end == []


def test_a_line_is_not_written_for_every_epoch():
    now = iter(np.arange(100) * 0.02)
    with redirect_stdout(Terminal()) as terminal, Progress(True, clock=lambda: next(now)) as progress:
        for done in range(1, 51):
            progress.epoch(done, 50, {}, [])
    (states, _) = terminal.states()
    assert 10 <= len(states) <= 13 and states[-1].startswith("epoch 50/50 [00:01<00:00, 50.0 epochs/s]")


def test_estimators_have_a_line_on_a_terminal():
    model = MLPClassifier(4, max_iter=30, early_stopping=True, n_iter_no_change=2, tol=0.5, random_state=0, verbose=True)
    with redirect_stdout(Terminal()) as terminal:
        model.fit(X, Y)
    (*_, epochs), stopped, _ = terminal.states()
    assert epochs.startswith("epoch ") and ", validation score " in epochs and "] loss " in epochs
    assert stopped[0].startswith("Validation score did not improve")
    model = TabularClassifier(preset="plain", hidden=[4], epochs=3, members=3, verbose=True, n_jobs=2)
    with redirect_stdout(Terminal()) as terminal:
        model.fit(X, Y)
    first, second, _ = terminal.states()
    assert first[-1].startswith("networks 1-2, epoch 3/3 [") and second[-1].startswith("network 3, epoch 3/3 [")


def test_lines_elsewhere(capsys):
    MLPClassifier(4, max_iter=2, early_stopping=True, random_state=0, verbose=True).fit(X, Y)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(" = ")[0].split(": ")[0] for line in lines] == ["Iteration 1, loss", "Validation score"] + [
        "Iteration 2, loss", "Validation score"
    ]  # fmt: skip
    MLPRegressor(hidden_layer_sizes=4, solver="lbfgs", max_iter=2, verbose=1).fit(X, Y)
    assert capsys.readouterr().out.splitlines()[-1].startswith("Iteration 2, loss = ")
    MLPClassifier(4, max_iter=2).fit(X, Y)
    assert capsys.readouterr().out == ""


def test_a_line_ends_with_the_exception():
    def fail(_):
        raise ZeroDivisionError

    with redirect_stdout(Terminal()) as terminal, pytest.raises(ZeroDivisionError):
        MLPClassifier(4, max_iter=3, verbose=True, callbacks=fail).fit(X, Y)
    assert terminal.getvalue().endswith("\n")


def test_warnings_begin_a_line(monkeypatch):
    with redirect_stdout(Terminal()) as terminal:
        monkeypatch.setattr("warnings.warn", lambda text, *_, **__: print(text))
        MLPClassifier(4, max_iter=3, verbose=True).fit(X, Y)
    assert terminal.states()[-2][0].startswith("Stochastic Optimizer: Maximum iterations (3) reached")


def test_notebooks_show_the_losses():
    model = MLPClassifier(4, max_iter=5, random_state=0)
    assert "<svg" not in model._repr_html_()
    assert model.fit(X, Y)._repr_html_().count("<polyline") == 1 and "5 epochs" in model._repr_html_()
    html = model.set_params(early_stopping=True).fit(X, Y)._repr_html_()
    best = int(np.argmax(model.validation_scores_)) + 1
    assert html.count("<polyline") == 2 and f"the model is that of epoch {best}" in html
    assert "<svg" not in MLPRegressor(hidden_layer_sizes=4, solver="lbfgs", max_iter=5).fit(X, Y)._repr_html_()
