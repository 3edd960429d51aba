"""A transformer encoder with an answer head as an ONNX graph that reads one window.

The layers are those of Devlin et al. 2019 (arXiv 1810.04805), Sanh et al. 2019 (arXiv 1910.01108)
and Song et al. 2020 (MPNet, arXiv 2004.09297) as transformers computes them. One window at a time
means: no padding and no mask, memory that does not grow with the batch, and logits that do not
depend on what else is read. ONNX Runtime's fused operators keep the passes over memory few; its own
optimizer, which would find them in a plain graph, takes longer than the rest of the start.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from onnx import TensorProto

from docqa.reader.blocks import BLOCK
from docqa.reader.packing.graph import GraphBuilder
from docqa.reader.packing.linear import float_linear

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from docqa.reader.packing.architectures import Architecture
    from docqa.reader.packing.linear import Linear
    from docqa.reader.weights_file import WeightsFile

__all__ = ["encoder_graph", "relative_buckets"]

_IDS = "input_ids"


def encoder_graph(
    architecture: Architecture, weights: WeightsFile, linear: Linear, *, separator_id: int
) -> bytes:
    """Return a model from ``input_ids (n_tokens,)`` to ``logits (2, n_tokens)``.

    Args:
        architecture: the model's sizes and names.
        weights: where the weights lie, which the model refers to.
        linear: how the linear layers of the encoder are computed.
        separator_id: everything after the first of it is of the second token type.
    """
    graph = GraphBuilder(weights, {_IDS: (TensorProto.INT64, ["n_tokens"])})
    encoder = _Encoder(graph, architecture, linear, separator_id)
    x, bias = encoder.embedded(), encoder.relative_bias()
    for number in range(architecture.n_layers):
        x = encoder.layer(x, number, bias)
    [logits] = float_linear(graph, x, [architecture.HEAD], bias=True)
    transposed = graph.node("Transpose", logits)
    return graph.finish({"logits": (transposed, TensorProto.FLOAT, [2, "n_tokens"])})


@dataclass(frozen=True, slots=True)
class _Encoder:
    """A writer of the model's parts; a value is ``(n_tokens, width)`` unless it says otherwise."""

    graph: GraphBuilder
    architecture: Architecture
    linear: Linear
    separator_id: int

    def embedded(self) -> str:
        """Return the normed sum of the embeddings of tokens, positions and token types."""
        graph, at, first = (
            self.graph,
            self.architecture.embeddings,
            self.architecture.first_position,
        )
        tokens = self._looked_up(f"{at}.word_embeddings.weight", "Gather", _IDS)
        n_tokens = graph.node("Shape", _IDS)
        ends = graph.constant([first]), graph.node("Add", n_tokens, graph.constant([first]))
        positions = self._looked_up(f"{at}.position_embeddings.weight", "Slice", *ends)
        added = graph.node("Add", tokens, positions)
        if self.architecture.token_types:
            types = graph.stored(f"{at}.token_type_embeddings.weight")
            added = graph.node("Add", added, graph.node("Gather", types, self._token_types()))
        norm = self._norm(f"{at}.LayerNorm")
        epsilon = self.architecture.epsilon
        return graph.node("LayerNormalization", added, *norm, epsilon=epsilon)

    def relative_bias(self) -> str:
        """Return the bias of attention ``(1, n_heads, n_tokens, n_tokens)``, or ``""``."""
        architecture, graph = self.architecture, self.graph
        if architecture.relative_bias is None:
            return ""
        most = architecture.max_tokens
        buckets = graph.constant(relative_buckets(np.arange(1 - most, most)))
        table = graph.node("Gather", graph.stored(architecture.relative_bias), buckets)
        by_distance = graph.node("Transpose", table)  # (n_heads, 2 * most - 1)
        n_tokens = graph.node("Squeeze", graph.node("Shape", _IDS))
        zero, one = (graph.constant(np.int64(number)) for number in (0, 1))
        places = graph.node("Range", zero, n_tokens, one)
        columns = graph.node("Add", places, graph.constant(np.int64(most - 1)))
        distances = graph.node("Sub", columns, graph.node("Unsqueeze", places, graph.constant([1])))
        bias = graph.node("Gather", by_distance, distances, axis=1)
        return graph.node("Unsqueeze", bias, graph.constant([0]))

    def layer(self, x: str, number: int, bias: str) -> str:
        """Return `x` after self-attention and the feed-forward layers."""
        at = self.architecture.layer(number)
        attended = self._attention(x, [at.query, at.key, at.value], bias)
        x = self._shortcut(x, attended, at.attended, at.attention_norm)
        return self._shortcut(x, self._activated(x, at.inner), at.outer, at.output_norm)

    def _attention(self, x: str, layers: list[str], bias: str) -> str:
        graph, batch = self.graph, self.graph.constant([0])  # the operator wants one axis more
        parts = self.linear(graph, x, layers, bias=True)
        parts = [graph.node("Unsqueeze", part, batch) for part in parts]
        if bias:
            parts += ["", "", bias]
        attended = graph.fused("MultiHeadAttention", *parts, num_heads=self.architecture.n_heads)
        return graph.node("Squeeze", attended, batch)

    def _activated(self, x: str, layer: str) -> str:
        """Return a layer's output after the activation, ``(n_tokens, inner_width)``."""
        graph, bias = self.graph, self.graph.stored(f"{layer}.bias")
        [y] = self.linear(graph, x, [layer], bias=False)
        if self.architecture.activation == "gelu":
            return graph.fused("BiasGelu", y, bias)
        return graph.node("Relu", graph.node("Add", y, bias))

    def _shortcut(self, x: str, inner: str, layer: str, norm: str) -> str:
        """Return ``norm(x + layer(inner))``."""
        [y] = self.linear(self.graph, inner, [layer], bias=False)
        added = *self._norm(norm), self.graph.stored(f"{layer}.bias")
        epsilon = self.architecture.epsilon
        return self.graph.fused("SkipLayerNormalization", y, x, *added, epsilon=epsilon)

    def _looked_up(self, table: str, operator: str, *where: str) -> str:
        """Return some of a table's rows in float32."""
        graph = self.graph
        rows = graph.node(operator, graph.stored(table), *where)
        scales = graph.node(operator, graph.stored_column(f"{table}.scale"), *where)
        if not graph.weights.is_blocks(table):
            return graph.node("Mul", graph.node("Cast", rows, to=TensorProto.FLOAT), scales)
        multiples = graph.node(operator, graph.stored(f"{table}.multiple"), *where)
        return graph.node("Mul", self._expanded_rows(rows, multiples), scales)

    def _expanded_rows(self, codes: str, multiples: str) -> str:
        """Return rows in 4-bit blocks ``(n, width / 2)`` as floats, without their scales."""
        graph, width = self.graph, self.architecture.width
        sixteen, last = graph.constant(16.0), graph.constant([2])
        by_block = graph.constant([0, width // BLOCK, BLOCK // 2])
        pairs = graph.node("Cast", graph.node("Reshape", codes, by_block), to=TensorProto.FLOAT)
        upper = graph.node("Floor", graph.node("Div", pairs, sixteen))
        lower = graph.node("Sub", pairs, graph.node("Mul", upper, sixteen))
        both = graph.node("Concat", lower, upper, axis=2)
        signed = graph.node("Sub", both, graph.constant(8.0))
        shared = graph.node("Unsqueeze", graph.node("Cast", multiples, to=TensorProto.FLOAT), last)
        whole = graph.node("Mul", signed, shared)
        return graph.node("Reshape", whole, graph.constant([0, width]))

    def _token_types(self) -> str:
        """Return 1 for every token after the first separator, else 0, ``(n_tokens,)``."""
        graph = self.graph
        if self.architecture.token_types == 1:
            return graph.node("Sub", _IDS, _IDS)
        separator = graph.constant(np.int64(self.separator_id))
        is_one = graph.node("Cast", graph.node("Equal", _IDS, separator), to=TensorProto.INT64)
        counted = graph.node("CumSum", is_one, graph.constant(np.int64(0)), exclusive=1)
        return graph.node("Min", counted, graph.constant(np.int64(1)))

    def _norm(self, name: str) -> tuple[str, str]:
        return self.graph.stored(f"{name}.weight"), self.graph.stored(f"{name}.bias")


def relative_buckets(distances: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the row of MPNet's table of attention biases for each distance.

    Distances are the key's position less the query's. Of 32 rows the upper half is for keys
    behind; in each half 8 distances have a row of their own, and farther ones share rows on a
    logarithmic scale up to 128 (Raffel et al. 2020, arXiv 1910.10683, section 2.1).

    >>> relative_buckets(np.array([0, -1, 1, -8, 300])).tolist()
    [0, 1, 17, 8, 31]
    """
    half, exact, farthest = 16, 8, 128
    distance = np.abs(distances)
    logarithm = np.log(np.maximum(distance, 1).astype(np.float32) / np.float32(exact))
    shared = logarithm / np.float32(math.log(farthest / exact)) * np.float32(half - exact)
    far = np.minimum(exact + shared.astype(np.int64), half - 1)
    return np.where(distances > 0, half, 0) + np.where(distance < exact, distance, far)
