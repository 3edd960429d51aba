"""``docqa info``: pages, text and warnings of a file, or the state of a collection."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

import click

from docqa.asking.reading_settings import ReadingSettings
from docqa.cli.collection_info import describe_collection, is_collection
from docqa.cli.exits import ANSWERED, FAILED, is_of_output
from docqa.cli.notices import fold_warnings
from docqa.cli.options import reading_options, source_options
from docqa.cli.prelude import Run, command
from docqa.cli.session import Session
from docqa.cli.sources import expand
from docqa.cli.terminal import console_for, one_line
from docqa.datamodel import Document, Page
from docqa.load_settings import LoadSettings
from docqa.outcome_records import error_record
from docqa.places import number_ranges

__all__ = ["describe_document", "info", "label_ranges"]

_EPILOG = """
\b
Examples:
  docqa info report.pdf
  docqa info contracts/ --json
  docqa info locked.pdf --password "open sesame"
  docqa info kb                         (a collection that docqa index made)
  docqa info kb --documents

\b
Exit codes:
  0 every file could be read, 2 at least one could not
"""


@command(
    epilog=_EPILOG,
    json="Write one JSON object a line.",
    quiet="No progress and notes; only errors.",
)
@click.argument("arguments", nargs=-1, required=True, metavar="FILE...", type=click.Path())
@click.option("--documents", is_flag=True, help="List the documents of a collection.")
@reading_options
@source_options
def info(
    run: Run,
    /,
    *,
    arguments: Sequence[str],
    documents: bool,
    loading: LoadSettings,
    **reading: Any,
) -> int:
    """Show the pages, labels, text layer, passages and warnings of each FILE.

    A FILE may be a collection: then its place, size and age, and the sources that failed.
    """
    collections = [each for each in arguments if is_collection(each)]
    for each in collections:
        describe_collection(run, each, documents=documents)
    arguments = [each for each in arguments if each not in collections]
    if documents and arguments:
        raise click.UsageError(f"--documents lists a collection, and {arguments[0]} is none")
    if not arguments:
        return ANSWERED
    expansion = expand(arguments)
    run.progress.steps = len(expansion.files)
    session = Session(loading, ReadingSettings(**reading), run.progress)
    run.notices.passed_over(expansion.passed_over)
    count = session.passage_counter()
    described: list[bool] = []
    for file in expansion.files:
        run.progress.next_step()
        try:
            with session.load(file) as document:
                record = describe_document(document, count(document))
                run.progress.close()
                _write(run, record, document, first=not any(described))
        except Exception as error:
            if is_of_output(error):
                raise
            run.progress.close()
            run.notices.error(error, source=file.path)
            if run.as_json:
                run.write_record({"source": file.path, "error": error_record(error)})
            described.append(False)
        else:
            described.append(True)
    return ANSWERED if all(described) else FAILED


def describe_document(document: Document, n_passages: int) -> dict[str, Any]:
    """Return the facts about a document as plain values."""
    return {
        "source": document.source,
        "media_type": document.media_type,
        "title": document.title,
        "id": document.id,
        "characters": len(document.text),
        "passages": n_passages,
        "pages": [
            {
                "number": page.number,
                "label": page.label,
                "label_origin": page.label_origin,
                "characters": len(page.span),
                "width": page.width,
                "height": page.height,
                "text_layer": text_layer(page),
                "garbled": page.garbled,
            }
            for page in document.pages
        ],
        "blocks": len(document.blocks),
        "boilerplate_blocks": sum(block.boilerplate for block in document.blocks),
        "extractor": document.extractor,
        "metadata": dict(document.metadata),
        "warnings": [
            {"kind": warning.kind, "message": warning.message, "page_number": warning.page_number}
            for warning in document.warnings
        ],
    }


def text_layer(page: Page) -> str:
    """Return ``"text"``, ``"ocr"``, ``"garbled"``, ``"needs-ocr"`` or ``"empty"`` for a page."""
    if page.ocr:
        return "ocr"
    if page.needs_ocr:
        return "needs-ocr"
    if not page.span:
        return "empty"
    return "garbled" if page.is_garbled else "text"


def label_ranges(pages: Iterable[Page]) -> str:
    """Return the labels of pages in words, runs that count up as ranges.

    >>> from docqa.datamodel import Span
    >>> numbers = ((1, "i"), (2, "ii"), (3, "1"), (4, "2"), (5, "3"), (6, None))
    >>> label_ranges(Page(n, label, "file", Span(0, 0), 1, 1) for n, label in numbers)
    '1 = i, 2 = ii, 3-5 = 1-3, 6 = none'
    """
    runs = groupby(pages, key=_label_run)
    return ", ".join(_label_range(list(run)) for _, run in runs)


def _label_run(page: Page) -> tuple[str, object]:
    if page.label is None:
        return ("none", None)
    match = re.fullmatch(r"(.*?)(\d{1,9})", page.label, re.DOTALL)
    if match is None:
        return ("word", page.number)
    return (match[1], page.number - int(match[2]))


def _label_range(run: Sequence[Page]) -> str:
    first, last = run[0], run[-1]
    numbers = number_ranges(page.number for page in run)
    if first.label is None or last.label is None:
        return f"{numbers} = none"
    labels = first.label if len(run) == 1 else f"{first.label}-{last.label}"
    return f"{numbers} = {one_line(labels)}"


def _write(run: Run, record: dict[str, Any], document: Document, *, first: bool) -> None:
    if run.as_json:
        run.write_record(record)
        return
    from rich.text import Text

    console = console_for(sys.stdout)
    with console.capture() as written:
        if not first:
            console.print()
        console.print(Text(one_line(document.source), "bold"), soft_wrap=True)
        for name, value in _lines(record, document):
            style = "yellow" if name == "warning" else ""
            line = Text.assemble((f"  {name:<12}", "dim"), (one_line(value), style))
            console.print(line, soft_wrap=True)
    run.write(written.get())


def _lines(record: dict[str, Any], document: Document) -> list[tuple[str, str]]:
    lines = [("type", document.media_type)]
    lines += [("title", document.title)] if document.title else []
    lines += [("id", document.id), ("size", f"{len(document.text):,} characters")]
    if document.pages:
        name = "slides" if document.media_type.endswith(".presentation") else "pages"
        lines += [(name, f"{len(document.pages):,}")]
        lines += _label_lines(document.pages)
        if name == "pages" or any(page.needs_ocr for page in document.pages):
            lines += [("text layer", _layers(document.pages))]
    if record["boilerplate_blocks"]:
        share = f"{record['boilerplate_blocks']:,} of {record['blocks']:,} blocks"
        lines += [("navigation", f"{share} are navigation, footers and the like")]
    lines += [("passages", f"{record['passages']:,}")]
    lines += [("extractor", document.extractor)] if document.extractor else []
    lines += [
        (name, value)
        for name, value in document.metadata.items()
        if value and value != document.title
    ]
    return lines + [("warning", message) for message in fold_warnings(document.warnings)]


def _label_lines(pages: Sequence[Page]) -> list[tuple[str, str]]:
    if not any(page.label not in {None, str(page.number)} for page in pages):
        return []
    origins = {page.label_origin for page in pages if page.label_origin}
    found = "" if origins == {"file"} else "; found on the pages, not declared by the file"
    return [("labels", f"{label_ranges(pages)}{found}")]


def _layers(pages: Sequence[Page]) -> str:
    by_layer: dict[str, list[int]] = {}
    for page in pages:
        by_layer.setdefault(text_layer(page), []).append(page.number)
    if set(by_layer) == {"text"}:
        return "on every page"
    return "; ".join(f"{layer}: {number_ranges(numbers)}" for layer, numbers in by_layer.items())
