"""Examples: question sets as the windows that a reader is trained on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from docqa.question_sets import BadRow, Gold, QuestionSet
from docqa.reader.encoding import window_ranges

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from docqa.protocols import Tokens
    from docqa.reader.tokenizer import FastTokenizer
    from docqa.training.negatives import Negative
    from docqa.training.settings import TrainSettings

__all__ = ["Example", "ExampleMaker"]

_NO_PLACE = (0, 0)  # the column of the first special token, which stands for "not here"


@dataclass(frozen=True, slots=True)
class Example:
    """A window: a question, a stretch of a passage, and where the answer stands in it.

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
    """A maker of examples from question sets, with a reader's own tokenizer.

    A context that does not fit beside its question is read in windows that share tokens. Of the
    windows of an answerable question all that hold a whole gold answer are kept, and one that
    holds none: more of those would drown the answers.

    Args:
        tokenizer: of the model to be trained.
        settings: sizes of windows and questions, the share that is written as people type (see
            `_noisy`), and the seed, which decides which windows and which noise.

    Attributes:
        bad_rows: questions that were left out, each once.
    """

    def __init__(self, tokenizer: FastTokenizer, settings: TrainSettings) -> None:
        self._tokenizer, self._settings = tokenizer, settings
        self._random = np.random.default_rng([settings.seed, 1])
        self.bad_rows: list[BadRow] = []
        self._named: set[tuple[str, str]] = set()

    def from_set(self, asked: QuestionSet) -> list[Example]:
        """Return the examples of a question set, in its order."""
        made: list[Example] = []
        for article in asked.articles:
            contexts = self._tokenizer.encode([each.context for each in article.paragraphs])
            for paragraph, tokens in zip(article.paragraphs, contexts, strict=True):
                sources = [
                    _Source(
                        each.id, each.id, self._written(each.text), paragraph.context, each.golds
                    )
                    for each in paragraph.questions
                ]
                questions = self._tokenizer.encode([source.question for source in sources])
                for source, ids in zip(sources, questions, strict=True):
                    made += self._windows(asked, source, ids, tokens)
        return made

    def from_negatives(self, asked: QuestionSet, negatives: Sequence[Negative]) -> list[Example]:
        """Return one example without an answer for each negative of a question set."""
        sources = [
            _Source(
                f"{one.question.id}:negative",
                one.question.id,
                self._written(one.question.text),
                one.context,
            )
            for one in negatives
        ]
        questions = self._tokenizer.encode([source.question for source in sources])
        contexts = self._tokenizer.encode([source.context for source in sources])
        made: list[Example] = []
        for source, ids, tokens in zip(sources, questions, contexts, strict=True):
            made += self._windows(asked, source, ids, tokens)
        return made

    def _written(self, question: str) -> str:
        as_typed = self._random.random() < self._settings.noise
        return _noisy(question, self._random) if as_typed else question

    def _windows(
        self, asked: QuestionSet, source: _Source, question: Tokens, tokens: Tokens
    ) -> Iterator[Example]:
        most = self._settings.max_question_tokens
        if len(question) > most:
            self._bad(asked, source, f"its question has {len(question)} tokens, over {most}")
            return
        if not len(tokens):
            self._bad(asked, source, "its context holds nothing that the tokenizer knows")
            return
        window = self._settings.window_tokens
        room = window - self._tokenizer.template.n_special - len(question)
        ranges = window_ranges(len(tokens), room, self._settings.overlap(room))
        windows = [
            self._example(f"{asked.name}:{source.id}:{number}", source, question, tokens, shown)
            for number, shown in enumerate(ranges)
        ]
        with_answer = [window for window in windows if window.answerable]
        without = [window for window in windows if not window.answerable]
        if source.golds and not with_answer:
            self._bad(asked, source, f"no window of {window} tokens holds its whole answer")
            return
        yield from with_answer
        if without:
            yield without[int(self._random.integers(len(without)))]

    def _bad(self, asked: QuestionSet, source: _Source, reason: str) -> None:
        """Name a question, unless it is named already: its negative has the same fault."""
        named = asked.path or asked.name, source.question_id
        if named not in self._named:
            self._named.add(named)
            self.bad_rows.append(BadRow(*named, reason))

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
    """The row that windows are made of; `question_id` is that of a negative's question too."""

    id: str
    question_id: str
    question: str
    context: str
    golds: Sequence[Gold] = ()


def _place(tokens: Tokens, gold: Gold) -> tuple[int, int]:
    """Return the first and the last token that share a character with a gold answer."""
    first = np.searchsorted(tokens.ends, gold.start, "right")
    last = np.searchsorted(tokens.starts, gold.start + len(gold.text), "left") - 1
    return int(first), int(last)


def _noisy(question: str, random: np.random.Generator) -> str:
    """Return a question as people type it: in lower case, half of them with one slip.

    The final question mark is gone. The slip swaps two neighbouring letters inside of a word of at
    least five letters.

    >>> import numpy
    >>> _noisy("Where was Ada Lovelace born?", numpy.random.default_rng(0))
    'where was ada lovelace born'
    """
    plain = question.rstrip(" ?").lower() or question
    words = plain.split(" ")
    long = [number for number, word in enumerate(words) if len(word) >= 5 and word.isalpha()]
    if long and random.random() < 0.5:
        chosen = long[int(random.integers(len(long)))]
        word = words[chosen]
        at = 1 + int(random.integers(len(word) - 3))
        words[chosen] = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    return " ".join(words)
