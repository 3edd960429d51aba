"""Mark random spans in copies of real pages and check the copies with an independent parser.

Run ``python tests/benchmarks/html_marks.py [--spans N] [--rounds N]`` with ``DOCQA_DATA`` set to
the folder that holds ``robust/html``. Of each copy, html5lib must find the page's own tree once
the marks are unwrapped, and in each mark the span that it stands for; without the inserted tags,
the bytes must be the page's.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import html5lib

from docqa.datamodel import Document, Span
from docqa.errors import LoadError
from docqa.highlighting.html import HtmlMark, free_prefix, mark_html
from docqa.loaders.html.loader import HtmlLoader
from docqa.loaders.html.source_map import HtmlSourceMap

_WHITE = re.compile(r"[\t\n\f\r ]+")
_LENGTHS = (1, 5, 20, 80, 300, 2000)


def tree(source: str) -> Any:
    """Return html5lib's tree of a page."""
    parser = html5lib.HTMLParser(tree=html5lib.getTreeBuilder("etree"), namespaceHTMLElements=False)
    return parser.parse(source, scripting=True)


def steps(root: Any, prefix: str) -> Iterator[object]:
    """Yield what a walk through the tree meets, without our marks; neighbouring texts are one."""
    pending: list[str] = []
    for step in _walk(root, prefix):
        if isinstance(step, str):
            pending.append(step)
            continue
        if pending:
            yield "".join(pending)
            pending = []
        yield step


def _walk(element: Any, prefix: str) -> Iterator[object]:
    ours = element.tag == "mark" and (element.get("id") or "").startswith(f"{prefix}-")
    if not ours:
        yield (element.tag, tuple(element.attrib.items()))
    if element.text:
        yield element.text
    for child in element:
        yield from _walk(child, prefix)
        if child.tail:
            yield child.tail
    if not ours:
        yield None


def texts(root: Any, prefix: str) -> dict[int, str]:
    """Return the text of each mark by its number, its elements joined in the order of ids."""
    found: dict[int, list[tuple[int, str]]] = {}
    for element in root.iter("mark"):
        match = re.fullmatch(rf"{prefix}-(\d+)(?:-(\d+))?", element.get("id") or "")
        if match:
            part = (int(match[2] or 1), "".join(element.itertext()))
            found.setdefault(int(match[1]), []).append(part)
    return {number: "".join(text for _, text in sorted(parts)) for number, parts in found.items()}


def check(document: Document, data: bytes, count: int, chance: random.Random) -> Counter[str]:
    """Mark `count` random spans at once and judge the copy."""
    assert isinstance(document.source_map, HtmlSourceMap)
    starts = [chance.randrange(len(document.text)) for _ in range(count)]
    ends = [min(len(document.text), start + chance.choice(_LENGTHS)) for start in starts]
    spans = [Span(*ends) for ends in zip(starts, ends, strict=True)]
    prefix = free_prefix(data)
    places = [document.source_map.markable(span) for span in spans]
    marks = [
        HtmlMark(f"{prefix}-{number}", place.stretches, "gold", "q")
        for number, place in enumerate(places)
    ]
    codec = document.source_map.codec
    copy = mark_html(data, marks, codec=codec)
    root = tree(copy.decode(codec, "replace"))
    found = texts(root, prefix)
    tag = rf'<mark id="{prefix}-[^>]*>(.*?)</mark>'
    tally = Counter(copies=1)
    bare = copy
    while (shorter := _without_one_level(bare, tag, codec)) != bare:
        bare = shorter
    tally["copies with other bytes"] += bare != data
    tally["copies with another tree"] += list(steps(root, prefix)) != list(
        steps(tree(data.decode(codec, "replace")), prefix)
    )
    for number, (span, place) in enumerate(zip(spans, places, strict=True)):
        wanted = _WHITE.sub("", span.of(document.text))
        if not wanted:
            continue
        tally["spans"] += 1
        if not place.is_whole:
            tally["said not to be whole"] += 1
        elif _WHITE.sub("", found.get(number, "")) == wanted:
            tally["right"] += 1
        else:
            tally["wrong"] += 1
        tally["elements"] += len(place.stretches)
    return tally


def _without_one_level(data: bytes, tag: str, codec: str) -> bytes:
    """Take the innermost of our marks out; text inside them holds no tag of any kind."""
    opening = tag.partition("(")[0]
    pattern = f"{opening}((?:(?!<mark|</mark).)*)</mark>"
    encoded = pattern.encode(codec) if codec.startswith("utf-8") else pattern.encode("latin-1")
    return re.sub(encoded, rb"\1", data, flags=re.DOTALL)


def main() -> None:
    """Print one line per copy that is not right, then the totals."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spans", type=int, default=40, help="random spans per copy")
    parser.add_argument("--rounds", type=int, default=2, help="copies per page")
    options = parser.parse_args()
    folder = Path(os.environ.get("DOCQA_DATA", "data")) / "robust" / "html"
    paths = sorted(folder.glob("*.html"))
    if not paths:
        sys.exit(f"no pages in {folder}; set DOCQA_DATA to the folder that holds robust/html")
    sys.setrecursionlimit(10_000)
    totals: Counter[str] = Counter()
    for path in paths:
        data = path.read_bytes()
        try:
            document = HtmlLoader().load(data, source=path.name)
        except LoadError:
            totals["refused"] += 1
            continue
        for number in range(options.rounds):
            chance = random.Random(f"{path.name} {number}")
            tally = check(document, data, options.spans, chance)
            bad = {name: tally[name] for name in tally if name[:4] in ("wron", "copi")}
            if sum(bad.values()) > 1:
                print(f"{path.name}: {bad}")
            totals += tally
        totals["pages"] += 1
    for name in (
        "pages",
        "refused",
        "copies",
        "copies with other bytes",
        "copies with another tree",
    ):
        print(f"{name}: {totals[name]:,}")
    for name in ("spans", "right", "wrong", "said not to be whole", "elements"):
        print(f"{name}: {totals[name]:,}")


if __name__ == "__main__":
    main()
