"""The report of many answers over many sources: one self-contained page."""

from __future__ import annotations

import base64
import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from docqa.datamodel import DocumentInfo, GridItem, PageLocation
from docqa.errors import HighlightError, LoadError, SettingError
from docqa.highlighting.colours import colour
from docqa.highlighting.page_crop import PageCrop, page_crop
from docqa.highlighting.templating import render
from docqa.limits import Limits
from docqa.load_settings import LoadSettings
from docqa.loaders.source_bytes import Source
from docqa.places import boxed_places
from docqa.showing.new_file import require_new_file, write_new_file
from docqa.showing.original import read_original, work_on
from docqa.showing.report_entries import AnswerEntry, Picture
from docqa.showing.report_items import ReportItems

__all__ = ["ReportResult", "report"]

_MOST_PICTURES = 300  # at 15 to 60 kB each, a page that still opens at once
_MOST_PICTURE_BYTES = 20_000_000


@dataclass(frozen=True, slots=True)
class ReportResult:
    """A report that was written.

    Attributes:
        path: the report.
        answers: how many answers are in it.
        pictures: how many of them with a picture of their place.
        notes: one sentence for each thing that a user should know of it.
    """

    path: Path
    answers: int
    pictures: int
    notes: tuple[str, ...]


def report(
    items: Iterable[GridItem],
    out: str | os.PathLike[str],
    *,
    title: str | None = None,
    reader: str | None = None,
    made: datetime | None = None,
    sources: Mapping[str, Source] | None = None,
    warnings: Mapping[str, Sequence[str]] | None = None,
    notes: Sequence[str] = (),
    pictures: bool = True,
    password: str | None = None,
    isolate: bool = False,
    limits: Limits | None = None,
) -> ReportResult:
    """Write one HTML page with every outcome: answers in their sentences, places, pictures.

    The page holds no script and asks for nothing outside. It links to the files where they are, by
    paths relative to its own folder. Answers in a PDF come with a picture of their place. Outcomes
    without an answer and errors are listed too.

    Args:
        items: outcomes, as `Pipeline.ask_all` gives them.
        out: the page; a file that is there is replaced, but never one of the sources.
        title: of the page; None says how many documents and questions there are.
        reader: the name of the model that read, to be said in the page.
        made: when it was asked; None for now.
        sources: originals of documents that are at no path, such as bytes, by the source's name.
        warnings: what should be known of a source, by its name.
        notes: sentences to stand at the top of the page.
        pictures: False leaves the pictures of pages out.
        password: opens encrypted PDFs.
        isolate: draw pictures in a worker process; see `docqa.load_settings.LoadSettings`.
        limits: of drawing one.

    Raises:
        HighlightError: the page cannot be written.
        SettingError: there are no outcomes, `items` are something else, or `out` would overwrite
            a source.
    """
    target, kept = Path(out), tuple(items)
    if not kept:
        raise SettingError("there is nothing to report: no question was asked of any source")
    for item in kept:
        if not isinstance(item, GridItem):
            raise SettingError(
                "report takes the items of docqa.Pipeline().ask_all(sources, questions), not "
                f"{type(item).__name__}"
            )
    for source in {item.source for item in kept} - {"-"}:
        if "\0" not in source:  # no path has one
            require_new_file(target, Path(source))
    found = ReportItems(kept, target.parent, warnings or {})
    wanted = found.answers if pictures else ()
    crop = partial(_crop, password=password, isolate=isolate, limits=limits)
    most_bytes = LoadSettings(isolate=isolate, limits=limits).effective_limits.file_bytes
    read = partial(read_original, out=target, most_bytes=most_bytes)
    problems = _add_pictures(wanted, sources or {}, read, crop)
    page = render(
        "report.html",
        items=found,
        title=title or _title(found),
        reader=reader,
        made=made or datetime.now().astimezone(),
        notes=[*notes, *problems],
    )
    write_new_file(target, page)
    shown = sum(entry.picture is not None for entry in found.answers)
    return ReportResult(target, len(found.answers), shown, problems)


def _title(found: ReportItems) -> str:
    if len(found.files) == 1:
        return f"Answers from {found.files[0].name}"
    return f"Answers from {len(found.files):,} documents"


def _add_pictures(
    answers: Sequence[AnswerEntry],
    sources: Mapping[str, Source],
    read: Callable[[DocumentInfo, Source | None], bytes],
    crop_of: Callable[[bytes, AnswerEntry], PageCrop],
) -> tuple[str, ...]:
    """Give answers in PDFs a picture, the best ones first; return a note on each that has none."""
    paged = [entry for entry in answers if _boxes(entry)]
    by_document: defaultdict[DocumentInfo, list[AnswerEntry]] = defaultdict(list)
    for entry in paged[:_MOST_PICTURES]:
        by_document[entry.answer.document].append(entry)
    size, notes = 0, dict[str, None]()
    for document, entries in by_document.items():
        try:
            data = read(document, sources.get(document.source))
        except (HighlightError, LoadError) as error:
            notes[f"No pictures of pages: {error}"] = None
            continue
        for entry in entries:
            if size >= _MOST_PICTURE_BYTES:
                break
            try:
                crop = crop_of(data, entry)
            except (HighlightError, LoadError, SettingError) as error:
                notes[f"{document.source}: no picture of {entry.place}: {error}"] = None
                continue
            size += len(crop.data)
            entry.picture = _picture(crop)
    left = sum(entry.picture is None for entry in paged)
    if size >= _MOST_PICTURE_BYTES or len(paged) > _MOST_PICTURES:
        have = "answer has no picture of its" if left == 1 else "answers have no picture of their"
        notes[f"To keep this page small, {left:,} {have} place."] = None
    return tuple(notes)


def _boxes(entry: AnswerEntry) -> PageLocation | None:
    """Return the first place of an answer, where it has rectangles on a page."""
    return next(boxed_places(entry.answer.locations[:1]), None)


def _crop(
    data: bytes,
    entry: AnswerEntry,
    *,
    password: str | None,
    isolate: bool,
    limits: Limits | None,
) -> PageCrop:
    place = _boxes(entry)
    assert place is not None  # the caller chose those that have one
    assert place.boxes is not None
    shades = colour(0)
    return work_on(
        entry.answer.document.source,
        page_crop,
        data,
        place.page_number,
        place.boxes,
        isolate=isolate,
        limits=limits,
        fill=shades.fill,
        line=shades.line,
        password=password,
    )


def _picture(crop: PageCrop) -> Picture:
    encoded = base64.b64encode(crop.data).decode("ascii")
    return Picture(f"data:{crop.media_type};base64,{encoded}", crop.width, crop.height)
