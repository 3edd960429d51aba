"""Windows: a question and a stretch of a passage, side by side, as the model reads them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from docqa.protocols import Tokens
from docqa.reader.tokenizer import FastTokenizer, Template
from docqa.reading_form import ReadingForm

if TYPE_CHECKING:
    from numpy.typing import NDArray

    IntArray = NDArray[np.int64]
    BoolArray = NDArray[np.bool_]

__all__ = [
    "Batch",
    "PassageTokens",
    "Window",
    "assemble",
    "group_alike",
    "plan_batches",
    "window_ranges",
]


@dataclass(frozen=True, slots=True)
class Window:
    """One row of a batch: a question and tokens of one passage.

    Attributes:
        request, passage: which request, and which of its passages.
        question: token ids of the question, without special tokens.
        form: what the passage is read as.
        tokens: all tokens of that.
        first, last: the passage's tokens ``[first, last)`` that this window shows.
        length: tokens in all, special ones included.
    """

    request: int
    passage: int
    question: NDArray[np.int32]
    form: ReadingForm
    tokens: Tokens
    first: int
    last: int
    length: int

    @property
    def shown(self) -> NDArray[np.int32]:
        """Return the token ids of the passage that the window shows."""
        return self.tokens.ids[self.first : self.last]


@dataclass(frozen=True, slots=True)
class Batch:
    """Windows as arrays for a `SpanModel`.

    Attributes:
        input_ids: shape ``(n_windows, n_tokens)``, padded on the right.
        attention_mask: same shape, 1 for tokens and 0 for padding.
        answerable: same shape, True where an answer may start or end: on the passage's tokens
            that hold more than white space; never on the question, special tokens, padding or
            what is not the passage's own.
        passage_starts: shape ``(n_windows,)``, the column of the passage's first token.
    """

    input_ids: IntArray
    attention_mask: IntArray
    answerable: BoolArray
    passage_starts: IntArray


class PassageTokens:
    """A cache of the tokens of passages, where each text is cut once.

    Args:
        tokenizer: makes the tokens.
        max_tokens: bound of the memory: about 12 bytes a token beside the texts.
    """

    def __init__(self, tokenizer: FastTokenizer, *, max_tokens: int) -> None:
        self._tokenizer = tokenizer
        self._max_tokens = max_tokens
        self._kept: OrderedDict[str, Tokens] = OrderedDict()
        self._n_tokens = 0
        self._lock = Lock()

    def __call__(self, texts: Iterable[str]) -> dict[str, Tokens]:
        """Return the tokens of every text, by text."""
        wanted = dict.fromkeys(texts)
        with self._lock:
            found = {text: self._kept[text] for text in wanted if text in self._kept}
        new = [text for text in wanted if text not in found]
        made = dict(zip(new, self._tokenizer.encode(new), strict=True)) if new else {}
        with self._lock:
            self._keep(found | made)
        return found | made

    def remember(self, tokens: Mapping[str, Tokens]) -> None:
        """Keep tokens that were made elsewhere."""
        with self._lock:
            self._keep(tokens)

    def _keep(self, used: Mapping[str, Tokens]) -> None:
        for text, tokens in used.items():
            if text not in self._kept:
                self._kept[text] = tokens
                self._n_tokens += len(tokens)
            self._kept.move_to_end(text)
        while self._n_tokens > self._max_tokens:
            self._n_tokens -= len(self._kept.popitem(last=False)[1])


def window_ranges(n_tokens: int, room: int, overlap: int) -> list[tuple[int, int]]:
    """Return the token ranges ``[first, last)`` of the windows over a passage.

    Neighbours share `overlap` tokens (less than `room`); together they cover every token, and so
    does every answer of at most ``overlap + 1`` tokens lie whole in one of them.

    >>> window_ranges(10, 6, 3)
    [(0, 6), (3, 9), (6, 10)]
    >>> window_ranges(6, 6, 3), window_ranges(0, 6, 3)
    ([(0, 6)], [])
    """
    if not n_tokens:
        return []
    starts = range(0, max(n_tokens - overlap, 1), room - overlap)
    return [(start, min(start + room, n_tokens)) for start in starts]


def group_alike(windows: Iterable[Window]) -> list[list[Window]]:
    """Group windows of the same token ids, in order: the model says the same of each.

    That is so for a passage that stands in several documents, or a question asked twice.
    """
    groups: dict[tuple[bytes, bytes], list[Window]] = {}
    for window in windows:
        key = window.question.tobytes(), window.shown.tobytes()
        groups.setdefault(key, []).append(window)
    return list(groups.values())


def plan_batches(lengths: Sequence[int], batch_tokens: int) -> list[list[int]]:
    """Group windows by length, longest first, so that little of a batch is padding.

    A batch holds at most `batch_tokens` tokens, padding included (a longer window stands alone).
    It is closed early when the next window is under 7/8 of its longest and the batch is at least
    a quarter full, so that at most an eighth of a batch of any size is padding.

    Args:
        lengths: tokens of each window.
        batch_tokens: upper bound of rows times columns.

    Returns:
        Indexes into `lengths`; each occurs once.

    >>> plan_batches([30, 100, 28, 90], batch_tokens=200)
    [[1, 3], [0, 2]]
    """
    batches: list[list[int]] = []
    width = rows = 0
    for index in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        full = (rows + 1) * width > batch_tokens
        ragged = 8 * lengths[index] < 7 * width and 4 * rows * width >= batch_tokens
        if not batches or full or ragged:
            batches.append([])
            width, rows = lengths[index], 0
        batches[-1].append(index)
        rows += 1
    return batches


def assemble(windows: Sequence[Window], template: Template, *, pad_id: int) -> Batch:
    """Lay windows out as arrays, as wide as the longest of them."""
    shape = len(windows), max(window.length for window in windows)
    input_ids = np.full(shape, pad_id, dtype=np.int64)
    attention_mask = np.zeros(shape, dtype=np.int64)
    answerable = np.zeros(shape, dtype=np.bool_)
    passage_starts = np.zeros(len(windows), dtype=np.int64)
    before, between, after = template.before, template.between, template.after
    for row, window in enumerate(windows):
        tokens, shown = window.tokens, slice(window.first, window.last)
        pieces = before, window.question, between, window.shown, after
        input_ids[row, : window.length] = np.concatenate(pieces)
        attention_mask[row, : window.length] = 1
        begin = passage_starts[row] = len(before) + len(window.question) + len(between)
        end = begin + window.last - window.first
        answerable[row, begin:end] = _is_own(window.form, tokens.starts[shown], tokens.ends[shown])
    return Batch(input_ids, attention_mask, answerable, passage_starts)


def _is_own(form: ReadingForm, starts: NDArray[np.int32], ends: NDArray[np.int32]) -> BoolArray:
    """Return a mask of the tokens that hold characters, all of them the passage's own."""
    own: BoolArray = starts < ends
    if form.inserted:
        begins = np.array([span.start for span in form.inserted])
        stops = np.array([span.end for span in form.inserted])
        before = np.searchsorted(begins, ends, "left")  # insertions that begin before a token ends
        own &= np.concatenate([[0], stops])[before] <= starts
    return own
