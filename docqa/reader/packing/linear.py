"""Linear layers for ONNX Runtime: in float32, and in 8-bit integers that cannot overflow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from docqa.reader.packing.graph import GraphBuilder
    from docqa.reader.packing.weights import StoredWeights

    FloatArray = NDArray[np.float32]
    RowArray = NDArray[np.int8]

__all__ = ["Linear", "float_linear", "integer_linear", "rows_without_overflow"]

# The largest sum of two neighbouring weights of one sign: 255 * 128 <= 32767 < 255 * 129.
_MOST_OF_A_PAIR = 128


class Linear(Protocol):
    """Add ``x @ W.T + bias`` to a graph."""

    def __call__(
        self, graph: GraphBuilder, x: str, weights: StoredWeights, layers: list[str], *, bias: bool
    ) -> str:
        """Return the name of the output, shape ``(n_tokens, n_outputs)``.

        Args:
            graph: gets the nodes.
            x: name of the input, shape ``(n_tokens, n_inputs)``.
            weights: where ``LAYER.weight`` and ``LAYER.bias`` are.
            layers: layers that read the same input; their outputs stand side by side.
            bias: add it here; else a later node does.
        """
        ...


def float_linear(
    graph: GraphBuilder, x: str, weights: StoredWeights, layers: list[str], *, bias: bool
) -> str:
    """Add the layers in float32."""
    matrix = np.concatenate([weights.floats(f"{layer}.weight") for layer in layers])
    inputs = [x, graph.constant(matrix)]
    if bias:
        inputs.append(graph.constant(_bias(weights, layers)))
    return graph.node("Gemm", *inputs, transB=1)


def integer_linear(
    graph: GraphBuilder, x: str, weights: StoredWeights, layers: list[str], *, bias: bool
) -> str:
    """Add the layers in 8-bit integers: weights as stored, inputs as bytes of one scale a token.

    ONNX Runtime's ready-made operator (DynamicQuantizeMatMul) takes one scale for all tokens of a
    window, and is 1.1 to 1.2 times as fast; but a token with one large number then makes all others
    coarse. Of 96 questions of SQuAD dev 8 got another answer than in float32 that way, and 2 with a
    scale a token; the best span's logit was off by 0.18 against 0.07 in the middle.
    """
    stored = [weights.rows(f"{layer}.weight") for layer in layers]
    rows, scales = rows_without_overflow(
        np.concatenate([of_layer for of_layer, _ in stored]),
        np.concatenate([of_layer for _, of_layer in stored]),
    )
    largest = graph.node("ReduceMax", graph.node("Abs", x), graph.constant([1]), keepdims=1)
    # Symmetric around 128, so that zero is exact. The least number keeps 0 / 0 away.
    step = graph.node(
        "Mul",
        graph.node("Max", largest, graph.constant(1e-20)),
        graph.constant(1 / 127),
    )
    one, middle = graph.constant(1.0), graph.constant(np.uint8(128))
    read = graph.node("QuantizeLinear", graph.node("Div", x, step), one, middle)
    product = graph.fused(
        "MatMulIntegerToFloat",
        read,
        graph.constant(rows.T),
        one,
        graph.constant(scales),
        middle,
    )
    product = graph.node("Mul", product, step)
    return graph.node("Add", product, graph.constant(_bias(weights, layers))) if bias else product


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
    even = rows.shape[1] // 2 * 2
    sums = np.add(rows[:, :even:2], rows[:, 1:even:2], dtype=np.int16)
    # Neighbours of different signs never sum to so much, so that signs need not be compared.
    sums = np.maximum(sums.max(axis=1), -sums.min(axis=1))
    risky = np.flatnonzero(sums > _MOST_OF_A_PAIR)
    if not len(risky):
        return rows, scales
    # A sum below 128 stays at most 128 when both of a pair are rounded.
    shrink = ((_MOST_OF_A_PAIR - 0.01) / sums[risky]).astype(np.float32)
    rows, scales = rows.copy(), scales.copy()
    rows[risky] = np.rint(rows[risky] * shrink[:, None])
    scales[risky] /= shrink
    return rows, scales


def _bias(weights: StoredWeights, layers: list[str]) -> FloatArray:
    return np.concatenate([weights.floats(f"{layer}.bias") for layer in layers])
