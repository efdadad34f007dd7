"""An activation and a head of the user's own, as functions of numpy arrays."""

import numpy as np

from ._chainrule import CustomActivation, CustomHead


class _Custom:
    """A description that does not change: copies are the object itself, pickles what it was made of."""

    def __deepcopy__(self, _memo):
        return self

    def __reduce__(self):
        return type(self), self._made_of

    def __repr__(self):
        return f"{type(self).__name__}({self.name!r})"


class Activation(_Custom):
    """An activation of your own, from a function and its derivative.

    The derivative is compared with differences of the function at 600 points from -30 to 30 before anything is trained with it. Give an
    activation to the ``activation`` parameter of ``MLPClassifier`` and ``MLPRegressor``, for all layers or in a list of one for each.

    Parameters
    ----------
    phi : callable
        Takes a vector of float64 and returns as many numbers, each a function of the number in its place.
    derivative : callable
        The derivative of ``phi`` likewise.
    name : str, optional
        For messages; the name of ``phi`` if absent.

    Raises
    ------
    ValueError
        A derivative that is not that of ``phi``, with the worst point and both values; functions that return another shape.
    TypeError
        Functions that return no numbers.

    Notes
    -----
    Functions are pickled by name, as Python does: those to be sent to other processes must stand in a module. What they raise in a training
    ends it and is raised there. They are called from the engine's threads, one at a time.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_iris
    >>> from chainrule import Activation, MLPClassifier
    >>> softsign = Activation(lambda z: z / (1 + np.abs(z)), lambda z: (1 + np.abs(z)) ** -2, "softsign")
    >>> X, y = load_iris(return_X_y=True)
    >>> model = MLPClassifier(16, [softsign], max_iter=300, learning_rate_init=0.01, random_state=0).fit(X, y)
    >>> bool(model.score(X, y) > 0.95)
    True
    >>> Activation(np.tanh, np.cosh)
    Traceback (most recent call last):
        ...
    ValueError: tanh is refused: at z = ... the derivative given is ..., the numeric one is ... (extrapolated differences)
    """

    def __init__(self, phi, derivative, name=None):
        self.name = _name(phi, name)
        self._made_of = (phi, derivative, name)
        self._core = CustomActivation(
            self.name,
            _checked(phi, f"phi of activation {self.name!r}", np.shape),
            _checked(derivative, f"derivative of activation {self.name!r}", np.shape),
        )


#: Possible targets, from an array of random numbers in [0, 1).
_TARGETS = {
    "real": lambda u: 6.0 * u - 3.0,
    "positive": lambda u: -np.log1p(-u) + 0.01,
    "unit": lambda u: u,
    "counts": lambda u: np.floor(5.0 * u),
    "classes": lambda u: (u == u.max(axis=1, keepdims=True)).astype(np.float64),
}


class Head(_Custom):
    """A loss of your own, from a cost, its derivative and the prediction that goes with it.

    All functions take and return arrays of float64 with a row for each sample: ``y`` the targets, ``z`` the network's outputs, one for each
    target. The derivative is compared with differences of the cost for rows of one, two and three outputs before anything is trained
    with it. Give a head to the ``loss`` parameter of ``MLPClassifier`` and ``MLPRegressor``.

    Parameters
    ----------
    cost : callable
        ``cost(y, z)``: a number for each row, a sum over its targets; shape (n_rows,).
    delta : callable
        ``delta(y, z)``: the derivatives of the cost with respect to ``z``, in its shape.
    mean : callable, optional
        ``mean(z)``: the predictions, in the shape of ``z``; ``z`` itself if absent. For a classifier they are its probabilities.
    targets : {"real", "positive", "unit", "counts", "classes"} or callable, default="real"
        The targets to check the derivative with: any numbers, numbers above 0, in [0, 1), 0, 1, 2, ..., or rows with one 1 and else 0, as a
        classifier has them; or a function that makes them from an array of random numbers in [0, 1).
    name : str, optional
        For messages; the name of ``cost`` if absent.

    Raises
    ------
    ValueError
        A derivative that is not that of the cost, with the worst point and both values; functions that return another shape.
    TypeError
        Functions that return no numbers.

    Notes
    -----
    A classifier has a column of ``y`` for each class, with 1 for the row's, also where there are two; of label matrices, one for each label.
    See ``Activation`` for pickles, exceptions and threads.

    Examples
    --------
    The logarithm of the hyperbolic cosine is quadratic near 0 and linear far from it.

    >>> import numpy as np
    >>> from sklearn.datasets import make_regression
    >>> from chainrule import Head, MLPRegressor
    >>> def cost(y, z):
    ...     return np.log(np.cosh(z - y)).sum(axis=1)
    >>> log_cosh = Head(cost, lambda y, z: np.tanh(z - y), name="log_cosh")
    >>> X, y = make_regression(n_samples=200, n_features=5, random_state=0)
    >>> model = MLPRegressor(log_cosh, 32, solver="lbfgs", random_state=0).fit(X, y / y.std())
    >>> bool(model.score(X, y / y.std()) > 0.99)
    True
    """

    def __init__(self, cost, delta, mean=None, targets="real", name=None):
        self.name = _name(cost, name)
        self._made_of = (cost, delta, mean, targets, name)
        if not callable(targets) and targets not in _TARGETS:
            raise ValueError(f"targets must be a function or one of {', '.join(map(repr, _TARGETS))}, got {targets!r}")
        functions = {
            "cost": (cost, lambda z: z.shape[:1]),
            "delta": (delta, np.shape),
            "mean": (mean or (lambda z: z), np.shape),
            "targets": (targets if callable(targets) else _TARGETS[targets], np.shape),
        }
        checked = [_checked(f, f"{part} of head {self.name!r}", shape) for part, (f, shape) in functions.items()]
        self._core = CustomHead(self.name, *checked)


def _name(function, name):
    return getattr(function, "__name__", type(function).__name__) if name is None else name


def _checked(function, what, shape):
    """`function` for the engine: its numbers in one row, of a shape that depends on its last argument."""
    if not callable(function):
        raise TypeError(f"{what} must be a function of arrays, got {function!r}")

    def call(*arrays):
        expected, given = shape(arrays[-1]), arrays[-1].shape
        values = np.asarray(function(*arrays))
        if values.dtype.kind not in "biuf":
            raise TypeError(f"{what} must return real numbers, got {values.dtype} of shape {values.shape}")
        if values.shape != expected:
            raise ValueError(f"{what} must return an array of shape {expected} for one of shape {given}, got {values.shape}")
        return np.ascontiguousarray(values, dtype=np.float64).reshape(-1)

    return call
