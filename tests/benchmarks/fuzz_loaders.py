"""Load mutated files for a while and keep those that break a promise.

    [DOCQA_DATA=.../data] python tests/benchmarks/fuzz_loaders.py --seconds 600 --seed 1 \
        [--kinds pdf html ...] [--out findings]

Seeds are the files of ``examples/`` and small ones of ``tests/helpers/hostile.py``, of every format
that `docqa.load` reads, and with data its awkward files (mutants of those stay out of the
repository).
Every mutant is loaded in the isolated worker. Promises:

* a document comes out, or a `LoadError` other than an `IsolationError`: nothing crashes, hangs or
  fills the memory (a PDF may do so in the worker, where it is contained: that is only counted);
* a document's text can be encoded, its blocks and pages are in order and hold all that is not
  white space, and random spans of it have places; those of plain text are the bytes they name;
* its passages are the text at their spans.

Findings go to a folder: the mutant, and what happened beside it. Each kind of failure is kept once.
"""

from __future__ import annotations

import argparse
import io
import os
import random
import re
import sys
import time
import traceback
import zipfile
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "helpers"))

import hostile

import docqa
from docqa.datamodel import Document, Span, TextLocation
from docqa.limits import Limits
from docqa.loaders.formats import SUPPORTED_SUFFIXES, SUPPORTED_TYPES, detect_media_type
from docqa.passages.splitter import Splitter
from docqa.testing import WhitespaceTokenizer

ROOT = Path(__file__).resolve().parents[2]
LIMITS = Limits(memory_bytes=1 << 30, cpu_seconds=20, wall_seconds=60, characters=2_000_000)
LARGEST_SEED, LARGEST_MUTANT = 200_000, 1_000_000  # bytes
SPANS = 5  # located in each document

TOKENS: dict[str, Sequence[bytes]] = {
    "application/pdf": (
        *(b"obj", b"endobj", b"stream", b"endstream", b"xref", b"trailer", b"/Kids", b"/Count"),
        *(b"/Parent", b"/Length", b"/Filter", b"/FlateDecode", b"/Type", b"/Page", b"/Rotate 90"),
        *(b"<<", b">>", b"[", b"]", b"1 0 R", b"2 0 R", b"4 0 R", b"BT", b"ET", b"Tj", b"q", b"Q"),
        *(b"-1", b"0", b"2147483648", b"1e99", b"/Prev", b"/Encrypt", b"/ObjStm", b"\\(", b"cm"),
    ),
    "text/html": (
        *(b"<p>", b"</p>", b"<table>", b"<td>", b"<tr>", b"</table>", b"<svg>", b"<math>"),
        *(b"<b>", b"<a href=x>", b"</a>", b"<script>", b"</script>", b"<!--", b"-->", b"<![CDATA["),
        *(
            b"<select>",
            b"<template>",
            b"<title>",
            b"<textarea>",
            b"<pre>",
            b"\r\n",
            b"&amp;",
            b"&#",
        ),
        *(b"&notin;", b"<frameset>", b"<br>", b"<li>", b"<plaintext>", b"<noscript>", b"\0", b"<"),
        *(
            b"<meta charset=utf-16>",
            b"<meta charset=iso-2022-jp>",
            b"<p hidden>",
            b"<foreignObject>",
        ),
        *(b"<ruby><rt>", b"</br>", b"<form>", b"<mi>", b"<annotation-xml>", b"\xef\xbb\xbf", b"/>"),
    ),
    "text/markdown": (
        *(b"# ", b"> ", b"- ", b"1. ", b"```\n", b"~~~", b"|", b"|-|", b"[", b"](", b"<div>", b"&"),
        *(
            b"\n\n",
            b"\t",
            b"    ",
            b"---\n",
            b"***",
            b"`",
            b"\r",
            b"\x0b",
            b"\\",
            b"<!--",
            b"[a]: ",
        ),
    ),
    "text/plain": (
        b"\r\n",
        b"\r",
        b"\0",
        b"\xff\xfe",
        b"\x1b$B",
        b"\xe2\x80\xa8",
        b"\x0c",
        b"\x85",
    ),
}


def seeds() -> dict[str, list[bytes]]:
    """Return files by media type."""
    files = [path for path in sorted((ROOT / "examples").iterdir()) if is_seed(path)]
    if "DOCQA_DATA" in os.environ:
        robust = Path(os.environ["DOCQA_DATA"]) / "robust"
        files += [path for path in sorted(robust.rglob("*")) if is_seed(path)]
    found: dict[str, list[bytes]] = {media_type: [] for media_type in SUPPORTED_TYPES}
    for path in files:
        data = path.read_bytes()
        try:
            found[detect_media_type(data, source=path.name)].append(data)
        except docqa.LoadError:
            continue
    found["application/pdf"] += [
        *(hostile.page_with(), hostile.circular_prev(), hostile.tree_in_itself()),
        *(hostile.widget_flood(3), hostile.bfrange_bomb(1), hostile.deep_labels(3)),
        *(hostile.nested_forms(1), hostile.huge_image(side=10), hostile.deep_tree(5)),
    ]
    return {media_type: files for media_type, files in found.items() if files}


