"""Cite random places of real files, check the citations, edit the files, check again.

    DOCQA_DATA=.../data python tests/benchmarks/citations.py [--citations 10000] [--seed 1]

Every citation is made by `docqa.cite`, the path that answers take, and written as ``docqa ask
--json`` writes it. First `docqa verify` must call all of them exact. Then each file is copied and
edited in ways whose right outcome is known, and the outcomes are counted against it:

- *insert*: a paragraph (in a PDF a page) in front: every citation has moved by what the text grew,
  or is ambiguous where the same words stand in the same surroundings at several places.
- *delete*: the sentence around one citation (in a PDF its page) is cut out: it is gone. The
  citation is chosen so that its words and twelve characters beside them stand there alone.

HTML, text and Markdown are edited in their source; PDFs are written again by pypdf. The text of
every HTML page is also written out as ``.txt`` and ``.md``, since the data holds few of these.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pypdf

import docqa
from docqa.datamodel import Answer, Document, PageLocation, SourceLocation, Span, TextLocation

_LENGTHS = (1, 2, 3, 5, 8, 13)  # words; answers are short
_NOTE = "A paragraph that was not there before stands here now."


def sources(folder: Path) -> list[Path]:
    """Return the files to cite."""
    kinds = {".html", ".pdf"}
    found = [*(folder / "robust").rglob("*"), *(folder / "dev/pdf-qa").rglob("*")]
    return sorted(path for path in found if path.suffix.lower() in kinds)


def copies(paths: Sequence[Path], folder: Path) -> list[Path]:
    """Copy the files, and write the HTML pages' text out as plain text and Markdown."""
    made = []
    for number, path in enumerate(paths):
        copy = folder / f"{number:03}-{path.name.lower()}"
        shutil.copyfile(path, copy)
        made.append(copy)
        if copy.suffix == ".html" and not copy.stem.endswith(".content"):
            text = loaded(copy).text if loaded(copy) is not None else ""
            for suffix in (".txt", ".md"):
                copy.with_suffix(suffix).write_text(text, encoding="utf-8")
                made.append(copy.with_suffix(suffix))
    return made


def loaded(path: Path) -> Document | None:
    """Return the document of a file, or None where it cannot be read or is empty."""
    try:
        document = docqa.load(str(path))
    except docqa.LoadError:
        return None
    return document if len(document.text.split()) > 3 else None


def random_answers(document: Document, count: int, chance: random.Random) -> list[Answer]:
    """Cite `count` random runs of words."""
    words = [Span(*match.span()) for match in re.finditer(r"\S+", document.text)]
    answers = []
    for _ in range(count):
        first = chance.randrange(len(words))
        last = min(len(words) - 1, first + chance.choice(_LENGTHS) - 1)
        span = Span(words[first].start, words[last].end)
        answers.append(docqa.cite(document, span, question="?"))
    return answers


def write(path: Path, answers: Sequence[Answer]) -> None:
    """Write answers as ``docqa ask --json`` does."""
    with path.open("w", encoding="utf-8") as file:
        for answer in answers:
            file.write(json.dumps(answer.to_dict(), ensure_ascii=True) + "\n")


def verified(answers: Path, root: Path) -> tuple[list[dict[str, Any]], int, float]:
    """Run the command; return its records, its exit code and its seconds."""
    command = [sys.executable, "-m", "docqa", "verify", str(answers), "--json", "--root", str(root)]
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - start
    return [json.loads(line) for line in done.stdout.splitlines()], done.returncode, seconds


def insert(path: Path, answer: Answer) -> bool:
    """Put a paragraph, in a PDF a page, in front of everything; say whether it could be done."""
    if path.suffix == ".pdf":
        return rewritten(path, lambda writer: writer.insert_blank_page(595, 842, 0) is not None)
    data = path.read_bytes()
    if path.suffix != ".html":
        path.write_bytes(f"{_NOTE}\n\n".encode() + data)
        return True
    body = re.search(rb"<body\b[^>]*>", data, re.IGNORECASE)
    if body is None or b"\0" in data:
        return False
    path.write_bytes(data[: body.end()] + f"<p>{_NOTE}</p>".encode() + data[body.end() :])
    return True


def delete(path: Path, answer: Answer) -> bool:
    """Cut out the sentence around an answer, in a PDF its page; say whether it could be done."""
    place = answer.locations[0]
    if isinstance(place, PageLocation):
        if len(answer.locations) > 1:
            return False
        index = place.page_number - 1
        return rewritten(path, lambda writer: drop_page(writer, index))
    with docqa.load(str(path)) as document:
        sentence = Span(answer.context_start, answer.context_start + len(answer.context))
        places = document.locate(sentence)
    if len(places) != 1 or not isinstance(places[0], SourceLocation | TextLocation):
        return False
    span = places[0].byte_span
    if span is None:
        return False
    data = path.read_bytes()
    path.write_bytes(data[: span.start] + data[span.end :])
    return True


def drop_page(writer: pypdf.PdfWriter, index: int) -> bool:
    """Take a page out; a document of one page cannot lose it."""
    if len(writer.pages) < 2:
        return False
    writer.remove_page(index)
    return True


