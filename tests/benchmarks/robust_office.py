"""Check Word, PowerPoint and EPUB on files that other programs wrote: positions, words, time.

Run ``python tests/benchmarks/robust_office.py [--pages N] [--spans N]`` with ``DOCQA_DATA`` set to
the folder that holds ``robust/html``. pandoc and LibreOffice (``soffice``) write the pages there as
Word, PowerPoint and EPUB files. Positions are judged by lxml and html5lib, which see only the
unzipped parts; the words of a Word file by LibreOffice's own text of it, its bullets and numbers of
list items aside.
"""

from __future__ import annotations

import argparse
import difflib
import io
import os
import random
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import html5lib
from lxml import etree

import docqa
from docqa.datamodel import Document, Location, PartLocation, SourceLocation, Span

_NAMES = {
    "w": "http://schemas.openxmlformats.org/wordprocessingml/2006/main",
    "p": "http://schemas.openxmlformats.org/presentationml/2006/main",
    "a": "http://schemas.openxmlformats.org/drawingml/2006/main",
    "m": "http://schemas.openxmlformats.org/officeDocument/2006/math",
    "mc": "http://schemas.openxmlformats.org/markup-compatibility/2006",
    "wps": "http://schemas.microsoft.com/office/word/2010/wordprocessingShape",
    "wp": "http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing",
}
_CHARACTERS = {"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
_LENGTHS = (1, 5, 20, 80, 300)


@dataclass
class Tally:
    """Count what was seen of the files of one writer."""

    files: int = 0
    failed: int = 0
    characters: int = 0
    spans: int = 0
    right: int = 0
    words: int = 0
    agreeing: int = 0
    seconds: float = 0.0

    def row(self, name: str) -> str:
        """Return a row of the table."""
        words = f"{self.agreeing / self.words:.4f}" if self.words else "-"
        speed = self.characters / 1e6 / self.seconds if self.seconds else 0.0
        return (
            f"{name:18}{self.files:6}{self.failed:8}{self.characters:12,}"
            f"{self.right:8,} of {self.spans:7,}{words:>9}{speed:8.2f}"
        )


def write(page: Path, folder: Path, writer: str, suffix: str) -> Path | None:
    """Return the page as another program writes it, or None where that fails."""
    target = folder / f"{page.stem}.{suffix}"
    target.unlink(missing_ok=True)
    command = ["pandoc", "-f", "html", str(page), "-o", str(target), "--quiet"]
    if writer == "soffice":
        infilter = "--infilter=HTML (StarWriter)"
        command = ["soffice", "--headless", infilter, "--convert-to", suffix]
        command += ["--outdir", str(folder), str(page)]
    subprocess.run(command, capture_output=True, check=False, timeout=120)
    return target if target.exists() else None


def office_words(path: Path) -> list[str]:
    """Return the words of a Word file as LibreOffice writes them to a text file."""
    command = ["soffice", "--headless", "--convert-to", "txt:Text (encoded):UTF8"]
    command += ["--outdir", str(path.parent), str(path)]
    subprocess.run(command, capture_output=True, check=False, timeout=120)
    return path.with_suffix(".txt").read_text(encoding="utf-8-sig").split()


def characters(element: etree._Element) -> str:
    """Return a paragraph's text as `PartLocation` counts it."""
    pieces = []
    runs = ".//*[self::w:t or self::a:t or self::a:br or self::m:t or parent::w:r]"
    for one in element.xpath(runs, namespaces=_NAMES):
        name = etree.QName(one).localname
        nearest = one.xpath("ancestor::*[self::w:p or self::a:p][1]", namespaces=_NAMES)[0]
        hidden = one.xpath("ancestor::mc:Fallback or ancestor::w:del", namespaces=_NAMES)
        if nearest is element and not hidden:
            pieces.append((one.text or "") if name == "t" else _CHARACTERS.get(name, ""))
    return "".join(pieces)


def words_at(parts: dict[str, bytes], place: Location) -> str:
    """Return what an independent parser reads at a place of the unzipped file."""
    if isinstance(place, SourceLocation):
        source = parts[str(place.part)].decode()
        return "".join(html5lib.parseFragment(place.span.of(source)).itertext())
    assert isinstance(place, PartLocation)
    [element] = etree.fromstring(parts[place.part]).xpath(place.xpath, namespaces=_NAMES)
    return place.span.of(characters(element))


def some_spans(text: str, count: int, seed: str) -> Iterator[Span]:
    """Yield random spans of several lengths."""
    choose = random.Random(seed)
    for _ in range(count):
        start = choose.randrange(len(text))
        span = Span(start, min(len(text), start + choose.choice(_LENGTHS)))
        if span.of(text).strip():
            yield span


def judge(path: Path, tally: Tally, n_spans: int, *, by_words: bool) -> None:
    """Load a file and add what an independent reader says of it."""
    data, start = path.read_bytes(), time.process_time()
    try:
        document = docqa.load(data, name=path.name)
    except docqa.LoadError as error:
        tally.failed += 1
        print(f"  {error}", file=sys.stderr)
        return
    tally.seconds += time.process_time() - start
    tally.files, tally.characters = tally.files + 1, tally.characters + len(document.text)
    check_spans(document, data, tally, n_spans)
    if by_words:
        theirs, ours = office_words(path), document.text.split()
        blocks = difflib.SequenceMatcher(None, theirs, ours, autojunk=False).get_matching_blocks()
        tally.words += len(ours)
        tally.agreeing += sum(block.size for block in blocks)


def check_spans(document: Document, data: bytes, tally: Tally, n_spans: int) -> None:
    """Count the spans whose places hold their words."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    for span in some_spans(document.text, n_spans, document.id):
        found = "".join(words_at(parts, place) for place in document.locate(span))
        tally.spans += 1
        right = "".join(found.split()) == "".join(span.of(document.text).split())
        tally.right += right
        if not right:
            print(f"  {document.source} {span}: {found!r}", file=sys.stderr)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=40)
    parser.add_argument("--spans", type=int, default=100)
    arguments = parser.parse_args()
    folder = Path(os.environ["DOCQA_DATA"]) / "robust" / "html"
    pages = sorted(path for path in folder.glob("*.html") if ".content" not in path.name)
    print(f"{'writer':18}{'files':>6}{'failed':>8}{'characters':>12}{'spans right':>19}", end="")
    print(f"{'words':>9}{'MB/s':>8}")
    writers = [("pandoc", one) for one in ("docx", "pptx", "epub")] + [("soffice", "docx")]
    for writer, suffix in writers:
        tally = Tally()
        for page in pages[: arguments.pages]:
            with tempfile.TemporaryDirectory() as made:
                path = write(page, Path(made), writer, suffix)
                if path is not None:
                    judge(path, tally, arguments.spans, by_words=suffix == "docx")
        print(tally.row(f"{writer} {suffix}"), flush=True)


if __name__ == "__main__":
    main()
