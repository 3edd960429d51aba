"""The logits of windows: each read once, in batches, the next under way meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from docqa.datamodel import Span
from docqa.protocols import StartingSpanModel
from docqa.reader.encoding import Batch, Window, assemble, group_alike, plan_batches

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from docqa.protocols import SpanModel
    from docqa.reader.tokenizer import FastTokenizer

    FloatArray = NDArray[np.float32]

__all__ = ["WindowLogits", "read_windows"]


@dataclass(frozen=True, slots=True)
class WindowLogits:
    """The logits of some windows, for code that scores spans its own way.

    Attributes:
        windows: one per row; `Window.request` and `Window.passage` say whose.
        batch: how they were laid out.
        start_logits, end_logits: shape ``(n_windows, n_tokens)``.
    """

    windows: tuple[Window, ...]
    batch: Batch
    start_logits: FloatArray
    end_logits: FloatArray

    def span(self, row: int, first: int, last: int) -> Span:
        """Return the passage's characters from column `first` to column `last` of a window.

        Raises:
            ValueError: the columns reach over characters that are not the passage's own.
        """
        window = self.windows[row]
        shift = window.first - int(self.batch.passage_starts[row])
        tokens = window.tokens
        read = Span(int(tokens.starts[shift + first]), int(tokens.ends[shift + last]))
        span = window.form.to_passage(read)
        if span is None:
            raise ValueError(f"{read} is not of the passage's own characters")
        return span


@dataclass(frozen=True, slots=True)
class _Begun:
    """A batch that is being read: one window of each group; `logits` waits for it."""

    groups: Sequence[Sequence[Window]]
    batch: Batch
    logits: Callable[[], tuple[FloatArray, FloatArray]]


def read_windows(
    model: SpanModel, windows: Sequence[Window], tokenizer: FastTokenizer, *, batch_tokens: int
) -> Iterator[WindowLogits]:
    """Run the model over windows, longest first; those with the same tokens are read once.

    Each window is in what is yielded. Where the model lets passes be started
    (`StartingSpanModel`), the next batch is under way when one is yielded.

    Args:
        model: runs the forward pass.
        windows: what to read.
        tokenizer: knows the special tokens.
        batch_tokens: see `plan_batches`.
    """
    groups = group_alike(windows)
    plan = plan_batches([group[0].length for group in groups], batch_tokens)
    begun = (_start(model, [groups[index] for index in chosen], tokenizer) for chosen in plan)
    for read in _one_ahead(begun):
        yield from _finish(read, tokenizer)


def _start(
    model: SpanModel, groups: Sequence[Sequence[Window]], tokenizer: FastTokenizer
) -> _Begun:
    batch = _laid_out([group[0] for group in groups], tokenizer)
    given = batch.input_ids, batch.attention_mask
    if isinstance(model, StartingSpanModel):
        return _Begun(groups, batch, model.start(*given))
    return _Begun(groups, batch, partial(model, *given))


def _one_ahead(batches: Iterable[_Begun]) -> Iterator[_Begun]:
    """Yield each batch after the next one was started."""
    last: _Begun | None = None
    for batch in batches:
        if last is not None:
            yield last
        last = batch
    if last is not None:
        yield last


def _finish(read: _Begun, tokenizer: FastTokenizer) -> Iterator[WindowLogits]:
    """Yield the logits of a batch, then those of the windows that are like one of its rows."""
    start_logits, end_logits = read.logits()
    firsts = tuple(group[0] for group in read.groups)
    yield WindowLogits(firsts, read.batch, start_logits, end_logits)
    copies = [(row, window) for row, group in enumerate(read.groups) for window in group[1:]]
    for begin in range(0, len(copies), len(firsts)):  # never more memory than the batch took
        some = copies[begin : begin + len(firsts)]
        rows, windows = [row for row, _ in some], tuple(window for _, window in some)
        batch = _laid_out(windows, tokenizer)
        width = batch.input_ids.shape[1]
        yield WindowLogits(windows, batch, start_logits[rows, :width], end_logits[rows, :width])


def _laid_out(windows: Sequence[Window], tokenizer: FastTokenizer) -> Batch:
    return assemble(windows, tokenizer.template, pad_id=tokenizer.pad_id)
