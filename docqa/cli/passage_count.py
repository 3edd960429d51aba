"""The number of passages of a document for a reader, where possible without its weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from docqa.datamodel import Document
    from docqa.reader.tokenizer import FastTokenizer

__all__ = ["PassageCounter"]

# From this number of positions on, a window leaves room for the default passage size beside the
# longest question (384 tokens less 64 and a few separators: `docqa.load_reader`).
_ROOMY = 512


class PassageCounter:
    """A counter of passages with a reader's tokenizer alone, so that no runtime need start.

    Args:
        tokenizer: the reader's.
    """

    def __init__(self, tokenizer: FastTokenizer) -> None:
        from docqa.passages.splitter import Splitter

        self._splitter = Splitter(tokenizer)

    @classmethod
    def of_reader(cls, name_or_path: str) -> PassageCounter | None:
        """Return the counter of a reader, or None where the reader must be loaded for it.

        Raises:
            ModelError: there is no such reader.
        """
        from docqa.reader.checkpoints import find_checkpoint

        checkpoint = find_checkpoint(name_or_path, revision=None)
        if checkpoint.parts:
            checkpoint = find_checkpoint(checkpoint.parts[0])
        path = checkpoint.folder / "tokenizer.json"
        if int(checkpoint.config.get("max_position_embeddings", 0)) < _ROOMY or not path.is_file():
            return None
        from tokenizers import Tokenizer

        from docqa.reader.tokenizer import FastTokenizer

        return cls(FastTokenizer(Tokenizer.from_file(str(path)), pad_id=0))

    def count(self, document: Document) -> int:
        """Return the number of passages of a document with the default sizes."""
        return sum(1 for _ in self._splitter.split(document))
