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
from docqa.loaders.html.text import VisibleText, lay_out
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
_MOST_PAGES_DEEP = 8
_NAMES_SHOWN, _LONGEST_NAME = 3, 60
# Frames of other sites, which a browser's "Save page" would have stored beside the page, and parts
# of the same web archive.
_ELSEWHERE = re.compile(r"\s*(?:https?:|//|about:|javascript:|chrome|blob:|cid:)", re.IGNORECASE)
_XHTML_SUFFIXES = frozenset({".xhtml", ".xht"})


class HtmlLoader:
    """A loader of HTML, as a browser shows it without running scripts or style sheets.

    All visible text is kept, with the values of form fields, ``<noscript>``, frames written into
    the page (``srcdoc``) and declarative shadow roots. Elements that a browser never shows are
    left out: scripts, styles, other templates, ``hidden`` and inline ``display: none`` or
    ``visibility: hidden``. So is text that is crossed out (``<del>``, ``<s>``), with a warning; a
    space parts raised digits from those beside them. Frames that show other files are named in a
    warning. Text hidden from screen readers alone (``aria-hidden``) and inside closed
    ``<details>`` is kept. Images have no text. What a style sheet's classes hide and what scripts
    would add cannot be known.

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
        reader = _PageReader(builder, is_xhtml=xhtml)
        marked, visible = reader.read(decoded.text)
        if not visible.text.strip() and marked.frames:
            raise NoTextError(
                f"{source} shows no text of its own, but other files in frames: "
                f"{_listed(marked.frames)}; load those instead",
                source=source,
            )
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
            warnings=(
                *_warnings(sniffed, decoded.is_broken, marked, visible.struck),
                *_unread_warnings(marked, visible, is_too_deep=reader.is_too_deep),
            ),
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


class _PageReader:
    """A reader of a page and of those inside it: frames, shadow roots, ``<noscript>``.

    Attributes:
        is_too_deep: a page was left out because it stands too deep in others.
    """

    def __init__(self, builder: TreeBuilder, *, is_xhtml: bool) -> None:
        self._builder, self._is_xhtml = builder, is_xhtml
        self._depth = 0
        self.is_too_deep = False

    def read(
        self, text: str, *, filled: frozenset[str] = frozenset(), is_xhtml: bool | None = None
    ) -> tuple[MarkedSource, VisibleText]:
        """Return the marked source of a page and the text that it shows."""
        marked = mark(text, is_xhtml=self._is_xhtml if is_xhtml is None else is_xhtml)
        events = self._builder.walk(marked.markup)
        return marked, lay_out(text, marked, events, read_page=self._read_inside, filled=filled)

    def _read_inside(self, text: str, holder: str, filled: frozenset[str]) -> VisibleText | None:
        if self._depth >= _MOST_PAGES_DEEP:
            self.is_too_deep = True
            return None
        self._depth += 1
        try:
            is_shadow = holder == "template"
            return self.read(
                text,
                filled=filled if is_shadow else frozenset(),
                is_xhtml=False if holder == "iframe" else None,
            )[1]
        finally:
            self._depth -= 1


def _listed(names: list[str]) -> str:
    """Return the first of some addresses, and how many more there are."""
    names = list(dict.fromkeys(names))
    shown = [name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}…" for name in names]
    more = [f"and {len(shown) - _NAMES_SHOWN:,} more"] if len(shown) > _NAMES_SHOWN else []
    return ", ".join([*shown[:_NAMES_SHOWN], *more])


def _unread_warnings(
    marked: MarkedSource, visible: VisibleText, *, is_too_deep: bool
) -> list[LoadWarning]:
    """Return warnings of things that a browser shows and the text does not have."""
    warnings = []
    beside = [address for address in marked.frames if not _ELSEWHERE.match(address)]
    if beside:
        warnings.append(
            LoadWarning(
                "frames-unread",
                f"the page shows other files in frames, which are not read: {_listed(beside)}; "
                "load them as well",
            )
        )
    if visible.only_without_scripts:
        warnings.append(
            LoadWarning(
                "scripts-needed",
                "the page shows only what it says to browsers without scripts; if scripts fill "
                "it, save it from a browser and load the saved file",
            )
        )
    if is_too_deep:
        warnings.append(
            LoadWarning(
                "deep-nesting",
                f"pages in frames or shadow roots more than {_MOST_PAGES_DEEP} deep in one another "
                "were left out",
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
