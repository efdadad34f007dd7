"""What all Python peers share: arguments, thread limits, data, shuffled batches and the line protocol (../README.md).

Import this before numpy or a framework: `parse_arguments` sets the thread limits that those read once, when loaded.
"""

import argparse
import json
import math
import os
import sys
import time
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

ACTIVATIONS = ("relu", "tanh", "gelu")
LEARNING_RATE = {"sgd": 1e-2, "adam": 1e-3}
ADAM_BETAS = (0.9, 0.999)
ADAM_EPSILON = 1e-8
MIN_SECONDS = 0.2  # a shorter stretch would measure the clock and the scheduler
SEED = 1


def argument_parser():
    """Arguments that every peer takes; a training peer takes `training_parser`."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--shape", required=True, choices=sorted(shapes()))
    parser.add_argument("--activation", choices=ACTIVATIONS, help="default: the shape's own")
    parser.add_argument("--threads", type=int, default=1)
    return parser


def training_parser(variants=()):
    """`argument_parser` with the optimizer and, where the peer has several, the variant."""
    parser = argument_parser()
    parser.add_argument("--optimizer", required=True, choices=sorted(LEARNING_RATE))
    if variants:
        parser.add_argument("--variant", choices=variants, default=variants[0])
    return parser


def parse_arguments(parser):
    """The command line's settings with `shape` replaced by the shape's entry; limits the threads of all libraries."""
    arguments = parser.parse_args()
    arguments.shape = shapes()[arguments.shape]
    arguments.activation = arguments.activation or arguments.shape.activation
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = str(arguments.threads)
    return arguments


def pin_to_cores(count):
    """Limits the process to its first `count` cores, for libraries that take the size of their pool from there."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:count])


def shapes():
    """Name to shape, from the table that all peers and chainrule read."""
    table = json.loads((Path(__file__).parent.parent / "shapes.json").read_text())
    return {shape["name"]: SimpleNamespace(**shape) for shape in table["shapes"]}


def make_table(shape, rows=None):
    """Seeded inputs (rows, widths[0]) and targets: (rows, 1) float32, or (rows,) class numbers if categorical."""
    import numpy as np

    random = np.random.default_rng(SEED)
    rows = rows or shape.rows
    x = random.standard_normal((rows, shape.widths[0]), dtype=np.float32)
    if shape.cost == "categorical":
        return x, random.integers(shape.widths[-1], size=rows)
    return x, random.standard_normal((rows, shape.widths[-1]), dtype=np.float32)


def initial_parameters(shape):
    """Seeded (weight, bias) pairs; weight (inputs, outputs), normal with standard deviation sqrt(2 / inputs)."""
    import numpy as np

    random = np.random.default_rng(SEED)
    return [
        (
            random.standard_normal((inputs, outputs), dtype=np.float32) * np.float32(math.sqrt(2 / inputs)),
            np.zeros(outputs, dtype=np.float32),
        )
        for inputs, outputs in pairwise(shape.widths)
    ]


def shuffled_batches(shape, permutation, steps):
    """Endless blocks of row numbers, shaped (steps, batch), with a fresh permutation for each epoch.

    `permutation(rows)` draws one; whatever it returns is sliced and reshaped. An epoch is a whole number of blocks.
    """
    block = steps * shape.batch
    assert shape.rows % block == 0, "an epoch must be a whole number of stretches"
    while True:
        order = permutation(shape.rows)
        for start in range(0, shape.rows, block):
            yield order[start : start + block].reshape(steps, shape.batch)


def unsupported(reason):
    """Tells the driver that this peer cannot do what was asked, and ends."""
    print(f"unsupported {reason}", flush=True)
    sys.exit(0)


def repeated(stretch):
    """For `serve`: `stretch()` as often as asked."""

    def run(repeats):
        for _ in range(repeats):
            stretch()

    return run


def serve(stretches, steps):
    """Warms up, prints `ready`, then answers each line `run` with microseconds per step, until `quit` or the end.

    `stretches(repeats)` does `repeats * steps` steps, to the end; a run takes enough of them to last MIN_SECONDS.
    """

    def seconds(repeats):
        start = time.perf_counter()
        stretches(repeats)
        return time.perf_counter() - start

    seconds(1)  # compiles, fills caches and pools
    repeats = math.ceil(MIN_SECONDS / min(seconds(1), seconds(1)))
    print("ready", flush=True)
    for line in sys.stdin:
        if line.strip() == "quit":
            return
        print(f"{seconds(repeats) / (repeats * steps) * 1e6:.3f}", flush=True)