def rewritten(path: Path, edit: Callable[[pypdf.PdfWriter], bool]) -> bool:
    """Write a PDF again with pypdf, edited; return whether pypdf could."""
    try:
        writer = pypdf.PdfWriter(clone_from=pypdf.PdfReader(path))
        if not edit(writer):
            return False
        writer.write(path)
    except Exception:  # many of these files are broken on purpose
        return False
    return True


def is_alone(answer: Answer, text: str) -> bool:
    """Return whether an answer's words stand beside the same characters nowhere else.

    White space is folded: a sentence that is repeated breaks its lines elsewhere.
    """
    folded = " ".join(text.split())
    before, after = answer.prefix[-12:] + answer.text, answer.text + answer.suffix[:12]
    return all(folded.count(" ".join(part.split())) == 1 for part in (before, after))


def edits(
    folder: Path, by_file: dict[Path, list[Answer]], edit: Callable[[Path, Answer], bool]
) -> Iterator[tuple[Path, list[Answer]]]:
    """Edit a copy of each file; yield it with the answers whose outcome is known."""
    for original, answers in by_file.items():
        path = folder / original.name
        shutil.copyfile(original, path)
        text = docqa.load(str(original)).text
        chosen = answers if edit is insert else [one for one in answers if is_alone(one, text)][:1]
        if chosen and edit(path, chosen[0]) and loaded(path) is not None:
            yield path, chosen


def moved_right(records: list[dict[str, Any]], base: Path) -> Counter[str]:
    """Compare where moved citations are said to be with how much the text in front grew."""
    grown: dict[str, int | None] = {}
    tally: Counter[str] = Counter()
    for record in records:
        source = record["source"]
        if source not in grown:
            old = docqa.load(str(base / "files" / Path(source).name)).text
            new = docqa.load(source).text
            grown[source] = len(new) - len(old) if new.endswith(old) else None
        by = grown[source]
        starts = [place["start"] for place in record["places"]]
        if by is None:
            tally["text changed elsewhere too"] += 1
        elif record["status"] == "moved":
            tally["right" if starts == [record["start"] + by] else "WRONG"] += 1
        elif record["status"] == "ambiguous":
            tally["right one among the ambiguous"] += record["start"] + by in starts
    return tally


def report(name: str, records: list[dict[str, Any]], code: int, seconds: float) -> None:
    """Print the outcomes by kind of file."""
    print(f"\n{name}: {len(records):,} citations, exit code {code}, {seconds:.1f} s")
    kinds = ["exact", "moved", "ambiguous", "gone", "failed"]
    print(f"  {'':6}" + "".join(f"{kind:>11}" for kind in kinds))
    counts: dict[str, Counter[object]] = {}
    for record in records:
        suffix = Path(str(record["source"])).suffix
        counts.setdefault(suffix, Counter())[record["status"]] += 1
    for suffix, counted in sorted(counts.items()):
        print(f"  {suffix:6}" + "".join(f"{counted[kind]:>11,}" for kind in kinds))


def main() -> int:
    """Run all; 1 when a citation of an untouched file is not exact."""
    logging.disable(logging.CRITICAL)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--citations", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="write everything here and leave it")
    given = parser.parse_args()
    chance = random.Random(given.seed)
    with tempfile.TemporaryDirectory() as scratch:
        base = given.keep or Path(scratch)
        (base / "files").mkdir(parents=True)
        return run(base, given.citations, chance)


def run(base: Path, total: int, chance: random.Random) -> int:
    """Cite, check, edit and check again under the folder `base`."""
    paths = copies(sources(Path(os.environ["DOCQA_DATA"])), base / "files")
    readable = [path for path in paths if loaded(path) is not None]
    each = -(-total // len(readable))
    by_file: dict[Path, list[Answer]] = {}
    for path in readable:
        with docqa.load(str(path)) as document:
            by_file[path] = random_answers(document, each, chance)
    everything = [answer for answers in by_file.values() for answer in answers]
    chance.shuffle(everything)
    everything = everything[:total]
    print(f"{len(paths)} files, {len(readable)} with text, {len(everything):,} citations")
    write(base / "all.jsonl", everything)
    records, code, seconds = verified(base / "all.jsonl", base)
    report("untouched", records, code, seconds)
    for edit in (insert, delete):
        folder = base / edit.__name__
        folder.mkdir()
        kept = list(edits(folder, by_file, edit))
        answers = [answer for _, answers in kept for answer in answers]
        moved = base / f"{edit.__name__}.jsonl"
        write(moved, answers)
        text = moved.read_text("utf-8").replace(str(base / "files"), str(folder))
        moved.write_text(text, "utf-8")
        records, edited_code, seconds = verified(moved, folder)
        report(f"{edit.__name__}, {len(kept)} files", records, edited_code, seconds)
        if edit is insert:
            print(f"  new places: {dict(moved_right(records, base))}")
    return code


if __name__ == "__main__":
    raise SystemExit(main())
