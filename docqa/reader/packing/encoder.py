"""DistilBERT for question answering as an ONNX graph that reads one window.

The layers are those of Sanh et al. 2019 (arXiv 1910.01108) as transformers computes them. One
window at a time means: no padding and no mask, memory that does not grow with the batch, and
logits that do not depend on what else is read. ONNX Runtime's fused operators keep the passes over
memory few; its own optimizer, which would find them in a plain graph, takes longer than the rest of
the start.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from onnx import TensorProto

from docqa.errors import ModelIncompatibleError
from docqa.reader.packing.graph import GraphBuilder, OnnxGraph
from docqa.reader.packing.linear import Linear, float_linear
from docqa.reader.packing.weights import StoredWeights

__all__ = ["DistilBertShape", "distilbert_graph"]

_IDS, _EMBEDDINGS = "input_ids", "distilbert.embeddings"
_EPSILON = 1e-12  # of every layer norm, fixed in transformers
_ACTIVATIONS = {"gelu", "relu"}  # the former exact, by the error function


@dataclass(frozen=True, slots=True)
class DistilBertShape:
    """Hold the sizes of a DistilBERT, named as in its ``config.json``."""

    vocab_size: int
    dim: int
    n_layers: int
    n_heads: int
    hidden_dim: int
    max_position_embeddings: int
    activation: str

    @classmethod
    def of(cls, config: dict[str, Any]) -> DistilBertShape | None:
        """Return the sizes in a ``config.json``; None where it is of no model built here."""
        if config.get("model_type") != "distilbert":
            return None
        try:
            shape = cls(**{name: config[name] for name in cls.__slots__})
        except KeyError:
            return None
        return shape if shape.activation in _ACTIVATIONS else None

    def weights(self) -> dict[str, tuple[int, ...]]:
        """Return the shape of every weight, by its name in the checkpoint."""
        dim, hidden = self.dim, self.hidden_dim
        shapes: dict[str, tuple[int, ...]] = {
            f"{_EMBEDDINGS}.word_embeddings.weight": (self.vocab_size, dim),
            f"{_EMBEDDINGS}.position_embeddings.weight": (self.max_position_embeddings, dim),
        }
        linear = {"qa_outputs": (2, dim)}
        norms = [f"{_EMBEDDINGS}.LayerNorm"]
        for layer in range(self.n_layers):
            at = _layer(layer)
            linear |= {f"{at}.attention.{name}_lin": (dim, dim) for name in ("q", "k", "v", "out")}
            linear |= {f"{at}.ffn.lin1": (hidden, dim), f"{at}.ffn.lin2": (dim, hidden)}
            norms += [f"{at}.sa_layer_norm", f"{at}.output_layer_norm"]
        for name, (n_outputs, n_inputs) in linear.items():
            shapes |= {f"{name}.weight": (n_outputs, n_inputs), f"{name}.bias": (n_outputs,)}
        for name in norms:
            shapes |= {f"{name}.weight": (dim,), f"{name}.bias": (dim,)}
        return shapes


def _layer(number: int) -> str:
    return f"distilbert.transformer.layer.{number}"


def distilbert_graph(shape: DistilBertShape, weights: StoredWeights, linear: Linear) -> OnnxGraph:
    """Return the graph from ``input_ids (n_tokens,)`` to ``logits (2, n_tokens)``.

    Args:
        shape: the model's sizes.
        weights: the checkpoint's.
        linear: how the layers of the transformer are computed.

    Raises:
        ModelIncompatibleError: weights are missing or of another shape.
    """
    _check(shape, weights)
    graph = GraphBuilder({_IDS: (TensorProto.INT64, ["n_tokens"])})
    model = _DistilBert(graph, shape, weights, linear)
    x = model.embeddings()
    for number in range(shape.n_layers):
        x = model.layer(x, _layer(number))
    logits = graph.node("Transpose", float_linear(graph, x, weights, ["qa_outputs"], bias=True))
    return graph.finish({"logits": (logits, TensorProto.FLOAT, [2, "n_tokens"])})


def _check(shape: DistilBertShape, weights: StoredWeights) -> None:
    wanted = shape.weights()
    spoiled = weights.missing(list(wanted))
    there = wanted.keys() - spoiled
    spoiled += [name for name in there if weights.shape(name) != wanted[name]]
    if spoiled:
        raise ModelIncompatibleError(
            f"the checkpoint lacks {len(spoiled)} weights of an extractive question-answering "
            f"model ({', '.join(sorted(spoiled)[:3])}); was it trained on question answering? "
            "Its answers would be random"
        )


@dataclass(frozen=True, slots=True)
class _DistilBert:
    """Write the parts of the model; every value is ``(n_tokens, dim)`` unless told otherwise."""

    graph: GraphBuilder
    shape: DistilBertShape
    weights: StoredWeights
    linear: Linear

    def embeddings(self) -> str:
        """Add token and position embeddings; a table of 8-bit rows stays as it is stored."""
        graph, name = self.graph, f"{_EMBEDDINGS}.word_embeddings.weight"
        if self.weights.is_rows(name):
            rows, scales = self.weights.rows(name)
            row = graph.node("Gather", graph.constant(rows), _IDS)
            scale = graph.node("Gather", graph.constant(scales[:, None]), _IDS)
            tokens = graph.node("Mul", graph.node("Cast", row, to=TensorProto.FLOAT), scale)
        else:
            tokens = graph.node("Gather", self._floats(name), _IDS)
        table = self._floats(f"{_EMBEDDINGS}.position_embeddings.weight")
        n_tokens = graph.node("Shape", _IDS)
        positions = graph.node("Slice", table, graph.constant([0]), n_tokens)
        norm = self._norm(f"{_EMBEDDINGS}.LayerNorm")
        added = graph.node("Add", tokens, positions)
        return graph.node("LayerNormalization", added, *norm, epsilon=_EPSILON)

    def layer(self, x: str, at: str) -> str:
        """Add self-attention and the feed-forward layers, each with its shortcut and norm."""
        attended = self._attention(x, f"{at}.attention")
        x = self._shortcut(x, attended, f"{at}.attention.out_lin", f"{at}.sa_layer_norm")
        inner = self._activated(x, f"{at}.ffn.lin1")
        return self._shortcut(x, inner, f"{at}.ffn.lin2", f"{at}.output_layer_norm")

    def _attention(self, x: str, at: str) -> str:
        graph, names = self.graph, [f"{at}.{name}_lin" for name in ("q", "k", "v")]
        batch = graph.constant([0])  # the operator wants one axis more
        joined = self.linear(graph, x, self.weights, names, bias=True)
        joined = graph.node("Unsqueeze", joined, batch)
        parts = graph.nodes("Split", joined, n_outputs=3, axis=2, num_outputs=3)
        attended = graph.fused("MultiHeadAttention", *parts, num_heads=self.shape.n_heads)
        return graph.node("Squeeze", attended, batch)

    def _activated(self, x: str, layer: str) -> str:
        """Return ``(n_tokens, hidden_dim)``: a layer and the activation."""
        graph, bias = self.graph, self._floats(f"{layer}.bias")
        y = self.linear(graph, x, self.weights, [layer], bias=False)
        if self.shape.activation == "gelu":
            return graph.fused("BiasGelu", y, bias)
        return graph.node("Relu", graph.node("Add", y, bias))

    def _shortcut(self, x: str, inner: str, layer: str, norm: str) -> str:
        """Return ``norm(x + layer(inner))``."""
        y = self.linear(self.graph, inner, self.weights, [layer], bias=False)
        added = *self._norm(norm), self._floats(f"{layer}.bias")
        return self.graph.fused("SkipLayerNormalization", y, x, *added, epsilon=_EPSILON)

    def _norm(self, name: str) -> tuple[str, str]:
        return self._floats(f"{name}.weight"), self._floats(f"{name}.bias")

    def _floats(self, name: str) -> str:
        return self.graph.constant(self.weights.floats(name))
