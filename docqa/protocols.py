"""The seams of docqa: protocols, each with a contract for every implementation."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from docqa.datamodel import AnswerSpans, Document, Passage, RankedPassage, SourceMap, Span

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from docqa.calibration import Calibration

    TokenArray = NDArray[np.int32]
    IntArray = NDArray[np.int64]
    FloatArray = NDArray[np.float32]
    Logits = tuple[FloatArray, FloatArray]

Progress = Callable[[int, int], None]
"""Called with (pages done, pages in all) while a document loads."""

__all__ = [
    "BaseReader",
    "Index",
    "Loader",
    "LoadingReader",
    "Progress",
    "Reader",
    "SourceMap",
    "SpanModel",
    "StartingSpanModel",
    "StoringReader",
    "StoringTokenizer",
    "Tokenizer",
    "Tokens",
]


@runtime_checkable
class Loader(Protocol):
    """A maker of documents from bytes.

    The text is final; every character that is not implied layout has a place in the original;
    the same bytes give the same ``id`` (SHA-256 of the content).
    """

    def load(self, data: bytes, *, source: str) -> Document:
        """Load `data`; `source` is its path or name, for messages and answers.

        Raises:
            LoadError: the content cannot be read; the subclass says what to do.
        """
        ...


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of one text, without special tokens.

    Attributes:
        ids: shape ``(n_tokens,)``.
        starts, ends: shape ``(n_tokens,)``, half-open, in characters of the text, without the
            white space that some tokenizers put into a token; equal where nothing else is left.
    """

    ids: TokenArray
    starts: TokenArray
    ends: TokenArray

    def __len__(self) -> int:
        return len(self.ids)


@runtime_checkable
class Tokenizer(Protocol):
    """A counter of tokens: it cuts text as a reader does."""

    def offsets(self, text: str) -> Sequence[Span]:
        """Return the span of every token: sorted, non-empty, without special tokens."""
        ...


@runtime_checkable
class StoringTokenizer(Tokenizer, Protocol):
    """A tokenizer whose tokens a collection may store, so that passages are tokenised once.

    Attributes:
        fingerprint: a short text that tokenizers share if they make the same tokens.
    """

    @property
    def fingerprint(self) -> str: ...  # noqa: D102 - described above

    def encode(self, texts: Sequence[str]) -> list[Tokens]:
        """Return the tokens of each text."""
        ...


@runtime_checkable
class Index(Protocol):
    """A ranking of passages for a query."""

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
    """A finder of the spans of passages that answer a question.

    A reader of your own is best a subclass of `BaseReader`. It then needs `name`, `revision`,
    `tokenizer`, `max_passage_tokens` and `read`, and inherits the rest.

    Attributes:
        name: the name that `docqa.load_reader` takes.
        revision: the weights of that name, so that an answer can be got again; ``""`` where that is
            unknown.
        runtime: the library and the number format that it computes with, such as ``"onnx int8"``;
            ``""`` where that is unknown.
        calibration: ranks answers by their evidence, and makes probabilities of it. None for the
            usual ranking, and for the logistic function of the strength as score.
        tokenizer: counts tokens as this reader does.
        max_passage_tokens: tokens of the largest passage that fits beside any allowed question.
    """

    @property
    def name(self) -> str: ...  # noqa: D102 - described above

    @property
    def revision(self) -> str: ...  # noqa: D102 - described above

    @property
    def runtime(self) -> str: ...  # noqa: D102 - described above

    @property
    def calibration(self) -> Calibration | None: ...  # noqa: D102 - described above

    @property
    def tokenizer(self) -> Tokenizer: ...  # noqa: D102 - described above

    @property
    def max_passage_tokens(self) -> int: ...  # noqa: D102 - described above

    def check_question(self, question: str) -> None:
        """Check that a question can be read.

        Raises:
            QuestionError: the question is blank, or longer than the reader's window allows.
        """
        ...

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
class StoringReader(Reader, Protocol):
    """A reader that takes over the tokens that a collection stored."""

    def remember(self, tokens: Mapping[str, Tokens]) -> None:
        """Take over the tokens of passages, made before by the same tokenizer.

        Args:
            tokens: by the text of the passage's reading form; see `docqa.reading_form`.
        """
        ...


@runtime_checkable
class LoadingReader(Protocol):
    """A reader whose models are loaded by its first reading, or before."""

    def load(self) -> None:
        """Load the models now that would be loaded by the first reading.

        Raises:
            ModelError: one cannot be loaded.
        """
        ...


class BaseReader(ABC):
    """The members of a `Reader` that have a default: a base class for readers of your own."""

    runtime: str = ""
    calibration: Calibration | None = None

    @abstractmethod
    def read(self, question: str, passages: Sequence[Passage], *, top_k: int) -> AnswerSpans:
        """Return at most `top_k` spans, best first; see `Reader`."""

    def check_question(self, question: str) -> None:
        """Check a question by reading no passage.

        Raises:
            QuestionError: `read` refuses the question.
        """
        self.read(question, (), top_k=1)

    def read_all(
        self, requests: Sequence[tuple[str, Sequence[Passage]]], *, top_k: int
    ) -> list[AnswerSpans]:
        """Return the spans of each (question, passages), one after another."""
        return [self.read(question, passages, top_k=top_k) for question, passages in requests]


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
        """Start a forward pass; return a function that waits for its end and gives its result.

        Passes end in the order in which they were started. The arguments are not changed until
        the result is fetched.
        """
        ...
