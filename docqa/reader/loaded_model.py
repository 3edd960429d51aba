"""A model with a description of itself, loaded at once or when it first reads."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from docqa.protocols import SpanModel

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    IntArray = NDArray[np.int64]
    FloatArray = NDArray[np.float32]

__all__ = ["LaterModel", "LoadedModel"]


class LoadedModel(SpanModel, Protocol):
    """A `SpanModel` with a description of itself.

    Attributes:
        runtime: ``"onnx"`` or ``"torch"``.
        device_type: ``"cpu"``, ``"cuda"`` or ``"mps"``.
        number_format: what it computes in, such as ``"int8"`` or ``"float32"``.
        max_tokens: longest window that it has positions for.
    """

    @property
    def runtime(self) -> str: ...  # noqa: D102 - described above

    @property
    def device_type(self) -> str: ...  # noqa: D102 - described above

    @property
    def number_format(self) -> str: ...  # noqa: D102 - described above

    @property
    def max_tokens(self) -> int: ...  # noqa: D102 - described above


class LaterModel:
    """A `LoadedModel` for ONNX Runtime whose weights are loaded by the first forward pass.

    Calls from several threads at once are safe: one of them loads, the others wait.

    Args:
        load: returns the model.
        number_format: what it is expected to compute in.
        max_tokens: longest window that it has positions for.
    """

    def __init__(
        self, load: Callable[[], LoadedModel], *, number_format: str, max_tokens: int
    ) -> None:
        self.max_tokens = max_tokens
        self._load, self._number_format = load, number_format
        self._model: LoadedModel | None = None
        self._lock = threading.Lock()

    @property
    def runtime(self) -> str:
        """Return the runtime, or the one expected where the model is not loaded."""
        return self._model.runtime if self._model else "onnx"

    @property
    def device_type(self) -> str:
        """Return the kind of device that it runs on."""
        return self._model.device_type if self._model else "cpu"

    @property
    def number_format(self) -> str:
        """Return the number format, or the one expected where the model is not loaded."""
        return self._model.number_format if self._model else self._number_format

    def __call__(
        self, input_ids: IntArray, attention_mask: IntArray
    ) -> tuple[FloatArray, FloatArray]:
        """Return ``(start_logits, end_logits)``; see `docqa.protocols.SpanModel`.

        Raises:
            ModelError: the model cannot be loaded, or fails.
        """
        return self.load()(input_ids, attention_mask)

    def load(self) -> LoadedModel:
        """Return the model, loading it the first time.

        Raises:
            ModelError: it cannot be loaded.
        """
        with self._lock:
            if self._model is None:
                self._model = self._load()
            return self._model
