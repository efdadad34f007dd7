"""Regression."""

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import column_or_1d

from ._base import BaseMLP

# The heads of scikit-learn's losses. Squared error without the constant of a normal density.
_HEADS = {"squared_error": {"pointwise": {"cost": "squared_error", "output": "identity"}}, "poisson": "poisson"}


class MLPRegressor(RegressorMixin, BaseMLP):
    def __init__(
        self,
        loss="squared_error",
        hidden_layer_sizes=(100,),
        activation="relu",
        *,
        solver="adam",
        alpha=0.0001,
        batch_size="auto",
        learning_rate="constant",
        learning_rate_init=0.001,
        power_t=0.5,
        max_iter=200,
        shuffle=True,
        random_state=None,
        tol=1e-4,
        verbose=False,
        warm_start=False,
        momentum=0.9,
        nesterovs_momentum=True,
        early_stopping=False,
        validation_fraction=0.1,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-8,
        n_iter_no_change=10,
        max_fun=15000,
        dropout=0.0,
        scoring=None,
        callbacks=None,
        dtype=None,
        n_jobs=None,
    ):
        self.loss = loss
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun
        self.dropout = dropout
        self.scoring = scoring
        self.callbacks = callbacks
        self.dtype = dtype
        self.n_jobs = n_jobs

    _SKLEARN_LOSSES = tuple(_HEADS)
    _METRIC = staticmethod(r2_score)

    def fit(self, X, y, sample_weight=None, validation_data=None):
        return self._fit(X, y, sample_weight, incremental=False, validation_data=validation_data)

    @available_if(lambda estimator: estimator._check_solver())
    def partial_fit(self, X, y, sample_weight=None):
        return self._fit(X, y, sample_weight, incremental=True)

    def _validate_input(self, X, y, incremental, first):
        X, y = self._validated(X, y, first, y_numeric=True)
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        return X, y

    def _encode(self, y):
        return np.ascontiguousarray(y.reshape(len(y), -1))

    def _targets(self, targets):
        return targets.shape[1]

    def _head(self):
        return _HEADS.get(self.loss, self.loss) if isinstance(self.loss, str) else self.loss

    def _out_activation(self):
        if isinstance(self.loss, str) and self.loss in _HEADS:
            return "exp" if self.loss == "poisson" else "identity"
        return self.loss if isinstance(self.loss, str) else next(iter(self.loss))

    def _strata(self, targets):
        return None

    def _loss_of(self, cost, penalty):
        # The squared error is a mean over the outputs too, as scikit-learn reports it.
        return (cost / self.n_outputs_ if self.loss == "squared_error" else cost) + penalty

    def _decide(self, points):
        return points.ravel() if points.shape[1] == 1 else points

    def _prediction(self):
        """What the engine is asked for."""
        return "points"

    def predict(self, X):
        return self._decide(self._predict(X))
