from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import Bunch

class Tabular(BaseEstimator):
    history_: dict[str, list[float | None]]
    best_epoch_: int | None
    n_iter_: int
    n_features_in_: int
    feature_names_in_: NDArray[np.object_]
    _task: ClassVar[str]

    def __init__(
        self,
        *,
        effort: str | None = None,
        time_limit: float | str | None = None,
        preset: str | None = None,
        head: str | Mapping[str, Any] | None = None,
        class_order: Sequence[str] | None = None,
        hidden: Sequence[int] | None = None,
        activation: str | Sequence[str] | None = None,
        dropout: float | None = None,
        initializer: str | None = None,
        optimizer: str | Mapping[str, Any] | None = None,
        learning_rate: float | None = None,
        schedule: str | Mapping[str, Any] | None = None,
        batch: int | None = None,
        epochs: int | None = None,
        patience: int | None = None,
        metric: str | None = None,
        l1: float | None = None,
        l2: float | None = None,
        clip_norm: float | None = None,
        ema: float | None = None,
        members: int | None = None,
        valid_fraction: float | None = None,
        one_hot_max_levels: int | None = None,
        min_level_rows: int | None = None,
        category_indicator: bool | None = None,
        numeric_scaling: str | None = None,
        recipe: Mapping[str, Any] | None = None,
        random_state: int | np.random.RandomState | None = None,
        n_jobs: int | None = None,
        verbose: bool = False,
    ) -> None: ...
    def fit(
        self,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        eval_set: tuple[Any, ArrayLike] | None = None,
    ) -> Self: ...
    def set_callbacks(self, *callbacks: Any) -> Self: ...
    def feature_importances(
        self,
        X: Any,
        y: ArrayLike,
        *,
        n_repeats: int = 5,
        scoring: str | Callable[..., float] | None = None,
        random_state: int = 0,
    ) -> Bunch: ...
    def save(self, path: str | PathLike[str]) -> None: ...
    @classmethod
    def load(cls, path: str | PathLike[str]) -> Self: ...

class TabularClassifier(ClassifierMixin, Tabular):
    classes_: NDArray[Any]

    def predict(self, X: Any) -> NDArray[Any]: ...
    def predict_proba(self, X: Any) -> NDArray[np.float64]: ...

class TabularRegressor(RegressorMixin, Tabular):
    def predict(self, X: Any) -> NDArray[np.float64]: ...
    def predict_interval(self, X: Any, level: float = 0.9) -> NDArray[np.float64]: ...
    def predict_quantiles(self, X: Any, q: Sequence[float] = (0.05, 0.5, 0.95)) -> NDArray[np.float64]: ...
