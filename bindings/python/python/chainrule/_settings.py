"""The parameters of the tabular estimators: the core's settings and a few of Python's."""

import inspect
import json
from difflib import get_close_matches
from numbers import Integral, Real

from sklearn.utils import check_random_state

from ._chainrule import effort_preset, seconds, setting_names

#: The core's settings that are parameters under their own names; the class is the task, `random_state` the seed.
NAMES = [name for name in setting_names() if name not in ("task", "seed")]

#: All parameters with their defaults; of settings None, the core's own.
PARAMETERS = {"effort": None, "time_limit": None, **dict.fromkeys(NAMES), "random_state": None, "n_jobs": None, "verbose": False}

#: Settings with variants that have constants: the name alone means the usual ones.
_VARIANTS = ("optimizer", "schedule")


def hint(name):
    """What to try in place of an unknown parameter."""
    near = get_close_matches(name, PARAMETERS, n=1)
    return f"did you mean {near[0]!r}?" if near else f"it has {', '.join(PARAMETERS)}"


def as_json(estimator, task, **known):
    """The parameters of an estimator as the core's settings; those that are None as they are `known`."""
    settings = known | {name: getattr(estimator, name) for name in NAMES if getattr(estimator, name) is not None}
    if estimator.effort is not None:
        if estimator.preset is not None:
            raise ValueError(f"effort={estimator.effort!r} is a preset by itself: give effort or preset, not both")
        settings["preset"] = effort_preset(estimator.effort)
    for name in _VARIANTS:
        if isinstance(settings.get(name), str):
            settings[name] = {"kind": settings[name]}
    return json.dumps({**settings, "task": task, "seed": _seed(estimator.random_state)}, default=_plain)


def time_limit(estimator):
    """The longest time that fitting may take, in seconds, or None."""
    limit = estimator.time_limit
    if limit is None:
        return None
    if isinstance(limit, str):
        return seconds(limit)
    if not isinstance(limit, Real) or isinstance(limit, bool) or not limit > 0:
        raise ValueError(f"time_limit must be a positive number of seconds or a text such as '10m', got {limit!r}")
    return float(limit)


def _seed(random_state):
    """The seed that a random state stands for; of None the usual one."""
    if random_state is None or isinstance(random_state, Integral):
        return int(random_state or 0)
    return int(check_random_state(random_state).randint(2**31))


def _plain(value):
    """What JSON can hold of numpy's numbers and arrays."""
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"a parameter cannot hold {value!r}")


def signature():
    """What help and completion show of the constructors, and what scikit-learn takes for the parameters."""
    keyword = inspect.Parameter.KEYWORD_ONLY
    parameters = [inspect.Parameter(name, keyword, default=default) for name, default in PARAMETERS.items()]
    return inspect.Signature([inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD), *parameters])


def documented(docstring):
    """A docstring with the parameters and attributes that both estimators have."""
    indented = [text.replace("\n", "\n    ") for text in (_PARAMETERS_TEXT, _ATTRIBUTES_TEXT)]
    return docstring.format(parameters=indented[0], attributes=indented[1])


_PARAMETERS_TEXT = """effort : {"fast", "default", "best"}, optional
    How much time a good model may take, in place of `preset`: "fast" is the preset "plain", "default" "auto" and "best" "best".
time_limit : float or str, optional
    The longest time that `fit` takes, in seconds or as "90s", "10m" or "1h30m"; when it is over the best epochs so far are the model.
preset : str, default="auto"
    Where the settings that are not given come from: "auto", what suits the table; "best", several such networks; "plain", whose
    defaults are those named here; "realmlp", "realmlp_s", "tabm" or "tabm_mini".
head : str or dict, optional
    The likelihood, such as "poisson" or {"quantile": {"levels": [0.1, 0.5, 0.9]}}; by task if absent.
class_order : list of str, optional
    The classes from the lowest to the highest, for the "ordinal" head; that of an ordered categorical or a polars Enum if absent.
hidden : list of int, default=[256, 256]
    Units of each hidden layer.
activation : str or list of str, default="relu"
    Activation of the hidden layers: one for all, or one for each.
dropout : float, default=0.1
    Probability with which a hidden unit is dropped in training. The presets "auto" and "best" drop none for counts and amounts.
initializer : str, optional
    Initial weights; by activation if absent.
optimizer : str or dict, default="adam"
    Its name, or {"kind": name} with its constants.
learning_rate : float, default=0.001
    Base learning rate.
schedule : str or dict, default="cosine"
    Course of the learning rate.
batch : int, optional
    Rows of a batch; by the number of training rows if absent.
epochs : int, default=100
    Passes over the training rows, at most. The presets "auto" and "best" have 64; up to 600 rows 128, beyond 75,000 fewer.
patience : int, default=16
    Epochs without a better score after which training stops; 0: never.
metric : str, default="cost"
    The score that chooses the best epoch. The presets have "accuracy" or "rmse", "auto" and "best" the cost up to 1,000 rows.
l1, l2 : float, default=0
    Penalties l1 sum |w| and (l2 / 2) sum w^2.
clip_norm : float, optional
    The longest that a gradient may be.
ema : float, optional
    Decay of the average of the parameters that becomes the model.
members : int, default=1
    Networks that learn from all rows but a part of their own each, and whose predictions are averaged. The preset "auto" has 2, or
    4 up to 1,000 rows, "best" 8, or 5 beyond 30,000 rows.
valid_fraction : float, default=0.2
    Part of the rows that chooses the best epoch where there is no `eval_set`; 0: none. The presets "auto" and "best" take 0.05 beyond
    8,192 rows, but for counts and amounts.
one_hot_max_levels : int, default=8
    Categories with more levels get trainable vectors.
min_level_rows : int, default=2
    A level of such a category that fewer rows have counts as unseen.
category_indicator : bool, default=True
    Whether categories and truth values that are missing get an input of their own.
numeric_scaling : str, default="standard"
    "standard", "robust" or "quantile_normal".
recipe : dict, optional
    What presets bring with them.
random_state : int, RandomState instance or None, default=None
    Seed of everything random. None is 0: a fit can be repeated.
n_jobs : int, optional
    Threads, negative ones from the number of cores down as in joblib; all cores if absent. The result is the same bits.
verbose : bool, default=False
    Print a line after every epoch; on a terminal one line with rate and time left."""

_ATTRIBUTES_TEXT = """history_ : dict of str to list
    "epoch", "train_cost", "valid_score" (None without validation rows) and "learning_rate" of every epoch.
best_epoch_ : int or None
    The epoch that the model is of, from 1; None: the last step.
n_iter_ : int
    Epochs trained.
n_features_in_ : int
    Columns of X.
feature_names_in_ : ndarray of shape (n_features_in_,)
    Their names, where X was a frame with names of text."""