def is_seed(path: Path) -> bool:
    """Return whether a file is small and of a kind that docqa reads."""
    return (
        path.suffix.lower() in SUPPORTED_SUFFIXES
        and path.is_file()
        and path.stat().st_size <= LARGEST_SEED
    )


class Mutator:
    """Make mutants: one to eight changes to a seed, in its parts where it is a zip container."""

    def __init__(self, chance: random.Random, tokens: Sequence[bytes], others: list[bytes]) -> None:
        self._chance, self._tokens, self._others = chance, tokens or (b"<", b"\0"), others
        self._changes: list[Callable[[bytearray], None]] = [
            *(self._flip, self._set, self._delete, self._copy, self._repeat, self._insert),
            *(self._insert, self._splice, self._number, self._swap, self._cut),
        ]

    def mutant(self, seed: bytes) -> bytes:
        """Return a changed copy of `seed`."""
        if seed.startswith(b"PK\x03\x04") and self._chance.random() < 0.8:
            return self._container(seed)
        return self._changed(seed)

    def _changed(self, seed: bytes) -> bytes:
        data = bytearray(seed)
        for _ in range(1 << self._chance.randrange(4)):
            if data:
                self._chance.choice(self._changes)(data)
        return bytes(data[:LARGEST_MUTANT])

    def _container(self, seed: bytes) -> bytes:
        """Return a zip container with one or two changed parts."""
        with zipfile.ZipFile(io.BytesIO(seed)) as archive:
            parts = {info.filename: archive.read(info) for info in archive.infolist()}
        for name in self._chance.sample(
            sorted(parts), min(len(parts), self._chance.choice((1, 2)))
        ):
            parts[name] = self._changed(parts[name])
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in parts.items():
                archive.writestr(name, data)
        return buffer.getvalue()

    def _range(self, data: bytearray, longest: int = 64) -> tuple[int, int]:
        start = self._chance.randrange(len(data))
        return start, min(len(data), start + self._chance.randint(1, longest))

    def _flip(self, data: bytearray) -> None:
        data[self._chance.randrange(len(data))] ^= 1 << self._chance.randrange(8)

    def _set(self, data: bytearray) -> None:
        data[self._chance.randrange(len(data))] = self._chance.choice((0, 10, 13, 32, 60, 127, 255))

    def _delete(self, data: bytearray) -> None:
        start, end = self._range(data, self._chance.choice((4, 64, 2000)))
        del data[start:end]

    def _copy(self, data: bytearray) -> None:
        start, end = self._range(data, self._chance.choice((16, 500)))
        place = self._chance.randrange(len(data))
        data[place:place] = data[start:end]

    def _repeat(self, data: bytearray) -> None:
        start, end = self._range(data, 24)
        data[start:start] = data[start:end] * self._chance.choice((2, 10, 100, 3000))

    def _insert(self, data: bytearray) -> None:
        place = self._chance.randrange(len(data) + 1)
        data[place:place] = self._chance.choice(self._tokens)

    def _splice(self, data: bytearray) -> None:
        other = self._chance.choice(self._others)
        if other:
            start = self._chance.randrange(len(other))
            place = self._chance.randrange(len(data))
            data[place:] = other[start : start + len(data)]

    def _number(self, data: bytearray) -> None:
        numbers = list(re.finditer(rb"\d+", data[:LARGEST_SEED]))
        if numbers:
            match = self._chance.choice(numbers)
            values = (b"0", b"-1", b"1", b"255", b"65536", b"2147483647", b"4294967296", b"9" * 20)
            data[match.start() : match.end()] = self._chance.choice(values)

    def _swap(self, data: bytearray) -> None:
        start, end = self._range(data)
        data[start:end] = data[start:end][::-1]

    def _cut(self, data: bytearray) -> None:
        if self._chance.random() < 0.2:
            del data[self._chance.randrange(len(data)) :]


def check(document: Document, data: bytes, chance: random.Random) -> None:
    """Assert what holds for every document."""
    text = document.text
    text.encode("utf-8")
    check_order([block.span for block in document.blocks], text, "blocks")
    check_order([page.span for page in document.pages], text, "pages")
    if not text:
        return
    for _ in range(SPANS):
        start = chance.randrange(len(text))
        span = Span(start, min(len(text), start + chance.randint(1, 200)))
        places = document.locate(span)
        assert places, f"no place for {span}"
        for place in places:
            if isinstance(place, TextLocation) and place.byte_span is not None:
                check_bytes(document, data, span, place)
    if len(text) < 50_000:
        for passage in Splitter(WhitespaceTokenizer(), passage_tokens=60, overlap=20).split(
            document
        ):
            assert passage.text == passage.span.of(text), f"passage {passage.number}"


