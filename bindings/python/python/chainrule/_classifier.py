"""Classification."""

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import _check_partial_fit_first_call, type_of_target, unique_labels
from sklearn.utils.validation import _check_sample_weight, column_or_1d

from . import _parameters
from ._base import BaseMLP
from ._custom import Head
from ._targets import ordered_levels


class MLPClassifier(ClassifierMixin, BaseMLP):
    """Multilayer perceptron classifier: scikit-learn's, trained by chainrule.

    Parameters, defaults and attributes are those of ``sklearn.neural_network.MLPClassifier``; with the same ``random_state`` it starts from
    the same weights and takes the rows in the same order. The last seven parameters are additions.

    Parameters
    ----------
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
    loss : str, dict or Head, default="log_loss"
        "log_loss", a head of the engine for classes: "ordinal" (in the order of an ordered categorical or else sorted), or
        ``{"categorical": {"smoothing": 0.1}}``, or a ``Head`` of your own.
    class_weight : dict, "balanced" or None, default=None
        Factors of the rows' weights by class.
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
    classes_ : ndarray
        The classes, sorted.
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
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.model_selection import train_test_split
    >>> from chainrule import MLPClassifier
    >>> X, X_test, y, y_test = train_test_split(*load_digits(return_X_y=True), random_state=0)
    >>> model = MLPClassifier(random_state=0, max_iter=50, early_stopping=True).fit(X, y)
    >>> bool(model.score(X_test, y_test) > 0.93)
    True
    """

    def __init__(
        self,
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
        loss="log_loss",
        class_weight=None,
        dropout=0.0,
        scoring=None,
        callbacks=None,
        dtype=None,
        n_jobs=None,
    ):
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
        self.loss = loss
        self.class_weight = class_weight
        self.dropout = dropout
        self.scoring = scoring
        self.callbacks = callbacks
        self.dtype = dtype
        self.n_jobs = n_jobs

    _SKLEARN_LOSSES = ("log_loss",)
    _METRIC = staticmethod(accuracy_score)

    def fit(self, X, y, sample_weight=None, validation_data=None):
        """Fit to rows and targets.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            The rows. C-contiguous float32 and float64 arrays are used without a copy; zeros of sparse ones take neither time nor room.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Classes, or a label matrix.
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
    def partial_fit(self, X, y, sample_weight=None, classes=None):
        """Train for one epoch, going on from where the last call ended.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            The rows.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Classes, or a label matrix.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows.
        classes : array-like, default=None
            All classes there are; needed in the first call.

        Returns
        -------
        self : object
            The estimator.
        """
        if _check_partial_fit_first_call(self, classes):
            multilabel = type_of_target(y).startswith("multilabel")
            self._learn_classes(y if multilabel else classes, ordered_levels(classes, self.loss))
        return self._fit(X, y, sample_weight, incremental=True)

    def _learn_classes(self, y, levels):
        """The classes of `y`; `levels`: labels from the lowest to the highest, or None."""
        binarizer = LabelBinarizer().fit(y)
        self.classes_ = binarizer.classes_
        self._target_type = binarizer.y_type_
        # The engine's number of each class, where that is not its place in `classes_`.
        self._numbers = None
        if levels is not None:
            occurring = [level for level in levels if level in set(self.classes_.tolist())]
            self._numbers = np.array([occurring.index(label) for label in self.classes_.tolist()])

    def _validate_input(self, X, y, incremental, first):
        levels = ordered_levels(y, self.loss)
        X, y = self._validated(X, y, first)
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        if not hasattr(self, "classes_") or (not self.warm_start and not incremental):
            self._learn_classes(y, levels)
            return X, y
        classes = unique_labels(y)
        if self.warm_start and set(classes) != set(self.classes_):
            raise ValueError(
                "warm_start can only be used where `y` has the same classes as in the previous call to fit. Previously "
                f"got {self.classes_}, `y` has {classes}"
            )
        if len(np.setdiff1d(classes, self.classes_, assume_unique=True)):
            raise ValueError(
                f"`y` has classes not in `self.classes_`. `self.classes_` has {self.classes_}. 'y' has {classes}."
            )
        return X, y

    def _encode(self, y):
        """Numbers of classes, (rows x 1), for a head of the user's a column for each, or the label matrix."""
        if self._target_type.startswith("multilabel"):
            return np.ascontiguousarray(y if isinstance(y, np.ndarray) else y.toarray(), dtype=np.float64)
        numbers = np.searchsorted(self.classes_, y).reshape(-1, 1)
        if self._numbers is not None:
            return self._numbers[numbers]
        return np.equal(numbers, np.arange(len(self.classes_))) if isinstance(self.loss, Head) else numbers

    def _targets(self, targets):
        if self._target_type.startswith("multilabel"):
            return targets.shape[1]
        return 1 if self._head() == "bernoulli" else len(self.classes_)

    def _head(self):
        if self.loss != "log_loss":
            return self.loss
        return "categorical" if self._target_type == "multiclass" else "bernoulli"

    def _out_activation(self):
        if self.loss != "log_loss":
            return _parameters.loss_name(self.loss)
        return "softmax" if self._target_type == "multiclass" else "logistic"

    def _strata(self, targets):
        return targets.astype(bool) if self.n_outputs_ == 1 else None

    @staticmethod
    def _loss_of(cost, penalty):
        return cost + penalty

    def _weights(self, X, y, sample_weight, dtype):
        if self.class_weight is not None:
            sample_weight = _check_sample_weight(sample_weight, X) * compute_sample_weight(self.class_weight, y)
        return super()._weights(X, y, sample_weight, dtype)

    def _ask(self, network, X, threads):
        prediction = super()._ask(network, X, threads)
        return prediction if self._numbers is None else np.take(prediction, self._numbers, axis=1)

    def _decide(self, probabilities):
        """Classes from their probabilities."""
        if self._target_type.startswith("multilabel"):
            return (probabilities > 0.5).astype(int)
        return self.classes_[np.minimum(probabilities.argmax(axis=1), len(self.classes_) - 1)]

    def predict(self, X):
        """The most probable class of each row.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        classes : ndarray of shape (n_samples,) or (n_samples, n_labels)
        """
        return self._decide(self.predict_proba(X))

    def _prediction(self):
        """What the engine is asked for."""
        return "means" if self._target_type.startswith("multilabel") else "classes"

    def predict_proba(self, X):
        """The probability of each class, in the order of ``classes_``.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
        """
        return self._predict(X)

    def predict_log_proba(self, X):
        """The logarithm of ``predict_proba``.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        logarithms : ndarray of shape (n_samples, n_classes)
        """
        p = self.predict_proba(X)
        return np.log(p, out=p)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
