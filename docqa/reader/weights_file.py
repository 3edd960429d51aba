"""The head of a safetensors file of packed weights: their places, shapes and formats."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["MULTIPLE", "SCALE", "WeightsFile"]

SCALE = ".scale"  # one float32 a row
MULTIPLE = ".multiple"  # of the scale, one byte for each block of 4-bit codes
_DTYPES: dict[str, np.dtype[Any]] = {
    "F32": np.dtype(np.float32),
    "I8": np.dtype(np.int8),
    "U8": np.dtype(np.uint8),
}


class WeightsFile:
    """The places of weights in a safetensors file that docqa packed.

    The format is described at https://huggingface.co/docs/safetensors, "Format".

    Attributes:
        name: the file's name, without its folder.
    """

    def __init__(self, path: Path) -> None:
        self.name = path.name
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            self._entries: dict[str, Any] = json.loads(file.read(length))
        self._begin = 8 + length

    def is_rows(self, name: str) -> bool:
        """Say whether a weight is stored as 8-bit rows."""
        return name + SCALE in self._entries and not self.is_blocks(name)

    def is_blocks(self, name: str) -> bool:
        """Say whether a weight is stored as 4-bit blocks."""
        return name + MULTIPLE in self._entries

    def block_matrices(self) -> list[str]:
        """Return the names of the weights in 4-bit blocks that are stored input by input."""
        names = (name.removesuffix(MULTIPLE) for name in self._entries if name.endswith(MULTIPLE))
        return [name for name in names if self._is_by_input(name)]

    def _is_by_input(self, name: str) -> bool:
        return self.shape(name)[1] == self.shape(name + MULTIPLE)[1]

    def shape(self, name: str) -> tuple[int, ...]:
        """Return the shape of a weight as it is stored."""
        return tuple(self._entries[name]["shape"])

    def dtype(self, name: str) -> np.dtype[Any]:
        """Return the type of a weight's numbers as they are stored."""
        return _DTYPES[self._entries[name]["dtype"]]

    def place(self, name: str) -> tuple[int, int]:
        """Return the first byte of a weight in the file, and the one behind its last."""
        begin, end = self._entries[name]["data_offsets"]
        return self._begin + begin, self._begin + end

    def array(self, name: str, data: NDArray[np.uint8]) -> NDArray[Any]:
        """Return a view of a weight as it is stored.

        Args:
            name: the weight's.
            data: the file's bytes.
        """
        begin, end = self.place(name)
        stored: NDArray[Any] = data[begin:end].view(self.dtype(name)).reshape(self.shape(name))
        return stored
