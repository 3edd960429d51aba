"""Readers of users' own that have fewer members than `docqa.protocols.Reader` names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from docqa.datamodel import AnswerSpans, Passage
from docqa.errors import SettingError
from docqa.protocols import BaseReader, Reader

__all__ = ["completed"]

_REQUIRED = ("name", "revision", "tokenizer", "max_passage_tokens")
_OPTIONAL = ("runtime", "calibration", "check_question", "read_all", "remember")


def completed(reader: Any) -> Reader:
    """Return a reader with all members of `Reader`; missing ones have their defaults.

    Args:
        reader: a reader with at least `name`, `revision`, `tokenizer`, `max_passage_tokens` and
            `read`.

    Raises:
        SettingError: it lacks one of these.
    """
    missing = [name for name in (*_REQUIRED, "read") if not hasattr(reader, name)]
    if missing:
        raise SettingError(
            f"reader must be a reader, or the name or path of one; {type(reader).__name__} has no "
            f"{', '.join(missing)} (docqa.protocols.Reader lists all members)"
        )
    return reader if isinstance(reader, Reader) else cast(Reader, _CompletedReader(reader))


class _CompletedReader(BaseReader):
    """A reader's own members, and the defaults of `BaseReader` for the others."""

    def __init__(self, reader: Any) -> None:
        self._read = reader.read
        for name in (*_REQUIRED, *(name for name in _OPTIONAL if hasattr(reader, name))):
            setattr(self, name, getattr(reader, name))

    def read(self, question: str, passages: Sequence[Passage], *, top_k: int) -> AnswerSpans:
        """Return the spans that the reader returns."""
        return cast(AnswerSpans, self._read(question, passages, top_k=top_k))
