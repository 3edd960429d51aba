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
from docqa.reader.onnx_graph import GraphBuilder, OnnxGraph
from docqa.reader.onnx_linear import Linear, float_linear
from docqa.reader.stored_weights import StoredWeights

__all__ = ["DistilBertShape", "distilbert_graph"]

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


_EMBEDDINGS = "distilbert.embeddings"


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
    graph = GraphBuilder({"input_ids": (TensorProto.INT64, ["n_tokens"])})
    x = _embeddings(graph, weights)
    for number in range(shape.n_layers):
        x = _transformer_layer(graph, x, shape, weights, linear, _layer(number))
    logits = float_linear(graph, x, weights, ["qa_outputs"], bias=True)
    logits = graph.node("Transpose", logits)
    return graph.finish({"logits": (logits, TensorProto.FLOAT, [2, "n_tokens"])})


def _check(shape: DistilBertShape, weights: StoredWeights) -> None:
    wanted = shape.weights()
    missing = weights.missing(list(wanted))
    missing += [name for name in wanted if name not in missing and weights.shape(name) != wanted[name]]
    if missing:
        raise ModelIncompatibleError(
            f"the checkpoint lacks {len(missing)} weights of an extractive question-answering "
            f"model ({', '.join(sorted(missing)[:3])}); was it trained on question answering? "
            "Its answers would be random"
        )


def _embeddings(graph: GraphBuilder, weights: StoredWeights) -> str:
    """Add token and position embeddings; the table of 8-bit rows stays as it is stored."""
    name = f"{_EMBEDDINGS}.word_embeddings.weight"
    if weights.is_rows(name):
        rows, scales = weights.rows(name)
        found = graph.node("Gather", graph.constant(rows), "input_ids")
        scale = graph.node("Gather", graph.constant(scales[:, None]), "input_ids")
        tokens = graph.node("Mul", graph.node("Cast", found, to=TensorProto.FLOAT), scale)
    else:
        tokens = graph.node("Gather", graph.constant(weights.floats(name)), "input_ids")
    table = graph.constant(weights.floats(f"{_EMBEDDINGS}.position_embeddings.weight"))
    n_tokens = graph.node("Shape", "input_ids")
    positions = graph.node("Slice", table, graph.constant([0]), n_tokens)
    x = graph.node("Add", tokens, positions)
    norm = _norm(graph, weights, f"{_EMBEDDINGS}.LayerNorm")
    return graph.node("LayerNormalization", x, *norm, epsilon=_EPSILON)


def _transformer_layer(
    graph: GraphBuilder,
    x: str,
    shape: DistilBertShape,
    weights: StoredWeights,
    linear: Linear,
    at: str,
) -> str:
    """Add self-attention and the feed-forward layers, each with its shortcut and norm."""
    projections = [f"{at}.attention.{name}_lin" for name in ("q", "k", "v")]
    batch = graph.constant([0])  # attention wants one axis more
    joined = graph.node("Unsqueeze", linear(graph, x, weights, projections, bias=True), batch)
    parts = graph.nodes("Split", joined, n_outputs=3, axis=2, num_outputs=3)
    attended = graph.fused("MultiHeadAttention", *parts, num_heads=shape.n_heads)
    attended = graph.node("Squeeze", attended, batch)
    attention = f"{at}.attention.out_lin", f"{at}.sa_layer_norm"
    x = _shortcut(graph, x, attended, weights, linear, attention)
    inner = linear(graph, x, weights, [f"{at}.ffn.lin1"], bias=False)
    bias = graph.constant(weights.floats(f"{at}.ffn.lin1.bias"))
    if shape.activation == "gelu":
        inner = graph.fused("BiasGelu", inner, bias)
    else:
        inner = graph.node("Relu", graph.node("Add", inner, bias))
    feed_forward = f"{at}.ffn.lin2", f"{at}.output_layer_norm"
    return _shortcut(graph, x, inner, weights, linear, feed_forward)


def _shortcut(
    graph: GraphBuilder,
    x: str,
    inner: str,
    weights: StoredWeights,
    linear: Linear,
    names: tuple[str, str],
) -> str:
    """Add ``norm(x + layer(inner))``; `names` are the layer's and the norm's."""
    layer, norm = names
    y = linear(graph, inner, weights, [layer], bias=False)
    weight, bias = _norm(graph, weights, norm)
    added = graph.constant(weights.floats(f"{layer}.bias"))
    return graph.fused("SkipLayerNormalization", y, x, weight, bias, added, epsilon=_EPSILON)


def _norm(graph: GraphBuilder, weights: StoredWeights, name: str) -> tuple[str, str]:
    weight = graph.constant(weights.floats(f"{name}.weight"))
    return weight, graph.constant(weights.floats(f"{name}.bias"))
