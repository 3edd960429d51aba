"""Places in the words of the W3C Web Annotation Data Model, which annotation tools understand.

Sources: Web Annotation Data Model (W3C Recommendation, 23 February 2017), section 4, and the
specifications of fragments: RFC 8118 for PDF (it replaced RFC 3778, which that model still names),
RFC 5147 for plain text, URL Fragment Text Directives (WICG) for HTML. Selectors of one list name
the same place in different ways, except that a place on several pages has one selector a page.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Sequence
from pathlib import PurePath
from typing import Any, Protocol
from urllib.parse import quote

from docqa.datamodel.document import DocumentInfo, is_nameless
from docqa.datamodel.places import (
    DomPoint,
    DomRange,
    Location,
    PageLocation,
    PartLocation,
    SourceLocation,
    TextLocation,
)
from docqa.datamodel.spans import Box, Span

__all__ = ["PDF_FRAGMENT", "TEXT_DIRECTIVE", "TEXT_FRAGMENT", "web_target"]

Selector = dict[str, Any]

PDF_FRAGMENT = "http://tools.ietf.org/rfc/rfc8118"
TEXT_FRAGMENT = "http://tools.ietf.org/rfc/rfc5147"
TEXT_DIRECTIVE = "https://wicg.github.io/scroll-to-text-fragment/"

_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)


class Quoted(Protocol):
    """Words with the characters around them and their places: an answer or an occurrence."""

    @property
    def text(self) -> str: ...

    @property
    def start(self) -> int: ...

    @property
    def end(self) -> int: ...

    @property
    def prefix(self) -> str: ...

    @property
    def suffix(self) -> str: ...

    @property
    def locations(self) -> tuple[Location, ...]: ...


def web_target(quoted: Quoted, document: DocumentInfo) -> dict[str, Any]:
    """Return where an answer or an occurrence stands, as the target of an annotation.

    Its ``TextPositionSelector`` counts code points of the document's text; whatever else it holds
    is found in the original file.
    """
    return {
        "type": "SpecificResource",
        "source": _iri(document),
        "selector": [
            _text_quote(quoted),
            _text_position(quoted.start, quoted.end),
            *_places(quoted.locations),
        ],
    }


def _iri(document: DocumentInfo) -> str:
    """Return the address of a document: of its path, or of its content where it has no name.

    >>> info = DocumentInfo("00" * 32, "my reports/2021.pdf", None, "application/pdf")
    >>> _iri(info)
    'my%20reports/2021.pdf'
    """
    name = document.source
    if _ADDRESS.match(name):
        return name
    if is_nameless(name):
        digest = base64.urlsafe_b64encode(bytes.fromhex(document.id)).decode().rstrip("=")
        return f"ni:///sha-256;{digest}"  # RFC 6920
    path = PurePath(name)
    if path.is_absolute():
        return path.as_uri()
    return quote(path.as_posix(), errors="surrogateescape")  # ":" too: "a:b" would be a scheme


def _places(locations: Sequence[Location]) -> Iterator[Selector]:
    fragments: set[str] = set()
    for location in locations:
        if isinstance(location, PageLocation):
            yield _page(location)
        elif isinstance(location, TextLocation):
            selectors = [_lines(location), *_bytes(location.byte_span)]
            yield from _inside(location.part, selectors)
        elif isinstance(location, PartLocation):
            yield _part(location.part, [_paragraph(location)])
        else:
            yield from _inside(location.part, list(_source(location, fragments)))


def _text_quote(quoted: Quoted) -> Selector:
    return {
        "type": "TextQuoteSelector",
        "exact": quoted.text,
        "prefix": quoted.prefix,
        "suffix": quoted.suffix,
    }


def _text_position(start: int, end: int) -> Selector:
    return {"type": "TextPositionSelector", "start": start, "end": end}


def _fragment(value: str, conforms_to: str | None, refined_by: object = None) -> Selector:
    selector: Selector = {"type": "FragmentSelector", "value": value}
    if conforms_to is not None:
        selector["conformsTo"] = conforms_to
    if refined_by is not None:
        selector["refinedBy"] = refined_by
    return selector


def _bytes(span: Span | None) -> Iterator[Selector]:
    if span is not None:
        yield {"type": "DataPositionSelector", "start": span.start, "end": span.end}


def _page(location: PageLocation) -> Selector:
    boxes = _svg(location.boxes) if location.boxes else None
    return _fragment(f"page={location.page_number}", PDF_FRAGMENT, boxes)


def _svg(boxes: Sequence[Box]) -> Selector:
    """Return rectangles as one shape; its unit is the point, its origin the page's top left."""
    shapes = "".join(
        f'<rect x="{_number(box.x0)}" y="{_number(box.top)}" width="{_number(box.x1 - box.x0)}" '
        f'height="{_number(box.bottom - box.top)}"/>'
        for box in boxes
    )
    return {
        "type": "SvgSelector",
        "value": f'<svg xmlns="http://www.w3.org/2000/svg">{shapes}</svg>',
    }


def _number(value: float) -> str:
    """Write a length in thousandths of a point at most.

    >>> _number(72.0), _number(12.3456)
    ('72', '12.346')
    """
    return f"{value:.3f}".rstrip("0").rstrip(".")


def _lines(location: TextLocation) -> Selector:
    """Return whole lines; RFC 5147 counts the places between lines, from 0 before the first."""
    return _fragment(f"line={location.line - 1},{location.end_line}", TEXT_FRAGMENT)


def _source(location: SourceLocation, fragments: set[str]) -> Iterator[Selector]:
    if location.dom_range is not None:
        yield _range(location.dom_range)
    yield from _bytes(location.byte_span)
    fragment = location.text_fragment
    if fragment is not None and fragment not in fragments:  # all ranges of one span share it
        fragments.add(fragment)
        yield _fragment(fragment.removeprefix("#"), TEXT_DIRECTIVE)


def _range(dom_range: DomRange) -> Selector:
    return {
        "type": "RangeSelector",
        "startSelector": _point(dom_range.start),
        "endSelector": _point(dom_range.end),
    }


def _point(point: DomPoint) -> Selector:
    return {
        "type": "XPathSelector",
        "value": point.xpath,
        "refinedBy": _text_position(point.characters, point.characters),
    }


def _inside(part: str | None, selectors: list[Selector]) -> list[Selector]:
    return selectors if part is None else [_part(part, selectors)]


def _part(name: str, selectors: list[Selector]) -> Selector:
    """Return selectors that hold inside one file of a container."""
    return _fragment(quote(name), None, selectors[0] if len(selectors) == 1 else selectors)


def _paragraph(location: PartLocation) -> Selector:
    return {
        "type": "XPathSelector",
        "value": location.xpath,
        "refinedBy": _text_position(location.span.start, location.span.end),
    }
