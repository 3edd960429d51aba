"""The reader: which words of these passages answer this question."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from operator import attrgetter
from typing import TYPE_CHECKING

import numpy as np

from docqa.datamodel import AnswerSpan, AnswerSpans, Passage
from docqa.errors import ModelError, QuestionError, SettingError
from docqa.limits import check_time
from docqa.protocols import Tokens
from docqa.reader.decoding import BestSpans, Whole, best_spans
from docqa.reader.encoding import PassageTokens, Window, window_ranges
from docqa.reader.loaded_model import LaterModel
from docqa.reader.question_kind import question_kind
from docqa.reader.text_forms import text_form
from docqa.reader.tokenizer import FastTokenizer
from docqa.reader.window_logits import WindowLogits, read_windows
from docqa.reading_form import ReadingForm

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from docqa.calibration import Calibration
    from docqa.protocols import SpanModel

    BoolArray = NDArray[np.bool_]
    Requests = Sequence[tuple[str, Sequence[Passage]]]

__all__ = ["SpanReader", "WindowLogits"]

_SPANS_PER_WINDOW = 20  # more never are the answer, and each costs a search


class SpanReader:
    """A reader of passages with an extractive question-answering model.

    A passage's tokens are made once and kept; windows of all passages, documents and questions of
    a call are batched by length, and those with the same tokens are read once. A passage longer
    than the window is read in several windows that share `window_overlap` tokens, and still gives
    one answer per place.

    Spans are ordered by their margin: the span's logit (start plus end) minus the no-answer logit
    (start plus end at the first token) of the same window. It is above 0 where the model prefers
    the span to "not here", and compares across passages, files and questions. For a model that was
    not trained with unanswerable questions (`no_answer` False) the no-answer logit means nothing
    and the margin is the span's logit alone. `calibration`, which the pipeline applies, makes
    probabilities of margins.

    Args:
        model: runs the forward pass.
        tokenizer: makes the tokens the model was trained on.
        name, revision: what the reader is, for messages and records.
        no_answer: the model was trained with unanswerable questions.
        window_tokens: question, passage and special tokens of one window; at most what the model
            has positions for. 384 is what SQuAD models are trained on (Devlin et al. 2019).
        window_overlap: tokens that neighbouring windows of one passage share.
        max_question_tokens: a longer question raises `QuestionError`.
        max_answer_tokens: longest answer.
        batch_tokens: tokens of one forward pass, padding included.
        cache_tokens: how many tokens of passages are kept between calls (12 bytes each and the
            texts: about 80 MB when full).
        calibration: fitted to these weights; None where there is none.

    Attributes:
        max_passage_tokens: the longest passage that fits one window beside the longest question.

    Raises:
        SettingError: a size is out of range.
    """

    def __init__(
        self,
        model: SpanModel,
        tokenizer: FastTokenizer,
        *,
        name: str,
        revision: str = "",
        no_answer: bool,
        window_tokens: int = 384,
        window_overlap: int = 128,
        max_question_tokens: int = 64,
        max_answer_tokens: int = 30,
        batch_tokens: int = 4096,
        cache_tokens: int = 1 << 22,
        calibration: Calibration | None = None,
    ) -> None:
        self.model, self.tokenizer, self.name, self.revision = model, tokenizer, name, revision
        self.no_answer, self.calibration = no_answer, calibration
        self.window_tokens, self.window_overlap = window_tokens, window_overlap
        self.max_question_tokens, self.max_answer_tokens = max_question_tokens, max_answer_tokens
        self.batch_tokens = batch_tokens
        special = tokenizer.template.n_special
        self.max_passage_tokens = window_tokens - special - max_question_tokens
        if min(max_question_tokens, max_answer_tokens, batch_tokens) < 1 or cache_tokens < 0:
            raise SettingError(
                "max_question_tokens, max_answer_tokens and batch_tokens must be at least 1, "
                "cache_tokens at least 0"
            )
        if not 0 <= window_overlap < self.max_passage_tokens:
            raise SettingError(
                f"window_overlap must be at least 0 and below {self.max_passage_tokens}, what a "
                f"window of {window_tokens} tokens leaves beside a question of "
                f"{max_question_tokens} and {special} special tokens; it is {window_overlap}"
            )
        self._passage_tokens = PassageTokens(tokenizer, max_tokens=cache_tokens)

    @property
    def runtime(self) -> str:
        """Return the runtime and number format, such as ``"onnx int8"``; ``""`` if unknown."""
        parts = getattr(self.model, "runtime", ""), getattr(self.model, "number_format", "")
        return " ".join(part for part in parts if part)

    def load(self) -> None:
        """Load the model now, where it would be loaded by the first reading.

        Raises:
            ModelError: it cannot be loaded.
        """
        if isinstance(self.model, LaterModel):
            self.model.load()

    def check_question(self, question: str) -> None:
        """Check that a question can be read.

        Raises:
            QuestionError: the question is blank, or longer than `max_question_tokens`.
        """
        self._questions((question,))

    def read(self, question: str, passages: Sequence[Passage], *, top_k: int) -> AnswerSpans:
        """Return at most `top_k` spans, best first, at most one per place, each in one block.

        Equal margins are ordered by document id, passage number and start.

        Raises:
            QuestionError: the question is blank, or longer than `max_question_tokens`.
            SettingError: `top_k` is below 1.
            ModelError: the model's logits are not numbers, or memory ran out.
        """
        return self.read_all([(question, passages)], top_k=top_k)[0]

    def remember(self, tokens: Mapping[str, Tokens]) -> None:
        """Take over tokens of passages that were made before, with the same tokenizer.

        Args:
            tokens: by the text of the passage's reading form; see `docqa.reading_form`.
        """
        self._passage_tokens.remember(tokens)

    def read_all(self, requests: Requests, *, top_k: int) -> list[AnswerSpans]:
        """Return the spans of each (question, passages) as `read` does, sharing batches.

        Raises:
            QuestionError: a question is blank, or longer than `max_question_tokens`.
            SettingError: `top_k` is below 1.
            ModelError: the model's logits are not numbers, or memory ran out.
            LoadTimeoutError: the time of a source at work is over; see `docqa.limits`.
        """
        if top_k < 1:
            raise SettingError(f"top_k must be at least 1, not {top_k}")
        found: list[list[list[AnswerSpan]]] = [[[] for _ in passages] for _, passages in requests]
        for read in self.logits(requests):
            check_time()
            opening, answerable, whole = _whole(read, requests)
            best = best_spans(
                np.where(opening, read.start_logits, np.float32(-np.inf)),
                read.end_logits,
                answerable,
                max_answer_tokens=self.max_answer_tokens,
                n_best=min(top_k, _SPANS_PER_WINDOW),
                whole=whole,
            )
            for row, window in enumerate(read.windows):
                passage = requests[window.request][1][window.passage]
                found[window.request][window.passage] += self._spans(passage, read, best, row)
        return [
            AnswerSpans(question, self._best(by_passage, top_k), len(passages))
            for (question, passages), by_passage in zip(requests, found, strict=True)
        ]

    def logits(self, requests: Requests) -> Iterator[WindowLogits]:
        """Run the model over every window of the requests, longest windows first.

        Windows with the same tokens are read once; each of them is in what is yielded. Where the
        model lets passes be started (`StartingSpanModel`), the next batch is under way when one is
        yielded.

        Raises:
            QuestionError: a question is blank, or longer than `max_question_tokens`.
            ModelError: the model's logits are not numbers, or memory ran out.
        """
        windows = self.windows(requests)
        for read in read_windows(
            self.model, windows, self.tokenizer, batch_tokens=self.batch_tokens
        ):
            shown = read.batch.attention_mask == 1
            if not np.isfinite(read.start_logits[shown] + read.end_logits[shown]).all():
                raise ModelError(
                    f"the logits of {self.name!r} are not all numbers; its weights are damaged, or "
                    "need dtype='float32'"
                )
            yield read

    def windows(self, requests: Requests) -> list[Window]:
        """Return every window of the requests, from which tokens can be counted.

        Raises:
            QuestionError: a question is blank, or longer than `max_question_tokens`.
        """
        questions = self._questions(tuple(dict.fromkeys(question for question, _ in requests)))
        forms = [[ReadingForm.of(passage) for passage in passages] for _, passages in requests]
        made = self._passage_tokens(form.text for of_request in forms for form in of_request)
        return [
            window
            for request, (question, _) in enumerate(requests)
            for number, form in enumerate(forms[request])
            for window in self._passage_windows(
                (request, number), questions[question], form, made[form.text]
            )
        ]

    def _passage_windows(
        self,
        place: tuple[int, int],
        question: NDArray[np.int32],
        form: ReadingForm,
        tokens: Tokens,
    ) -> Iterator[Window]:
        taken = len(question) + self.tokenizer.template.n_special
        ranges = window_ranges(len(tokens), self.window_tokens - taken, self.window_overlap)
        for first, last in ranges:
            yield Window(*place, question, form, tokens, first, last, taken + last - first)

    def _questions(self, questions: Sequence[str]) -> dict[str, NDArray[np.int32]]:
        made = dict(zip(questions, self.tokenizer.encode(questions), strict=True))
        for question, tokens in made.items():
            if not (tokens.starts < tokens.ends).any():
                raise QuestionError("the question is blank; ask with at least one word")
            if len(tokens) > self.max_question_tokens:
                raise QuestionError(
                    f"the question has {len(tokens)} tokens and the reader takes at most "
                    f"{self.max_question_tokens}; ask a shorter question (it starts "
                    f"{question[:40]!r})"
                )
        return {question: tokens.ids for question, tokens in made.items()}

    def _spans(
        self, passage: Passage, read: WindowLogits, best: BestSpans, row: int
    ) -> Iterator[AnswerSpan]:
        no_answer = float(read.start_logits[row, 0]) + float(read.end_logits[row, 0])
        for rank, logit in enumerate(best.logit[row].tolist()):
            if logit == -np.inf:
                return
            span = read.span(row, int(best.first[row, rank]), int(best.last[row, rank]))
            margin = logit - no_answer if self.no_answer else logit
            yield AnswerSpan(passage, span, margin, logit, no_answer)

    def _best(self, by_passage: list[list[AnswerSpan]], top_k: int) -> tuple[AnswerSpan, ...]:
        """Return the best spans of all passages, one per place (overlapping spans share one)."""
        kept = [span for spans in by_passage for span in self._one_per_place(spans)]
        return tuple(sorted(kept, key=attrgetter("order"))[:top_k])

    def _one_per_place(self, spans: list[AnswerSpan]) -> list[AnswerSpan]:
        in_text = sorted((span.span.start, span.span.end) for span in spans)
        if all(before[1] <= after[0] for before, after in pairwise(in_text)):
            return spans  # none overlap: the usual case, and quick to see
        kept: list[AnswerSpan] = []
        for span in sorted(spans, key=attrgetter("order")):
            if not any(span.span.overlaps(better.span) for better in kept):
                kept.append(span)
        return kept


def _whole(read: WindowLogits, requests: Requests) -> tuple[BoolArray, BoolArray, Whole]:
    """Return which tokens may begin an answer, which may border one, and which spans are whole."""
    shape = read.start_logits.shape
    answerable, joined = read.batch.answerable.copy(), np.zeros(shape, dtype=np.bool_)
    opening = answerable.copy()
    before, after = np.zeros((2, *shape), dtype=np.int64)
    for row, window in enumerate(read.windows):
        question, passages = requests[window.request]
        borders = window.form.borders(passages[window.passage].borders)
        form = text_form(window.form.text, borders)
        shown = slice(window.first, window.last)
        starts, ends = window.tokens.starts[shown], window.tokens.ends[shown]
        begin = int(read.batch.passage_starts[row])
        columns = slice(begin, begin + len(starts))
        block = np.searchsorted(borders, starts, "right") * len(form.inside)
        joined[row, columns] = form.inside[starts]
        before[row, columns] = block + form.pair[starts]
        after[row, columns] = block + form.pair[ends]
        barred = form.no_words if question_kind(question) == "label" else form.no_words | form.label
        answerable[row, columns] &= ~np.append(barred, False)[starts]
        _bar_cut_units(answerable[row, columns], form.inside[starts], form.inside[ends])
        opening[row, columns] &= ~np.append(form.stop, False)[starts]
    return opening, answerable, Whole(np.cumsum(~joined, axis=1), before, after)


def _bar_cut_units(answerable: BoolArray, goes_on: BoolArray, continues: BoolArray) -> None:
    """Bar the units of which a window shows a part."""
    uncut = np.flatnonzero(~goes_on)
    answerable[: uncut[0] if len(uncut) else None] = False
    if len(uncut) and continues[-1]:
        answerable[uncut[-1] :] = False
