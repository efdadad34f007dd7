"""What the two estimators have in common."""

import os
import warnings

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import get_scorer
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from . import _course, _parameters
from ._callbacks import CallbackSupportMixin, Untold, fit_task, with_callbacks
from ._html import WithLossCurve
from ._progress import Progress


class BaseMLP(WithLossCurve, CallbackSupportMixin, BaseEstimator):
    """Parameters, training and attributes of multilayer perceptrons."""

    # Work, in multiplications, below which threads cost more than they bring: of a prediction, whose threads start with it, and of a
    # step of training, for which the engine finds out whether they do.
    _ALONE = 1 << 22
    _STEP_ALONE = 1 << 18

    @with_callbacks
    def _fit(self, X, y, sample_weight, *, incremental, validation_data=None):
        _parameters.check(self)
        if self.early_stopping and incremental:
            raise ValueError("partial_fit does not support early_stopping=True")
        first = not hasattr(self, "coefs_") or (not self.warm_start and not incremental)
        X, y = self._validate_input(X, y, incremental, first)
        dtype = X.dtype if first else self.coefs_[0].dtype
        X, targets = X.astype(dtype, copy=False), self._encode(y).astype(dtype, copy=False)
        weights = self._weights(X, y, sample_weight, dtype)
        self._random_state = check_random_state(self.random_state)
        head = self._head()
        outputs = _parameters.outputs(head, self._targets(targets))
        if first:
            self._begin(X, outputs, head, dtype)
        self._connect(X.shape[1], head)
        task = Untold() if incremental else fit_task(self, X, y, sample_weight, self.max_iter)
        watch = _course.Watch(self, Progress(self.verbose, one_line=not incremental), task)
        if self.solver == "lbfgs":
            rows = np.arange(X.shape[0], dtype=np.uint32)
            course = _course.full_batch(self, rows, self._loss_of, watch)
        else:
            if not incremental or not hasattr(self, "_optimizer"):
                self._optimizer = _course.Optimizer(self.learning_rate_init)
            rows, score = self._split(X, y, targets, sample_weight, validation_data)
            course = _course.batches(self, rows, self._loss_of, score, incremental, watch)
        self._train(course, watch.progress, X, targets, weights, len(rows), incremental)
        task.end(dict)
        return self

    def _weights(self, X, y, sample_weight, dtype):
        """The rows' weights, or None."""
        if sample_weight is None:
            return None
        return np.ascontiguousarray(_check_sample_weight(sample_weight, X, dtype=dtype), dtype=dtype)

    def _begin(self, X, outputs, head, dtype):
        """Attributes and initial parameters of a first fit."""
        self.n_iter_ = 0
        self.t_ = 0
        self.n_outputs_ = outputs
        sizes = _parameters.hidden_sizes(self)
        units = [X.shape[1], *sizes, outputs]
        self.n_layers_ = len(units)
        self.out_activation_ = self._out_activation()
        if self._starts_like_sklearn():
            layers = [self._draw(n, m, dtype) for n, m in zip(units, units[1:])]
            self.coefs_, self.intercepts_ = [w for w, _ in layers], [b for _, b in layers]
        else:
            seed = int(self._random_state.randint(np.iinfo(np.int32).max))
            self._network = _parameters.network(
                self, X.shape[1], outputs, head, single=dtype == np.float32, seed=seed
            )
            self._keep_parameters()
        if self.solver != "lbfgs":
            self.loss_curve_ = []
            self._no_improvement_count = 0
            watches = self.early_stopping
            self.best_loss_ = None if watches else np.inf
            self.validation_scores_ = [] if watches else None
            self.best_validation_score_ = -np.inf if watches else None

    def _starts_like_sklearn(self):
        """Whether scikit-learn has a rule for the initial weights of this network."""
        known = all(name in _parameters.SKLEARN_ACTIVATIONS for name in _parameters.activations(self))
        return known and self.loss in self._SKLEARN_LOSSES

    def _draw(self, inputs, outputs, dtype):
        """Initial W and b of a layer, from the random numbers that scikit-learn takes (Glorot, Bengio 2010)."""
        bound = np.sqrt((2.0 if self.activation == "logistic" else 6.0) / (inputs + outputs))
        w = self._random_state.uniform(-bound, bound, (inputs, outputs))
        b = self._random_state.uniform(-bound, bound, outputs)
        return w.astype(dtype, copy=False), b.astype(dtype, copy=False)

    def _connect(self, inputs, head=None):
        """A network of the engine with `coefs_` and `intercepts_`, made anew only where they have been replaced."""
        arrays = [array for layer in zip(self.coefs_, self.intercepts_) for array in layer]
        known = getattr(self, "_arrays", None)
        if known is not None and len(known) == len(arrays) and all(map(lambda a, b: a is b, known, arrays)):
            return self._network
        dtype = np.float32 if self.coefs_[0].dtype == np.float32 else np.float64
        matrices = [np.ascontiguousarray(np.atleast_2d(array), dtype=dtype) for array in arrays]
        head = self._head() if head is None else head
        outputs = matrices[-1].shape[1]
        network = _parameters.network(self, inputs, outputs, head, single=dtype == np.float32, seed=0)
        network.set_parameters(matrices)
        self._network = network
        self._keep_parameters()
        return network

    def _keep_parameters(self):
        """Makes the network's parameters attributes, and returns these: read-only, for a change in place would not reach the engine."""
        arrays = self._network.parameters()
        arrays[1::2] = [b.ravel() for b in arrays[1::2]]
        for array in arrays:
            array.flags.writeable = False
        self.coefs_, self.intercepts_ = arrays[::2], arrays[1::2]
        self._arrays = arrays
        return {"coefs_": self.coefs_, "intercepts_": self.intercepts_}

    def _split(self, X, y, targets, sample_weight, validation_data):
        """The numbers of the training rows, and what scores the validation rows after each pass, if anything does."""
        rows = np.arange(X.shape[0], dtype=np.uint32)
        if not self.early_stopping:
            return rows, None
        if validation_data is not None:
            X_valid, y_valid, *weights = validation_data
            return rows, self._scorer(X_valid, y_valid, weights[0] if weights else None)
        train, valid = train_test_split(
            rows,
            random_state=self._random_state,
            test_size=self.validation_fraction,
            stratify=self._strata(targets),
        )
        if len(valid) < 2:
            raise ValueError(
                "The validation set is too small. Increase 'validation_fraction' or the size of your dataset."
            )
        weights = None if sample_weight is None else _check_sample_weight(sample_weight, X)[valid]
        return train, self._scorer(X[valid], y[valid], weights)

    def _scorer(self, X, y, weights):
        """A function that scores the network as it is."""
        named = {} if weights is None else {"sample_weight": weights}
        if self.scoring is not None:
            scorer = get_scorer(self.scoring) if isinstance(self.scoring, str) else self.scoring

            def score():
                self._keep_parameters()
                return scorer(self, X, y, **named)

            return score

        def score():
            prediction = self._decide(self._ask(self._network, X, 1))
            if np.issubdtype(prediction.dtype, np.floating) and not np.isfinite(prediction).all():
                return np.nan
            return self._METRIC(y, prediction, **named)

        X = self._prepared(X, self.coefs_[0].dtype)
        return score

    def _train(self, course, progress, X, targets, weights, rows, incremental):
        if self.batch_size != "auto" and self.batch_size > rows:
            warnings.warn(
                "Got `batch_size` less than 1 or larger than sample size. It is going to be clipped", stacklevel=5
            )
        settings = _parameters.train_settings(self, rows, self._seed())
        threads = self._threads(_parameters.batch_size(self, rows), self._STEP_ALONE)
        lead = _course.Lead(course)
        try:
            with progress:
                self._network.train(settings, X, targets, weights, threads, incremental, lead)
        except KeyboardInterrupt:
            warnings.warn("Training interrupted by user.", stacklevel=5)
        finally:
            best = self.__dict__.pop("_best_parameters", None)
            if best is not None:
                self._network.set_parameters(best)
            self._keep_parameters()
        if not all(np.isfinite(array).all() for array in self._arrays):
            raise ValueError(_course.NON_FINITE)
        if lead.warning is not None:
            warnings.warn(lead.warning, ConvergenceWarning, stacklevel=5)

    def _seed(self):
        """The seed of dropout; without dropout no random number is taken for it."""
        drops = np.any(np.asarray(self.dropout, dtype=float) > 0)
        return int(self._random_state.randint(np.iinfo(np.int32).max)) if drops else 0

    def _threads(self, rows, alone=_ALONE):
        """Threads for passes of so many rows, one where these are less work than `alone`."""
        cores = _cores()
        if self.n_jobs is not None:
            return self.n_jobs if self.n_jobs > 0 else max(cores + 1 + self.n_jobs, 1)
        work = rows * sum(w.size for w in self.coefs_)
        return 1 if work < alone else cores

    def _predict(self, X):
        """The engine's predictions for rows that are checked first, unless they plainly are what the engine takes."""
        if "coefs_" not in self.__dict__:
            check_is_fitted(self)
        names = "feature_names_in_" in self.__dict__
        if (
            type(X) is not np.ndarray
            or names
            or X.ndim != 2
            or X.shape[1] != self.n_features_in_
            or X.dtype != self.coefs_[0].dtype
            or not X.flags.c_contiguous
            or not X.shape[0]
            or not np.isfinite(X).all()
        ):
            X = validate_data(
                self, X, accept_sparse=["csr", "csc"], dtype=(np.float64, np.float32), order="C", reset=False
            )
            X = self._prepared(X, self.coefs_[0].dtype)
        network = self._connect(self.n_features_in_)
        return self._ask(network, X, self._threads(X.shape[0]))

    def _ask(self, network, X, threads):
        return network.predict(X, threads, self._prediction())

    @staticmethod
    def _prepared(X, dtype):
        """X as the engine takes it: C-contiguous, or in CSR format with columns that ascend in each row."""
        if isinstance(X, np.ndarray):
            return np.ascontiguousarray(X, dtype=dtype)
        prepared = X.tocsr().astype(dtype, copy=False)
        if not prepared.has_canonical_format:
            prepared = prepared.copy() if prepared is X else prepared
            prepared.sum_duplicates()
        return prepared

    def _validated(self, X, y, reset, **how):
        """X as the engine takes it, in the precision of the network, and y."""
        dtype = (np.float64, np.float32) if self.dtype is None else np.dtype(self.dtype)
        X, y = validate_data(
            self, X, y, accept_sparse=["csr", "csc"], multi_output=True, dtype=dtype, order="C", reset=reset, **how
        )
        return self._prepared(X, X.dtype), y

    def _check_solver(self):
        if self.solver == "lbfgs":
            raise AttributeError("partial_fit is only available for stochastic optimizers. lbfgs is not stochastic.")
        return True

    def _curves(self):
        curves = {"loss": getattr(self, "loss_curve_", [])}
        if not getattr(self, "validation_scores_", None):
            return curves, None
        curves["validation score"] = scores = self.validation_scores_
        return curves, scores.index(self.best_validation_score_) + 1 if self.best_validation_score_ in scores else None

    def __getstate__(self):
        state = dict(super().__getstate__())
        network, _ = state.pop("_network", None), state.pop("_arrays", None)
        state["_progress"] = network and network.progress()
        return state

    def __setstate__(self, state):
        progress = state.pop("_progress", None)
        super().__setstate__(state)
        if progress is not None:
            self._connect(self.n_features_in_).set_progress(progress)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def _cores():
    """Cores that this process may use; libraries that start processes limit them through OMP_NUM_THREADS."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    limit = os.environ.get("OMP_NUM_THREADS", "")
    return min(cores, int(limit)) if limit.isdigit() and int(limit) > 0 else cores
