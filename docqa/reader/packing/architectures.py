"""The transformer encoders that are packed: their sizes, and the names of their weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = ["Architecture", "LayerNames", "architecture_of"]

_ACTIVATIONS = {"gelu", "relu"}  # the former exact, by the error function


@dataclass(frozen=True, slots=True)
class LayerNames:
    """The names of one layer's weights, after the layer's own name.

    Attributes:
        query, key, value, attended: the linear layers of self-attention, the last one behind it.
        attention_norm: the layer norm behind the shortcut around self-attention.
        inner, outer: the feed-forward layers.
        output_norm: the layer norm behind the shortcut around those.
    """

    query: str
    key: str
    value: str
    attended: str
    attention_norm: str
    inner: str
    outer: str
    output_norm: str


@dataclass(frozen=True, slots=True)
class Architecture:
    """An encoder with an answer head: sizes, and names of weights in its checkpoint.

    Attributes:
        embeddings, layers: names of the embeddings and of the list of layers.
        names: of the weights of each layer.
        vocabulary, width, inner_width, n_layers, n_heads: sizes.
        positions: rows of the table of positions.
        first_position: the row of a window's first token.
        token_types: 0 where there are none, else rows of their table.
        relative_bias: name of the table ``(n_buckets, n_heads)`` of what is added to attention by
            distance; None where nothing is.
        activation: ``"gelu"`` or ``"relu"``.
        epsilon: of every layer norm.
    """

    embeddings: str
    layers: str
    names: LayerNames
    vocabulary: int
    width: int
    inner_width: int
    n_layers: int
    n_heads: int
    positions: int
    activation: str
    epsilon: float
    first_position: int = 0
    token_types: int = 0
    relative_bias: str | None = None

    HEAD = "qa_outputs"
    N_BUCKETS = 32  # fixed in transformers' MPNet

    @property
    def max_tokens(self) -> int:
        """Return the longest window that there are positions for."""
        return self.positions - self.first_position

    @property
    def token_table(self) -> str:
        """Return the name of the table of tokens."""
        return f"{self.embeddings}.word_embeddings.weight"

    def layer(self, number: int) -> LayerNames:
        """Return the whole names of a layer's weights."""
        at = f"{self.layers}.{number}"
        names = (getattr(self.names, name) for name in LayerNames.__slots__)
        return LayerNames(*(f"{at}.{name}" for name in names))

    def linear(self) -> dict[str, tuple[int, int]]:
        """Return outputs and inputs of every linear layer of the encoder, by name."""
        width, inner = self.width, self.inner_width
        sizes: dict[str, tuple[int, int]] = {}
        for at in map(self.layer, range(self.n_layers)):
            sizes |= dict.fromkeys((at.query, at.key, at.value, at.attended), (width, width))
            sizes |= {at.inner: (inner, width), at.outer: (width, inner)}
        return sizes

    def tables(self) -> dict[str, tuple[int, int]]:
        """Return the shapes of the tables of tokens and of positions, by name."""
        return {
            self.token_table: (self.vocabulary, self.width),
            f"{self.embeddings}.position_embeddings.weight": (self.positions, self.width),
        }

    def weights(self) -> dict[str, tuple[int, ...]]:
        """Return the shape of every weight, by its name in the checkpoint."""
        shapes: dict[str, tuple[int, ...]] = dict(self.tables())
        if self.token_types:
            types = f"{self.embeddings}.token_type_embeddings.weight"
            shapes[types] = (self.token_types, self.width)
        if self.relative_bias:
            shapes[self.relative_bias] = (self.N_BUCKETS, self.n_heads)
        norms = [f"{self.embeddings}.LayerNorm"]
        for at in map(self.layer, range(self.n_layers)):
            norms += [at.attention_norm, at.output_norm]
        for name, size in {**self.linear(), self.HEAD: (2, self.width)}.items():
            shapes |= {f"{name}.weight": size, f"{name}.bias": size[:1]}
        for name in norms:
            shapes |= {f"{name}.weight": (self.width,), f"{name}.bias": (self.width,)}
        return shapes


def architecture_of(config: dict[str, Any]) -> Architecture | None:
    """Return the architecture of a ``config.json``; None where none of these is described."""
    made = _BY_TYPE.get(config.get("model_type", ""))
    try:
        found = made(config) if made else None
    except KeyError:
        return None
    return found if found is None or found.activation in _ACTIVATIONS else None


def _distilbert(config: dict[str, Any]) -> Architecture:
    return Architecture(
        "distilbert.embeddings",
        "distilbert.transformer.layer",
        LayerNames(
            query="attention.q_lin",
            key="attention.k_lin",
            value="attention.v_lin",
            attended="attention.out_lin",
            attention_norm="sa_layer_norm",
            inner="ffn.lin1",
            outer="ffn.lin2",
            output_norm="output_layer_norm",
        ),
        vocabulary=config["vocab_size"],
        width=config["dim"],
        inner_width=config["hidden_dim"],
        n_layers=config["n_layers"],
        n_heads=config["n_heads"],
        positions=config["max_position_embeddings"],
        activation=config["activation"],
        epsilon=1e-12,  # fixed in transformers
    )


def _bert(config: dict[str, Any]) -> Architecture | None:
    absolute = config.get("position_embedding_type", "absolute") == "absolute"
    if not absolute or config.get("is_decoder"):
        return None
    names = LayerNames(
        query="attention.self.query",
        key="attention.self.key",
        value="attention.self.value",
        attended="attention.output.dense",
        attention_norm="attention.output.LayerNorm",
        inner="intermediate.dense",
        outer="output.dense",
        output_norm="output.LayerNorm",
    )
    token_types = config.get("type_vocab_size", 2)
    return Architecture(
        "bert.embeddings", "bert.encoder.layer", names, token_types=token_types, **_sizes(config)
    )


def _mpnet(config: dict[str, Any]) -> Architecture:
    names = LayerNames(
        query="attention.attn.q",
        key="attention.attn.k",
        value="attention.attn.v",
        attended="attention.attn.o",
        attention_norm="attention.LayerNorm",
        inner="intermediate.dense",
        outer="output.dense",
        output_norm="output.LayerNorm",
    )
    return Architecture(
        "mpnet.embeddings",
        "mpnet.encoder.layer",
        names,
        first_position=2,  # positions are counted from the padding's 1, whatever the padding is
        relative_bias="mpnet.encoder.relative_attention_bias.weight",
        **_sizes(config),
    )


def _sizes(config: dict[str, Any]) -> dict[str, Any]:
    """Return the sizes, by the names that BERT and MPNet share."""
    return {
        "vocabulary": config["vocab_size"],
        "width": config["hidden_size"],
        "inner_width": config["intermediate_size"],
        "n_layers": config["num_hidden_layers"],
        "n_heads": config["num_attention_heads"],
        "positions": config["max_position_embeddings"],
        "activation": config["hidden_act"],
        "epsilon": config.get("layer_norm_eps", 1e-12),
    }


_BY_TYPE: dict[str, Callable[[dict[str, Any]], Architecture | None]] = {
    "distilbert": _distilbert,
    "bert": _bert,
    "mpnet": _mpnet,
}
