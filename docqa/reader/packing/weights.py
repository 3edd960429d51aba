"""A checkpoint's weights as numpy arrays, whether stored as floats or as 8-bit rows; no torch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from docqa.errors import ModelIncompatibleError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float32]
    RowArray = NDArray[np.int8]

__all__ = ["StoredWeights", "quantized_rows"]

_SCALE = ".scale"  # see docqa.reader.quantized
_READABLE = {"F32", "F16", "F64", "I8"}  # numpy has no bfloat16


class StoredWeights:
    """Read single weights of a safetensors file.

    Args:
        path: the file.

    Raises:
        ModelIncompatibleError: it is not a whole safetensors file.
    """

    def __init__(self, path: Path) -> None:
        from safetensors import SafetensorError, safe_open

        try:
            self._file = cast(Any, safe_open(path, framework="numpy"))  # its types are partial
        except SafetensorError as error:
            raise ModelIncompatibleError(
                f"{path} is not a whole safetensors file ({error}); fetch it again"
            ) from error
        self._path = path
        self._names: set[str] = set(self._file.keys())

    def missing(self, names: list[str]) -> list[str]:
        """Return those of the names that the file lacks."""
        return [name for name in names if name not in self._names]

    @property
    def holds_rows(self) -> bool:
        """Say whether any weight is stored as 8-bit rows."""
        return any(self.is_rows(name) for name in self._names)

    @property
    def readable(self) -> bool:
        """Say whether numpy has a type for every weight (it has none for bfloat16)."""
        return {self._file.get_slice(name).get_dtype() for name in self._names} <= _READABLE

    def is_rows(self, name: str) -> bool:
        """Say whether a weight is stored as 8-bit rows."""
        return name + _SCALE in self._names

    def shape(self, name: str) -> tuple[int, ...]:
        """Return the shape of a weight, without reading it."""
        return tuple(self._file.get_slice(name).get_shape())

    def floats(self, name: str) -> FloatArray:
        """Return a weight in float32.

        Raises:
            ModelIncompatibleError: it is stored as 8-bit rows, and not with one scale a row.
        """
        if self.is_rows(name):
            rows, scales = self.rows(name)
            return np.multiply(rows, scales[:, None], dtype=np.float32)
        stored: NDArray[Any] = self._file.get_tensor(name)
        return stored.astype(np.float32, copy=False)

    def rows(self, name: str) -> tuple[RowArray, FloatArray]:
        """Return a matrix as 8-bit rows and one scale a row, made here where it is floats.

        Raises:
            ModelIncompatibleError: it is stored so, but not with one scale a row.
        """
        if not self.is_rows(name):
            return quantized_rows(self.floats(name))
        n_rows, scales = self.shape(name)[:1], self.shape(name + _SCALE)
        if scales != n_rows:
            raise ModelIncompatibleError(
                f"{self._path} is damaged: {name} has {n_rows[0]} rows, and scales of the shape "
                f"{scales}; fetch it again, or pack the checkpoint anew"
            )
        return self._file.get_tensor(name), self._file.get_tensor(name + _SCALE)


def quantized_rows(matrix: FloatArray) -> tuple[RowArray, FloatArray]:
    """Return 8-bit rows and their scales: what `docqa.reader.quantized.quantize` stores.

    >>> rows, scales = quantized_rows(np.array([[1.0, -0.5]], dtype=np.float32))
    >>> rows.tolist(), round(float(scales[0]) * 127, 6)
    ([[127, -64]], 1.0)
    """
    scales = np.maximum(np.abs(matrix).max(axis=1), np.float32(1e-12)) / np.float32(127)
    return np.rint(matrix / scales[:, None]).astype(np.int8), scales
