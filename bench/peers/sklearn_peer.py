"""scikit-learn: `fit` of a multilayer perceptron, epochs fixed, as a user calls it (checks of the input included)."""

from common import ADAM_BETAS, LEARNING_RATE, make_table, parse_arguments, serve, training_parser, unsupported

arguments = parse_arguments(training_parser())
if arguments.activation == "gelu":
    unsupported("scikit-learn has no gelu")

import warnings

from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor


def make_estimator(shape, arguments):
    kind = MLPClassifier if shape.cost == "categorical" else MLPRegressor
    return kind(
        hidden_layer_sizes=shape.widths[1:-1],
        activation=arguments.activation,
        solver=arguments.optimizer,
        momentum=0,
        alpha=0,
        learning_rate_init=LEARNING_RATE[arguments.optimizer],
        beta_1=ADAM_BETAS[0],
        beta_2=ADAM_BETAS[1],
        batch_size=shape.batch,
        tol=0,
        random_state=1,
    )


# Epochs are the smallest unit of `fit`: where a stretch is shorter, the table holds just its rows.
shape = arguments.shape
x, y = make_table(shape, shape.steps * shape.batch)
estimator = make_estimator(shape, arguments)
warnings.simplefilter("ignore", ConvergenceWarning)  # the epochs are fixed on purpose


def epochs(count):
    estimator.set_params(max_iter=count, n_iter_no_change=count + 1).fit(x, y if y.ndim == 1 else y[:, 0])


# Three epochs to a unit, so that what `fit` does once (checks, initial weights) weighs little.
serve(lambda repeats: epochs(3 * repeats), 3 * shape.steps)
