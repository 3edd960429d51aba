"""Check DOM ranges and text fragments in Chromium, on the HTML files of robust/.

    DOCQA_DATA=.../data python tests/benchmarks/browser.py [--spans 25] [--chromium PATH] [NAME ...]

Needs ``pip install playwright pillow`` and an installed Chromium; no browser is downloaded. Each
page is served as it is, but with a policy that lets no script and no request through: the parser
works as for a user, and the page stays as it was parsed.

- *range*: the W3C selectors (XPath, code points) are resolved by the browser; the text of that
  range, hidden elements left out, must be the words.
- *fragment*: the browser is sent to the link. What it marks is painted in one colour and must fill
  the rectangles of the range, and nothing else of the window may have that colour. ``none`` counts
  the words for which docqa gives no fragment; ``unseen`` those of which the page's own style hides
  some, which no link can show.
"""

from __future__ import annotations

import argparse
import io
import os
import random
import re
from collections import Counter
from pathlib import Path
from typing import Any
from unicodedata import category
from urllib.parse import quote, unquote, urlsplit

import numpy as np
from PIL import Image
from playwright.sync_api import Page, Route, sync_playwright

import docqa
from docqa.datamodel import Document, Span

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:"
_LENGTHS = (1, 1, 2, 3, 5, 8, 13, 40)
_WIDTH, _HEIGHT = 800, 1000
_MARK = (255, 0, 255)
_STYLE = """
  ::target-text { background-color: rgb(255, 0, 255) !important;
                  color: rgb(255, 0, 255) !important; }
  *, *::before, *::after { scroll-behavior: auto !important; animation: none !important;
                           transition: none !important; text-shadow: none !important; }
"""
_PREPARE = """style => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(style);
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  const node = xpath => document.evaluate(
    xpath, document, null, XPathResult.FIRST_ORDERED_NODE_TYPE, null).singleNodeValue;
  const units = (text, points) => [...text].slice(0, points).join('').length;
  const hidden = 'script,style,template,noscript,head,select,textarea,datalist,iframe,object,' +
    'audio,video,canvas,rp,[hidden]';
  window.docqaRange = selector => {
    const range = document.createRange();
    for (const [name, method] of [['startSelector', 'setStart'], ['endSelector', 'setEnd']]) {
      const text = node(selector[name].value);
      if (!text) return null;
      range[method](text, units(text.data, selector[name].refinedBy.start));
    }
    return range;
  };
  window.docqaPieces = range => {
    const pieces = [], root = range.commonAncestorContainer;
    const walker = document.createTreeWalker(
      root.nodeType === 3 ? root.parentNode : root, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const text = walker.currentNode;
      if (!range.intersectsNode(text)) continue;
      const piece = document.createRange();
      piece.setStart(text, text === range.startContainer ? range.startOffset : 0);
      piece.setEnd(text, text === range.endContainer ? range.endOffset : text.length);
      if (!piece.collapsed) pieces.push([text, piece]);
    }
    return pieces;
  };
  window.docqaTexts = range => {
    const pieces = docqaPieces(range), join = some => some.map(([, p]) => p.toString()).join('');
    return [range.toString(),
            join(pieces.filter(([t]) => !t.parentElement.closest(hidden))),
            join(pieces.filter(([t]) => t.parentElement.checkVisibility(
              {visibilityProperty: true})))];
  };
  const shows = ([text]) => text.parentElement.checkVisibility({visibilityProperty: true});
  window.docqaHides = range => docqaPieces(range).some(
    ([t, p]) => /[^\\s\u200b]/.test(p.toString()) && !t.parentElement.closest(hidden) &&
      !shows([t]));
  window.docqaOthers = range => [...document.querySelectorAll('img,input,button,svg,select,br,hr')]
    .filter(e => range.intersectsNode(e)).map(e => e.getBoundingClientRect())
    .concat(docqaPieces(range).flatMap(([, p]) => [...p.getClientRects()]))
    .map(r => [r.left, r.top, r.right, r.bottom]);
  window.docqaRects = range => docqaPieces(range).filter(
    ([t, p]) => /[^\\t\\n\\f\\r ]/.test(p.toString()) &&
      t.parentElement.checkVisibility({visibilityProperty: true, opacityProperty: true}))
    .flatMap(([t, p]) => [...t.data.slice(p.startOffset, p.endOffset)
      .matchAll(/\\S+/g)].flatMap(word => {
        const r = document.createRange();
        r.setStart(t, p.startOffset + word.index);
        r.setEnd(t, p.startOffset + word.index + word[0].length);
        return [...r.getClientRects()].map(r => [r.left, r.top, r.right, r.bottom]); }));
}"""
_UNSPACED = re.compile("[\u0e00-\u0eff\u1780-\u17ff\u2e80-\u9fff\uac00-\ud7af]")


