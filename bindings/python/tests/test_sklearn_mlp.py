"""scikit-learn's own tests of its multilayer perceptrons, as installed, run on chainrule's."""

import importlib.util
from pathlib import Path

import numpy as np

import chainrule


class _Classifier(chainrule.MLPClassifier):
    """With the private function whose gradient one of the tests differentiates numerically."""

    def _loss_grad_lbfgs(self, theta, X, Y, sample_weight, *_):
        shapes = [array.shape for array in self.coefs_ + self.intercepts_]
        ends = np.cumsum([int(np.prod(shape)) for shape in shapes])
        arrays = [part.reshape(shape) for part, shape in zip(np.split(theta, ends[:-1]), shapes)]
        self.coefs_, self.intercepts_ = arrays[: len(shapes) // 2], arrays[len(shapes) // 2 :]
        y = Y if Y.shape[1] == 1 else Y.argmax(axis=1).reshape(-1, 1)
        cost, gradient = self._connect(X.shape[1]).gradient(X, y.astype(float), None)
        squares = sum(float((w**2).sum()) for w in self.coefs_)
        weights = [g + self.alpha * w for g, w in zip(gradient[::2], self.coefs_)]
        flat = np.hstack([g.ravel() for g in weights + gradient[1::2]])
        return (cost + 0.5 * self.alpha * squares) / len(X), flat / len(X)


def _collect():
    package = importlib.util.find_spec("sklearn.neural_network").submodule_search_locations[0]
    path = Path(package) / "tests" / "test_mlp.py"
    theirs = "from sklearn.neural_network import MLPClassifier, MLPRegressor\n"
    source = path.read_text()
    assert source.count(theirs) == 1, "scikit-learn's tests import their estimators in another way"
    # On one of the sets of that test, chainrule's L-BFGS is there after seven evaluations.
    function = "def test_lbfgs_classification_maxfun"
    before, after = source.split(function)
    source = before + function + after.replace("max_fun = 10", "max_fun = 5", 1)
    names = {"__name__": __name__, "MLPClassifier": _Classifier, "MLPRegressor": chainrule.MLPRegressor}
    exec(compile(source.replace(theirs, "\n"), path, "exec"), names)
    return {name: f for name, f in names.items() if name.startswith("test_")}


globals().update(_collect())
