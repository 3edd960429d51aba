"""The choice of 4-bit codes, multiples and scales; see `docqa.reader.blocks` for the format.

The scale of a block of 32 weights is one of six that its largest weight suggests, by squared error;
its row's scale is one of nine, so that whole multiples of it come near the scales of all blocks. Of
the shipped `base` the squared error is 4% above that of free scales for every block.

Codes are the nearest ones, or, where the inputs of the layer are known, chosen column by column so
that each column's error is made good by the columns after it (Frantar et al. 2022, "GPTQ").
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from docqa.reader.blocks import BLOCK, packed_codes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float32]

__all__ = ["BlockCodes", "block_codes"]

_STEPS_OF_LARGEST = 6.2, 6.6, 7.0, 7.4, 7.8, 8.4  # the largest weight of a block, in its scale
_MULTIPLES_OF_LARGEST = range(7, 16)  # the largest multiple of a row
_MOST_MULTIPLE = 15
_ZERO = 8  # codes reach from -8 to 7
_MOST_OF_A_PAIR = 128  # as for 8-bit rows; a largest multiple of 7 always keeps to it
_ROWS_AT_ONCE = 256  # few enough for a processor's cache
_COLUMNS_AT_ONCE = 4 * BLOCK  # errors within them are made good at once, beyond them together
_DAMPING = 0.01  # of the mean square of the inputs, so that rare inputs count a little


@dataclass(frozen=True, slots=True)
class BlockCodes:
    """A matrix as 4-bit codes.

    Attributes:
        codes: from -8 to 7, shape ``(n_rows, n_blocks, 32)``.
        multiples: from 1 to 15, shape ``(n_rows, n_blocks)``.
        scales: shape ``(n_rows,)``.
    """

    codes: NDArray[np.int8]
    multiples: NDArray[np.uint8]
    scales: FloatArray

    def by_input(self) -> tuple[NDArray[np.uint8], NDArray[np.uint8], FloatArray]:
        """Return codes ``(n_columns / 2, n_rows)``, multiples ``(n_blocks, n_rows)`` and scales."""
        n_rows = len(self.codes)
        codes = packed_codes(self.codes).reshape(n_rows, -1)
        turned = np.ascontiguousarray(codes.T), np.ascontiguousarray(self.multiples.T)
        return *turned, self.scales

    def by_row(self) -> tuple[NDArray[np.uint8], NDArray[np.uint8], FloatArray]:
        """Return codes ``(n_rows, n_columns / 2)``, multiples ``(n_rows, n_blocks)`` and scales."""
        return packed_codes(self.codes).reshape(len(self.codes), -1), self.multiples, self.scales


def block_codes(
    matrix: FloatArray, *, multiplied: bool, moments: NDArray[Any] | None = None
) -> BlockCodes:
    """Return a matrix as 4-bit codes in blocks of 32.

    Args:
        matrix: shape ``(n_rows, n_columns)``; the columns a multiple of 32.
        multiplied: let no products overflow; see `docqa.reader.packing.weights`.
        moments: sums of products of the inputs that the matrix is multiplied with, shape
            ``(n_columns, n_columns)``; codes are chosen so that its products with such inputs
            change least. None for the nearest codes.
    """
    parts = [
        _chosen(matrix[first : first + _ROWS_AT_ONCE], multiplied=multiplied)
        for first in range(0, len(matrix), _ROWS_AT_ONCE)
    ]
    nearest = BlockCodes(
        np.concatenate([part.codes for part in parts]),
        np.concatenate([part.multiples for part in parts]),
        np.concatenate([part.scales for part in parts]),
    )
    return nearest if moments is None else _compensated(matrix, nearest.scales, moments)


def _compensated(matrix: FloatArray, scales: FloatArray, moments: NDArray[Any]) -> BlockCodes:
    """Return codes that make good the errors of those before them; no pair can overflow."""
    left, carry = matrix.astype(np.float32), _carried(moments)
    codes = np.zeros(left.shape, dtype=np.float32)
    multiples = np.ones((len(left), left.shape[1] // BLOCK), dtype=np.float32)
    for first in range(0, left.shape[1], _COLUMNS_AT_ONCE):
        last = min(first + _COLUMNS_AT_ONCE, left.shape[1])
        errors = np.zeros((len(left), last - first), dtype=np.float32)
        for column in range(first, last):
            block = column // BLOCK
            if column % BLOCK == 0:
                blocks = left[:, None, column : column + BLOCK]
                multiples[:, block] = _whole_multiples(blocks, _free_scales(blocks), scales)[0][
                    :, 0
                ]
            multiple = multiples[:, block]
            wanted = np.rint(left[:, column] / (multiple * scales))
            if column % 2:
                before = codes[:, column - 1] * multiple
                wanted = np.clip(
                    wanted,
                    np.ceil((-_MOST_OF_A_PAIR - before) / multiple),
                    np.floor((_MOST_OF_A_PAIR - before) / multiple),
                )
            codes[:, column] = np.clip(wanted, -_ZERO, _ZERO - 1)
            error = left[:, column] - codes[:, column] * multiple * scales
            error /= carry[column, column]
            left[:, column + 1 : last] -= np.outer(error, carry[column, column + 1 : last])
            errors[:, column - first] = error
        left[:, last:] -= errors @ carry[first:last, last:]
    kept = codes.reshape(len(left), -1, BLOCK).astype(np.int8)
    return BlockCodes(kept, multiples.astype(np.uint8), scales)


def _carried(moments: NDArray[Any]) -> FloatArray:
    """Return the upper triangle that says how a column's error is made good by later ones."""
    damped = moments.astype(np.float64)
    damped[np.diag_indices_from(damped)] += _DAMPING * np.mean(np.diag(moments)) + 1e-12
    # The upper Cholesky factor U of the inverse, inverse = U.T @ U, by a factor of `damped` itself
    # turned round: numpy has lower factors only.
    factor = np.linalg.cholesky(damped[::-1, ::-1])[::-1, ::-1]
    carried: FloatArray = np.linalg.inv(factor).astype(np.float32)
    return carried


