"""Check the HTML loader on real pages: positions, fragments, main content.

Run ``python tests/benchmarks/robust_html.py [--spans N]`` with ``DOCQA_DATA`` set to the folder
that holds ``robust/html``. A page is judged by an independent parser, html5lib, which sees only
the untouched source: the slice that `locate` names, read by it, must be the span's text.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import html5lib

from docqa.datamodel import Document, SourceLocation, Span
from docqa.errors import LoadError
from docqa.loaders.html.loader import HtmlLoader

_WHITE = re.compile(r"[\t\n\f\r ]+")
_WORD = re.compile(r"\w+")
_HIDDEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_HIDDEN = frozenset(
    [
        *("script", "style", "template", "noscript", "head", "meta", "link", "title", "iframe"),
        *("noembed", "noframes", "object", "audio", "video", "canvas", "datalist", "select", "rp"),
        *("option", "textarea", "progress", "meter", "input", "annotation", "annotation-xml"),
    ]
)
_LENGTHS = (1, 5, 20, 80, 300)


def visible_text(html: str) -> str:
    """Return what html5lib's tree of `html` shows, without white space."""
    parser = html5lib.HTMLParser(tree=html5lib.getTreeBuilder("etree"), namespaceHTMLElements=False)
    out: list[str] = []
    _collect(parser.parse(html, scripting=True), False, False, out)
    return _WHITE.sub("", "".join(out))


def _collect(element: Any, in_svg: bool, in_text: bool, out: list[str]) -> None:
    if not isinstance(element.tag, str):
        return
    name = element.tag.split("}")[-1].lower()
    if (
        name in _HIDDEN
        or "hidden" in element.attrib
        or _HIDDEN_STYLE.search(element.get("style") or "")
        or (name == "dialog" and "open" not in element.attrib)
    ):
        return
    in_svg = in_svg or name == "svg"
    in_text = in_text or name in ("text", "foreignobject")
    shows = in_text or not in_svg
    out.append((element.text or "") if shows else "")
    for child in element:
        _collect(child, in_svg, in_text, out)
        out.append((child.tail or "") if shows else "")


def check_spans(document: Document, count: int, chance: random.Random) -> Counter[str]:
    """Locate random spans and read their source with html5lib."""
    source = document.source_map.source  # type: ignore[attr-defined]
    tally: Counter[str] = Counter()
    for _ in range(count):
        start = chance.randrange(len(document.text))
        end = min(len(document.text), start + chance.choice(_LENGTHS))
        wanted = _WHITE.sub("", document.text[start:end])
        if not wanted:
            continue
        places = document.locate(Span(start, end))
        pages = [place for place in places if isinstance(place, SourceLocation)]
        found = "".join(visible_text(place.span.of(source)) for place in pages)
        tally["tried"] += 1
        tally["failed"] += found != wanted
        tally["several ranges"] += len(pages) > 1
        tally["fragments"] += pages[0].text_fragment is not None
    return tally


def overlap(found: str, gold: str) -> tuple[float, float, float]:
    """Return precision, recall and F1 of `found` as a bag of words against `gold`."""
    have, want = Counter(_WORD.findall(found.lower())), Counter(_WORD.findall(gold.lower()))
    shared = sum((have & want).values())
    precision = shared / max(1, sum(have.values()))
    recall = shared / max(1, sum(want.values()))
    return precision, recall, 2 * precision * recall / max(1e-9, precision + recall)


def main_content(path: Path, document: Document) -> list[tuple[float, float, float]] | None:
    """Compare all text, and the text outside boilerplate, with the expected main content."""
    expected = path.with_suffix(".content.html")
    if not expected.exists():
        return None
    gold = HtmlLoader().load(expected.read_bytes(), source=str(expected)).text
    main = [b.span.of(document.text) for b in document.blocks if not b.boilerplate]
    return [overlap(document.text, gold), overlap("\n".join(main), gold)]


def main() -> None:
    """Print one line per page that fails, then the totals."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spans", type=int, default=200, help="random spans per page")
    parser.add_argument("--pages", action="store_true", help="show main content page by page")
    options = parser.parse_args()
    folder = Path(os.environ.get("DOCQA_DATA", "data")) / "robust" / "html"
    paths = sorted(folder.glob("*.html"))
    if not paths:
        sys.exit(f"no pages in {folder}; set DOCQA_DATA to the folder that holds robust/html")
    sys.setrecursionlimit(10_000)
    totals: Counter[str] = Counter()
    scores: list[list[tuple[float, float, float]]] = []
    for path in paths:
        try:
            document = HtmlLoader().load(path.read_bytes(), source=path.name)
        except LoadError as error:
            totals["refused"] += 1
            print(f"{path.name}: {error}")
            continue
        totals["loaded"] += 1
        tally = check_spans(document, options.spans, random.Random(path.name))
        if tally["failed"]:
            print(f"{path.name}: {tally['failed']} of {tally['tried']} spans failed")
        totals += tally
        score = main_content(path, document)
        if score:
            scores.append(score)
            if options.pages:
                rows = " | ".join("/".join(f"{value:.2f}" for value in row) for row in score)
                print(f"{path.name}: {rows}")
    _print_totals(totals, scores)


def _print_totals(totals: Counter[str], scores: list[list[tuple[float, float, float]]]) -> None:
    tried = max(1, totals["tried"])
    print(f"pages: {totals['loaded']} loaded, {totals['refused']} refused with a clear error")
    print(f"spans: {totals['tried']} tried, {totals['failed']} failed")
    print(f"spans with several source ranges: {totals['several ranges']}")
    print(f"unique text fragments: {totals['fragments']} ({totals['fragments'] / tried:.1%})")
    for row, name in enumerate(("all visible text", "without boilerplate")):
        means = [sum(score[row][k] for score in scores) / len(scores) for k in range(3)]
        print(f"{name} ({len(scores)} pages): P {means[0]:.3f} R {means[1]:.3f} F1 {means[2]:.3f}")


if __name__ == "__main__":
    main()
