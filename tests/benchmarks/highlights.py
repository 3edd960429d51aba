"""Highlight random spans of real PDFs, and compare what two renderers show before and after.

    DOCQA_DATA=.../data python tests/benchmarks/highlights.py [--robust 45] [--filings 10]
        [--spans 3] [--poppler] [--keep FOLDER] [--verbose] [NAME ...]

Every file gets one copy with all its spans highlighted. A highlighted page counts as right when the
bounding box of all pixels that differ is that of the spans' rectangles, to 4 pixels at 144 pixels
an inch, and no pixel differs further than 4 pixels from every rectangle. Then: how many copies
begin with all bytes of the original, and how many have the same text on every page.

Spans are taken on different pages where there are several. PDFium draws; with --poppler its
`pdftoppm` does too, which shares no code with what wrote the copy. A page on which white paper
cannot be seen (black, or as yellow as the highlight) is named, and counts as wrong.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageChops, ImageDraw

from docqa.datamodel import Answer, Box, Document, PageLocation, Passage, Span
from docqa.errors import DocqaError, LoadError
from docqa.highlighting.page_image import draw_page
from docqa.loaders.pdf.loader import PdfLoader
from docqa.showing.marked_copy import highlight

SCALE = 2.0  # pixels per point: 144 an inch
TOLERANCE = 4  # pixels
LEAST_CHANGE = 8  # of 255: less is a renderer's rounding

Render = Callable[[bytes, int], Image.Image]
Edges = tuple[int, int, int, int]


@dataclass
class Tally:
    """Count pages and files."""

    files: int = 0
    not_loaded: int = 0
    without_boxes: int = 0
    refused: list[str] = field(default_factory=list)
    kept: int = 0
    same_text: int = 0
    pages: Counter[str] = field(default_factory=Counter)
    right: Counter[str] = field(default_factory=Counter)
    right_files: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0


def random_answers(document: Document, count: int, seed: str) -> list[Answer]:
    """Return answers over random spans of 5 to 200 characters, each on a page of its own."""
    chance = random.Random(seed)
    pages = [page for page in document.pages if len(page.span.of(document.text).split()) > 3]
    answers = []
    for page in chance.sample(pages, min(count, len(pages))):
        start = chance.randrange(page.span.start, page.span.end)
        span = Span(start, min(page.span.end, start + chance.randrange(5, 200)))
        if not span.of(document.text).strip():
            continue
        locations = document.locate(span)
        if not any(isinstance(each, PageLocation) and each.boxes for each in locations):
            continue
        answers.append(
            Answer(
                question=f"What stands on page {page.number}?",
                text=span.of(document.text),
                score=chance.random(),
                start=span.start,
                end=span.end,
                document=document.info,
                passage=Passage(document.id, 0, span, span.of(document.text)),
                locations=locations,
            )
        )
    return answers


def by_pdfium(data: bytes, page_number: int) -> Image.Image:
    """Return the picture of a page as PDFium draws it."""
    return Image.open(BytesIO(draw_page(data, page_number, scale=SCALE))).convert("RGB")


def by_poppler(data: bytes, page_number: int) -> Image.Image:
    """Return the picture of a page as poppler draws it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "page.pdf"
        path.write_bytes(data)
        page, dots = str(page_number), str(round(72 * SCALE))
        command = ["pdftoppm", "-cropbox", "-r", dots, "-f", page, "-l", page, "-singlefile"]
        subprocess.run(
            [*command, "-png", str(path), str(path)],
            check=False,
            capture_output=True,
            timeout=120,
        )
        return Image.open(f"{path}.png").convert("RGB")


def changed(before: Image.Image, after: Image.Image) -> Image.Image:
    """Return a mask of the pixels that differ."""
    difference = ImageChops.difference(before, after)
    most = difference.split()
    mask = ImageChops.lighter(ImageChops.lighter(most[0], most[1]), most[2])
    return mask.point(lambda value: 255 if value > LEAST_CHANGE else 0)


def pixels(box: Box, margin: int = 0) -> Edges:
    """Return the pixels of a box: left, top, right and bottom, the last two not included."""
    left, top, right, bottom = (round(e * SCALE) for e in (box.x0, box.top, box.x1, box.bottom))
    return left - margin, top - margin, right + margin, bottom + margin


def fault(before: Image.Image, after: Image.Image, boxes: Iterable[Box]) -> str | None:
    """Return what is wrong with the place of a page's highlights, or None."""
    if before.size != after.size:
        return f"the size of the page went from {before.size} to {after.size}"
    mask, edges = changed(before, after), [pixels(box) for box in boxes]
    found = mask.getbbox()
    width, height = before.size
    expected = (
        max(0, min(e[0] for e in edges)),
        max(0, min(e[1] for e in edges)),
        min(width, max(e[2] for e in edges)),
        min(height, max(e[3] for e in edges)),
    )
    if found is None:
        return f"nothing differs; expected {expected}"
    if max(abs(one - other) for one, other in zip(found, expected, strict=True)) > TOLERANCE:
        return f"differs in {found}; expected {expected}"
    outside = mask.copy()
    draw = ImageDraw.Draw(outside)
    for left, top, right, bottom in (pixels(box, TOLERANCE) for box in boxes):
        draw.rectangle((left, top, right - 1, bottom - 1), fill=0)
    stray = outside.getbbox()
    return None if stray is None else f"pixels outside the rectangles differ: {stray}"


