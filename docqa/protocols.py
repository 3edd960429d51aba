"""The seams of docqa: one verb each, with a contract for every implementation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from docqa.datamodel import AnswerSpans, Document, Passage, RankedPassage, SourceMap, Span

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    IntArray = NDArray[np.int64]
    FloatArray = NDArray[np.float32]
    Logits = tuple[FloatArray, FloatArray]

Progress = Callable[[int, int], None]
"""Called with (pages done, pages in all) while a document loads."""

__all__ = [
    "Index",
    "Loader",
    "Progress",
    "Reader",
    "SourceMap",
    "SpanModel",
    "StartingSpanModel",
    "Tokenizer",
]


@runtime_checkable
class Loader(Protocol):
    """A loader that turns bytes into a document.

    The text is final; every character that is not implied layout has a place in the original;
    the same bytes give the same ``id`` (SHA-256 of the content).
    """

    def load(self, data: bytes, *, source: str) -> Document:
        """Load `data`; `source` is its path or name, for messages and answers.

        Raises:
            LoadError: the content cannot be read; the subclass says what to do.
        """
        ...


@runtime_checkable
class Tokenizer(Protocol):
    """A tokenizer that cuts text as a reader counts tokens."""

    def offsets(self, text: str) -> Sequence[Span]:
        """Return the span of every token: sorted, non-empty, without special tokens."""
        ...


@runtime_checkable
class Index(Protocol):
    """An index that ranks passages for a query."""

    def add(self, passages: Iterable[Passage]) -> None:
        """Add passages; a passage of the same document and number is replaced."""
        ...

    def remove(self, document_id: str) -> None:
        """Remove all passages of a document; an unknown id is no error."""
        ...

    def search(self, query: str, *, top_k: int) -> list[RankedPassage]:
        """Return at most `top_k` passages: ranks 1..k, scores above 0 and falling.

        Ties are ordered by document id, then passage number.
        """
        ...


@runtime_checkable
class Reader(Protocol):
    """A reader that finds the spans of passages that answer a question.

    Attributes:
        name: what `docqa.load_reader` calls it.
        revision: which weights of that name, so that an answer can be got again; ``""`` where
            it is unknown.
        tokenizer: counts tokens as this reader does.
        max_passage_tokens: tokens of the largest passage that fits beside any allowed question.

    A reader may have a `calibration` (`docqa.calibration.Calibration`), or None under that name:
    scores are probabilities then. Without it they are the logistic function of the margin.
    """

    @property
    def name(self) -> str: ...  # noqa: D102 - described above

    @property
    def revision(self) -> str: ...  # noqa: D102 - described above

    @property
    def tokenizer(self) -> Tokenizer: ...  # noqa: D102 - described above

    @property
    def max_passage_tokens(self) -> int: ...  # noqa: D102 - described above

    def read(self, question: str, passages: Sequence[Passage], *, top_k: int) -> AnswerSpans:
        """Return at most `top_k` spans, best first.

        Each span lies inside its passage, crosses none of its borders and is not empty. A passage
        may be read with its insertions; no span reaches over one. The result
        does not depend on batch size or on the order of the passages, up to float rounding and
        exact ties.

        Raises:
            QuestionError: the question is blank, or longer than the reader's window allows.
        """
        ...

    def read_all(
        self, requests: Sequence[tuple[str, Sequence[Passage]]], *, top_k: int
    ) -> list[AnswerSpans]:
        """Return the spans of each (question, passages) as `read` does, sharing batches."""
        ...


@runtime_checkable
class SpanModel(Protocol):
    """The forward pass of an extractive question-answering model."""

    def __call__(self, input_ids: IntArray, attention_mask: IntArray) -> Logits:
        """Return ``(start_logits, end_logits)``.

        Args:
            input_ids: shape ``(n_windows, n_tokens)``, padded on the right.
            attention_mask: same shape, 1 for tokens and 0 for padding.

        Returns:
            Two float32 arrays of shape ``(n_windows, n_tokens)``.
        """
        ...


@runtime_checkable
class StartingSpanModel(SpanModel, Protocol):
    """A `SpanModel` whose passes run while the caller goes on, as a GPU's do."""

    def start(self, input_ids: IntArray, attention_mask: IntArray) -> Callable[[], Logits]:
        """Start a forward pass; return a function that waits for its end and returns the logits.

        Passes end in the order in which they were started. The arguments are not changed until
        the result is fetched.
        """
        ...
