"""Weights as 8-bit rows or 4-bit blocks, in a safetensors file that ONNX graphs refer to.

The formats are those of `docqa.reader.quantized`, which reads them for torch. Rows of linear layers
are scaled so that no processor's 16-bit sums overflow; see `rows_without_overflow`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from docqa.reader.packing.block_codes import block_codes
from docqa.reader.quantized import BLOCKS_FORMAT, FORMAT
from docqa.reader.weights_file import MULTIPLE, SCALE

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from numpy.typing import NDArray

    Array = NDArray[Any]
    FloatArray = NDArray[np.float32]
    RowArray = NDArray[np.int8]

__all__ = ["quantized_rows", "rows_without_overflow", "write_weights"]

# The largest sum of two neighbouring weights of one sign: 255 * 128 <= 32767 < 255 * 129.
_MOST_OF_A_PAIR = 128
_ROUNDABLE = _MOST_OF_A_PAIR - 0.01  # a sum below 128 stays at most 128 when both are rounded


def write_weights(
    weights: Mapping[str, Array],
    path: Path,
    *,
    matrices: Collection[str],
    multiplied: Collection[str],
    blocks: Collection[str] = (),
) -> None:
    """Write weights, some of them as 8-bit rows or 4-bit blocks, and the others as float32.

    Args:
        weights: floats, or rows of int8 with their scales under ``NAME.scale``.
        path: the file; replaced at once when it is whole.
        matrices: names of those that become rows.
        multiplied: names of matrices that inputs are multiplied with.
        blocks: names of matrices of floats that become 4-bit blocks; their columns are a multiple
            of 32.
    """
    from safetensors.numpy import save

    stored: dict[str, Array] = {}
    for name, weight in weights.items():
        scales = weights.get(name + SCALE)
        if name in blocks:
            made = block_codes(weight, multiplied=name in multiplied)
            arrays = made.by_input() if name in multiplied else made.by_row()
            stored |= zip((name, name + MULTIPLE, name + SCALE), arrays, strict=True)
        elif name in matrices:
            stored[name], stored[name + SCALE] = _rows(weight, scales, name in multiplied)
        elif not (name.endswith(SCALE) and name.removesuffix(SCALE) in matrices):
            stored[name] = np.ascontiguousarray(weight, dtype=np.float32)
    new = path.with_name(f"{path.name}.new")
    new.write_bytes(save(stored, metadata={"format": BLOCKS_FORMAT if blocks else FORMAT}))
    new.replace(path)


def _rows(
    weight: Array, scales: FloatArray | None, multiplied: bool
) -> tuple[RowArray, FloatArray]:
    if scales is None:
        return quantized_rows(weight.astype(np.float32), multiplied=multiplied)
    return rows_without_overflow(weight, scales) if multiplied else (weight, scales)


def quantized_rows(matrix: FloatArray, *, multiplied: bool = False) -> tuple[RowArray, FloatArray]:
    """Return 8-bit rows and one scale a row: symmetric, the error at most half a scale.

    Args:
        matrix: shape ``(n_rows, n_columns)``.
        multiplied: let no products overflow; see `rows_without_overflow`.

    >>> rows, scales = quantized_rows(np.array([[1.0, -0.5]], dtype=np.float32))
    >>> rows.tolist(), round(float(scales[0]) * 127, 6)
    ([[127, -64]], 1.0)
    >>> quantized_rows(np.array([[1.0, 1.0]], dtype=np.float32), multiplied=True)[0].tolist()
    [[64, 64]]
    """
    steps = np.abs(matrix).max(axis=1) / np.float32(127)
    if multiplied:
        steps = np.maximum(steps, _pair_sums(matrix) / np.float32(_ROUNDABLE))
    scales = np.maximum(steps, np.float32(1e-12)).astype(np.float32)
    return np.rint(matrix / scales[:, None]).astype(np.int8), scales


def rows_without_overflow(rows: RowArray, scales: FloatArray) -> tuple[RowArray, FloatArray]:
    """Return rows whose products with bytes fit into 16 bits in pairs, and their scales.

    Processors with AVX2 but without VNNI multiply bytes by signed bytes in pairs and add the two
    products with saturation to 16 bits (vpmaddubsw: Intel 64 manual, volume 2, PMADDUBSW), and
    ONNX Runtime uses that: largest inputs times largest weights come out as 64 in place of 8128.
    With bytes up to 255, pairs of weights of one sign that sum to more than 128 can give wrong
    numbers. Rows that have such a pair are made smaller by as much as it takes (of the first
    shipped weights nine in ten, by 1.3 in the middle and 2 at most); the customary way, 7 bits for
    all, makes it 2 for every row. It is done on all processors, so that they all give the same
    answers.

    Args:
        rows: shape ``(n_outputs, n_inputs)``.
        scales: shape ``(n_outputs,)``.

    >>> rows = np.array([[100, 20, 100, -100], [100, 60, 0, 40]], dtype=np.int8)
    >>> safe, scales = rows_without_overflow(rows, np.ones(2, dtype=np.float32))
    >>> safe.tolist(), scales.round(2).tolist()
    ([[100, 20, 100, -100], [80, 48, 0, 32]], [1.0, 1.25])
    """
    sums = _pair_sums(rows.astype(np.int16))
    risky = np.flatnonzero(sums > _MOST_OF_A_PAIR)
    if not len(risky):
        return rows, scales
    shrink = (_ROUNDABLE / sums[risky]).astype(np.float32)
    rows, scales = rows.copy(), scales.copy()
    rows[risky] = np.rint(rows[risky] * shrink[:, None])
    scales[risky] /= shrink
    return rows, scales


def _pair_sums(rows: Array) -> Array:
    """Return the largest sum of neighbours in each row, whatever its sign.

    Neighbours of different signs never sum to more than one of them, so signs are not compared.
    """
    even = rows.shape[1] // 2 * 2
    sums: Array = rows[:, :even:2] + rows[:, 1:even:2]
    largest: Array = np.abs(sums).max(axis=1, initial=0)
    return largest
