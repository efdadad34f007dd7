"""Model files: Python and the command line write and read the same ones."""

import os
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

from chainrule import TabularClassifier, TabularRegressor

ROOT = Path(__file__).resolve().parents[3]
TABLE, TEST = ROOT / "examples/breast-cancer.csv", ROOT / "examples/breast-cancer-test.csv"


@pytest.fixture(scope="module")
def chainrule():
    """Runs the command line, which must succeed; returns its standard output."""
    subprocess.run(["cargo", "build", "--quiet", "--locked", "--workspace"], cwd=ROOT, check=True)
    binary = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug/chainrule"

    def run(*arguments):
        arguments = [str(argument) for argument in arguments]
        return subprocess.run([binary, *arguments], check=True, capture_output=True, text=True).stdout

    return run


@pytest.fixture(scope="module")
def table():
    table = pd.read_csv(TABLE)
    return table.drop(columns="diagnosis"), table["diagnosis"]


def test_both_train_the_same_model(chainrule, table, tmp_path):
    settings = {"hidden": [32], "epochs": 30, "preset": "realmlp"}
    chainrule(
        "train", TABLE, "--target", "diagnosis", "--task", "classification", "--preset", "realmlp", "--hidden", "32",
        "--epochs", "30", "--seed", "5", "-o", tmp_path / "cli.safetensors",
    )  # fmt: skip
    X, y = table
    for data in (X, pl.from_pandas(X)):
        TabularClassifier(**settings, random_state=5).fit(data, y).save(tmp_path / "python.safetensors")
        assert (tmp_path / "python.safetensors").read_bytes() == (tmp_path / "cli.safetensors").read_bytes()


def test_python_predicts_with_a_model_of_the_command_line(chainrule, tmp_path):
    model = tmp_path / "model.safetensors"
    chainrule("train", TABLE, "--target", "diagnosis", "--epochs", "20", "-o", model)
    chainrule("predict", model, TEST, "-o", tmp_path / "predictions.csv")
    expected = pd.read_csv(tmp_path / "predictions.csv", float_precision="round_trip")
    estimator = TabularClassifier.load(model)
    test = pd.read_csv(TEST)
    # The target may stand beside the features, in any order of columns.
    for data in (test, test[test.columns[::-1]], pl.from_pandas(test)):
        np.testing.assert_array_equal(estimator.predict(data), expected["prediction"])
        proba = estimator.predict_proba(data)
        for k, label in enumerate(estimator.classes_):
            np.testing.assert_array_equal(proba[:, k], expected[f"probability_{label}"])
    assert estimator.history_["epoch"] == list(range(1, 21)) and estimator.epochs == 20
    assert estimator.score(test, test["diagnosis"]) > 0.9
    with pytest.raises(ValueError, match='X has no column "mean_area"'):
        estimator.predict(test.drop(columns="mean_area"))


def test_the_command_line_predicts_with_a_model_of_python(chainrule, tmp_path):
    random = np.random.default_rng(0)
    size, color = random.normal(size=300), random.choice(["red", "blue", "7"], 300)
    X = pd.DataFrame({"size": size, "color": color, "day": pd.date_range("2024-01-01", periods=300)})
    X.loc[::7, "color"] = None
    y = pd.Series(50 + 10 * size + 5 * (color == "red"), name="price")
    estimator = TabularRegressor(hidden=[32], epochs=20).fit(X, y)
    model, csv = tmp_path / "model.safetensors", tmp_path / "table.csv"
    estimator.save(model)
    X.to_csv(csv, index=False)
    chainrule("predict", model, csv, "--interval", "0.8", "-o", tmp_path / "predictions.csv")
    found = pd.read_csv(tmp_path / "predictions.csv", float_precision="round_trip")
    np.testing.assert_array_equal(found["prediction"], estimator.predict(X))
    np.testing.assert_array_equal(found[["lower", "upper"]], estimator.predict_interval(X, 0.8))
    X.assign(price=y).to_csv(csv, index=False)
    assert "r2" in chainrule("evaluate", model, csv)


def test_a_file_of_arrays_has_its_columns_by_number(tmp_path):
    random = np.random.default_rng(1)
    X = random.normal(size=(100, 3))
    X[:, 1] = 1.0
    with pytest.warns(UserWarning, match="'x1': left out"):
        estimator = TabularRegressor(hidden=[8], epochs=5).fit(X, X[:, 0])
    estimator.save(tmp_path / "model")
    loaded = TabularRegressor.load(tmp_path / "model")
    np.testing.assert_array_equal(loaded.predict(X), estimator.predict(X))
    assert loaded.n_features_in_ == 3 and loaded.get_params()["hidden"] == [8]


@pytest.mark.parametrize("labels", [[0, 1], [-2, 10], [True, False], ["a", "b"], [0.5, 1.5]])
def test_labels_are_read_back(labels, tmp_path):
    X = np.arange(40.0).reshape(-1, 1) ** 2
    y = np.asarray(labels)[np.arange(40) // 20]
    if y.dtype.kind == "f":
        # Numbers with fractions are labels to the command line only.
        pytest.raises(ValueError, TabularClassifier().fit, X, y)
        return
    TabularClassifier(hidden=[8]).fit(X, y).save(tmp_path / "model")
    loaded = TabularClassifier.load(tmp_path / "model")
    assert list(loaded.classes_) == sorted(labels) and loaded.score(X, y) > 0.9


def test_wrong_files_are_refused(table, tmp_path):
    X, y = table
    path = tmp_path / "model"
    TabularClassifier(hidden=[4], epochs=1).fit(X, y).save(path)
    with pytest.raises(ValueError, match="holds a model for TabularClassifier.load"):
        TabularRegressor.load(path)
    with pytest.raises(ValueError, match="no chainrule model"):
        TabularClassifier.load(TABLE)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ValueError, match="no chainrule model, or cut short"):
        TabularClassifier.load(path)
    with pytest.raises(FileNotFoundError, match="nowhere"):
        TabularClassifier.load(tmp_path / "nowhere")
    with pytest.raises((OSError, ValueError), match="is a folder|no folder"):
        TabularClassifier(hidden=[4], epochs=1).fit(X, y).save(tmp_path / "no" / "model")


def test_what_is_not_fitted_is_not_saved(tmp_path):
    from sklearn.exceptions import NotFittedError

    with pytest.raises(NotFittedError):
        TabularClassifier().save(tmp_path / "model")
    assert not (tmp_path / "model").exists()
