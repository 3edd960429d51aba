"""The work for one document: load it, ask it, write the lines of the answers.

The lines are made where the document is open, so that they are the same wherever that is.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from docqa.asking.grid import AskedSource, ask_sources
from docqa.asking.reading_settings import ReadingSettings, open_pipeline
from docqa.batch.questions import BatchQuestion
from docqa.datamodel import Document, GridItem, LoadWarning
from docqa.errors import DocqaError, LoadError, ModelIncompatibleError
from docqa.load_settings import LoadSettings
from docqa.outcome_records import error_record, json_line, outcome_records

if TYPE_CHECKING:
    from docqa.asking.pipeline import Pipeline
    from docqa.protocols import Reader

__all__ = [
    "Asking",
    "CellOutcome",
    "SourceJob",
    "SourceOutcome",
    "Status",
    "cell_outcome",
    "lost_outcome",
    "require_reader",
]

Status = Literal["answered", "unanswered", "failed"]


@dataclass(frozen=True, slots=True)
class SourceJob:
    """A source and the questions that it is asked together.

    What is read together is always the same, whoever reads it and whenever: so are the scores, to
    the last digit.

    Attributes:
        source: its name in answers.
        content: its bytes; None where they cannot be read, or it is a collection.
        content_sha256: of its bytes, in hexadecimal.
        error: why it cannot be read.
        questions: some or all of the job's.
        is_last: no more questions of this source follow.
    """

    source: str
    content: bytes | None
    content_sha256: str | None
    error: LoadError | None
    questions: tuple[BatchQuestion, ...]
    is_last: bool


@dataclass(frozen=True, slots=True)
class CellOutcome:
    """The outcome of one question to one document: lines of JSON, each with its line end.

    Attributes:
        content_sha256: of the source; None where it cannot be read.
        error: kind and message, where it failed.
    """

    question: BatchQuestion
    content_sha256: str | None
    status: Status
    lines: tuple[str, ...]
    error: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class SourceOutcome:
    """The outcomes of one `SourceJob`, in the order of its questions.

    Attributes:
        warnings: of the document, with the first of its jobs.
        is_last: as the job says.
    """

    source: str
    cells: tuple[CellOutcome, ...]
    warnings: tuple[LoadWarning, ...]
    is_last: bool


class Asking:
    """A worker for documents. The reader is loaded with the first job, in a pickled copy again.

    Args:
        reading: how documents are read.
        loading: how they are loaded.
        settings: as `settings_record` makes them of both; they go into every line.
    """

    def __init__(
        self, reading: ReadingSettings, loading: LoadSettings, settings: dict[str, Any]
    ) -> None:
        self._reading, self._loading, self._settings = reading, loading, settings
        self._pipeline: Pipeline | None = None
        self._open: tuple[tuple[str, str | None], Document] | None = None

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle its arguments, and nothing that is open."""
        return (Asking, (self._reading, self._loading, self._settings))

    def __call__(self, job: SourceJob) -> SourceOutcome:
        """Return the outcomes of a job, those of a source that fails among them.

        Raises:
            ModelError: the reader cannot be loaded, or is another one than on the caller's machine.
            SettingError: a setting is out of its range.
        """
        content = job.content_sha256
        fresh = self._open is None or self._open[0] != (job.source, content)
        asked = [question.text for question in job.questions]
        outcomes = ask_sources(
            [AskedSource(job.source, partial(self._document, job), asked)],
            lambda: self._reading_pipeline().call(top_k=self._reading.top_k),
            failing=(Exception,),
        )
        warnings: tuple[LoadWarning, ...] = ()
        cells = []
        for question, (document, item) in zip(job.questions, outcomes, strict=True):
            if document is not None and fresh:
                warnings = document.warnings
            cells.append(cell_outcome(question, item, content, self._settings))
        if job.is_last:
            self._close()
        return SourceOutcome(job.source, tuple(cells), warnings, job.is_last)

    def _document(self, job: SourceJob) -> Document:
        """Return the document of a job, kept open for further questions of the same one."""
        from docqa.loaders.load import load_with

        if job.error is not None or job.content is None:
            raise job.error or LoadError(f"{job.source}: cannot be read", source=job.source)
        key = job.source, job.content_sha256
        if self._open is None or self._open[0] != key:
            self._close()
            self._open = key, load_with(self._loading, job.content, name=job.source)
        return self._open[1]

    def _reading_pipeline(self) -> Pipeline:
        if self._pipeline is None:
            pipeline = open_pipeline(self._reading)
            require_reader(pipeline.reader, self._reading, self._settings)
            self._pipeline = pipeline
        return self._pipeline

    def _close(self) -> None:
        if self._open is not None:
            self._open[1].close()
            self._open = None


def require_reader(reader: Reader, reading: ReadingSettings, settings: dict[str, Any]) -> None:
    """Check that a reader's weights are those of the job.

    Raises:
        ModelIncompatibleError: they are others.
    """
    expected, found = settings["reader"]["revision"], reader.revision
    if expected != found:
        raise ModelIncompatibleError(
            f"the reader {reading.reader!r} has the weights {found!r} here, and {expected!r} where "
            "the job was started; give all machines the same"
        )


def cell_outcome(
    question: BatchQuestion, item: GridItem, content: str | None, settings: dict[str, Any]
) -> CellOutcome:
    """Return an outcome as the lines of ``docqa ask --json``, each with its cell.

    Args:
        question: with its id.
        item: its outcome.
        content: SHA-256 of the source; None where that cannot be read.
        settings: of the job.
    """
    records = outcome_records(item)
    cell = {
        "source": item.source,
        "question_id": question.id,
        "content_sha256": content,
        "lines": len(records),
        "settings": settings,
    }
    lines = tuple(json_line({**record, "cell": cell}) for record in records)
    status: Status = "failed" if item.error else "answered" if item.answers else "unanswered"
    error = error_record(item.error) if item.error is not None else None
    return CellOutcome(question, content, status, lines, error)


def lost_outcome(job: SourceJob, error: DocqaError, settings: dict[str, Any]) -> SourceOutcome:
    """Return the outcome of a job that ended its worker again and again."""
    failed = LoadError(f"{job.source}: {error}", source=job.source)
    items = (GridItem.failed(question.text, job.source, failed) for question in job.questions)
    cells = tuple(
        cell_outcome(question, item, job.content_sha256, settings)
        for question, item in zip(job.questions, items, strict=True)
    )
    return SourceOutcome(job.source, cells, (), job.is_last)
