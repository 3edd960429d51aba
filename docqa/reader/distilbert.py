"""DistilBERT for span answers, in torch alone.

The module computes what `DistilBertForQuestionAnswering` of transformers does (Sanh et al. 2019,
arXiv:1910.01108), without dropout and with query, key and value in one product. It exists because
importing transformers' model classes takes about twice as long as importing torch, which is most
of a cold start; tests hold it to theirs within 1e-5. Every other architecture runs on theirs.

Layers are made around the loaded weights: torch's own would first draw random ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["DistilBertReader", "SpanLogits", "build_distilbert"]

_EPSILON = 1e-12  # of every layer norm, as in BERT


@dataclass(frozen=True, slots=True)
class SpanLogits:
    """Hold start and end logits, each of shape ``(n_windows, n_tokens)``."""

    start_logits: Tensor
    end_logits: Tensor


class _Layer(nn.Module):
    """Hold the weight and bias of one linear layer or layer norm."""

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight, requires_grad=False)
        self.bias = nn.Parameter(bias, requires_grad=False)


class _Linear(_Layer):
    def forward(self, inputs: Tensor) -> Tensor:
        return functional.linear(inputs, self.weight, self.bias)


class _Norm(_Layer):
    def forward(self, inputs: Tensor) -> Tensor:
        return functional.layer_norm(inputs, self.bias.shape, self.weight, self.bias, _EPSILON)


class _Block(nn.Module):
    """Be one transformer block: attention, then a network of two layers, each with its norm."""

    def __init__(self, weights: _Weights, prefix: str, n_heads: int) -> None:
        super().__init__()
        self.n_heads = n_heads
        parts = [weights.layer(f"{prefix}attention.{part}_lin") for part in "qkv"]
        self.query_key_value = _Linear(
            *(torch.cat(tensors) for tensors in zip(*parts, strict=True))
        )
        self.out = _Linear(*weights.layer(f"{prefix}attention.out_lin"))
        self.attention_norm = _Norm(*weights.layer(f"{prefix}sa_layer_norm"))
        self.widen = _Linear(*weights.layer(f"{prefix}ffn.lin1"))
        self.narrow = _Linear(*weights.layer(f"{prefix}ffn.lin2"))
        self.output_norm = _Norm(*weights.layer(f"{prefix}output_layer_norm"))

    def forward(self, hidden: Tensor, mask: Tensor | None) -> Tensor:
        rows, columns, width = hidden.shape
        heads = self.query_key_value(hidden).view(rows, columns, 3, self.n_heads, -1)
        query, key, value = heads.permute(2, 0, 3, 1, 4)
        seen = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        seen = seen.transpose(1, 2).reshape(rows, columns, width)
        hidden = self.attention_norm(self.out(seen) + hidden)
        inner = self.narrow(functional.gelu(self.widen(hidden)))
        result: Tensor = self.output_norm(inner + hidden)
        return result


class DistilBertReader(nn.Module):
    """Map token ids to start and end logits.

    Args:
        config: the checkpoint's ``config.json``.
        weights: by the names that transformers gives them.

    Raises:
        KeyError: a weight or a size is missing.
    """

    def __init__(self, config: dict[str, Any], weights: dict[str, Tensor]) -> None:
        super().__init__()
        given = _Weights(weights)
        words = given.take("distilbert.embeddings.word_embeddings.weight")
        positions = given.take("distilbert.embeddings.position_embeddings.weight")
        self.word_embeddings = _embedding(words)
        self.position_embeddings = _embedding(positions)
        self.norm = _Norm(*given.layer("distilbert.embeddings.LayerNorm"))
        self.blocks = nn.ModuleList(
            _Block(given, f"distilbert.transformer.layer.{number}.", config["n_heads"])
            for number in range(config["n_layers"])
        )
        self.qa_outputs = _Linear(*given.layer("qa_outputs"))
        self.left_over = tuple(given.weights)

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> SpanLogits:
        """Return the logits of windows.

        Args:
            input_ids: shape ``(n_windows, n_tokens)``.
            attention_mask: same shape, 0 for padding; None when there is none.
        """
        positions = self.position_embeddings.weight[: input_ids.shape[1]]
        hidden = self.norm(self.word_embeddings(input_ids) + positions)
        mask = None if attention_mask is None else attention_mask[:, None, None, :].bool()
        for block in self.blocks:
            hidden = block(hidden, mask)
        start_logits, end_logits = self.qa_outputs(hidden).unbind(-1)
        return SpanLogits(start_logits, end_logits)


def _embedding(weight: Tensor) -> nn.Embedding:
    rows, width = weight.shape
    return nn.Embedding(rows, width, _weight=weight, _freeze=True)


class _Weights:
    """Hand out weights by name, each once."""

    def __init__(self, weights: dict[str, Tensor]) -> None:
        self.weights = dict(weights)

    def take(self, name: str) -> Tensor:
        return self.weights.pop(name)

    def layer(self, name: str) -> tuple[Tensor, Tensor]:
        return self.take(f"{name}.weight"), self.take(f"{name}.bias")


def build_distilbert(config: dict[str, Any], weights: dict[str, Tensor]) -> DistilBertReader | None:
    """Return the module with these weights, or None where it is not exactly this architecture.

    Args:
        config: the checkpoint's ``config.json``.
        weights: by the names that transformers gives them.
    """
    if config.get("activation", "gelu") != "gelu":
        return None
    try:
        module = DistilBertReader(config, weights)
        with torch.inference_mode():
            module(torch.zeros(1, 1, dtype=torch.long))
    except (KeyError, RuntimeError):  # missing, or shapes that do not go together
        return None
    fits = module.qa_outputs.weight.shape == (2, module.position_embeddings.embedding_dim)
    return module if fits and not module.left_over else None
