"""Classification."""

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import _check_partial_fit_first_call, type_of_target, unique_labels
from sklearn.utils.validation import _check_sample_weight, column_or_1d

from ._base import BaseMLP


class MLPClassifier(ClassifierMixin, BaseMLP):
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
        return self._fit(X, y, sample_weight, incremental=False, validation_data=validation_data)

    @available_if(lambda estimator: estimator._check_solver())
    def partial_fit(self, X, y, sample_weight=None, classes=None):
        if _check_partial_fit_first_call(self, classes):
            multilabel = type_of_target(y).startswith("multilabel")
            self._learn_classes(y if multilabel else classes)
        return self._fit(X, y, sample_weight, incremental=True)

    def _learn_classes(self, y):
        binarizer = LabelBinarizer().fit(y)
        self.classes_ = binarizer.classes_
        self._target_type = binarizer.y_type_

    def _validate_input(self, X, y, incremental, first):
        X, y = self._validated(X, y, first)
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        if not hasattr(self, "classes_") or (not self.warm_start and not incremental):
            self._learn_classes(y)
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
        """Numbers of classes, (rows x 1), or the label matrix."""
        if self._target_type.startswith("multilabel"):
            return np.ascontiguousarray(y if isinstance(y, np.ndarray) else y.toarray(), dtype=np.float64)
        return np.searchsorted(self.classes_, y).reshape(-1, 1)

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
            return self.loss if isinstance(self.loss, str) else next(iter(self.loss))
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

    def _decide(self, probabilities):
        """Classes from their probabilities."""
        if self._target_type.startswith("multilabel"):
            return (probabilities > 0.5).astype(int)
        return self.classes_[np.minimum(probabilities.argmax(axis=1), len(self.classes_) - 1)]

    def predict(self, X):
        return self._decide(self.predict_proba(X))

    def _prediction(self):
        """What the engine is asked for."""
        return "means" if self._target_type.startswith("multilabel") else "classes"

    def predict_proba(self, X):
        return self._predict(X)

    def predict_log_proba(self, X):
        p = self.predict_proba(X)
        return np.log(p, out=p)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
