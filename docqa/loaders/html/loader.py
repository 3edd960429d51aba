"""Load a web page: its visible text, and the way back to every character of its source."""

from __future__ import annotations

import hashlib
import re
from pathlib import PurePath

from docqa.datamodel import Document, LoadWarning
from docqa.errors import NoTextError
from docqa.loaders.decoded_source import decode
from docqa.loaders.html.encodings import SniffedEncoding, sniff_encoding
from docqa.loaders.html.marked import MAX_DEPTH, MarkedSource, mark
from docqa.loaders.html.source_map import HtmlSourceMap
from docqa.loaders.html.text import lay_out
from docqa.loaders.html.tree import TreeBuilder, available_builder
from docqa.loaders.typography import struck_warning

__all__ = ["HtmlLoader"]

_XHTML_WITHIN = 2048
"""An XML declaration, a document type and the first tag take less than that."""

_XHTML_SIGN = re.compile(
    r"\A\s*<\?xml\s"
    r"|<!doctype\s[^>]*//DTD XHTML"
    r"|<html\s[^>]*xmlns\s*=\s*[\"']http://www\.w3\.org/1999/xhtml",
    re.IGNORECASE,
)
_XHTML_SUFFIXES = frozenset({".xhtml", ".xht"})


class HtmlLoader:
    """A loader of HTML, as a browser shows it without running scripts or style sheets.

    All visible text is kept. Elements that a browser never shows are left out: scripts, styles,
    templates, ``hidden`` and inline ``display: none`` or ``visibility: hidden``, ``<noscript>``
    and the values of form fields. So is text that is crossed out (``<del>``, ``<s>``), with a
    warning; a space parts raised digits from those beside them. Text hidden from screen readers
    alone (``aria-hidden``) and inside closed ``<details>`` is kept. Images have no text. What a
    style sheet's classes hide and what scripts would add cannot be known.

    Args:
        encoding: the encoding, where the file's own declaration is wrong or missing; a byte order
            mark still wins, as in browsers.
        builder: the tree builder; the best installed one by default.
        is_xhtml: whether it is XHTML; decided by its name and its first tags by default.
    """

    def __init__(
        self,
        encoding: str | None = None,
        *,
        builder: TreeBuilder | None = None,
        is_xhtml: bool | None = None,
    ) -> None:
        self._encoding = encoding
        self._builder = builder
        self._is_xhtml = is_xhtml

    def load(self, data: bytes, *, source: str) -> Document:
        """Load a page from its bytes; `source` is its path or name.

        Raises:
            NoTextError: the page shows no text.
            SettingError: the encoding is unknown.
            MissingDependencyError: no tree builder is installed.
        """
        builder = self._builder or available_builder()
        sniffed = sniff_encoding(data, self._encoding)
        decoded = decode(data, sniffed.codec, sniffed.bom_length)
        xhtml = _is_xhtml(decoded.text, source=source) if self._is_xhtml is None else self._is_xhtml
        marked = mark(decoded.text, is_xhtml=xhtml)
        visible = lay_out(decoded.text, marked, builder.walk(marked.markup))
        if not visible.text.strip():
            raise NoTextError(
                f"{source} shows no text; if scripts fill the page, save it from a browser "
                "and load the saved file",
                source=source,
            )
        return Document(
            id=hashlib.sha256(data).hexdigest(),
            text=visible.text,
            source=source,
            media_type="text/html",
            title=marked.title,
            source_map=HtmlSourceMap(decoded, marked.runs, visible),
            blocks=visible.blocks,
            tables=visible.tables,
            warnings=tuple(_warnings(sniffed, decoded.is_broken, marked, visible.struck)),
            metadata={**marked.metadata, "encoding": sniffed.name},
            extractor=f"{builder.name} {builder.version}",
        )


def _warnings(
    sniffed: SniffedEncoding, is_broken: bool, marked: MarkedSource, struck: int
) -> list[LoadWarning]:
    warnings = []
    if struck:
        warnings.append(struck_warning(struck))
    if sniffed.origin == "fallback":
        warnings.append(
            LoadWarning(
                "encoding-guessed",
                "the file declares no encoding and is not UTF-8; it was read as windows-1252; "
                "name another encoding if characters look wrong",
            )
        )
    if is_broken:
        warnings.append(
            LoadWarning(
                "broken-bytes",
                f"some bytes mean nothing in {sniffed.name} and were read as U+FFFD; "
                "name another encoding if they are many",
            )
        )
    if marked.depth_exceeded:
        warnings.append(
            LoadWarning(
                "deep-nesting",
                f"elements nested more than {MAX_DEPTH} deep were left out; their text was kept",
            )
        )
    if marked.formatting_exceeded:
        warnings.append(
            LoadWarning(
                "unclosed-formatting",
                "too many formatting elements are never closed; some were left out, their text "
                "was kept",
            )
        )
    return warnings


def _is_xhtml(text: str, *, source: str) -> bool:
    """Say whether a page is XHTML, by its name, XML declaration, document type or namespace.

    A browser parses many of these pages as HTML. Theirs have no self-closing tags that HTML
    leaves open, or a browser would not show them as their author meant.

    >>> _is_xhtml('<?xml version="1.0"?><html>', source="-"), _is_xhtml("<html>", source="-")
    (True, False)
    """
    suffix = PurePath(source).suffix.lower()
    return suffix in _XHTML_SUFFIXES or _XHTML_SIGN.search(text[:_XHTML_WITHIN]) is not None
