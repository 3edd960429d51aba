"""Load every awkward PDF and check random spans' rectangles against PDFium's character boxes.

    DOCQA_DATA=.../data python tests/benchmarks/robust_pdf.py [--spans 200] [--verbose] [NAME ...]

Prints by kind how many files end as a document, as a clear error, or as a crash; then spans tried
and failed. A span fails when the centre of the ink of one of its characters lies in none of its
rectangles, or when a rectangle holds the centre of a character that is not the span's (and does
not lie on top of one that is: letters printed twice, ligatures).

The check shares nothing with the loader but PDFium: characters are aligned with the text again, and
PDFium itself turns their centres into the displayed page's coordinates.
"""

from __future__ import annotations

import argparse
import csv
import ctypes
import os
import random
import sys
import time
import traceback
from collections import Counter, defaultdict
from pathlib import Path

import pypdfium2
import pypdfium2.raw as pdfium

from docqa.datamodel import Document, PageLocation, Span
from docqa.errors import LoadError
from docqa.loaders.pdf.loader import PdfLoader

SCALE = 100  # device units per point: PDFium gives whole ones
TOLERANCE = 0.03  # points: rounding to device units and to the boxes' decimals


class Oracle:
    """Give the displayed centre of every character of a page's text."""

    def __init__(self, data: bytes) -> None:
        self.pdf = pypdfium2.PdfDocument(data)
        self.pages: dict[int, list[tuple[float, float, float, float] | None]] = {}

    def boxes(
        self, document: Document, index: int
    ) -> list[tuple[float, float, float, float] | None]:
        """Return one displayed ink box or None for each character of the page's text."""
        if index not in self.pages:
            self.pages[index] = self._read(document, index)
        return self.pages[index]

    def _read(
        self, document: Document, index: int
    ) -> list[tuple[float, float, float, float] | None]:
        page = self.pdf[index]
        text_page = page.get_textpage()
        size = [round(length * SCALE) for length in page.get_size()]
        boxes: list[tuple[float, float, float, float] | None] = []
        for number in aligned(document, index, text_page):
            box = None if number is None else ink(text_page, number)
            boxes.append(None if box is None else displayed(page, size, box))
        text_page.close()
        page.close()
        return boxes


def aligned(document: Document, index: int, text_page: pypdfium2.PdfTextPage) -> list[int | None]:
    """Return PDFium's character index for each character of a page's text."""
    count = text_page.count_chars()
    codes = [pdfium.FPDFText_GetUnicode(text_page.raw, number) for number in range(count)]
    indexes: list[int | None] = []
    number = 0
    while number < count:
        indexes.append(number)
        pair = codes[number : number + 2]
        is_pair = pair == [13, 10] or (
            len(pair) == 2 and 0xD800 <= pair[0] < 0xDC00 <= pair[1] < 0xE000
        )
        number += 2 if is_pair else 1
    text = document.pages[index].span.of(document.text)
    same = (
        codes[number] == ord(text[place])
        for place, number in enumerate(indexes[: len(text)])
        if text[place : place + 1].isascii() and text[place].isalnum()
    )
    if len(indexes) == len(text) and all(same):
        return indexes
    return through_map(document, index)  # form values, characters left out or in another order


def through_map(document: Document, index: int) -> list[int | None]:
    """Return the character indexes that the document's own map gives."""
    source = document.source_map._source
    start = source.source_starts[index]
    indexes: list[int | None] = []
    span = document.pages[index].span
    fields = source.placed.get(index, ())
    first_field = min((field.source.start for field in fields), default=1 << 40)
    for offset in range(span.start, span.end):
        ranges = source.offsets.to_source(Span(offset, offset + 1))
        number = ranges[0].start - start if ranges else None
        indexes.append(None if number is None or number >= first_field else number)
    return indexes


def ink(text_page: pypdfium2.PdfTextPage, number: int) -> tuple[float, ...] | None:
    """Return a character's strict box in user space, None where it has none."""
    if pdfium.FPDFText_IsGenerated(text_page.raw, number) == 1:
        return None
    if chr(min(pdfium.FPDFText_GetUnicode(text_page.raw, number), 0x10FFFF)).isspace():
        return None
    left, right, bottom, top = (ctypes.c_double() for _ in range(4))
    pdfium.FPDFText_GetCharBox(text_page.raw, number, left, right, bottom, top)
    if right.value <= left.value or top.value <= bottom.value:
        return None
    return left.value, bottom.value, right.value, top.value


def displayed(
    page: pypdfium2.PdfPage, size: list[int], box: tuple[float, ...]
) -> tuple[float, float, float, float]:
    """Return a user-space box in points from the displayed page's top left corner."""
    corners = []
    for x, y in (box[:2], box[2:]):
        device_x, device_y = ctypes.c_int(), ctypes.c_int()
        pdfium.FPDF_PageToDevice(page, 0, 0, *size, 0, x, y, device_x, device_y)
        corners.append((device_x.value / SCALE, device_y.value / SCALE))
    (x0, y0), (x1, y1) = corners
    return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)


