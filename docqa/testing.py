"""Stand-ins for the reader, so that tests need neither weights nor torch.

Both keep the contracts of `docqa.protocols` and hold no state: the same call gives the same result.
The reader has no calibration, so its scores are no probabilities. They are for tests of code that
uses docqa, not for answering questions.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from operator import attrgetter

from docqa.datamodel import AnswerSpan, AnswerSpans, Passage, Span
from docqa.errors import QuestionError, SettingError
from docqa.protocols import BaseReader

__all__ = ["FakeReader", "WhitespaceTokenizer"]

_TOKEN = re.compile(r"\S+")
_WORD = re.compile(r"\w+(?:[-'’./]\w+)*")
_SENTENCE = re.compile(r"[^.!?\n]*(?:[.!?](?!\s|$)[^.!?\n]*)*[.!?\n]?")
_FUNCTION_WORDS = frozenset(
    _WORD.findall(
        "a an and are as at be by did do does for from had has have how in is it its many much of "
        "on or the to was were what when where which who whom whose why will with"
    )
)


class WhitespaceTokenizer:
    """Cut text at white space.

    >>> WhitespaceTokenizer().offsets("exact  words")
    [Span(start=0, end=5), Span(start=7, end=12)]
    """

    def offsets(self, text: str) -> list[Span]:
        """Return the span of every run of characters that are not white space."""
        return [Span(*match.span()) for match in _TOKEN.finditer(text)]


class FakeReader(BaseReader):
    r"""Answer with words that stand near the question's words, without a model.

    In every passage the sentence that shares most words with the question and holds others is
    taken; its longest run of at most `max_answer_words` other words is the answer. The score is
    the share of the question's words found, mapped into (0, 1); a passage that shares no word
    proposes nothing. The logits are consistent with the score, as a real reader's are.

    Attributes:
        tokenizer: a `WhitespaceTokenizer`.
        max_passage_tokens: the largest passage that fits, in tokens of `tokenizer`.
        max_question_tokens: longer questions raise `QuestionError`.
        name, revision: fixed words that say what it is.

    >>> passage = Passage("id", 0, Span(0, 38), "The firm is old. Ada Quill audits it.\n")
    >>> found = FakeReader().read("Who audits it?", [passage], top_k=1)
    >>> found.spans[0].span.of(passage.text), found.passages_read
    ('Ada Quill', 1)
    """

    name = "fake"
    revision = "1"

    def __init__(
        self,
        *,
        max_passage_tokens: int = 318,
        max_question_tokens: int = 64,
        max_answer_words: int = 4,
    ) -> None:
        if min(max_passage_tokens, max_question_tokens, max_answer_words) < 1:
            raise SettingError("the sizes of a FakeReader must be at least 1")
        self.tokenizer = WhitespaceTokenizer()
        self.max_passage_tokens = max_passage_tokens
        self.max_question_tokens = max_question_tokens
        self.max_answer_words = max_answer_words

    def read(self, question: str, passages: Sequence[Passage], *, top_k: int) -> AnswerSpans:
        """Return at most one span per passage, best first.

        Raises:
            QuestionError: the question is blank or longer than `max_question_tokens`.
            SettingError: `top_k` is below 1.
        """
        if top_k < 1:
            raise SettingError(f"top_k must be at least 1, not {top_k}")
        words = self._question_words(question)
        found = [span for passage in passages for span in self._spans(words, passage)]
        found.sort(key=attrgetter("order"))
        return AnswerSpans(question, tuple(found[:top_k]), len(passages))

    def check_question(self, question: str) -> None:
        """Check that a question can be read.

        Raises:
            QuestionError: the question is blank or longer than `max_question_tokens`.
        """
        self._question_words(question)

    def _question_words(self, question: str) -> frozenset[str]:
        n_tokens = len(self.tokenizer.offsets(question))
        if not n_tokens:
            raise QuestionError("the question is blank; ask with at least one word")
        if n_tokens > self.max_question_tokens:
            raise QuestionError(
                f"the question has {n_tokens} tokens; at most {self.max_question_tokens} can be "
                "read; ask a shorter question"
            )
        words = frozenset(word.lower() for word in _WORD.findall(question))
        return words - _FUNCTION_WORDS or words

    def _spans(self, words: frozenset[str], passage: Passage) -> list[AnswerSpan]:
        best_shared, best = 0, None
        for match in _SENTENCE.finditer(passage.text):
            found = [Span(*word.span()) for word in _WORD.finditer(passage.text, *match.span())]
            shared = len(words & {span.of(passage.text).lower() for span in found})
            run = self._longest_run(found, words, passage.text)
            if shared > best_shared and run is not None:
                best_shared, best = shared, run
        if best is None:
            return []
        margin = 4.0 * (best_shared / len(words)) - 1.0
        return [AnswerSpan(passage, best, margin, margin, 0.0)]

    def _longest_run(self, found: list[Span], words: frozenset[str], text: str) -> Span | None:
        runs: list[list[Span]] = [[]]
        for span in found:
            word = span.of(text).lower()
            if word in words or word in _FUNCTION_WORDS:
                runs.append([])
            elif len(runs[-1]) < self.max_answer_words:
                runs[-1].append(span)
        longest = max(runs, key=len)
        return Span(longest[0].start, longest[-1].end) if longest else None
