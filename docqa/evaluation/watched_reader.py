"""A reader under observation: the passages it read, the spans it proposed, the time it took."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from docqa.calibration import Calibration
from docqa.datamodel import AnswerSpans, Passage
from docqa.protocols import Reader, Tokenizer

__all__ = ["ReadPassages", "WatchedReader"]

_Key = tuple[str, tuple[tuple[str, int], ...], int]


@dataclass(frozen=True, slots=True)
class ReadPassages:
    """The passages that were read for a question, and the spans that the reader proposed."""

    passages: tuple[Passage, ...]
    proposals: AnswerSpans


@dataclass
class WatchedReader:
    """A reader that returns the spans of another one and keeps note of them.

    A request that was read before is answered from memory until `forget`, so that the same
    questions can be asked under several settings at the cost of one.

    Attributes:
        inner: the reader that reads.
        seconds: spent reading.
        n_passages: passages read.
        n_tokens: tokens of these and of their questions, without padding and overlap.
    """

    inner: Reader
    seconds: float = 0.0
    n_passages: int = 0
    n_tokens: int = 0
    _kept: dict[_Key, AnswerSpans] = field(default_factory=dict)
    _last: dict[str, ReadPassages] = field(default_factory=dict)
    _lengths: dict[str, int] = field(default_factory=dict)
    _aside: bool = False

    @property
    def name(self) -> str:
        """Return the name of the reader."""
        return self.inner.name

    @property
    def revision(self) -> str:
        """Return the revision of the reader."""
        return self.inner.revision

    @property
    def tokenizer(self) -> Tokenizer:
        """Return the tokenizer of the reader."""
        return self.inner.tokenizer

    @property
    def max_passage_tokens(self) -> int:
        """Return the size of the largest passage that fits the reader."""
        return self.inner.max_passage_tokens

    @property
    def runtime(self) -> str:
        """Return the runtime of the reader."""
        return self.inner.runtime

    @property
    def calibration(self) -> Calibration | None:
        """Return the calibration of the reader."""
        return self.inner.calibration

    def check_question(self, question: str) -> None:
        """Check that the reader can read a question.

        Raises:
            QuestionError: it cannot.
        """
        self.inner.check_question(question)

    def read(self, question: str, passages: Sequence[Passage], *, top_k: int) -> AnswerSpans:
        """Return the spans that the reader returns, unwatched.

        Raises:
            QuestionError: the reader cannot read the question.
        """
        return self.inner.read(question, passages, top_k=top_k)

    def read_all(
        self, requests: Sequence[tuple[str, Sequence[Passage]]], *, top_k: int
    ) -> list[AnswerSpans]:
        """Return the spans that the reader returns; requests are read once.

        Raises:
            QuestionError: the reader cannot read a question.
        """
        if self._aside:
            return self.inner.read_all(requests, top_k=top_k)
        keys = [_key(*request, top_k) for request in requests]
        new = {key: at for at, key in enumerate(keys) if key not in self._kept}
        self._read([requests[at] for at in new.values()], list(new), top_k)
        for key, (question, passages) in zip(keys, requests, strict=True):
            self._last[question] = ReadPassages(tuple(passages), self._kept[key])
        return [self._kept[key] for key in keys]

    def last(self, question: str) -> ReadPassages | None:
        """Return the passages read for a question since `forget`, or None."""
        return self._last.get(question)

    def forget(self) -> None:
        """Drop the notes of single requests; the counts stay."""
        for kept in (self._kept, self._last, self._lengths):
            kept.clear()

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Read without memory and without note inside the `with` block."""
        self._aside = True
        try:
            yield
        finally:
            self._aside = False

    def _read(
        self, requests: list[tuple[str, Sequence[Passage]]], keys: list[_Key], top_k: int
    ) -> None:
        if not requests:
            return
        started = time.perf_counter()
        found = self.inner.read_all(requests, top_k=top_k)
        self.seconds += time.perf_counter() - started
        self._kept.update(zip(keys, found, strict=True))
        for question, passages in requests:
            self.n_passages += len(passages)
            self.n_tokens += sum(self._length(passage.text) for passage in passages)
            self.n_tokens += self._length(question) * len(passages)

    def _length(self, text: str) -> int:
        if text not in self._lengths:
            self._lengths[text] = len(self.inner.tokenizer.offsets(text))
        return self._lengths[text]


def _key(question: str, passages: Sequence[Passage], top_k: int) -> _Key:
    return question, tuple((one.document_id, one.number) for one in passages), top_k