def random_spans(text: str, count: int, chance: random.Random) -> list[Span]:
    """Return spans that start and end where words do."""
    words = [Span(*match.span()) for match in re.finditer(r"\S+", text)]
    spans = []
    while len(spans) < count:
        first = chance.randrange(len(words))
        last = min(len(words) - 1, first + chance.choice(_LENGTHS) - 1)
        span = Span(words[first].start, words[last].end)
        if _UNSPACED.search(span.of(text)):  # answers in such scripts are parts of a line
            start = chance.randrange(span.start, span.end)
            span = Span(start, min(span.end, start + chance.choice(_LENGTHS)))
        edges = text[span.start - 1 : span.start + 1], text[span.end - 1 : span.end + 1]
        if not any(is_inside_word(edge) for edge in edges):
            spans.append(span)
    return spans


def is_inside_word(edge: str) -> bool:
    """Return whether the place between two characters is inside a word."""
    inside = (char.isalnum() or char == "_" or category(char)[0] in "MC" for char in edge)
    return len(edge) == 2 and all(inside) and not _UNSPACED.search(edge)


def selectors(document: Document, span: Span) -> tuple[list[Any], str | None]:
    """Return the range selectors of a span and its fragment, from its W3C target."""
    target = docqa.cite(document, span).to_dict()["target"]
    ranges = [one for one in target["selector"] if one["type"] == "RangeSelector"]
    links = [one["value"] for one in target["selector"] if one["type"] == "FragmentSelector"]
    return ranges, links[0] if links else None


def range_is_right(page: Page, ranges: list[Any], wanted: str) -> bool:
    """Return whether the browser's ranges hold the words."""
    texts = page.evaluate(
        "all => all.map(one => docqaRange(one)).map(r => r && docqaTexts(r))", ranges
    )
    if None in texts:
        return False
    return any(bare("".join(parts)) == bare(wanted) for parts in zip(*texts, strict=True))


def bare(text: str) -> str:
    """Return a text without white space, which docqa and browsers lay out differently."""
    return re.sub(r"[\s\u200b]+", "", text)


def fragment_outcome(page: Page, ranges: list[Any]) -> str:
    """Compare what the browser marks, having gone to a fragment, with the range."""
    if page.evaluate("all => all.some(one => docqaHides(docqaRange(one)))", ranges):
        return "unseen"
    marked = marked_pixels(page)
    rects = page.evaluate("all => all.flatMap(one => docqaRects(docqaRange(one)))", ranges)
    rects = [rect for rect in rects if rect[2] - rect[0] >= 2 and rect[3] - rect[1] >= 4]
    shown = [rect for rect in rects if rect[3] > 2 and rect[1] < _HEIGHT - 2]
    shown = [rect for rect in shown if rect[2] > 2 and rect[0] < _WIDTH - 2]
    if not shown:  # no size, or moved out of the window as menus are
        is_out = not rects or page.evaluate(_IS_OUT, ranges)
        return "unseen" if is_out and not marked.any() else "wrong"
    beside = page.evaluate("all => all.flatMap(one => docqaOthers(docqaRange(one)))", ranges)
    allowed = np.zeros_like(marked)
    for left, top, right, bottom in [*shown, *beside]:
        rows = slice(max(0, int(top) - 8), max(0, int(bottom) + 9))
        allowed[rows, max(0, int(left) - 2) : max(0, int(right) + 3)] = True
    wide = [rect for rect in shown if rect[2] - rect[0] > 8]  # not the hyphens at line ends
    filled = [is_filled(marked, rect) for rect in wide or shown]
    if (marked & ~allowed).any():
        return "wrong"
    if all(filled):
        return "right"
    is_covered = not page.evaluate(_ON_TOP, shown)
    return ("right" if any(filled) else "unseen") if is_covered else "wrong"


