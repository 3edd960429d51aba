"""A job of many questions to many documents, which goes on where an earlier run stopped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import product
from pathlib import Path

from docqa.asking.reading_settings import ReadingSettings
from docqa.batch.answer_file import AnswerFile, Key
from docqa.batch.asking import SourceJob, SourceOutcome, Status, lost_outcome
from docqa.batch.questions import BatchQuestion
from docqa.batch.settings import settings_record
from docqa.batch.targets import BatchSource, BatchTarget
from docqa.load_settings import LoadSettings
from docqa.workers.pool import LocalPool, Pool

__all__ = ["BatchJob", "JobTally", "Resumed"]

# Asked of a document together: all that a kill can cost, and enough passages for a GPU.
_QUESTIONS_PER_JOB = 64


@dataclass(slots=True)
class JobTally:
    """The number of outcomes of a job by kind, those of earlier runs too."""

    answered: int = 0
    unanswered: int = 0
    failed: int = 0

    def add(self, status: Status, count: int = 1) -> None:
        """Count outcomes of one kind."""
        setattr(self, status, getattr(self, status) + count)

    @property
    def total(self) -> int:
        """Return the number of all outcomes."""
        return self.answered + self.unanswered + self.failed


@dataclass(slots=True)
class Resumed:
    """The outcomes of earlier runs, and those of them that are asked again.

    Attributes:
        kept: number of outcomes that stay.
        cut_off: bytes at the file's end that were no whole outcome.
        changed: sources whose bytes are others now; they are asked again.
        renamed: questions whose id stood for other words; they are asked again.
        retried: number of failed outcomes that are asked again.
        unnamed: sources in the file that the job does not name; their outcomes stay.
    """

    kept: int = 0
    cut_off: int = 0
    changed: list[str] = field(default_factory=list)
    renamed: list[str] = field(default_factory=list)
    retried: int = 0
    unnamed: list[str] = field(default_factory=list)


class BatchJob:
    """A job: every question of every source, with its file of outcomes; a context manager.

    The file is the same whether the job ran through or was stopped, by whatever, any number of
    times: outcomes in the order of the sources, then of the questions, each as
    ``docqa ask --json`` writes it, with a field ``cell`` that says what it is the outcome of.

    Args:
        questions: with ids that differ.
        target: the documents, or a collection.
        out: the file of answers; where it exists, the job goes on from what is whole in it.
        reading: how documents are read.
        loading: how they are loaded.
        pool: who does the work; None for this process.
        retry_failed: ask again what failed.
        fresh: begin with an empty file.

    Raises:
        BatchError: the file of answers cannot be used; see `AnswerFile`.
        ModelError: there is no such reader.
    """

    def __init__(
        self,
        questions: Sequence[BatchQuestion],
        target: BatchTarget,
        out: Path,
        *,
        reading: ReadingSettings | None = None,
        loading: LoadSettings | None = None,
        pool: Pool | None = None,
        retry_failed: bool = False,
        fresh: bool = False,
    ) -> None:
        self._questions, self._target = tuple(questions), target
        self._sources = tuple(target.sources)
        self._pool: Pool = LocalPool() if pool is None else pool
        self._reading, self._loading = reading or ReadingSettings(), loading or LoadSettings()
        self._settings = settings_record(self._reading, self._loading) | target.settings
        self._file = AnswerFile(out, self._settings, fresh=fresh)
        self._retry_failed = retry_failed
        self.tally = JobTally()

    def __enter__(self) -> BatchJob:
        return self

    def __exit__(self, *exception: object) -> None:
        self._file.__exit__(*exception)

    @property
    def n_outcomes(self) -> int:
        """Return the number of outcomes of the whole job."""
        return len(self._questions) * len(self._sources)

    def resume(self) -> Resumed:
        """Take outcomes that are to be asked again out of the file; return an account of all.

        Sources that are in the file are read once, to see whether they changed.

        Raises:
            BatchError: the file cannot be written.
        """
        found = Resumed(cut_off=self._file.cut_off)
        again: set[Key] = set()
        in_file = dict.fromkeys(source for source, _ in self._file.cells)
        for source in self._sources:
            if source.name in in_file:
                again |= self._stale(source, found)
        self._file.drop(again)
        named = {source.name for source in self._sources}
        found.unnamed = [
            name for name in dict.fromkeys(s for s, _ in self._file.cells) if name not in named
        ]
        for key in self._order():
            if key in self._file.cells:
                self.tally.add(self._file.cells[key].status)
        found.kept = self.tally.total
        return found

    def _stale(self, source: BatchSource, found: Resumed) -> set[Key]:
        """Return the cells of a source that are to be taken out: whole blocks of questions."""
        now = self._target.content_sha256(source, self._loading)
        stale: set[Key] = set()
        for block in self._blocks():
            keys = [(source.name, question.id) for question in block]
            cells = [self._file.cells.get(key) for key in keys]
            if self._is_done(block, source, now):
                continue
            stale.update(key for key, cell in zip(keys, cells, strict=True) if cell is not None)
            for question, cell in zip(block, cells, strict=True):
                if cell is None:
                    continue
                if cell.content_sha256 != now and source.name not in found.changed:
                    found.changed.append(source.name)
                if cell.question != question.text and question.id not in found.renamed:
                    found.renamed.append(question.id)
                found.retried += cell.status == "failed" and self._retry_failed
        return stale

    def _is_done(
        self, block: Sequence[BatchQuestion], source: BatchSource, content: str | None
    ) -> bool:
        for question in block:
            cell = self._file.cells.get((source.name, question.id))
            if cell is None or (cell.question, cell.content_sha256) != (question.text, content):
                return False
            if cell.status == "failed" and self._retry_failed:
                return False
        return True

    def run(self) -> Iterator[SourceOutcome]:
        """Ask the rest, yield each outcome when it is in the file, and put the file in order.

        Raises:
            BatchError: the file cannot be written.
            ClusterError: the pool has no workers.
            ModelError: the reader cannot be loaded.
            SettingError: a setting is out of its range.
        """
        work = self._target.work(self._reading, self._loading, self._settings)
        on_lost = partial(lost_outcome, settings=self._settings)
        for outcome in self._pool.run(work, self._jobs(), on_lost=on_lost):
            self._file.append(outcome.source, outcome.cells)
            for cell in outcome.cells:
                self.tally.add(cell.status)
            yield outcome
        self._file.arrange(self._order())

    def _jobs(self) -> Iterator[SourceJob]:
        blocks = self._blocks()
        for source in self._sources:
            left = [block for block in blocks if not self._is_in_file(block, source)]
            if left:
                yield from self._target.jobs(source, left, self._loading)

    def _is_in_file(self, block: Sequence[BatchQuestion], source: BatchSource) -> bool:
        return all((source.name, question.id) in self._file.cells for question in block)

    def _blocks(self) -> list[tuple[BatchQuestion, ...]]:
        firsts = range(0, len(self._questions), _QUESTIONS_PER_JOB)
        return [self._questions[first : first + _QUESTIONS_PER_JOB] for first in firsts]

    def _order(self) -> Iterable[Key]:
        pairs = product(self._sources, self._questions)
        return ((source.name, question.id) for source, question in pairs)
