"""What users should know beside the answers, on standard error, each thing once."""

from __future__ import annotations

import re
import sys
import traceback
from collections.abc import Iterable, Sequence
from itertools import groupby

from docqa.cli.exits import describe
from docqa.cli.interrupt import emit
from docqa.cli.terminal import console_for, one_line
from docqa.datamodel import Document, LoadWarning

__all__ = ["Notices", "fold_warnings", "page_ranges"]


class Notices:
    """Write notes, warnings and errors to standard error; `quiet` leaves only the errors."""

    def __init__(self, *, quiet: bool = False, debug: bool = False) -> None:
        self._quiet, self._debug = quiet, debug
        self._said: set[str] = set()

    def note(self, text: str) -> None:
        """Write something that is good to know."""
        if not self._quiet:
            self._write("", text, style="dim")

    def warnings(self, document: Document) -> None:
        """Write the warnings of a document, those of many pages as one."""
        if self._quiet:
            return
        for message in fold_warnings(document.warnings):
            prefix = "" if document.source in message else f"{document.source}: "
            self._once(f"{prefix}{message}", "warning: ", style="yellow")

    def error(self, error: Exception) -> None:
        """Write why something failed, with the traceback when debugging."""
        if self._debug:
            traceback.print_exception(error)
        self._once(describe(error), "error: ", style="bold red")

    def _once(self, text: str, label: str, *, style: str) -> None:
        if text not in self._said:
            self._said.add(text)
            self._write(label, text, style=style)

    def _write(self, label: str, text: str, *, style: str) -> None:
        if not sys.stderr.isatty():
            emit(sys.stderr, f"docqa: {label}{one_line(text)}\n")
            return
        from rich.text import Text

        console = console_for(sys.stderr)
        with console.capture() as written:
            line = Text.assemble((label, style), (one_line(text), style if not label else ""))
            console.print(line, soft_wrap=True)
        emit(sys.stderr, written.get())


def fold_warnings(warnings: Iterable[LoadWarning]) -> list[str]:
    """Return the messages of `warnings`, those that differ only by their page as one.

    >>> fold_warnings([LoadWarning("k", f"page {n} is odd", n) for n in (3, 4, 5, 9)])
    ['pages 3-5, 9: page 3 is odd']
    >>> fold_warnings([LoadWarning("k", "page 2 is odd", 2), LoadWarning("j", "no title")])
    ['page 2 is odd', 'no title']
    """
    groups: dict[tuple[str, str], list[LoadWarning]] = {}
    for warning in warnings:
        groups.setdefault((warning.kind, _without_numbers(warning)), []).append(warning)
    return [_folded(group) for group in groups.values()]


def _without_numbers(warning: LoadWarning) -> str:
    return re.sub(r"\d+", "#", warning.message) if warning.page_number else warning.message


def _folded(group: Sequence[LoadWarning]) -> str:
    pages = {warning.page_number for warning in group if warning.page_number is not None}
    if len(pages) < 2:
        return group[0].message
    return f"pages {page_ranges(pages)}: {group[0].message}"


def page_ranges(numbers: Iterable[int]) -> str:
    """Return page numbers as ranges.

    >>> page_ranges([9, 3, 4, 5, 11, 12])
    '3-5, 9, 11-12'
    """
    runs = groupby(enumerate(sorted(set(numbers))), key=lambda pair: pair[1] - pair[0])
    ranges = [[number for _, number in run] for _, run in runs]
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in ranges)
