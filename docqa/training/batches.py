"""Batches: the order in which a run sees its examples, the same for the same seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from docqa.reader.encoding import plan_batches

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from docqa.training.examples import Example

__all__ = ["TrainingBatch", "epoch_batches", "lay_out"]

_BATCHES_SORTED_TOGETHER = 50  # more would pair up the same lengths each time, fewer pad more


@dataclass(frozen=True, slots=True)
class TrainingBatch:
    """Examples as arrays, all of shape ``(n_windows, n_tokens)``.

    Attributes:
        input_ids: padded on the right.
        attention_mask: 1 for tokens and 0 for padding.
        allowed: True where a span may start or end: the passage, and the first token.
        starts, ends: True at the first and at the last token of each gold answer.
    """

    input_ids: NDArray[np.int64]
    attention_mask: NDArray[np.int64]
    allowed: NDArray[np.bool_]
    starts: NDArray[np.bool_]
    ends: NDArray[np.bool_]


def epoch_batches(
    lengths: Sequence[int],
    weights: Sequence[float],
    *,
    batch_tokens: int,
    seed: int,
    epoch: int,
) -> list[list[int]]:
    """Return the batches of one epoch, as indexes of examples.

    Examples are drawn by weight and shuffled; stretches of about fifty batches are sorted by
    length so that little is padding; then the batches are shuffled.

    Args:
        lengths: tokens of each example.
        weights: how often each is seen an epoch: 2.3 is twice, and a third time in 30% of epochs.
        batch_tokens: most tokens of a batch, padding included.
        seed: decides the order, with `epoch`.
        epoch: from 0.

    >>> epoch_batches([4, 9, 4, 8], [1, 1, 0, 1], batch_tokens=18, seed=0, epoch=0)
    [[1, 3], [0]]
    """
    random = np.random.default_rng([seed, 3, epoch])
    times = np.floor(np.asarray(weights) + random.random(len(weights))).astype(int)
    order = random.permutation(np.repeat(np.arange(len(lengths)), times))
    tokens = np.cumsum(np.asarray(lengths)[order]) if len(order) else np.zeros(0, dtype=int)
    stretch = tokens // (batch_tokens * _BATCHES_SORTED_TOGETHER)
    batches: list[list[int]] = []
    for number in np.unique(stretch):
        rows = order[stretch == number].tolist()
        planned = plan_batches([lengths[row] for row in rows], batch_tokens)
        batches += [[rows[index] for index in batch] for batch in planned]
    return [batches[number] for number in random.permutation(len(batches))]


def lay_out(examples: Sequence[Example], *, pad_id: int) -> TrainingBatch:
    """Lay examples out as arrays, as wide as the longest of them."""
    shape = len(examples), max(len(example) for example in examples)
    input_ids = np.full(shape, pad_id, dtype=np.int64)
    attention_mask = np.zeros(shape, dtype=np.int64)
    allowed, starts, ends = (np.zeros(shape, dtype=np.bool_) for _ in range(3))
    for row, example in enumerate(examples):
        input_ids[row, : len(example)] = example.input_ids
        attention_mask[row, : len(example)] = 1
        allowed[row, slice(*example.passage)] = True
        for first, last in example.places:
            starts[row, first] = ends[row, last] = True
    allowed[:, 0] = True
    return TrainingBatch(input_ids, attention_mask, allowed, starts, ends)
