"""How a training goes on from one pass to the next: scikit-learn's rules.

A course is a generator. It yields the order of the rows of the next pass and a learning rate, and is sent what came of it: mean cost,
mean penalty, why the engine cannot go on (or None), and how often the cost of all rows has been found. It returns what to warn of.
"""

import numpy as np

# L-BFGS ends where a step lowers the loss by less than this part of it, as scipy's does.
_LEAST_FALL = 2.220446049250313e-09


class Optimizer:
    """What of the optimizer can be seen: the learning rate of the next pass."""

    def __init__(self, learning_rate):
        self.learning_rate = learning_rate


class Lead:
    """What the engine calls between passes: a course, and the warning at its end."""

    def __init__(self, course):
        self.course = course
        self.warning = None

    def __call__(self, report):
        try:
            return self.course.send(report)
        except StopIteration as end:
            self.warning = end.value
            return None


class Watch:
    """Who is told of a training: what is printed, scikit-learn's callbacks and the plain functions.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
        What is trained.
    progress : Progress
        What prints.
    task : Task
        The fit as scikit-learn's callbacks know it.
    """

    def __init__(self, estimator, progress, task):
        self._estimator, self.progress, self._task = estimator, progress, task
        self._epoch = None

    def begin(self):
        """A pass begins."""
        self._epoch = self._task.part("epoch")

    def show(self):
        """Shows a pass as scikit-learn does, or its own way on a terminal."""
        estimator = self._estimator
        numbers, lines = {"loss": estimator.loss_}, [f"Iteration {estimator.n_iter_}, loss = {estimator.loss_:.8f}"]
        if estimator.early_stopping and estimator.solver != "lbfgs":
            score = estimator.validation_scores_[-1]
            numbers["validation score"] = score
            lines.append(f"Validation score: {score:f}")
        self.progress.epoch(estimator.n_iter_, estimator.max_iter, numbers, lines)

    def end(self):
        """A pass has ended; whether a callback wants to stop."""
        estimator, callbacks = self._estimator, self._estimator.callbacks
        stopped = self._epoch.end(estimator._keep_parameters)
        if callbacks is None:
            return stopped
        estimator._keep_parameters()
        callbacks = [callbacks] if callable(callbacks) else callbacks
        return any([bool(callback(estimator)) for callback in callbacks]) or stopped


def full_batch(estimator, rows, loss_of, watch):
    """Iterations of L-BFGS."""
    estimator.n_iter_ = 0
    before, limit = None, f"iterations ({estimator.max_iter})"
    while estimator.n_iter_ < estimator.max_iter:
        watch.begin()
        cost, penalty, ended, evaluations = yield rows, None
        if ended == "non-finite":
            raise ValueError(NON_FINITE)
        estimator.n_iter_ += 1
        estimator.loss_ = loss_of(cost, penalty)
        watch.show()
        stopped = watch.end()
        if stopped or ended or before is not None and _has_settled(before, estimator.loss_):
            return None
        before = estimator.loss_
        if evaluations >= estimator.max_fun:
            limit = f"evaluations of the loss ({estimator.max_fun})"
            break
    return f"L-BFGS has not converged: the most {limit} are done. Increase max_iter or max_fun, or scale the data."


def _has_settled(before, loss):
    return before - loss <= _LEAST_FALL * max(abs(before), abs(loss), 1.0)


NON_FINITE = (
    "Solver produced non-finite parameter weights. The input data may contain large values and need to be preprocessed."
)


def batches(estimator, rows, loss_of, score, incremental, watch):
    """Passes of stochastic gradient descent and Adam. `score`: that of the validation rows, if early stopping watches them."""
    order = rows
    estimator.n_iter_ = 0
    while estimator.n_iter_ < estimator.max_iter:
        if estimator.shuffle:
            # The order of sklearn.utils.shuffle, drawn from the same random numbers.
            places = np.arange(len(order))
            estimator._random_state.shuffle(places)
            order = order[places]
        watch.begin()
        cost, penalty, ended, _ = yield order, estimator._optimizer.learning_rate
        estimator.n_iter_ += 1
        estimator.loss_ = np.nan if ended == "non-finite" else loss_of(cost, penalty)
        estimator.t_ += len(rows)
        estimator.loss_curve_.append(estimator.loss_)
        _judge(estimator, score, ended)
        watch.show()
        if ended == "non-finite":
            if score is None:
                raise ValueError(NON_FINITE)
            return None
        if estimator.solver == "sgd" and estimator.learning_rate == "invscaling":
            estimator._optimizer.learning_rate = estimator.learning_rate_init / (estimator.t_ + 1) ** estimator.power_t
        stopped = watch.end()
        if estimator._no_improvement_count > estimator.n_iter_no_change and _stops(estimator, watch.progress):
            return None
        if stopped or incremental:
            return None
    return f"Stochastic Optimizer: Maximum iterations ({estimator.max_iter}) reached and the optimization hasn't converged yet."


def _judge(estimator, score, ended):
    """Counts the passes without improvement, of the validation score or else of the loss."""
    if score is None:
        worse = estimator.loss_ > estimator.best_loss_ - estimator.tol
        estimator.best_loss_ = min(estimator.best_loss_, estimator.loss_)
    else:
        value = np.nan if ended == "non-finite" else float(score())
        estimator.validation_scores_.append(value)
        worse = value < estimator.best_validation_score_ + estimator.tol
        if value > estimator.best_validation_score_:
            estimator.best_validation_score_ = value
            estimator._best_parameters = estimator._network.parameters()
    estimator._no_improvement_count = estimator._no_improvement_count + 1 if worse else 0


def _stops(estimator, progress):
    """Whether to stop for want of improvement; an adaptive learning rate falls first."""
    what = "Validation score" if estimator.early_stopping else "Training loss"
    message = f"{what} did not improve more than tol={estimator.tol:f} for {estimator.n_iter_no_change} consecutive epochs."
    optimizer = estimator._optimizer
    if estimator.solver != "sgd" or estimator.learning_rate != "adaptive":
        progress.say(message + " Stopping.")
        return True
    if optimizer.learning_rate <= 1e-6:
        progress.say(message + " Learning rate too small. Stopping.")
        return True
    optimizer.learning_rate /= 5.0
    estimator._no_improvement_count = 0
    progress.say(message + f" Setting learning rate to {optimizer.learning_rate:f}")
    return False
