from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

__version__: str

Report = tuple[float, float, str | None, int]
Lead = Callable[[Report | None], tuple[NDArray[Any], float | None] | None]

class Network:
    def __new__(cls, spec: str, single: bool, seed: int) -> Network: ...
    @staticmethod
    def outputs(head: str, targets: int) -> int: ...
    def parameters(self) -> list[NDArray[Any]]: ...
    def set_parameters(self, values: list[NDArray[Any]]) -> None: ...
    def train(
        self,
        settings: str,
        x: NDArray[Any],
        y: NDArray[Any],
        weights: NDArray[Any] | None,
        threads: int,
        resume: bool,
        lead: Lead,
    ) -> None: ...
    def predict(self, x: NDArray[Any], threads: int, of: str) -> NDArray[Any]: ...
    def gradient(
        self, x: NDArray[Any], y: NDArray[Any], weights: NDArray[Any] | None
    ) -> tuple[float, list[NDArray[Any]]]: ...
    def certify(
        self, x: NDArray[Any], y: NDArray[Any], weights: NDArray[Any] | None, most: int | None
    ) -> str: ...
    def explain_weight(
        self, x: NDArray[Any], y: NDArray[Any], row: int, place: tuple[int, int, int], learning_rate: float
    ) -> str: ...
