"""Examples: question sets as the windows that a reader is trained on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from docqa.question_sets import BadRow, Gold, QuestionSet
from docqa.reader.encoding import window_ranges
from docqa.training.noise import noisy

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from docqa.reader.tokenizer import FastTokenizer, Tokens
    from docqa.training.negatives import Negative

__all__ = ["Example", "ExampleMaker"]

_NO_PLACE = (0, 0)  # the column of the first special token, which stands for "not here"


@dataclass(frozen=True, slots=True)
class Example:
    """Hold one window: a question, a stretch of a passage, and where the answer stands in it.

    Attributes:
        key: question id and number of the window.
        question: as it is read.
        shown: the characters of the context that the window shows.
        input_ids: shape ``(n_tokens,)``, special tokens included.
        passage: columns ``[first, last)`` of the passage's tokens.
        places: columns of the first and the last token (both inside) of each gold answer;
            ``((0, 0),)`` where the window holds none.
        starts, ends: shape ``(n_passage_tokens,)``, half-open, in characters of the context.
    """

    key: str
    question: str
    shown: str
    input_ids: NDArray[np.int32]
    passage: tuple[int, int]
    places: tuple[tuple[int, int], ...]
    starts: NDArray[np.int32]
    ends: NDArray[np.int32]

    def __len__(self) -> int:
        """Return the number of tokens."""
        return len(self.input_ids)

    @property
    def answerable(self) -> bool:
        """Say whether the window holds a gold answer."""
        return self.places != (_NO_PLACE,)


class ExampleMaker:
    """Turn question sets into examples with a reader's own tokenizer.

    A context that does not fit beside its question is read in windows that share tokens. Of the
    windows of an answerable question all that hold a whole gold answer are kept, and one that
    holds none: more of those would drown the answers.

    Args:
        tokenizer: of the model to be trained.
        window_tokens: longest window.
        window_overlap: tokens that neighbouring windows share.
        max_question_tokens: longest question; rows with longer ones are left out.
        noise: share (0 to 1) of the questions that are written as people type; see `noisy`.
        seed: decides which window and which noise.
    """

    def __init__(
        self,
        tokenizer: FastTokenizer,
        *,
        window_tokens: int = 384,
        window_overlap: int = 128,
        max_question_tokens: int = 64,
        noise: float = 0.0,
        seed: int = 0,
    ) -> None:
        self._tokenizer = tokenizer
        self._window_tokens, self._window_overlap = window_tokens, window_overlap
        self._max_question_tokens = max_question_tokens
        self._noise = noise
        self._random = np.random.default_rng([seed, 1])
        self.bad_rows: list[BadRow] = []

    def from_set(self, asked: QuestionSet) -> list[Example]:
        """Return the examples of a question set, in its order."""
        made: list[Example] = []
        for article in asked.articles:
            contexts = self._tokenizer.encode([each.context for each in article.paragraphs])
            for paragraph, tokens in zip(article.paragraphs, contexts, strict=True):
                sources = [
                    _Source(each.id, self._written(each.text), paragraph.context, each.golds)
                    for each in paragraph.questions
                ]
                questions = self._tokenizer.encode([source.question for source in sources])
                for source, ids in zip(sources, questions, strict=True):
                    made += self._windows(asked.name, source, ids, tokens)
        return made

    def from_negatives(self, name: str, negatives: Sequence[Negative]) -> list[Example]:
        """Return one example without an answer for each negative."""
        sources = [
            _Source(f"{one.question.id}:negative", self._written(one.question.text), one.context)
            for one in negatives
        ]
        questions = self._tokenizer.encode([source.question for source in sources])
        contexts = self._tokenizer.encode([source.context for source in sources])
        made: list[Example] = []
        for source, ids, tokens in zip(sources, questions, contexts, strict=True):
            made += self._windows(name, source, ids, tokens)
        return made

    def _written(self, question: str) -> str:
        return noisy(question, self._random) if self._random.random() < self._noise else question

    def _windows(
        self, name: str, source: _Source, question: Tokens, tokens: Tokens
    ) -> Iterator[Example]:
        if len(question) > self._max_question_tokens:
            reason = f"its question has {len(question)} tokens, over {self._max_question_tokens}"
            self.bad_rows.append(BadRow(name, source.id, reason))
            return
        room = self._window_tokens - self._tokenizer.template.n_special - len(question)
        ranges = window_ranges(len(tokens), room, min(self._window_overlap, room // 2))
        windows = [
            self._example(f"{name}:{source.id}:{number}", source, question, tokens, shown)
            for number, shown in enumerate(ranges)
        ]
        with_answer = [window for window in windows if window.answerable]
        without = [window for window in windows if not window.answerable]
        if source.golds and not with_answer:
            reason = f"no window of {self._window_tokens} tokens holds its whole answer"
            self.bad_rows.append(BadRow(name, source.id, reason))
            return
        yield from with_answer
        if without:
            yield without[int(self._random.integers(len(without)))]

    def _example(
        self, key: str, source: _Source, question: Tokens, tokens: Tokens, shown: tuple[int, int]
    ) -> Example:
        template, (first, last) = self._tokenizer.template, shown
        pieces = template.before, question.ids, template.between, tokens.ids[first:last]
        begin = sum(len(piece) for piece in pieces[:3])
        shift = begin - first
        places = (_place(tokens, gold) for gold in source.golds)
        inside = {(one, other) for one, other in places if first <= one <= other < last}
        return Example(
            key=key,
            question=source.question,
            shown=source.context[tokens.starts[first] : tokens.ends[last - 1]],
            input_ids=np.concatenate([*pieces, template.after]).astype(np.int32),
            passage=(begin, begin + last - first),
            places=tuple((one + shift, other + shift) for one, other in sorted(inside))
            or (_NO_PLACE,),
            starts=tokens.starts[first:last],
            ends=tokens.ends[first:last],
        )


@dataclass(frozen=True, slots=True)
class _Source:
    """Hold the row that windows are made of."""

    id: str
    question: str
    context: str
    golds: Sequence[Gold] = ()


def _place(tokens: Tokens, gold: Gold) -> tuple[int, int]:
    """Return the first and the last token that share a character with a gold answer."""
    first = np.searchsorted(tokens.ends, gold.start, "right")
    last = np.searchsorted(tokens.starts, gold.start + len(gold.text), "left") - 1
    return int(first), int(last)