def _chosen(matrix: FloatArray, *, multiplied: bool) -> BlockCodes:
    blocks = matrix.astype(np.float32).reshape(len(matrix), -1, BLOCK)
    wanted = _free_scales(blocks)
    least = np.full(len(blocks), np.inf, dtype=np.float32)
    multiples = np.ones(wanted.shape, dtype=np.uint8)
    scales = np.ones(len(blocks), dtype=np.float32)
    for largest in _MULTIPLES_OF_LARGEST:
        unit = np.maximum(wanted.max(axis=1) / np.float32(largest), np.float32(1e-12))
        tried, errors = _whole_multiples(blocks, wanted, unit)
        error = errors.sum(axis=1)
        if multiplied:
            codes = _codes(blocks, tried * unit[:, None])
            error[_largest_pair(codes * tried[..., None]) > _MOST_OF_A_PAIR] = np.inf
        better = error < least
        least[better], multiples[better], scales[better] = (
            error[better],
            tried[better],
            unit[better],
        )
    codes = _codes(blocks, multiples * scales[:, None])
    return BlockCodes(codes.astype(np.int8), multiples, scales)


def _free_scales(blocks: FloatArray) -> FloatArray:
    """Return for each block the scale of least squared error, if it could be any number."""
    largest = np.abs(blocks).max(axis=-1)
    tried = np.stack([np.maximum(largest / steps, 1e-12) for steps in _STEPS_OF_LARGEST])
    errors = np.stack([_squared_errors(blocks, scales) for scales in tried])
    best: FloatArray = np.take_along_axis(tried, errors.argmin(axis=0)[None], axis=0)[0]
    return best


def _whole_multiples(
    blocks: FloatArray, wanted: FloatArray, unit: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the best of three whole multiples of `unit` for each block, and its squared error."""
    nearest = np.rint(wanted / unit[:, None])
    tried = np.stack([np.clip(nearest + more, 1, _MOST_MULTIPLE) for more in (-1, 0, 1)])
    errors = np.stack([_squared_errors(blocks, each * unit[:, None]) for each in tried])
    best = errors.argmin(axis=0)[None]
    return np.take_along_axis(tried, best, axis=0)[0], np.take_along_axis(errors, best, axis=0)[0]


def _codes(blocks: FloatArray, scales: FloatArray) -> FloatArray:
    codes: FloatArray = np.clip(np.rint(blocks / scales[..., None]), -8, 7)
    return codes


def _squared_errors(blocks: FloatArray, scales: FloatArray) -> FloatArray:
    wrong = blocks - _codes(blocks, scales) * scales[..., None]
    errors: FloatArray = np.einsum("rbi,rbi->rb", wrong, wrong)
    return errors


def _largest_pair(weights: NDArray[Any]) -> NDArray[Any]:
    """Return the largest sum of two neighbours of each row, or the largest weight above 127."""
    rows = weights.reshape(len(weights), -1)
    pairs = np.abs(rows[:, ::2] + rows[:, 1::2]).max(axis=1)
    return np.asarray(np.where(np.abs(rows).max(axis=1) > 127, np.inf, pairs))
