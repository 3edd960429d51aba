"""A reader made of two: a quick one reads everything, a strong one the best passages again."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from docqa.datamodel import AnswerSpans, Passage
from docqa.errors import SettingError
from docqa.protocols import LoadingReader

if TYPE_CHECKING:
    from docqa.calibration import Calibration
    from docqa.protocols import Reader, StoringReader, Tokenizer, Tokens

    Requests = Sequence[tuple[str, Sequence[Passage]]]

__all__ = ["CascadeReader"]

# What a passage loses for its rank, in units of the margin and of the logarithm of the rank.
# Chosen on 167 questions over PDFs: docs/measurements/readers.md.
_RANK_WEIGHT = 2.0


class CascadeReader:
    """A quick reader that chooses passages, and a strong one that answers from them.

    The first reader reads all passages of a question, which come best ranked first. The second
    reads some of them again, at most `passages_again`: those with the first one's best candidates,
    by margin less twice the logarithm of the passage's rank. Spans, margins and "not here" are the
    second reader's alone. Where there are no more passages than that, the first one has nothing
    to choose, and only the second reads. Calls from several threads at once are safe if the readers
    are.

    Args:
        first: chooses passages; its tokens are those that a collection stores.
        second: answers.
        passages_again: passages of a question that the second reader reads; None for all.
        name, revision: as in `docqa.protocols.Reader`.
        calibration: fitted to the answers of both together; None where there is none.

    Raises:
        SettingError: `passages_again` is below 1.
    """

    def __init__(
        self,
        first: StoringReader,
        second: Reader,
        *,
        passages_again: int | None,
        name: str,
        revision: str = "",
        calibration: Calibration | None = None,
    ) -> None:
        if passages_again is not None and passages_again < 1:
            raise SettingError(f"passages_again must be at least 1, not {passages_again}")
        self.first, self.second, self.passages_again = first, second, passages_again
        self.name, self.revision, self.calibration = name, revision, calibration

    @property
    def runtime(self) -> str:
        """Return the runtime and number format of the answers, which are the second reader's."""
        return self.second.runtime

    @property
    def tokenizer(self) -> Tokenizer:
        """Return the tokenizer of the first reader."""
        return self.first.tokenizer

    @property
    def max_passage_tokens(self) -> int:
        """Return the size of the largest passage that fits both readers."""
        return min(self.first.max_passage_tokens, self.second.max_passage_tokens)

    def load(self) -> None:
        """Load the models now that would be loaded by the first reading.

        Raises:
            ModelError: one cannot be loaded.
        """
        needed = (self.second,) if self.passages_again is None else (self.first, self.second)
        for reader in needed:
            if isinstance(reader, LoadingReader):
                reader.load()

    def check_question(self, question: str) -> None:
        """Check that both readers can read a question.

        Raises:
            QuestionError: the question is blank, or too long for one of them.
        """
        self.first.check_question(question)
        self.second.check_question(question)

    def remember(self, tokens: Mapping[str, Tokens]) -> None:
        """Take over tokens of passages that the first reader's tokenizer made.

        Args:
            tokens: by the text of the passage's reading form; see `docqa.reading_form`.
        """
        self.first.remember(tokens)

    def read(self, question: str, passages: Sequence[Passage], *, top_k: int) -> AnswerSpans:
        """Return at most `top_k` spans of the second reader, best first.

        Raises:
            QuestionError: the question is blank, or too long for one of the readers.
            SettingError: `top_k` is below 1.
            ModelError: a reader cannot be loaded, or fails.
        """
        return self.read_all([(question, passages)], top_k=top_k)[0]

    def read_all(self, requests: Requests, *, top_k: int) -> list[AnswerSpans]:
        """Return the spans of each (question, passages) as `read` does, sharing batches.

        `passages_read` counts the passages among which the first reader chose.

        Raises:
            QuestionError: a question is blank, or too long for one of the readers.
            SettingError: `top_k` is below 1.
            ModelError: a reader cannot be loaded, or fails.
        """
        for question in dict.fromkeys(question for question, _ in requests):
            self.check_question(question)
        chosen, n_read = self._chosen(requests)
        found = self.second.read_all(
            [(question, kept) for (question, _), kept in zip(requests, chosen, strict=True)],
            top_k=top_k,
        )
        return [
            replace(spans, passages_read=n_read.get(at, spans.passages_read))
            for at, spans in enumerate(found)
        ]

    def _chosen(self, requests: Requests) -> tuple[list[Sequence[Passage]], dict[int, int]]:
        """Return the passages of each request that the second reader reads.

        For requests of which the first reader read passages, by number, also how many it read.
        """
        most, n_read = self.passages_again, dict[int, int]()
        if most is None:
            return [passages for _, passages in requests], n_read
        crowded = [each for each, (_, passages) in enumerate(requests) if len(passages) > most]
        # Each passage is a request of its own, so that its best span is all that has to be found.
        apart = [(requests[at][0], [passage]) for at in crowded for passage in requests[at][1]]
        found = iter(self.first.read_all(apart, top_k=1) if apart else ())
        chosen: list[Sequence[Passage]] = [passages for _, passages in requests]
        for at in crowded:
            best: list[tuple[float, int]] = []
            n_read[at] = 0
            for rank, _ in enumerate(requests[at][1], start=1):
                read = next(found)
                n_read[at] += read.passages_read
                for span in read.spans:
                    best.append((_RANK_WEIGHT * math.log(rank) - span.margin, rank))
            chosen[at] = [requests[at][1][rank - 1] for _, rank in sorted(best)[:most]]
        return chosen, n_read