def texts(data: bytes) -> str:
    """Return the text of a file, loaded again."""
    with PdfLoader().load(data, source="copy") as document:
        return document.text


def measure(
    path: Path, renderers: dict[str, Render], tally: Tally, options: argparse.Namespace
) -> None:
    """Highlight one file, compare its pages, and count."""
    data = path.read_bytes()
    tally.files += 1
    try:
        document = PdfLoader().load(data, source=str(path))
    except LoadError:
        tally.not_loaded += 1
        return
    with document:
        answers = random_answers(document, options.spans, path.name)
    if not answers:
        tally.without_boxes += 1
        return
    with tempfile.TemporaryDirectory() as folder:
        out, start = Path(options.keep or folder) / f"marked-{path.name}", time.process_time()
        try:
            result = highlight(answers, out, source=data)
        except DocqaError as error:
            tally.refused.append(f"{path.name}: {error}")
            return
        tally.seconds += time.process_time() - start
        copy = out.read_bytes()
    tally.kept += copy.startswith(data)
    tally.same_text += texts(copy) == document.text
    for note in result.notes if options.verbose else ():
        print(f"{path.name}: note: {note}")
    for name, render in renderers.items():
        faults = [compared(path.name, render, data, copy, answer) for answer in answers]
        tally.pages[name] += len(faults)
        tally.right[name] += sum(not wrong for wrong in faults)
        tally.right_files[name] += not any(faults)
        for wrong in filter(None, faults):
            print(f"{name}: {wrong}")


def compared(name: str, render: Render, data: bytes, copy: bytes, answer: Answer) -> str | None:
    """Return what is wrong with the highlights of an answer, with the file's name, or None."""
    (location,) = answer.locations
    assert isinstance(location, PageLocation)
    number = location.page_number
    try:
        wrong = fault(render(data, number), render(copy, number), location.boxes or ())
    except (OSError, subprocess.TimeoutExpired) as error:
        wrong = f"not drawn: {error}"
    return f"{name}, page {number}: {wrong}" if wrong else None


def main() -> int:
    """Print the counts; return 1 if a highlight is not where it belongs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--robust", type=int, default=45, help="files of robust/pdf")
    parser.add_argument("--filings", type=int, default=10, help="files of dev/pdf-qa")
    parser.add_argument("--spans", type=int, default=3)
    parser.add_argument("--poppler", action="store_true")
    parser.add_argument("--keep", type=Path, help="leave the copies in this folder")
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("names", nargs="*", help="only files whose name contains one of these")
    options = parser.parse_args()
    renderers: dict[str, Render] = {"PDFium": by_pdfium}
    if options.poppler:
        renderers["poppler"] = by_poppler
    data = Path(os.environ["DOCQA_DATA"])
    chance = random.Random(2)
    wrong = 0
    for folder, count in (("robust/pdf", options.robust), ("dev/pdf-qa/pdfs", options.filings)):
        paths = sorted(p for p in (data / folder).iterdir() if p.suffix.lower() == ".pdf")
        paths = [p for p in paths if not options.names or any(n in p.name for n in options.names)]
        tally = Tally()
        # Files that do not load, or have no words, give nothing to look at: draw on.
        for path in chance.sample(paths, len(paths)):
            done = tally.files - tally.not_loaded - tally.without_boxes
            if done >= count:
                break
            measure(path, renderers, tally, options)
        wrong += report(folder, tally)
    return 1 if wrong else 0


def report(folder: str, tally: Tally) -> int:
    """Print one folder's counts; return how many pages and files are wrong."""
    marked = tally.files - tally.not_loaded - tally.without_boxes
    print(f"\n{folder}: {marked} files to mark (passed over: {tally.not_loaded} not readable,")
    print(f"  {tally.without_boxes} without words or rectangles)")
    copies = marked - len(tally.refused)
    for refusal in tally.refused:
        print(f"  refused: {refusal}")
    for name, pages in tally.pages.items():
        right = f"{tally.right[name]} of {pages} pages, {tally.right_files[name]} of {copies} files"
        print(f"  right by {name}: {right}")
    print(f"  original bytes kept: {tally.kept} of {copies}; same text: {tally.same_text}")
    print(f"  {tally.seconds / max(1, copies):.2f} s of CPU a copy")
    return sum(tally.pages.values()) - sum(tally.right.values()) + len(tally.refused)


if __name__ == "__main__":
    sys.exit(main())
