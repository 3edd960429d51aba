"""Yardsticks: the shapes of well-known models with random weights, as fast as the real ones.

The weights of a shape mean nothing and neither do its answers; time and memory depend on the
shape alone. So readers can be held against BERT-base without fetching it. A shape reads with the
tokenizer of the reader that ships, so that all read the same windows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from docqa.errors import SettingError

if TYPE_CHECKING:
    import torch

    from docqa.reader.span_reader import SpanReader

__all__ = ["SHAPES", "Shape", "load_shape", "random_module"]


@dataclass(frozen=True, slots=True)
class Shape:
    """The sizes of a transformer encoder with a head for answers.

    Attributes:
        origin: the paper, and the checkpoint whose sizes these are.
        model_type: ``"bert"`` or ``"distilbert"``: the latter has no token types.
        vocabulary: rows of the word embeddings.
    """

    origin: str
    model_type: str
    layers: int
    width: int
    heads: int
    feed_forward: int
    vocabulary: int
    positions: int = 512

    @property
    def config(self) -> dict[str, Any]:
        """Return the sizes as a checkpoint's ``config.json`` has them."""
        shared = {"vocab_size": self.vocabulary, "max_position_embeddings": self.positions}
        if self.model_type == "distilbert":
            names = "n_layers", "dim", "n_heads", "hidden_dim"
        else:
            names = "num_hidden_layers", "hidden_size", "num_attention_heads", "intermediate_size"
            shared["type_vocab_size"] = 2
        sizes = self.layers, self.width, self.heads, self.feed_forward
        return {"model_type": self.model_type, **dict(zip(names, sizes, strict=True)), **shared}


SHAPES = {
    "bert-base": Shape(
        "Devlin et al. 2019, arXiv 1810.04805; bert-base-cased", "bert", 12, 768, 12, 3072, 28_996
    ),
    "distilbert-base": Shape(
        "Sanh et al. 2019, arXiv 1910.01108; distilbert-base-cased",
        "distilbert",
        *(6, 768, 12, 3072),
        28_996,
    ),
    "minilm": Shape(
        "Wang et al. 2020, arXiv 2002.10957; all-MiniLM-L6-v2, which mini started from",
        "distilbert",
        *(6, 384, 12, 1536),
        30_522,
    ),
}
"""The shapes by the names that stages.py and gpu.py take."""


def load_shape(name: str, *, device: str = "auto", dtype: str | None = None) -> SpanReader:
    """Return a reader of that shape with random weights, the same ones each time.

    Token ids beyond a smaller vocabulary are read as their remainder.

    Raises:
        SettingError: there is no such shape, device or dtype.
    """
    from docqa.reader.models import load_reader
    from docqa.reader.modules import place
    from docqa.reader.span_reader import SpanReader

    if name not in SHAPES:
        raise SettingError(f"there is no shape {name!r}; there are {', '.join(SHAPES)}")
    shipped = load_reader("mini", device=device)
    shape, tokenizer = SHAPES[name], shipped.tokenizer
    module = random_module(shape)
    separator_id = tokenizer.template.between[0]
    model = place(module, shape.config, separator_id=separator_id, device=device, dtype=dtype)
    embeddings: torch.nn.Module = module.get_input_embeddings()  # type: ignore[operator]
    embeddings.register_forward_pre_hook(lambda _, ids: (ids[0] % shape.vocabulary,))
    return SpanReader(
        model, tokenizer, name=name, no_answer=True, batch_tokens=shipped.batch_tokens
    )


def random_module(shape: Shape) -> torch.nn.Module:
    """Return the module in float32 on the CPU; random numbers elsewhere are not disturbed."""
    import torch
    from transformers import MODEL_FOR_QUESTION_ANSWERING_MAPPING, AutoConfig

    config = AutoConfig.for_model(**shape.config)
    config._attn_implementation = "sdpa"
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        module = MODEL_FOR_QUESTION_ANSWERING_MAPPING[type(config)](config)
    return module.eval()  # type: ignore[no-any-return]
