from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

__version__: str

Report = tuple[float, float, str | None, int]
_Progress = tuple[int, list[NDArray[Any]], tuple[float, float]]
Lead = Callable[[Report | None], tuple[NDArray[Any], float | None] | None]

_Function = Callable[..., NDArray[np.float64]]

class _SparseRows(Protocol):
    """A matrix of scipy's in CSR format, whose columns ascend in each row."""

    shape: tuple[int, int]
    indptr: NDArray[Any]
    indices: NDArray[Any]
    data: NDArray[Any]

_Features = NDArray[Any] | _SparseRows

class CustomActivation:
    def __new__(cls, name: str, phi: _Function, phi_prime: _Function) -> CustomActivation: ...

class CustomHead:
    def __new__(
        cls, name: str, cost: _Function, delta: _Function, mean: _Function, example: _Function
    ) -> CustomHead: ...

class Network:
    def __new__(
        cls,
        spec: str,
        single: bool,
        seed: int,
        activations: Sequence[CustomActivation | None] = ...,
        head: CustomHead | None = None,
    ) -> Network: ...
    @staticmethod
    def outputs(head: str, targets: int) -> int: ...
    def parameters(self) -> list[NDArray[Any]]: ...
    def set_parameters(self, values: list[NDArray[Any]]) -> None: ...
    def progress(self) -> _Progress | None: ...
    def set_progress(self, progress: _Progress) -> None: ...
    def train(
        self,
        settings: str,
        x: _Features,
        y: NDArray[Any],
        weights: NDArray[Any] | None,
        threads: int,
        resume: bool,
        lead: Lead,
    ) -> None: ...
    def predict(self, x: _Features, threads: int, of: str) -> NDArray[Any]: ...
    def gradient(
        self, x: _Features, y: NDArray[Any], weights: NDArray[Any] | None
    ) -> tuple[float, list[NDArray[Any]]]: ...
    def certify(
        self, x: _Features, y: NDArray[Any], weights: NDArray[Any] | None, most: int | None
    ) -> str: ...
    def explain_weight(
        self, x: _Features, y: NDArray[Any], row: int, place: tuple[int, int, int], learning_rate: float
    ) -> str: ...

_Column = tuple[str, str, NDArray[Any], Sequence[str] | None]

def setting_names() -> list[str]: ...
def effort_preset(effort: str) -> str: ...
def seconds(time: str) -> float: ...

class Table:
    @staticmethod
    def from_columns(name: str, columns: Sequence[_Column]) -> Table: ...
    @staticmethod
    def from_arrow(
        name: str, stream: Any, names: Sequence[str], more: Sequence[_Column], known: dict[str, str]
    ) -> Table: ...
    def known(self) -> dict[str, str]: ...

class TabularModel:
    @staticmethod
    def fit(
        settings: str,
        table: Table,
        target: str,
        *,
        weight: str | None = None,
        valid: Table | None = None,
        counts: NDArray[np.uint32] | None = None,
        threads: int = 1,
        observer: Callable[[int, int, int, tuple[int, int], float, float | None, float], object] | None = None,
        time_limit: float | None = None,
    ) -> tuple[TabularModel, BaseException | None, list[tuple[str, str]]]: ...
    @staticmethod
    def load(path: str) -> TabularModel: ...
    @staticmethod
    def from_bytes(bytes: bytes) -> TabularModel: ...
    def save(self, path: str) -> None: ...
    def describe(self) -> str: ...
    def predict(self, table: Table, threads: int) -> NDArray[np.float64] | NDArray[np.int64]: ...
    def predict_proba(self, table: Table, threads: int) -> NDArray[np.float64]: ...
    def predict_interval(self, table: Table, level: float, threads: int) -> NDArray[np.float64]: ...
    def predict_quantiles(self, table: Table, levels: Sequence[float], threads: int) -> NDArray[np.float64]: ...
