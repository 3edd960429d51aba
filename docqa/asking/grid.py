"""Every question over every source: the one loop that loads, asks and closes."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache

from docqa.asking.cells import (
    CONCERN_ALL,
    LOADING_ERRORS,
    Cell,
    Failing,
    answer_cells,
    batches,
    question_error,
)
from docqa.asking.prepared import PreparedDocument, require_text
from docqa.asking.settings import AskSettings
from docqa.datamodel import Document, GridItem
from docqa.errors import QuestionError
from docqa.limits import SourceTime, at_work
from docqa.protocols import Reader

__all__ = ["AskCall", "AskedSource", "Stage", "ask_sources"]

Stage = Callable[[str, str], None]
"""Called with the stage that begins, ``"splitting"`` or ``"reading"``, and its source."""


@dataclass(frozen=True, slots=True)
class AskedSource:
    """A source with its questions, loaded when its turn comes.

    Attributes:
        name: for the outcome where it cannot be loaded.
        load: returns its document.
        questions: asked in order.
        closes: the document is closed after the outcome of the last question.
        waits: loading may take long, as of a pipe or a large file: the sources before it are
            answered first.
    """

    name: str
    load: Callable[[], Document]
    questions: Sequence[str]
    closes: bool = False
    waits: bool = False


@dataclass(frozen=True, slots=True)
class AskCall:
    """The reader, the settings and the splitting of one call; see `docqa.Pipeline.call`."""

    reader: Reader
    settings: AskSettings
    prepare: Callable[[Document], PreparedDocument]


def ask_sources(
    sources: Iterable[AskedSource],
    call: Callable[[], AskCall],
    *,
    failing: Failing = LOADING_ERRORS,
    on_stage: Stage | None = None,
) -> Iterator[tuple[Document | None, GridItem]]:
    """Ask every source its questions; yield each outcome with its document, source by source.

    Sources are loaded one at a time, and passages of several questions and sources are read
    together; at most 8 documents are open at once. A source that fails, or a question, gives
    outcomes with `error` set and spoils no other. The document is open while its outcome is looked
    at, and None where it could not be loaded.

    Args:
        sources: taken one by one.
        call: gives the reader and the settings; called once, after the first source is loaded.
        failing: errors that fail the source or the question that they come from. What concerns
            every source (`ModelError`, `SettingError` and `BrokenPipeError`, once a document is
            loaded) always ends the loop.
        on_stage: called as the work goes on.

    Raises:
        ModelError: the reader cannot be loaded, or fails.
        SettingError: a setting is out of its range.
    """
    opened, said = cache(call), on_stage or _unheard
    held: deque[Document] = deque()  # to be closed, in order
    cells = _Cells(opened, held, failing, said)
    try:
        for batch in batches(cell for source in sources for cell in cells.of(source)):
            if names := list(dict.fromkeys(cell.source for cell in batch if cell.error is None)):
                more = f" and {len(names) - 1} more" if names[1:] else ""
                said("reading", f"{names[0]}{more}")
            items = answer_cells(batch, lambda: opened().reader, failing=failing)
            for cell, item in zip(batch, items, strict=True):
                yield cell.document, item
                if cell.ends_source and held and cell.document is held[0]:
                    held.popleft().close()
    finally:
        for document in held:
            document.close()


class _Cells:
    """A maker of the cells of one source after another."""

    def __init__(
        self, call: Callable[[], AskCall], held: deque[Document], failing: Failing, said: Stage
    ) -> None:
        self._call, self._held, self._failing, self._said = call, held, failing, said
        self._checked: dict[str, QuestionError | None] = {}  # the same for every source

    def of(self, source: AskedSource) -> Iterator[Cell | None]:
        """Yield a cell for each question, the first after loading; None before a long wait."""
        if not source.questions:
            return
        if source.waits:
            yield None
        begun, prepared = self._begun(source)
        for number, question in enumerate(source.questions, start=1):
            last = number == len(source.questions)
            cell = replace(begun, question=question, ends_source=last)
            yield cell if prepared is None else self._ranked(cell, prepared)

    def _begun(self, source: AskedSource) -> tuple[Cell, PreparedDocument | None]:
        """Return the common part of a source's cells, and its passages where it can be asked."""
        cell, started = Cell("", source.name), time.monotonic()
        try:
            document = source.load()
            cell = replace(cell, document=document)
            if source.closes:
                self._held.append(document)
            require_text(document)
        except self._failing as error:
            return replace(cell, error=error), None
        limit = None if document.settings is None else document.settings.wall_seconds
        taken = SourceTime(document.source, limit, time.monotonic() - started)
        call = self._call()
        self._said("splitting", document.source)
        try:
            with at_work(taken):
                prepared = call.prepare(document)
        except CONCERN_ALL:
            raise
        except self._failing as error:
            return replace(cell, error=error), None
        made = call.settings.with_sizes(
            passage_tokens=prepared.passage_tokens,
            overlap=prepared.overlap,
            content=prepared.content,
        )
        cell = replace(
            cell,
            source=document.source,
            n_passages=len(prepared.passages),
            documents={document.id: document},
            settings=call.settings,
            read_settings=made,
            time=taken,
            info=document.info,
        )
        return cell, prepared

    def _ranked(self, cell: Cell, prepared: PreparedDocument) -> Cell:
        """Return a cell with the passages to read, or with the reason why there are none."""
        call = self._call()
        try:
            if cell.question not in self._checked:
                self._checked[cell.question] = question_error(call.reader, cell.question)
            if (refused := self._checked[cell.question]) is not None:
                return replace(cell, error=refused)
            top_passages = call.settings.top_passages
            taken = replace(cell.time) if cell.time is not None else SourceTime(cell.source, None)
            with at_work(taken):
                ranked = prepared.passages_to_read(cell.question, top_passages=top_passages)
        except CONCERN_ALL:
            raise
        except self._failing as error:
            return replace(cell, error=error)
        return replace(cell, ranked=ranked, time=taken)


def _unheard(stage: str, source: str) -> None:
    """Report a stage to no one."""