def failure(document: Document, span: Span, oracle: Oracle) -> str | None:
    """Return what is wrong with a span's rectangles, or None."""
    for location in document.locate(span):
        assert isinstance(location, PageLocation)
        page = document.pages[location.page_number - 1]
        if location.boxes is None:
            continue
        boxes = [(box.x0, box.top, box.x1, box.bottom) for box in location.boxes]
        inks = oracle.boxes(document, page.number - 1)
        low, high = max(span.start, page.span.start), min(span.end, page.span.end)
        own = [ink for ink in inks[low - page.span.start : high - page.span.start] if ink]
        for each in own:
            if not any(holds(box, each, -TOLERANCE) for box in boxes):
                return f"page {page.number}: a character of the span at {each} is not covered"
        others = [*inks[: low - page.span.start], *inks[high - page.span.start :]]
        for each in others:
            if each is None or not any(holds(box, each, TOLERANCE) for box in boxes):
                continue
            if not any(holds(near, each, 0) or holds(each, near, 0) for near in own):
                return f"page {page.number}: a foreign character at {each} is covered"
    return None


def holds(box: tuple[float, ...], ink: tuple[float, ...], margin: float) -> bool:
    """Return whether the centre of `ink` lies in `box`, at least `margin` from its edges."""
    x, y = (ink[0] + ink[2]) / 2, (ink[1] + ink[3]) / 2
    inside_x = box[0] + margin <= x <= box[2] - margin
    return inside_x and box[1] + margin <= y <= box[3] - margin


def random_spans(document: Document, count: int, seed: str) -> list[Span]:
    """Return spans of 1 to 300 characters that hold more than white space, or fewer."""
    chance, spans = random.Random(seed), []
    if not document.text.strip():
        return []
    while len(spans) < count:
        start = chance.randrange(len(document.text))
        length = min(int(chance.expovariate(1 / 30)) + 1, 300)
        span = Span(start, min(start + length, len(document.text)))
        if span.of(document.text).strip():
            spans.append(span)
    return spans


def main() -> int:
    """Print the tables; return 1 if anything crashed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--spans", type=int, default=200)
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("names", nargs="*", help="only files whose name contains one of these")
    options = parser.parse_args()
    folder = Path(os.environ["DOCQA_DATA"]) / "robust"
    with (folder / "pdf.csv").open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    outcomes: dict[str, Counter[str]] = defaultdict(Counter)
    tried = failed = 0
    warnings: Counter[str] = Counter()
    for row in rows:
        if options.names and not any(name in row["file"] for name in options.names):
            continue
        data, start = (folder / "pdf" / row["file"]).read_bytes(), time.process_time()
        try:
            document = PdfLoader().load(data, source=row["file"])
        except LoadError as error:
            outcomes[row["kind"]][type(error).__name__] += 1
            if options.verbose:
                print(f"{row['file']}: {type(error).__name__}: {error}")
            continue
        except Exception:
            outcomes[row["kind"]]["crash"] += 1
            traceback.print_exc()
            continue
        took = time.process_time() - start
        outcomes[row["kind"]]["document"] += 1
        kinds = Counter(warning.kind for warning in document.warnings)
        warnings += kinds
        spans, wrong = random_spans(document, options.spans, row["file"]), []
        if "pypdfium2" in document.extractor:
            oracle = Oracle(data)
            wrong = [(span, why) for span in spans if (why := failure(document, span, oracle))]
            oracle.pdf.close()
            tried, failed = tried + len(spans), failed + len(wrong)
        document.close()
        if wrong or options.verbose:
            print(
                f"{row['file']}: {len(document.pages)} pages, {len(document.text)} characters, "
                f"{took:.2f} s, {dict(kinds)}, {len(wrong)} of {len(spans)} spans fail"
            )
            for span, why in wrong[: 5 if options.verbose else 1]:
                print(f"    {span.of(document.text)!r}: {why}")
    print_table(outcomes)
    print(f"warnings: {dict(warnings)}")
    print(f"spans tried: {tried}, failed: {failed}")
    return 1 if any(counts["crash"] for counts in outcomes.values()) else 0


def print_table(outcomes: dict[str, Counter[str]]) -> None:
    """Print one row per kind of file, one column per outcome."""
    columns = ["document", *sorted({name for c in outcomes.values() for name in c} - {"document"})]
    print(f"\n{'kind':12}" + "".join(f"{name:>16}" for name in columns))
    for kind in sorted(outcomes):
        print(f"{kind:12}" + "".join(f"{outcomes[kind][name]:16}" for name in columns))
    totals = sum(outcomes.values(), Counter())
    print(f"{'all':12}" + "".join(f"{totals[name]:16}" for name in columns))


if __name__ == "__main__":
    sys.exit(main())
