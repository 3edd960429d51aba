"""Soft targets: the logits of a stronger reader for the examples, read once and kept on disk.

Knowledge distillation (Hinton et al. 2015), as the reference reader was made (Sanh et al. 2019):
the student learns the teacher's whole start and end distributions, softened by a temperature,
beside the gold answers. Teacher and student may cut text into different tokens: the teacher's
logits are carried over by the characters that its tokens begin and end with.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from docqa.datamodel import Passage, Span

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from docqa.reader.span_reader import SpanReader
    from docqa.reader.window_logits import WindowLogits
    from docqa.training.batches import TrainingBatch
    from docqa.training.examples import Example

    FloatArray = NDArray[np.float32]
    HalfArray = NDArray[np.float16]

__all__ = ["SoftTargets", "ask_teacher"]

_EXAMPLES_A_FILE = 512  # what a kill costs at most: minutes on two cores


class SoftTargets:
    """The teacher's logits of every example, at the student's tokens.

    Args:
        logits: one array for each example, shape ``(2, n_tokens)``: start and end logits, ``-inf``
            where the teacher has no token that begins or ends.
    """

    def __init__(self, logits: Sequence[HalfArray]) -> None:
        self._logits = logits

    def lay_out(
        self, rows: Sequence[int], batch: TrainingBatch, *, temperature: float
    ) -> tuple[FloatArray, FloatArray]:
        """Return softened start and end distributions of examples, each ``(n_windows, n_tokens)``.

        Args:
            rows: indexes of the batch's examples.
            batch: how they are laid out.
            temperature: the logits are divided by it.
        """
        logits = np.full((2, *batch.input_ids.shape), -np.inf, dtype=np.float32)
        for row, index in enumerate(rows):
            given = self._logits[index]
            logits[:, row, : given.shape[1]] = given
        powers = np.exp((logits - logits.max(axis=2, keepdims=True)) / temperature)
        powers /= powers.sum(axis=2, keepdims=True)
        return powers[0], powers[1]


def ask_teacher(
    teacher: SpanReader,
    examples: Sequence[Example],
    folder: Path,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> SoftTargets:
    """Return the teacher's logits of all examples, reading only the ones not yet on disk.

    A teacher that was not trained with unanswerable questions (`no_answer` False) is asked only
    where there is an answer, and its logit of the first token, which means nothing, is left out.
    Where it is not asked, or says nothing, the gold places stand in.

    Args:
        teacher: reads each example's question and the characters its window shows.
        examples: of the student.
        folder: holds one file for each 512 examples; files of another teacher or of other
            examples are replaced.
        progress: called with (examples read, examples in all).

    Raises:
        QuestionError: a question is too long for the teacher.
    """
    folder.mkdir(parents=True, exist_ok=True)
    logits: list[HalfArray] = []
    for first in range(0, len(examples), _EXAMPLES_A_FILE):
        some = examples[first : first + _EXAMPLES_A_FILE]
        logits += _part(teacher, some, folder / f"{first // _EXAMPLES_A_FILE:05d}.npz")
        if progress:
            progress(len(logits), len(examples))
    return SoftTargets(logits)


def _part(teacher: SpanReader, examples: Sequence[Example], path: Path) -> list[HalfArray]:
    mark = _mark(teacher, examples)
    lengths = [len(example) for example in examples]
    if path.is_file():
        with np.load(path, allow_pickle=False) as kept:
            if str(kept["mark"]) == mark:
                return np.split(kept["logits"], np.cumsum(lengths)[:-1], axis=1)
    made = _read(teacher, examples)
    new = path.with_suffix(".new.npz")
    np.savez(new, mark=np.array(mark), logits=np.concatenate(made, axis=1))
    new.replace(path)
    return made


def _mark(teacher: SpanReader, examples: Sequence[Example]) -> str:
    """Return the unique key of one teacher's logits of some examples."""
    said = teacher.name, teacher.revision, teacher.runtime, teacher.no_answer
    digest = hashlib.sha256(json.dumps(said).encode())
    for example in examples:
        words = json.dumps([example.key, example.question, example.shown, example.places])
        digest.update(words.encode() + example.input_ids.tobytes())
    return digest.hexdigest()


def _read(teacher: SpanReader, examples: Sequence[Example]) -> list[HalfArray]:
    made = [np.full((2, len(example)), -np.inf, dtype=np.float16) for example in examples]
    # One trained without unanswerable questions would make up an answer where there is none.
    asked = [at for at, one in enumerate(examples) if teacher.no_answer or one.answerable]
    requests = [
        (one.question, [Passage("training", 0, Span(0, len(one.shown)), one.shown)])
        for one in (examples[at] for at in asked)
    ]
    no_answer = np.full((2, len(examples)), np.inf)
    for read in teacher.logits(requests):
        for row, window in enumerate(read.windows):
            at = asked[window.request]
            _carry(read, row, examples[at], made[at])
            here = read.start_logits[row, 0], read.end_logits[row, 0]
            # A passage that the teacher reads in several windows lacks the answer if all do.
            no_answer[:, at] = np.minimum(no_answer[:, at], here)
    for number, (example, logits) in enumerate(zip(examples, made, strict=True)):
        if teacher.no_answer and np.isfinite(no_answer[:, number]).all():
            logits[:, 0] = no_answer[:, number]
        _fall_back(example, logits)
    return made


def _fall_back(example: Example, logits: HalfArray) -> None:
    """Put the gold places where the teacher says nothing: for ``no answer`` the first token."""
    columns = np.array(example.places).T  # of the first tokens, and of the last ones
    for side, gold in zip(logits, columns, strict=True):
        if not np.isfinite(side).any():
            side[gold] = 0


def _carry(read: WindowLogits, row: int, example: Example, logits: HalfArray) -> None:
    """Put a window's logits at the student's tokens with the same first or last character.

    Of several teacher's tokens in one of the student's, the highest counts.
    """
    window, begin = read.windows[row], int(read.batch.passage_starts[row])
    shown = slice(window.first, window.last)
    columns = slice(begin, begin + window.last - window.first)
    own = read.batch.answerable[row, columns]
    origin = example.starts[0]
    for side, (values, characters) in enumerate(
        (
            (read.start_logits[row, columns], window.tokens.starts[shown]),
            (read.end_logits[row, columns], window.tokens.ends[shown] - 1),
        )
    ):
        at = np.searchsorted(example.ends - origin, characters[own], "right")
        inside = at < len(example.ends)
        np.maximum.at(
            logits[side], at[inside] + example.passage[0], values[own][inside].astype(np.float16)
        )
