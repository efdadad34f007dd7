"""scikit-learn's callbacks, those of `set_callbacks`, told of a fit and its parts; without a scikit-learn that has them, nobody."""

import functools

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:
    # Before scikit-learn 1.9.
    class CallbackSupportMixin:
        """No callbacks."""

        def _init_callback_context(self, max_subtasks):
            return None

    def with_callbacks(method):
        """The method alone, one call deeper as with callbacks, for warnings to point to the user's line."""

        @functools.wraps(method)
        def alone(*args, **named):
            return method(*args, **named)

        return alone


class Task:
    """A fit or a part of it that callbacks are told of.

    Parameters
    ----------
    estimator : estimator
        What is fitted.
    context : sklearn.callback.CallbackContext
        The task's.
    **data
        ``X``, ``y`` and ``metadata`` of the fit.
    """

    is_told = True

    def __init__(self, estimator, context, **data):
        self._estimator, self._context, self._data = estimator, context, data
        context.call_on_fit_task_begin(estimator=estimator, **data)

    def part(self, name, most=0):
        """A part that begins now, of at most so many parts itself; None: nobody knows how many."""
        context = self._context.subcontext(task_name=name, max_subtasks=most)
        return Task(self._estimator, context, **self._data)

    def end(self, attributes=None):
        """Whether a callback wants the fit to stop. `attributes`: a function of what a fitted copy needs, if there can be one."""
        return self._context.call_on_fit_task_end(
            estimator=self._estimator, reconstruction_attributes=attributes, **self._data
        )


class Untold:
    """A task that nobody is told of."""

    is_told = False

    def part(self, _name, most=0):
        return self

    def end(self, attributes=None):
        return False


def fit_task(estimator, X, y, sample_weight, most):
    """The task of a whole fit, of at most `most` parts; to be called in a method ``with_callbacks``."""
    context = estimator._init_callback_context(max_subtasks=most)
    if not getattr(estimator, "_skl_callbacks", None):
        return Untold()
    metadata = None if sample_weight is None else {"sample_weight": sample_weight}
    return Task(estimator, context, X=X, y=y, metadata=metadata)


class Observer:
    """Whom the core tells of every epoch of a table's networks: what is printed and scikit-learn's callbacks."""

    def __init__(self, progress, task):
        self._progress, self._task = progress, task
        # Those that train side by side, and the task of each that has begun.
        self._beside, self._networks = None, {}

    def __call__(self, epoch, epochs, member, beside, cost, score, _rate):
        first, last = beside
        scored = "" if score is None else f", validation score {score:.6g}"
        lines = [f"network {member}, epoch {epoch}: cost {cost:.6g}{scored}"]
        name = f"network {first}, " if first == last else f"networks {first}-{last}, "
        self._progress.epoch(epoch, epochs, {"cost": cost, "validation score": score}, lines, name)
        if beside != self._beside:
            self.end()
            self._beside = beside
        if member not in self._networks:
            self._networks[member] = self._task.part("network", epochs)
        return self._networks[member].part("epoch").end()

    def end(self):
        """All trainings so far have ended."""
        while self._networks:
            self._networks.popitem()[1].end()