def is_filled(marked: Any, rect: list[float]) -> bool:
    """Return whether a rectangle is marked along its middle, as far as it is in the window."""
    left, top, right, bottom = rect
    middle = min(_HEIGHT - 1, max(0, int((top + bottom) / 2)))
    stripe = marked[middle, max(0, int(left) + 1) : max(1, int(right) - 1)]
    return bool(stripe.mean() > 0.9) if stripe.size else True


def marked_pixels(page: Page) -> Any:
    """Return which pixels of the window are marked; the browser may take half a second."""
    for _ in range(4):
        page.evaluate("() => new Promise(done => setTimeout(done, 50))")
        picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
        marked = (np.asarray(picture) == _MARK).all(axis=2)
        if marked.any():
            break
        page.wait_for_timeout(150)
    return marked


# Whether nothing lies over the middle of any rectangle.
_ON_TOP = """rects => rects.every(([l, t, r, b]) => {
  const seen = document.elementFromPoint((l + r) / 2, (t + b) / 2);
  return seen && seen.innerText; })"""
# Whether no scrolling leads to the words.
_IS_OUT = """all => {
  const element = docqaRange(all[0]).startContainer.parentElement;
  element.scrollIntoView({block: 'center'});
  const r = element.getBoundingClientRect();
  return r.bottom < 0 || r.right < 0 || r.left > innerWidth || r.top > innerHeight; }"""


def check_page(page: Page, path: Path, count: int, seed: int, verbose: bool) -> Counter[str]:
    """Check random spans of one page."""
    tally: Counter[str] = Counter()
    try:
        document = docqa.load(str(path))
    except docqa.LoadError:
        return tally
    address = f"http://docqa.test/{quote(path.name)}"
    page.goto(address)
    if page.evaluate("document.characterSet").lower() != document.metadata["encoding"].lower():
        address += f"?charset={document.metadata['encoding']}"
        tally["encoding named by the server"] += 1
    for number, span in enumerate(
        random_spans(document.text, count, random.Random(f"{seed} {path.name}"))
    ):
        ranges, fragment = selectors(document, span)
        # A load for each: on a loaded page older marks would stay.
        page.goto(f"{address}{'&' if '?' in address else '?'}{number}#{fragment or ''}")
        page.evaluate(_PREPARE, _STYLE)
        tally["tried"] += 1
        is_right = range_is_right(page, ranges, span.of(document.text))
        tally["range right" if is_right else "range WRONG"] += 1
        outcome = "none"
        if fragment is not None:
            outcome = fragment_outcome(page, ranges)
        tally[f"fragment {outcome}"] += 1
        if verbose and (not is_right or outcome in ("wrong", "unseen")):
            words = span.of(document.text)
            print(f"   {'ok' if is_right else 'RANGE'} {outcome} {words!r} {fragment}")
    return tally


def main() -> int:
    """Run over the pages; 1 when anything is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--spans", type=int, default=25)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    parser.add_argument("--folder", type=Path, help="other pages than those of robust/html")
    parser.add_argument("--verbose", action="store_true")
    given = parser.parse_args()
    folder = given.folder or Path(os.environ["DOCQA_DATA"]) / "robust/html"
    paths = sorted(path for path in folder.glob("*.html"))
    if given.names:
        paths = [path for path in paths if any(name in path.name for name in given.names)]
    total: Counter[str] = Counter()

    def serve(route: Route) -> None:
        address = urlsplit(route.request.url)
        path = folder / unquote(address.path.rpartition("/")[2])
        charset = re.search(r"charset=([\w-]+)", address.query)
        if route.request.resource_type != "document" or not path.is_file():
            route.abort()
            return
        kind = f"text/html; charset={charset[1]}" if charset else "text/html"
        headers = {"content-type": kind, "content-security-policy": _POLICY}
        route.fulfill(status=200, headers=headers, body=path.read_bytes())

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=given.chromium, args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": _WIDTH, "height": _HEIGHT})
        page.route("**/*", serve)
        for path in paths:
            tally = check_page(page, path, given.spans, given.seed, given.verbose)
            total += tally
            print(f"{path.name[:60]:60} {dict(tally)}", flush=True)
        print(f"\nChromium {browser.version}, {len(paths)} files")
        browser.close()
    for name, number in sorted(total.items()):
        print(f"{name:16} {number:,}")
    return int(bool(total["range WRONG"] or total["fragment wrong"]))


if __name__ == "__main__":
    raise SystemExit(main())
