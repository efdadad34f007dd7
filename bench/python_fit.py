"""chainrule's estimators beside scikit-learn's: seconds of fit with identical parameters, each on one thread and on two, the better of
which counts; held-out score, predictions of one row.

Needs an environment with the Python package, built with `maturin develop --release`. `--data FOLDER` adds the tables there that are
named below (Parquet; the target is in `index.json`).
"""

import argparse
import itertools
import json
import statistics
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
from sklearn import neural_network
from sklearn.datasets import load_breast_cancer, load_digits, load_iris
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

import chainrule

THREADS = (1, 2)
TABLES = {"adult": 10, "covertype-93k": 10, "fashion-mnist": 3}


def built_in():
    for name, load, epochs in [("iris", load_iris, 200), ("breast-cancer", load_breast_cancer, 100), ("digits", load_digits, 50)]:
        yield name, *load(return_X_y=True), epochs


def tables(folder, only):
    import pandas as pd

    for entry in json.loads((folder / "index.json").read_text()):
        if entry["name"] not in TABLES or only not in (None, entry["name"]):
            continue
        frame = pd.read_parquet(folder / entry["file"])
        y = pd.factorize(frame.pop(entry["target"]))[0]
        X = pd.get_dummies(frame.drop(columns=entry.get("ignore", [])), dtype=float).fillna(0.0)
        yield entry["name"], X.to_numpy(), y, TABLES[entry["name"]]


def fit(module, threads, parameters, X, y):
    own = {"n_jobs": threads} if module is chainrule else {}
    model = module.MLPClassifier(**parameters, **own)
    # The threads of a BLAS wait busily for some time after its last product.
    time.sleep(0.2)
    with threadpool_limits(threads):
        started = time.perf_counter()
        model.fit(X, y)
        return model, time.perf_counter() - started


def compare(name, X, y, epochs, dtype, rounds):
    X, X_test, y, y_test = train_test_split(X, y, test_size=0.25, random_state=0)
    scale = StandardScaler().fit(X)
    X, X_test = (scale.transform(part).astype(dtype) for part in (X, X_test))
    parameters = {"max_iter": epochs, "n_iter_no_change": epochs, "random_state": 0}
    times, scores = {}, {}
    for _ in range(rounds):
        for threads in THREADS:
            for module in (neural_network, chainrule):
                model, seconds = fit(module, threads, parameters, X, y)
                times.setdefault((module, threads), []).append(seconds)
                scores[module] = model.score(X_test, y_test)
    theirs, ours = (best(times, module) for module in (neural_network, chainrule))
    ratio = theirs[0] / ours[0]
    seconds = " ".join(f"{seconds:9.3f} ({threads})" for seconds, threads in (theirs, ours))
    score = " ".join(f"{scores[module]:8.4f}" for module in (neural_network, chainrule))
    print(f"{name:14} {np.dtype(dtype).name:8} {len(X):6} {X.shape[1]:5} {epochs:6} {seconds} {ratio:6.1f}  {score}", flush=True)
    return ratio


def best(times, module):
    """The median of the seconds on the number of threads where it is least, and that number."""
    return min((statistics.median(times[module, threads]), threads) for threads in THREADS)


def one_row():
    """Microseconds of predictions of one row: the estimators', and the engine's call inside of ours."""
    X, y = load_digits(return_X_y=True)
    calls = {}
    for module in (neural_network, chainrule):
        model = module.MLPClassifier(max_iter=5).fit(X, y)
        calls[module.__name__] = lambda row, model=model: model.predict(row)
    calls["engine"] = lambda row, network=model._network: network.predict(row, 1, "classes")
    for name, call in calls.items():
        call(X[:1])
        times = []
        for i in range(2000):
            started = time.perf_counter()
            call(X[i % 1000 : i % 1000 + 1])
            times.append(time.perf_counter() - started)
        print(f"one row        {name:22} {1e6 * statistics.median(times):8.1f} us")


def importing():
    """Seconds of the imports, each in a process of its own."""
    for what in ("import chainrule", "from chainrule import MLPClassifier", "import sklearn.neural_network"):
        code = f"import time; t = time.perf_counter(); {what}; print(time.perf_counter() - t)"
        seconds = [float(subprocess.check_output([sys.executable, "-c", code])) for _ in range(5)]
        print(f"{what:37} {statistics.median(seconds):8.3f} s")


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--data", type=Path)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--only", help="one set")
    arguments = arguments.parse_args()
    warnings.simplefilter("ignore")
    print("set            dtype      rows  cols epochs  theirs s (threads)  ours s    ratio    theirs     ours")
    # One table after the other: they need not all be there at once.
    sets = itertools.chain(built_in(), tables(arguments.data, arguments.only) if arguments.data else [])
    ratios = {np.float32: [], np.float64: []}
    for name, X, y, epochs in sets:
        if arguments.only in (None, name):
            for dtype in ratios:
                ratios[dtype].append(compare(name, X, y, epochs, dtype, arguments.rounds))
    for dtype, of_dtype in ratios.items():
        if of_dtype:
            print(f"median ratio   {np.dtype(dtype).name:8} {statistics.median(of_dtype):.1f}")
    if arguments.only is None:
        one_row()
        importing()


if __name__ == "__main__":
    main()
