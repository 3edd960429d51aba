"""Read the pages of a PDF that show text but hold none, or none that means anything.

A page that is an image, or that holds no letter but shows something (programs for print turn
letters into curves), keeps the few words that it has, and the words read are added behind them;
what is read where the page's own text or a filled field stands is left out. A page whose characters
have no known meaning is read as a whole, and what is read takes the place of its text where the
reading is sure and says something else: some such pages are flagged and still right, as are
drawings that OCR cannot read.
"""

from __future__ import annotations

import math
import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

from docqa._pdfium import Frame, PdfiumError, PdfPage, UserBox
from docqa.datamodel import Box, Page, Span
from docqa.loaders.ocr.layout import layout_before
from docqa.loaders.offset_map import OffsetMapBuilder
from docqa.loaders.pdf.crop import lies_outside
from docqa.loaders.pdf.pages import ReadPage
from docqa.loaders.pdf.placed import PlacedText
from docqa.loaders.pdf.text import PageText, TextInsertion, insert, printable
from docqa.ocr_engine import OcrEngine, OcrResult, OcrWord, PageImage, PixelBox, read_image

__all__ = ["Scan", "read_scans", "scan_of"]

_DPI = 300  # measured: reads the most of poor scans; 200 is a fifth faster, 150 loses 3 %
_MOST_PIXELS = 30_000_000  # a page; A3 at 300 dpi has 17 million
_LONGEST_SIDE = 32_000  # pixels; Tesseract refuses from 32,768
_MOST_PROCESSES = 4  # pages read side by side; each takes up to 200 MB
# A page flagged as garbled is read again if ... (docs/measurements/ocr.md has the pages)
_SURE = 0.8  # ... the reading has this confidence: 0.85 to 0.96 on pages of words
_SAME_WORDS = 0.8  # ... and fewer of its words are the page's own: 0.98 are where those are right


@dataclass(frozen=True, slots=True)
class Scan:
    """The image and frame by which a page is read that is no longer open.

    Attributes:
        image: the displayed page.
        frame: the way from it to user space.
        known: where text stands that need not be read, in user space.
        is_replaced: the page's own characters give way to what is read.
    """

    image: PageImage
    frame: Frame
    known: tuple[UserBox, ...]
    is_replaced: bool


def scan_of(page: PdfPage, read: ReadPage) -> Scan | None:
    """Return the image of a loaded page that needs to be read, None for every other page."""
    is_garbled = read.garbled > Page.GARBLED_SHARE
    if not (read.needs_ocr or is_garbled or _is_drawn(page, read)):
        return None
    if min(page.frame.width, page.frame.height) <= 0:
        return None
    try:
        image = _image(page)
    except PdfiumError:
        return None
    own = () if is_garbled else tuple(place.box for place in page.places())
    known = (*own, *(field.box for field in read.placed))
    return Scan(image, page.frame, known, is_garbled)


def _is_drawn(page: PdfPage, read: ReadPage) -> bool:
    """Say whether a page holds no letter or digit but shows something: its text may be curves."""
    return not page.is_blank() and not any(map(str.isalnum, read.content.text))


def _image(page: PdfPage) -> PageImage:
    width, height = page.frame.width, page.frame.height
    largest = min(math.sqrt(_MOST_PIXELS / (width * height)), _LONGEST_SIDE / max(width, height))
    dpi = max(1, min(_DPI, int(72 * largest)))
    return PageImage(*page.render_gray(dpi / 72), dpi)


def read_scans(
    pages: Iterable[tuple[ReadPage, Scan | None]], engine: OcrEngine | None
) -> Iterator[ReadPage]:
    """Yield the pages in their order, with the words of their scans; without an engine as they are.

    Several are read side by side; no more images than that are held.
    """
    if engine is None:
        yield from (page for page, _ in pages)
        return
    n_threads = min(_MOST_PROCESSES, _processors())
    threads = ThreadPoolExecutor(n_threads, thread_name_prefix="docqa-ocr")
    waiting: deque[tuple[ReadPage, Future[ReadPage] | None]] = deque()
    try:
        for page, scan in pages:
            future = threads.submit(_with_reading, engine, page, scan) if scan else None
            waiting.append((page, future))
            while waiting and (_is_ready(waiting[0][1]) or _unread(waiting) > n_threads):
                yield _finished(*waiting.popleft())
        while waiting:
            yield _finished(*waiting.popleft())
    finally:
        threads.shutdown(cancel_futures=True)


def _processors() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS and Windows
        return os.cpu_count() or 1


def _is_ready(future: Future[ReadPage] | None) -> bool:
    return future is None or future.done()


def _unread(waiting: Iterable[tuple[ReadPage, Future[ReadPage] | None]]) -> int:
    return sum(not _is_ready(future) for _, future in waiting)


def _finished(page: ReadPage, future: Future[ReadPage] | None) -> ReadPage:
    return page if future is None else future.result()


def _with_reading(engine: OcrEngine, page: ReadPage, scan: Scan) -> ReadPage:
    """Return a page with the words that an engine reads in its image."""
    reading = read_image(engine, scan.image)
    if scan.is_replaced and not _is_better(reading, page.content.text):
        return replace(page, reading=reading)
    words = [word for word in reading.words if not _is_known(scan, word)]
    if not words:
        return replace(page, reading=reading)
    content = PageText("", OffsetMapBuilder().build()) if scan.is_replaced else page.content
    placed, insertions = _placed(scan, words, content, page.source_length)
    return replace(
        page,
        content=insert(content, insertions),
        tables=() if scan.is_replaced else page.tables,
        source_length=placed[-1].source.end,
        placed=(*page.placed, *placed),
        reading=reading,
        is_read=True,
    )


def _is_better(reading: OcrResult, own: str) -> bool:
    """Say whether the words read of a page are sure, and others than its own text."""
    known = set(own.split())
    same = sum(word.text in known for word in reading.words)
    return reading.confidence >= _SURE and same < _SAME_WORDS * len(reading.words)


def _is_known(scan: Scan, word: OcrWord) -> bool:
    box = _user_box(scan, word.box)
    return any(not lies_outside(box, known) for known in scan.known)


def _user_box(scan: Scan, box: PixelBox) -> UserBox:
    """Return a box of the image in user space; the image shows the page a little rounded."""
    across = scan.frame.width / scan.image.width
    down = scan.frame.height / scan.image.height
    shown = Box(box.left * across, box.top * down, box.right * across, box.bottom * down)
    return scan.frame.user(shown)


def _placed(
    scan: Scan, words: Sequence[OcrWord], content: PageText, source: int
) -> tuple[list[PlacedText], list[TextInsertion]]:
    """Return the words as characters behind a page's own, from source index `source` on."""
    placed: list[PlacedText] = []
    insertions: list[TextInsertion] = []
    position = len(content.text)
    for word, layout in zip(words, layout_before(words), strict=True):
        text = printable(word.text)
        span = Span(source, source + len(text))
        box = _user_box(scan, word.box)
        placed.append(PlacedText(span, box, word.line, round(word.confidence, 3)))
        before = "\n\n" if position and not insertions else layout
        insertions.append(TextInsertion(position, text, source, before, ""))
        source = span.end
    return placed, insertions
