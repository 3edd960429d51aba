"""All of a reader but its weights, to split documents for it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from docqa.reader.checkpoints import find_checkpoint
from docqa.reader.models import QUESTION_TOKENS, WINDOW_TOKENS, load_reader
from docqa.reader.tokenizer_files import load_tokenizer

if TYPE_CHECKING:
    from docqa.protocols import Tokenizer

__all__ = ["Tokenizing", "load_tokenizing"]

_ROOMY = 512  # positions from which on every kind of model has room for the usual window


@dataclass(frozen=True, slots=True)
class Tokenizing:
    """All of a reader but its weights: enough to split documents for it.

    Attributes:
        name: what `load_reader` calls the reader.
        tokenizer: the reader's.
        max_passage_tokens: tokens of the largest passage that fits beside any allowed question.
    """

    name: str
    tokenizer: Tokenizer
    max_passage_tokens: int


def load_tokenizing(name_or_path: str | Path) -> Tokenizing:
    """Load all of a reader but its weights, to split documents for it.

    Raises:
        ModelError: there is no such reader.
    """
    checkpoint = find_checkpoint(str(name_or_path))
    if checkpoint.parts:
        first, second = map(load_tokenizing, checkpoint.parts)
        fits = min(first.max_passage_tokens, second.max_passage_tokens)
        return Tokenizing(checkpoint.name, first.tokenizer, fits)
    positions = checkpoint.config.get("max_position_embeddings")
    if isinstance(positions, int) and positions >= _ROOMY:
        tokenizer = load_tokenizer(checkpoint)
        room = WINDOW_TOKENS - tokenizer.template.n_special
        return Tokenizing(checkpoint.name, tokenizer, room - QUESTION_TOKENS)
    reader = load_reader(name_or_path)  # how many positions a small or odd model has, it says
    return Tokenizing(reader.name, reader.tokenizer, reader.max_passage_tokens)
