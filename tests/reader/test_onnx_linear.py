"""8-bit products on ONNX Runtime against exact integers, at the values that could overflow."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from docqa.reader.packing.linear import integer_linear
from docqa.reader.packing.weights import (
    quantized_rows,
    rows_without_overflow,
    write_weights,
)
from docqa.reader.weights_file import WeightsFile


def run(x: NDArray[np.float32], rows: NDArray[np.int8], folder: Path) -> NDArray[np.float32]:
    """Return ``x @ rows.T`` as ONNX Runtime computes it in 8 bits."""
    import onnxruntime
    from onnx import TensorProto

    from docqa.reader.packing.graph import GraphBuilder

    ones, zeros = np.ones(len(rows), dtype=np.float32), np.zeros(len(rows), dtype=np.float32)
    weights = {"layer.weight": rows, "layer.weight.scale": ones, "layer.bias": zeros}
    names = {"layer.weight"}
    write_weights(weights, folder / "w.safetensors", matrices=names, multiplied=names)
    graph = GraphBuilder(
        WeightsFile(folder / "w.safetensors"), {"x": (TensorProto.FLOAT, ["n", x.shape[1]])}
    )
    [y] = integer_linear(graph, "x", ["layer"], bias=True)
    made = graph.finish({"y": (y, TensorProto.FLOAT, ["n", len(rows)])})
    (folder / "m.onnx").write_bytes(made)
    session = onnxruntime.InferenceSession(str(folder / "m.onnx"))
    found: NDArray[np.float32] = session.run(["y"], {"x": x})[0]
    return found


def exactly(x: NDArray[np.float32], rows: NDArray[np.int8]) -> NDArray[np.float64]:
    """Return the same by exact integers: each row of `x` in steps of its largest / 127."""
    safe, scales = rows_without_overflow(rows, np.ones(len(rows), dtype=np.float32))
    step = np.abs(x).max(axis=1, keepdims=True) / 127
    product = np.rint(x / step).astype(np.int64) @ safe.T.astype(np.int64)
    result: NDArray[np.float64] = product * step * scales
    return result


@pytest.mark.parametrize("sign", [1, -1])
def test_extreme_values_do_not_overflow(sign: int, tmp_path: Path) -> None:
    """Largest inputs times largest weights, all of one sign: where 16 bits would saturate."""
    x = np.full((5, 64), sign, dtype=np.float32)
    rows = np.full((16, 64), 127, dtype=np.int8)
    rows[1::2] = -127
    rows[2, ::2] = 0
    np.testing.assert_allclose(run(x, rows, tmp_path), exactly(x, rows), rtol=1e-5)


def test_random_values_are_exact(tmp_path: Path) -> None:
    """Inputs of any size and weights of any size give the integers' result."""
    random = np.random.default_rng(0)
    x = (random.normal(size=(37, 96)) * random.lognormal(size=(37, 1))).astype(np.float32)
    rows = random.integers(-127, 128, (48, 96)).astype(np.int8)
    np.testing.assert_allclose(run(x, rows, tmp_path), exactly(x, rows), rtol=1e-4, atol=1e-2)


def test_zeros_give_zeros(tmp_path: Path) -> None:
    """A token of zeros has no scale of its own, and still gives numbers."""
    x = np.zeros((2, 8), dtype=np.float32)
    assert not run(x, np.full((3, 8), 50, dtype=np.int8), tmp_path).any()


@given(st.lists(st.lists(st.integers(-127, 127), min_size=5, max_size=5), min_size=1, max_size=9))
def test_no_pair_can_overflow(matrix: list[list[int]]) -> None:
    """No two neighbours of one sign times 255 leave 16 bits, and little is lost."""
    rows = np.array(matrix, dtype=np.int8)
    safe, scales = rows_without_overflow(rows, np.ones(len(rows), dtype=np.float32))
    even, odd = safe[:, :4:2].astype(int), safe[:, 1::2].astype(int)
    for part in (np.maximum, np.minimum):
        assert (np.abs(part(even, 0) + part(odd, 0)) * 255 <= 32767).all()
    assert (np.abs(safe * scales[:, None] - rows) <= scales[:, None] / 2 + 1e-4).all()
    assert ((scales == 1) | (safe != rows).any(axis=1)).all()


@given(st.lists(st.lists(st.floats(-9, 9, width=32), min_size=5, max_size=5), min_size=1))
def test_rounded_pairs_cannot_overflow(matrix: list[list[float]]) -> None:
    """Floats become rows that need no further change, off by at most half a scale."""
    given = np.array(matrix, dtype=np.float32)
    rows, scales = quantized_rows(given, multiplied=True)
    again, _ = rows_without_overflow(rows, scales)
    assert np.array_equal(again, rows)
    assert (np.abs(rows * scales[:, None] - given) <= scales[:, None] * 0.501).all()
