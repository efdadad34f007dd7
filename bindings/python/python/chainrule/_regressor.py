"""Regression."""

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import column_or_1d

from . import _parameters
from ._base import BaseMLP

# The heads of scikit-learn's losses. Squared error without the constant of a normal density.
_HEADS = {"squared_error": {"pointwise": {"cost": "squared_error", "output": "identity"}}, "poisson": "poisson"}


class MLPRegressor(RegressorMixin, BaseMLP):
    """Multilayer perceptron regressor: scikit-learn's, trained by chainrule.

    Parameters, defaults and attributes are those of ``sklearn.neural_network.MLPRegressor``; with the same ``random_state`` it starts from
    the same weights and takes the rows in the same order. The last five parameters are additions.

    Parameters
    ----------
    loss : str, dict or Head, default="squared_error"
        "squared_error", "poisson", any head of the engine: "huber", ``{"student_t": {"degrees": 6}}``, or a ``Head`` of your own.
        ``loss_`` is then the mean negative log-likelihood or cost.
    hidden_layer_sizes : int or array-like of int, default=(100,)
        Units of each hidden layer; ``()`` for none, a generalised linear model.
    activation : str, Activation or list of these, default="relu"
        Of all hidden layers, or one for each: ``identity``, ``relu``, ``leaky_relu``, ``elu``, ``selu``, ``gelu``, ``silu``, ``mish``,
        ``softplus``, ``tanh``, ``logistic``, or an ``Activation`` of your own.
    solver : {"adam", "sgd", "lbfgs"}, default="adam"
        How the weights move. ``lbfgs`` takes all rows at once.
    alpha : float, default=0.0001
        The penalty ``alpha / 2`` times the sum of squared weights is added to the summed loss of a batch.
    batch_size : int or "auto", default="auto"
        Rows of a batch; "auto" is the smaller of 200 and all.
    learning_rate : {"constant", "invscaling", "adaptive"}, default="constant"
        Course of the learning rate of ``sgd``.
    learning_rate_init : float, default=0.001
        The learning rate, or its start.
    power_t : float, default=0.5
        Exponent of ``invscaling``.
    max_iter : int, default=200
        Epochs, or iterations of ``lbfgs``, at most.
    shuffle : bool, default=True
        Whether each epoch has a new order of the rows.
    random_state : int, RandomState instance or None, default=None
        Initial weights, order of rows, validation rows and dropout. A seed gives scikit-learn's weights and orders.
    tol : float, default=1e-4
        An epoch improves the loss or score if it does by this much; for ``lbfgs`` the largest element of the gradient at the end.
    verbose : bool or int, default=False
        Print the loss of each epoch; on a terminal one line with rate and time left.
    warm_start : bool, default=False
        Whether ``fit`` goes on from the weights of the last fit.
    momentum : float, default=0.9
        Momentum of ``sgd``, in [0, 1).
    nesterovs_momentum : bool, default=True
        Whether it is Nesterov's.
    early_stopping : bool, default=False
        Whether to keep the weights with the best score on validation rows, and to stop when it no longer rises.
    validation_fraction : float, default=0.1
        The part of the rows that is kept for that.
    beta_1, beta_2 : float, default=0.9, 0.999
        Decays of the means of ``adam``.
    epsilon : float, default=1e-8
        Added to the root of the corrected mean square.
    n_iter_no_change : int or inf, default=10
        Epochs without improvement before training stops.
    max_fun : int, default=15000
        Evaluations of the loss by ``lbfgs``, at most.
    dropout : float or list of float, default=0.0
        Probability with which a hidden unit is left out of a training step, for all layers or for each.
    scoring : str, callable or None, default=None
        The score that early stopping watches, as in ``sklearn.metrics``; None is that of ``score``.
    callbacks : callable, list of callable or None, default=None
        Called with the estimator after each epoch, which can predict then; one that returns True ends training.
    dtype : {"float32", "float64"} or None, default=None
        Precision of the network; None is that of ``X``.
    n_jobs : int or None, default=None
        Threads. None takes all cores (at most ``OMP_NUM_THREADS``) where the network is large enough to gain from them; the
        result is the same bits for any number.

    Attributes
    ----------
    coefs_, intercepts_ : list of ndarray
        Weights (inputs x outputs) and biases of each layer, read-only; assign other arrays to change them.
    loss_, best_loss_, loss_curve_ : float, float, list of float
        Loss of the last epoch, the least, and those of all. ``best_loss_`` is None with early stopping.
    validation_scores_, best_validation_score_ : list of float, float
        With early stopping, else None.
    n_iter_, t_ : int
        Epochs of the last fit, and rows seen in all.
    n_layers_, n_outputs_, out_activation_ : int, int, str
        Layers with the input's, outputs, and what they go through.
    n_features_in_, feature_names_in_ : int, ndarray of str
        Columns of ``X``, and their names where it had names.

    Examples
    --------
    >>> from sklearn.datasets import make_regression
    >>> from chainrule import MLPRegressor
    >>> X, y = make_regression(n_samples=200, noise=1.0, n_features=5, random_state=0)
    >>> model = MLPRegressor("huber", 32, solver="lbfgs", random_state=0).fit(X, y)
    >>> bool(model.score(X, y) > 0.99)
    True
    """

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
        """Fit to rows and targets.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            The rows. C-contiguous float32 and float64 arrays are used without a copy; zeros of sparse ones take neither time nor room.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Numbers.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows.
        validation_data : tuple (X, y) or (X, y, sample_weight), default=None
            Rows for early stopping instead of a part of ``X``.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        return self._fit(X, y, sample_weight, incremental=False, validation_data=validation_data)

    @available_if(lambda estimator: estimator._check_solver())
    def partial_fit(self, X, y, sample_weight=None):
        """Train for one epoch, going on from where the last call ended.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            The rows.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Numbers.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows.

        Returns
        -------
        self : object
            The estimator.
        """
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
        return _parameters.loss_name(self.loss)

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
        """What is expected of each row: the mean, or of other heads the point that stands for them.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        """
        return self._decide(self._predict(X))
