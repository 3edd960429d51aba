"""Notes, warnings and errors on standard error, each one once."""

from __future__ import annotations

import re
import sys
import traceback
from collections import Counter
from collections.abc import Iterable, Sequence

from docqa.cli.exits import describe, without_python
from docqa.cli.interrupt import emit
from docqa.cli.terminal import console_for, one_line
from docqa.datamodel import Document, LoadWarning
from docqa.errors import QuestionError
from docqa.places import number_ranges

__all__ = ["SLOW_BFLOAT16", "Notices", "counted", "fold_warnings"]

SLOW_BFLOAT16 = (
    "nothing on the device {device} is known to multiply bfloat16 in hardware: it will be slower "
    "than float32"
)


class Notices:
    """The notes, warnings and errors of a command; `quiet` leaves only the errors."""

    def __init__(self, *, quiet: bool = False, debug: bool = False) -> None:
        self._quiet, self._debug = quiet, debug
        self._said: set[str] = set()

    def note(self, text: str) -> None:
        """Write a note."""
        if not self._quiet:
            self._write("", text, style="dim")

    def warnings(self, document: Document) -> None:
        """Write the warnings of a document, those of many pages as one."""
        if self._quiet:
            return
        for message in fold_warnings(document.warnings):
            prefix = "" if document.source in message else f"{document.source}: "
            self._once(f"{prefix}{message}", "warning: ", style="yellow")

    def warning(self, text: str) -> None:
        """Write a warning, unless it was written before."""
        if not self._quiet:
            self._once(text, "warning: ", style="yellow")

    def passed_over(self, counts: Counter[str]) -> None:
        """Write the numbers of files in folders that are no sources, by suffix."""
        if total := sum(counts.values()):
            kinds = ", ".join(f"{count:,} {suffix}" for suffix, count in counts.most_common(8))
            files = "1 file of another kind" if total == 1 else f"{total:,} files of other kinds"
            more = ", ..." if len(counts) > 8 else ""
            self.note(f"passed over {files} in folders ({kinds}{more})")

    def error(self, error: Exception, *, source: str | None = None) -> None:
        """Write an error and the source that failed, with the traceback when debugging."""
        if self._debug:
            traceback.print_exception(error)
        text = describe(error)
        named = source is None or source in text or isinstance(error, QuestionError)
        self._once(text if named else f"{source}: {text}", "error: ", style="bold red")

    def failed(self, message: str, *, source: str) -> None:
        """Write the message of an error that happened in another process."""
        text = one_line(message)
        self._once(text if source in text else f"{source}: {text}", "error: ", style="bold red")

    def _once(self, text: str, label: str, *, style: str) -> None:
        text = without_python(text)
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


# The message of a warning on several pages; that on one page has its own.
_OF_MANY_PAGES = {
    "needs-ocr": "pages {} show images and (nearly) no text; --ocr (ocr=True) reads them",
    "ocr-found-nothing": "pages {} are images in which OCR found no words",
    "ocr-low-confidence": "pages {} were read by OCR with little confidence: many words will be"
    " wrong; a sharper scan or the right --ocr-language may help",
    "picture-slide": "slides {} show pictures and no text; save the presentation as PDF and read"
    " that with --ocr (ocr=True)",
    "hidden-slide": "slides {} are hidden in the presentation; their text was read",
    "garbled-text": "many characters on pages {} have no known meaning; answers from there may be"
    " wrong, --ocr (ocr=True) may help",
}


def fold_warnings(warnings: Iterable[LoadWarning]) -> list[str]:
    """Return the messages of `warnings`, those of one kind on several pages as one.

    >>> fold_warnings([LoadWarning("k", f"page {n} is odd", n) for n in (3, 4, 5, 9)])
    ['page 3 is odd (likewise pages 4-5, 9)']
    >>> fold_warnings([LoadWarning("k", "page 2 is odd", 2), LoadWarning("j", "no title")])
    ['page 2 is odd', 'no title']
    """
    groups: dict[tuple[str, str], list[LoadWarning]] = {}
    for warning in warnings:
        groups.setdefault((warning.kind, _wording(warning)), []).append(warning)
    return [_folded(group) for group in groups.values()]


def _wording(warning: LoadWarning) -> str:
    if warning.page_number is not None and warning.kind in _OF_MANY_PAGES:
        return ""
    return re.sub(r"\d+", "#", warning.message) if warning.page_number else warning.message


def _folded(group: Sequence[LoadWarning]) -> str:
    first = group[0]
    pages = {warning.page_number for warning in group if warning.page_number is not None}
    if len(pages) < 2:
        return first.message
    if first.kind in _OF_MANY_PAGES:
        return _OF_MANY_PAGES[first.kind].format(number_ranges(pages))
    rest = number_ranges(page for page in pages if page != first.page_number)
    return f"{first.message} (likewise page{'s' * (len(pages) > 2)} {rest})"


def counted(number: int, noun: str) -> str:
    """Return a number with its noun.

    >>> counted(1, "line"), counted(0, "form field")
    ('1 line', '0 form fields')
    """
    return f"{number:,} {noun}{'s' * (number != 1)}"