def check_order(spans: Sequence[Span], text: str, name: str) -> None:
    """Assert that spans rise, lie in the text and leave nothing but white space out."""
    if not spans:
        return
    assert all(one.end <= other.start for one, other in pairwise(spans)), f"{name} overlap"
    assert spans[-1].end <= len(text), f"{name} reach beyond the text"
    borders = [0, *(border for span in spans for border in (span.start, span.end)), len(text)]
    for start, end in zip(borders[::2], borders[1::2], strict=True):
        assert not text[start:end].strip(), f"text outside the {name}"


def check_bytes(document: Document, data: bytes, span: Span, place: TextLocation) -> None:
    """Assert that the bytes of a place decode to its text, where they decode at all."""
    assert place.byte_span is not None
    try:
        decoded = (
            place.byte_span.of(data.decode("latin-1"))
            .encode("latin-1")
            .decode(document.metadata["encoding"])
        )
    except UnicodeError:
        return
    assert decoded in (span.of(document.text), "\ufeff" + span.of(document.text)), "other bytes"


def outcome(data: bytes, media_type: str, chance: random.Random) -> tuple[str, str]:
    """Return what came of a mutant: a word, and for a finding the details."""
    settings = {"media_type": media_type, "isolate": True, "limits": LIMITS}
    try:
        document = docqa.load(data, name="mutant", **settings)
    except docqa.LoadError as error:
        return judged(error, contained=media_type == "application/pdf")
    except Exception:
        return "unexpected", traceback.format_exc()
    try:
        check(document, data, chance)
    except Exception:
        return "broken promise", traceback.format_exc()
    finally:
        document.close()
    failed = [warning.message for warning in document.warnings if warning.kind == "page-failed"]
    if any("unexpected " in message for message in failed):  # pypdf says "unexpectedly" of streams
        return "unexpected on a page", "\n".join(failed)
    is_whole = not any("crashes" in message or "takes" in message for message in failed)
    return "(document)" if is_whole else "[page ended the worker]", ""


def judged(error: docqa.LoadError, *, contained: bool) -> tuple[str, str]:
    """Return a word for an error, and details where it must not happen."""
    name = type(error).__name__
    if not isinstance(error, docqa.IsolationError):
        return f"({name})", ""
    if contained and "unexpected" not in str(error):
        return f"[{name}]", ""
    return name, f"{error}\n{error.stderr}"


def signature(kind: str, details: str) -> str:
    """Return what tells one failure from another: its kind, its last error and where it arose."""
    frames = re.findall(r'File "[^"]*/([\w.]+)", line (\d+)', details)
    errors = re.findall(r"^(\w+(?:Error|Exception)\b.{0,60})", details, re.MULTILINE)
    parts = [kind, *(f"{name}-{line}" for name, line in frames[-1:]), *errors[-1:]]
    return re.sub(r"\W+", "-", re.sub(r"\d{5,}", "N", " ".join(parts)))[:100]


def main() -> int:
    """Fuzz; print a table; return 1 where anything was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kinds", nargs="*", help="parts of media types, such as pdf html")
    parser.add_argument("--out", type=Path, default=Path("findings"))
    options = parser.parse_args()
    chance = random.Random(options.seed)
    groups = {
        media_type: files
        for media_type, files in seeds().items()
        if not options.kinds or any(kind in media_type for kind in options.kinds)
    }
    mutators = {
        media_type: Mutator(chance, TOKENS.get(media_type, TOKENS["text/html"]), files)
        for media_type, files in groups.items()
    }
    counts: dict[str, Counter[str]] = {media_type: Counter() for media_type in groups}
    found: Counter[str] = Counter()
    ends_at, tried = time.monotonic() + options.seconds, 0
    while time.monotonic() < ends_at:
        media_type = list(groups)[tried % len(groups)]
        data = mutators[media_type].mutant(chance.choice(groups[media_type]))
        kind, details = outcome(data, media_type, chance)
        counts[media_type][kind] += 1
        tried += 1
        if details:
            name = signature(kind, details)
            found[name] += 1
            if found[name] == 1:
                keep(options.out, name, data, f"{media_type}, seed {options.seed}\n{details}")
    print(f"{tried} mutants in {options.seconds:g} s, seed {options.seed}")
    for media_type, outcomes in counts.items():
        listed = ", ".join(f"{kind} {count}" for kind, count in outcomes.most_common())
        print(f"{media_type} ({len(groups[media_type])} seeds): {listed}")
    for name, count in found.most_common():
        print(f"FOUND {count} x {name}")
    return 1 if found else 0


def keep(folder: Path, name: str, data: bytes, details: str) -> None:
    """Write a mutant and what it did."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.bin").write_bytes(data)
    (folder / f"{name}.txt").write_text(details, encoding="utf-8", errors="replace")
    print(f"found: {folder / name}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
