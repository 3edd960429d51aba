"""Weights as 4-bit codes in blocks of 32, and their exact expansion to 8-bit rows.

A weight is ``code * multiple * scale``: the code from -8 to 7, the multiple a whole number from 1
to 15 that 32 neighbouring inputs share, the scale a float of the whole row. Code times multiple
fits into 8 bits, so that the expansion is integer arithmetic without rounding, and a graph of 8-bit
rows computes with it. `docqa.reader.packing.block_codes` chooses the numbers.

A byte holds two codes, each with 8 added. Of the 32 of a block, byte ``i`` holds number ``i`` in
its lower half and number ``i + 16`` in its upper half. A matrix that inputs are multiplied with is
stored input by input, as a product of integers wants it; a table is stored row by row.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from docqa.reader.weights_file import MULTIPLE, WeightsFile

if TYPE_CHECKING:
    from numpy.typing import NDArray

    ByteArray = NDArray[np.uint8]
    IntegerArray = NDArray[np.int8]

__all__ = ["BLOCK", "expanded_columns", "expanded_matrices", "expanded_rows", "packed_codes"]

BLOCK = 32
_HALF = BLOCK // 2
_ZERO = 8  # what is added to a code, so that it is stored without a sign


def packed_codes(codes: NDArray[Any]) -> ByteArray:
    """Return two codes a byte.

    Args:
        codes: from -8 to 7, shape ``(..., n_blocks, 32)``.

    Returns:
        Shape ``(..., n_blocks, 16)``.

    >>> packed_codes(np.arange(32).reshape(1, 32) % 16 - 8)[0, :3].tolist()
    [0, 17, 34]
    """
    stored = (codes + _ZERO).astype(np.uint8)
    return stored[..., :_HALF] | stored[..., _HALF:] << np.uint8(4)


def expanded_columns(codes: ByteArray, multiples: ByteArray) -> IntegerArray:
    """Return a matrix of 8-bit weights without their scales, input by input.

    Args:
        codes: shape ``(n_inputs / 2, n_outputs)``.
        multiples: shape ``(n_inputs / 32, n_outputs)``.

    Returns:
        Shape ``(n_inputs, n_outputs)``, contiguous.
    """
    n_blocks, n_outputs = multiples.shape
    pairs = codes.reshape(n_blocks, _HALF, n_outputs)
    weights = np.empty((n_blocks, 2, _HALF, n_outputs), dtype=np.int8)
    _expand(pairs, multiples[:, None, None, :], weights, weights[:, 0], weights[:, 1])
    return weights.reshape(-1, n_outputs)


def expanded_rows(codes: ByteArray, multiples: ByteArray) -> IntegerArray:
    """Return a table of 8-bit weights without their scales, row by row.

    Args:
        codes: shape ``(n_rows, width / 2)``.
        multiples: shape ``(n_rows, width / 32)``.

    Returns:
        Shape ``(n_rows, width)``, contiguous.
    """
    n_rows, n_blocks = multiples.shape
    pairs = codes.reshape(n_rows, n_blocks, _HALF)
    weights = np.empty((n_rows, n_blocks, 2, _HALF), dtype=np.int8)
    _expand(pairs, multiples[:, :, None, None], weights, weights[:, :, 0], weights[:, :, 1])
    return weights.reshape(n_rows, -1)


def _expand(
    pairs: ByteArray,
    multiples: ByteArray,
    weights: IntegerArray,
    lower: IntegerArray,
    upper: IntegerArray,
) -> None:
    """Write code times multiple to `weights`, of which `lower` and `upper` are the halves."""
    np.bitwise_and(pairs, 15, out=lower.view(np.uint8))
    np.right_shift(pairs, 4, out=upper.view(np.uint8))
    weights -= np.int8(_ZERO)
    weights *= multiples.view(np.int8)


def expanded_matrices(path: Path) -> dict[str, IntegerArray]:
    """Return the matrices that inputs are multiplied with, from a file of 4-bit blocks, by name.

    Each has the shape ``(n_inputs, n_outputs)``. Tables are left out: a graph expands the few rows
    that it looks up.
    """
    file = WeightsFile(path)
    data = np.memmap(path, mode="r")
    return {
        name: expanded_columns(file.array(name, data), file.array(name + MULTIPLE, data))
        for name in file.block_matrices()
    }
