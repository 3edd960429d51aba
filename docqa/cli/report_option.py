"""``--report`` of ``docqa ask``: one page that shows every outcome."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from docqa.cli.interrupt import before_leaving
from docqa.cli.notices import Notices, counted, fold_warnings
from docqa.cli.session import Session
from docqa.datamodel import Answers, Coverage, Document, GridItem

if TYPE_CHECKING:
    from docqa.showing.answer_report import ReportResult

__all__ = ["ReportPage", "report_option", "report_page"]

report_option = click.option(
    "--report",
    "report_out",
    metavar="OUT.html",
    type=click.Path(),
    help="Write a page that shows every answer in its sentence, with a picture of its place in"
    " a PDF; whatever else is written.",
)


def report_page(out: str | None, session: Session) -> ReportPage | None:
    """Return the collector of outcomes for a report, or None where none is asked for.

    Raises:
        click.UsageError: the report is no HTML file.
        DocqaError: nothing can be written to `out`.
    """
    from docqa.showing.new_file import require_writable

    if out is None:
        return None
    if Path(out).suffix.lower() not in (".html", ".htm"):
        raise click.UsageError(f"--report writes a web page: let {out} end in .html")
    require_writable(Path(out))
    page = ReportPage(out, session)
    before_leaving(page.write_what_is_there)
    return page


class ReportPage:
    """The outcomes of all sources, to be shown in a report.

    Args:
        out: the page.
        session: has the reader, the password, and the bytes of sources that are read once.
    """

    def __init__(self, out: str, session: Session) -> None:
        self._out, self._session = out, session
        self._items: list[GridItem] = []
        self._warnings: dict[str, Sequence[str]] = {}
        self._is_written = False

    def add(self, document: Document | None, item: GridItem) -> None:
        """Keep one outcome, and the warnings of its source."""
        self._items += _by_document(item)
        if document is not None and item.source not in self._warnings:
            self._warnings[item.source] = fold_warnings(document.warnings)

    def write(self, notices: Notices) -> None:
        """Write the page, and report its path."""
        result = self._report()
        self._is_written = True
        for note in result.notes:
            notices.note(note)
        notices.note(f"wrote {counted(result.answers, 'answer')} to {result.path}")

    def write_what_is_there(self) -> None:
        """Write the outcomes so far, after Ctrl-C: without pictures, for PDFium may be at work."""
        if self._items and not self._is_written:
            said = "Stopped with Ctrl-C: outcomes from then on are missing, and so are pictures."
            self._report(notes=[said], pictures=False)

    def _report(self, *, notes: Sequence[str] = (), pictures: bool = True) -> ReportResult:
        from docqa.showing.answer_report import report

        return report(
            self._items,
            self._out,
            reader=self._session.reading.reader,
            sources=self._session.kept,
            warnings=self._warnings,
            notes=notes,
            pictures=pictures,
            password=self._session.sources.password,
            isolate=self._session.sources.isolate,
            limits=self._session.sources.limits,
        )


def _by_document(item: GridItem) -> Iterator[GridItem]:
    """Yield a collection's outcome as one for each document that answers, others as they are.

    The coverage is that of the first of them.
    """
    if item.document is not None or not item.answers:
        yield item
        return
    coverage = item.answers.coverage
    for document in dict.fromkeys(answer.document for answer in item.answers):
        found = [answer for answer in item.answers if answer.document == document]
        answers = Answers(found, coverage=coverage)
        yield replace(item, source=document.source, document=document, answers=answers)
        coverage = Coverage(0, 0)
