"""Check the PDF selectors with poppler: the words inside the rectangles are the quote.

    DOCQA_DATA=.../data python tests/benchmarks/poppler_places.py [--spans 5] [--pages 6]

Random words of robust/pdf and dev/pdf-qa are cited. From the W3C target alone (page number and SVG
rectangles) the words are looked up in the output of ``pdftotext -bbox -cropbox``: those whose
centre lies in a rectangle, in poppler's order, must be the quote, characters compared without white
space after NFKC (ligatures). Poppler counts in points from the top left of the crop box, as docqa
does. ``--verbose`` shows each difference.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import subprocess
import unicodedata
from collections import Counter
from html import unescape
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import docqa
from docqa.datamodel import Document, Page, Span

_LENGTHS = (1, 2, 3, 5, 8)
_PAGE = re.compile(r'<page width="([\d.]+)" height="([\d.]+)">(.*?)</page>', re.DOTALL)
_WORD = re.compile(
    r'<word xMin="(\S+)" yMin="(\S+)" xMax="(\S+)" yMax="(\S+)">(.*?)</word>', re.DOTALL
)
_INVISIBLE = re.compile("[\\s\u00ad\u200b-\u200f\ufeff\x00-\x1f\ufffd-]+")


def poppler_words(path: Path, number: int) -> list[tuple[float, float, str]]:
    """Return the centre and text of each word that poppler sees on a page."""
    command = [
        "pdftotext",
        "-bbox",
        "-cropbox",
        "-f",
        str(number),
        "-l",
        str(number),
        str(path),
        "-",
    ]
    done = subprocess.run(command, capture_output=True, check=False, timeout=60)
    words = []
    for page in _PAGE.finditer(done.stdout.decode("utf-8", "replace")):
        for left, top, right, bottom, text in _WORD.findall(page[3]):
            x, y = (float(left) + float(right)) / 2, (float(top) + float(bottom)) / 2
            words.append((x, y, unescape(text)))
    return words


def bare(text: str) -> str:
    """Return the characters that two extractors can agree on."""
    return _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))


def rectangles(target: dict[str, Any]) -> tuple[int, list[tuple[float, float, float, float]]]:
    """Return page number and rectangles (left, top, right, bottom) of a target."""
    (page,) = (one for one in target["selector"] if one["type"] == "FragmentSelector")
    boxes = []
    for shape in ElementTree.fromstring(page["refinedBy"]["value"]):
        x, y, width, height = (float(shape.attrib[k]) for k in ("x", "y", "width", "height"))
        boxes.append((x, y, x + width, y + height))
    return int(page["value"].removeprefix("page=")), boxes


def outcome(target: dict[str, Any], words: list[tuple[float, float, str]]) -> tuple[str, str]:
    """Compare the words in a target's rectangles with its quote."""
    quote = bare(target["selector"][0]["exact"])
    boxes = rectangles(target)[1]
    inside = [
        text
        for x, y, text in words
        if any(left <= x <= right and top <= y <= bottom for left, top, right, bottom in boxes)
    ]
    found = bare("".join(inside))
    if found == quote:
        return "same", found
    if sorted(found) == sorted(quote):
        return "same words, other order", found
    if not found:
        return "poppler sees no word there", found
    if quote in found:
        return "poppler's words are longer", found
    return "other words", found


def random_spans(document: Document, page: Page, count: int, chance: random.Random) -> list[Span]:
    """Return random runs of words of a page."""
    text = page.span.of(document.text)
    words = [Span(*match.span()).shift(page.span.start) for match in re.finditer(r"\S+", text)]
    spans = []
    for _ in range(count if words else 0):
        first = chance.randrange(len(words))
        last = min(len(words) - 1, first + chance.choice(_LENGTHS) - 1)
        spans.append(Span(words[first].start, words[last].end))
    return spans


def check(
    path: Path, spans: int, pages: int, chance: random.Random, *, verbose: bool
) -> Counter[str]:
    """Check random spans of some pages of a file."""
    tally: Counter[str] = Counter()
    try:
        document = docqa.load(str(path))
    except docqa.LoadError:
        return tally
    with document:
        readable = [page for page in document.pages if not page.is_garbled and page.span]
        for page in chance.sample(readable, min(pages, len(readable))):
            words = poppler_words(path, page.number)
            for span in random_spans(document, page, spans, chance):
                answer = docqa.cite(document, span)
                if not getattr(answer.locations[0], "boxes", None):
                    tally["no rectangles"] += 1
                    continue
                kind, found = outcome(answer.to_dict()["target"], words)
                tally[kind] += 1
                if verbose and kind != "same":
                    print(f"  {path.name[:40]} p{page.number} {kind}: {answer.text!r} / {found!r}")
    return tally


def main() -> int:
    """Run over the files and print the counts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spans", type=int, default=5, help="of each page")
    parser.add_argument("--pages", type=int, default=6, help="of each file")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--verbose", action="store_true")
    given = parser.parse_args()
    folder = Path(os.environ["DOCQA_DATA"])
    for name in ("robust/pdf", "dev/pdf-qa"):
        paths = sorted(path for path in (folder / name).rglob("*") if path.suffix.lower() == ".pdf")
        total: Counter[str] = Counter()
        for path in paths:
            chance = random.Random(f"{given.seed} {path.name}")
            total += check(path, given.spans, given.pages, chance, verbose=given.verbose)
        print(f"{name}: {len(paths)} files, {sum(total.values()):,} citations: {dict(total)}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
