"""``--highlight`` of ``docqa ask``: a copy of the one source with the answers marked in it."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import click

from docqa.cli.notices import Notices, counted
from docqa.cli.options import with_options
from docqa.cli.session import Session
from docqa.cli.sources import Expansion
from docqa.datamodel import Answer, Document, GridItem
from docqa.errors import HighlightError
from docqa.places import number_ranges

__all__ = ["HighlightCopy", "highlight_copy", "highlight_options"]

_Command = TypeVar("_Command", bound=Callable[..., Any])


def highlight_options(command: _Command) -> _Command:
    """Add the options that write a marked copy."""
    return with_options(
        command,
        click.option(
            "--highlight",
            "highlight_out",
            metavar="OUT",
            type=click.Path(),
            help="Write a copy of the source with the answers marked: from a PDF a .pdf, or a"
            " .png of one page; from all else an .html.",
        ),
        click.option(
            "--page",
            "page_number",
            type=click.IntRange(min=1),
            metavar="N",
            help="Draw page N where --highlight names a .png; the first answer's page otherwise.",
        ),
        click.option(
            "--safe",
            is_flag=True,
            help="Leave the scripts of a web page out of the copy, and the pictures and styles that"
            " it would fetch from elsewhere.",
        ),
    )


def highlight_copy(
    out: str | None,
    expansion: Expansion | None,
    session: Session,
    *,
    page_number: int | None,
    safe: bool,
) -> HighlightCopy | None:
    """Return the collector of the answers to mark, or None where no copy is asked for.

    Args:
        out: the copy.
        expansion: the sources; None where a collection is asked, whose answers are to be of one.
        session: of the command.
        page_number: of the page to draw, or None.
        safe: leave scripts and outside pictures out.

    Raises:
        click.UsageError: the options do not go together.
        DocqaError: nothing can be written to `out`.
    """
    from docqa.showing.marked_copy import require_makeable, require_suffix
    from docqa.showing.new_file import require_writable

    if page_number is not None and not (out or "").lower().endswith(".png"):
        raise click.UsageError("--page chooses the page of a picture: add --highlight OUT.png")
    if safe and out is None:
        raise click.UsageError("--safe is about the copy of a web page: add --highlight OUT.html")
    if out is None:
        return None
    if expansion is not None and len(expansion.files) > 1:
        raise click.UsageError(
            f"--highlight marks one source, and these are {len(expansion.files)}; --report OUT.html"
            " shows the answers of all of them"
        )
    require_suffix(out)
    require_writable(Path(out))
    session.checks.append(partial(require_makeable, out=out, page_number=page_number))
    return HighlightCopy(out, page_number, session, safe=safe)


class HighlightCopy:
    """The answers of one source, to be marked in a copy of it.

    Args:
        out: the copy.
        page_number: of the page to draw, or None.
        session: has the password, and the bytes of sources that are read once.
        safe: leave scripts and outside pictures out.
    """

    def __init__(
        self, out: str, page_number: int | None, session: Session, *, safe: bool = False
    ) -> None:
        self._out, self._page_number, self._session = out, page_number, session
        self._safe = safe
        self._answers: list[Answer] = []

    def add(self, document: Document | None, item: GridItem) -> None:
        """Keep the answers of one question."""
        self._answers += item.answers

    def write(self, notices: Notices) -> None:
        """Write the copy, or say that there is nothing to mark."""
        from docqa.showing.marked_copy import highlight

        if not self._answers:
            notices.note(f"no answer to mark; {self._out} is not written")
            return
        if len(sources := {answer.document.id for answer in self._answers}) > 1:
            raise HighlightError(
                f"--highlight marks one source, and the answers stand in {len(sources)}; --report "
                "OUT.html shows all of them"
            )
        result = highlight(
            self._answers,
            self._out,
            source=self._session.kept.get(self._answers[0].document.source),
            page_number=self._page_number,
            password=self._session.sources.password,
            encoding=self._session.sources.encoding,
            isolate=self._session.sources.isolate,
            limits=self._session.sources.limits,
            safe=self._safe,
        )
        for note in result.notes:
            notices.note(note)
        if not result.marked:
            notices.note(f"wrote {self._out} without marks")
            return
        notices.note(_said(result.marked, result.page_numbers, os.fspath(result.path)))


def _said(marked: int, page_numbers: tuple[int, ...], out: str) -> str:
    """Return the number of marked answers and their pages in words.

    >>> _said(3, (3, 7), "out.pdf"), _said(1, (), "out.html")
    ('marked 3 answers on pages 3, 7 in out.pdf', 'marked 1 answer in out.html')
    """
    many = len(page_numbers) != 1
    pages = f" on page{'s' * many} {number_ranges(page_numbers)}" if page_numbers else ""
    return f"marked {counted(marked, 'answer')}{pages} in {out}"
