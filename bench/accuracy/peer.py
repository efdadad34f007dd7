"""One library on one set: learns from `train` and `validation` of a folder, predicts `test`, prints its time as JSON."""

import argparse
import importlib
import json
import os
import time
import warnings
from importlib.metadata import version


def parse_arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("library")
    parser.add_argument("folder")
    parser.add_argument("predictions")
    parser.add_argument("--task", required=True, choices=["classification", "regression", "count", "gamma"])
    parser.add_argument("--target", required=True)
    parser.add_argument("--weight")
    parser.add_argument("--exposure")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--threads", type=int, required=True)
    return parser.parse_args()


arguments = parse_arguments()
# Read once, when a library is loaded.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = str(arguments.threads)

import pandas as pd

import tables
from learners import LEARNERS

warnings.simplefilter("ignore")
learn, package, modules = LEARNERS[arguments.library]
for module in modules:
    importlib.import_module(module)
train, validation, test = (tables.read(arguments.folder, part, arguments) for part in ("train", "validation", "test"))
if arguments.task == "classification":
    # Most libraries refuse to stop by a class that they cannot learn.
    validation = tables.select(validation, pd.Series(validation.y).isin(set(train.y)).to_numpy())
started = time.perf_counter()
predict, classes = learn(train, validation, arguments)
seconds = time.perf_counter() - started
found = predict(test.x)
if classes is None:
    columns = {"prediction": found.reshape(-1).astype(float) * test.exposure}
else:
    columns = {f"probability_{name}": found[:, place].astype(float) for place, name in enumerate(classes)}
pd.DataFrame(columns).to_parquet(arguments.predictions, index=False)
print(json.dumps({"version": f"{package} {version(package)}", "seconds": seconds}))
