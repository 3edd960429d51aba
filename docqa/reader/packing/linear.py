"""Linear layers for ONNX Runtime: in float32, and in 8-bit integers that cannot overflow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np
from onnx import TensorProto

if TYPE_CHECKING:
    from docqa.reader.packing.graph import GraphBuilder

__all__ = ["Linear", "float_linear", "integer_linear"]


class Linear(Protocol):
    """A way to add ``x @ W.T + bias`` to a graph."""

    def __call__(self, graph: GraphBuilder, x: str, layers: list[str], *, bias: bool) -> list[str]:
        """Return the names of the layers' outputs, each of shape ``(n_tokens, n_outputs)``.

        Args:
            graph: gets the nodes; its file has ``LAYER.weight`` as 8-bit rows or 4-bit blocks, and
                ``LAYER.bias``.
            x: name of the input, shape ``(n_tokens, n_inputs)``.
            layers: layers that read the same input.
            bias: add it here; else a later node does.
        """
        ...


def float_linear(graph: GraphBuilder, x: str, layers: list[str], *, bias: bool) -> list[str]:
    """Add the layers in float32; 8-bit rows are multiplied with their scales beforehand.

    ONNX Runtime computes such a product of constants once, when it loads the model.
    """
    outputs = []
    for layer in layers:
        name, turned = f"{layer}.weight", graph.weights.is_blocks(f"{layer}.weight")
        matrix = graph.expanded(name) if turned else graph.stored(name)
        if turned or graph.weights.is_rows(name):
            scale = graph.stored if turned else graph.stored_column
            matrix = graph.node("Cast", matrix, to=TensorProto.FLOAT)
            matrix = graph.node("Mul", matrix, scale(f"{name}.scale"))
        added = [graph.stored(f"{layer}.bias")] if bias else []
        outputs.append(graph.node("Gemm", x, matrix, *added, transB=int(not turned)))
    return outputs


def integer_linear(graph: GraphBuilder, x: str, layers: list[str], *, bias: bool) -> list[str]:
    """Add the layers in 8-bit integers: weights as stored, inputs as bytes of one scale a token.

    ONNX Runtime's ready-made operator (DynamicQuantizeMatMul) takes one scale for all tokens of a
    window, and is 1.1 to 1.2 times as fast; but a token with one large number then makes all others
    coarse. Of 96 questions of SQuAD dev 8 got another answer than in float32 that way, and 2 with a
    scale a token; the best span's logit was off by 0.18 against 0.07 in the middle. An MPNet of 12
    layers loses 5 points of F1 with one scale a window.
    """
    largest = graph.node("ReduceMax", graph.node("Abs", x), graph.constant([1]), keepdims=1)
    # Symmetric around 128, so that zero is exact. The least number keeps 0 / 0 away.
    step = graph.node(
        "Mul",
        graph.node("Max", largest, graph.constant(1e-20)),
        graph.constant(1 / 127),
    )
    one, middle = graph.constant(1.0), graph.constant(np.uint8(128))
    read = graph.node("QuantizeLinear", graph.node("Div", x, step), one, middle)
    outputs = []
    for layer in layers:
        name, turned = f"{layer}.weight", graph.weights.is_blocks(f"{layer}.weight")
        matrix = graph.expanded(name) if turned else graph.stored(name)
        scales = graph.stored(f"{name}.scale")
        zeros = graph.constant(np.zeros(graph.weights.shape(scales), dtype=np.int8))
        operands = read, one, middle, matrix, scales, zeros
        product = graph.fused("QGemm", *operands, transB=int(not turned))
        product = graph.node("Mul", product, step)
        if bias:
            product = graph.node("Add", product, graph.stored(f"{layer}.bias"))
        outputs.append(product)
    return outputs
