"""Write the marked source: the document's markup with numbered markers in place of its text.

Any tree builder can parse the result; its tree says order, nesting and hiddenness, and the markers
say which characters of the untouched source stand where. Markers cannot be confused with text,
because no text is left.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace

from docqa.datamodel import Span
from docqa.loaders.html import elements
from docqa.loaders.html.depth import LeftOutElements
from docqa.loaders.html.facts import NO_FACTS, ElementFacts, element_facts
from docqa.loaders.html.held import Held, HeldTexts, may_hold
from docqa.loaders.html.nesting import OpenElements
from docqa.loaders.html.references import REFERENCE, decode_attribute, decode_reference, decode_text
from docqa.loaders.html.runs import Runs, marker
from docqa.loaders.html.styles import BoxedElements
from docqa.loaders.html.tokens import Token, TokenKind, tokenize

__all__ = ["MAX_DEPTH", "MarkedSource", "mark"]

MAX_DEPTH = 512
"""Elements nested deeper are left out (their text is not): browsers stop at the same depth."""

_WHITE = "\t\n\f\r "
_NOT_WHITE = re.compile(r"[^\t\n\f\r \0]")
_LEADING_WHITE = re.compile(r"[\t\n\f\r \0]*")
_NEWLINE = re.compile(r"\r\n?|\n")
_DROPPED_CONTENT = frozenset({"script", "style", "iframe", "noembed", "noframes", "noscript"})
_BEFORE_BODY = frozenset(
    {"html", "head", "title", "meta", "link", "base", "basefont", "bgsound", "script", "style"}
) | {"noscript", "noframes", "template"}
_META_NAMES = {
    "description": "description",
    "author": "author",
    "keywords": "keywords",
    "date": "date",
    "article:published_time": "date",
}


@dataclass(slots=True)
class MarkedSource:
    """A marked source, with the title, metadata and runs that were found on the way.

    Attributes:
        markup: what the tree builder parses.
        runs: the text behind the markers.
        facts: what a start tag's attribute ``k`` refers to, by number.
        title: the document's title, white space folded, or None.
        metadata: description, author, keywords, date and lang, as the file says them.
        depth_exceeded, formatting_exceeded: tags were left out.
        held: texts of elements that no text node has, by the number in their attribute ``k``.
        slotted: the slots that elements go into; ``""`` aside.
        frames: addresses of other files that the page shows, as it writes them.
    """

    markup: str
    runs: Runs
    facts: list[ElementFacts]
    title: str | None
    metadata: dict[str, str]
    depth_exceeded: bool
    formatting_exceeded: bool
    held: dict[int, list[Held]]
    slotted: frozenset[str]
    frames: list[str]


def mark(source: str, *, is_xhtml: bool = False) -> MarkedSource:
    """Write the marked source of a decoded HTML document.

    Args:
        source: the decoded document.
        is_xhtml: its tags may close themselves, as in ``<title/>``.

    >>> marked = mark("<p id=x>R&amp;D</p>")
    >>> marked.markup.replace(chr(0xF0000) + chr(0x100000), "MARKER")
    '<p k="0">MARKER</p>'
    >>> marked.facts[0].id, marked.runs.start[0], marked.runs.end[0]
    ('x', 8, 15)
    """
    return _Writer(source, is_xhtml=is_xhtml).write()


class _Writer:
    def __init__(self, source: str, *, is_xhtml: bool) -> None:
        self._source = source
        self._is_xhtml = is_xhtml
        self._out: list[str] = []
        self._runs = Runs()
        self._facts: list[ElementFacts] = []
        self._keys: dict[object, int] = {}
        self._boxed = BoxedElements(source)
        self._open = OpenElements()
        self._left_out = LeftOutElements()
        self._dropped_formatting: Counter[str] = Counter()
        self._templates = 0
        self._body_started = False
        self._newline_is_skipped = False
        self._title: str | None = None
        self._metadata: dict[str, str] = {}
        self._held = HeldTexts(source, self._runs)

    def write(self) -> MarkedSource:
        tokens = tokenize(
            self._source, is_foreign=lambda: self._open.is_foreign, is_xml=self._is_xhtml
        )
        for token in tokens:
            skips_newline, self._newline_is_skipped = self._newline_is_skipped, False
            if token.kind is TokenKind.START_TAG and self._closes_itself(token):
                self._start_tag(token)
                self._end_tag(token.name, token.end)
                self._newline_is_skipped = False
            elif token.kind is TokenKind.START_TAG:
                self._start_tag(token)
            elif token.kind is TokenKind.END_TAG:
                self._end_tag(token.name, token.start)
            elif token.kind is TokenKind.DOCTYPE:
                self._out.append(self._source[token.start : token.end])
            elif token.kind is TokenKind.COMMENT:
                self._write("<!---->")
            elif token.kind is not TokenKind.DROPPED:
                self._text(token, skips_newline)
        self._held.end_menu()
        self._held.end_shadow(len(self._source))
        return MarkedSource(
            "".join(self._out),
            self._runs,
            self._facts,
            self._title,
            self._metadata,
            self._left_out.were_any,
            bool(self._dropped_formatting),
            self._held.found,
            frozenset(self._held.slotted),
            self._held.frames,
        )

    def _write(self, markup: str) -> None:
        if not self._templates:
            self._out.append(markup)

    # Text

    def _text(self, token: Token, skips_newline: bool) -> None:
        start, end = token.start, token.end
        if token.name == "title" and self._title is None and not self._templates:
            self._title = " ".join(decode_text(self._source[start:end]).split()) or None
        if token.name == "noscript" and not (self._templates or self._left_out):
            self._held.content(Span(start, end))
        if token.name in _DROPPED_CONTENT or self._templates or self._left_out.hide_text:
            return
        if self._held.menu is not None:
            self._held.menu.text(Span(start, end))
            return
        if skips_newline:
            start = self._after_newline(start, end)
        references = token.kind in (TokenKind.TEXT, TokenKind.RCDATA)
        if not self._body_started or self._open.current == "colgroup":
            white_end = self._leading_white(start, end)
            self._run(start, white_end, references, token)
            start = white_end
            self._body_started = token.kind is TokenKind.TEXT and start < end
        self._run(start, end, references, token)

    def _leading_white(self, start: int, end: int) -> int:
        """Return the end of white space that may have another parent than the text after."""
        position = start
        while position < end:
            white = _LEADING_WHITE.match(self._source, position, end)
            position = white.end() if white else position
            reference = REFERENCE.match(self._source, position, end)
            decoded = decode_reference(reference.group()) if reference else None
            if decoded is None or decoded[0] not in _WHITE:
                break
            position += decoded[1]
        return position

    def _after_newline(self, start: int, end: int) -> int:
        """Return where the text of a ``<pre>`` starts: a first line end does not count."""
        found = _NEWLINE.match(self._source, start, end)
        if found:
            return found.end()
        reference = REFERENCE.match(self._source, start, end)
        decoded = decode_reference(reference.group()) if reference else None
        return start + decoded[1] if decoded and decoded[0] == "\n" else start

    def _run(self, start: int, end: int, references: bool, token: Token) -> None:
        if start >= end:
            return
        keeps_nul = token.kind is not TokenKind.TEXT or not self._open.takes_html
        other = _NOT_WHITE.search(self._source, start, end)
        if other and references and self._source[other.start()] == "&":
            white = not decode_text(self._source[start:end]).strip(_WHITE + "\0")
        else:
            white = other is None
        if white and not keeps_nul and not self._source[start:end].strip("\0"):
            return  # nothing but dropped NULs: the tree never sees it
        if white and keeps_nul and "\0" in self._source[start:end]:
            white = False
        in_table = self._open.current in elements.TABLE_FRAME
        run = self._runs.add(start, end, references, keeps_nul, in_table=in_table)
        self._out.append(marker(run, white=white))

    # Tags

    def _start_tag(self, token: Token) -> None:
        name = token.name
        if name not in _BEFORE_BODY:
            self._body_started = True
        attributes = self._attributes(token) if token.attributes else {}
        if attributes:
            self._note(name, attributes)
        if not self._left_out:
            implied = self._open.unknown_implied_end(name)
            if implied:
                self._write(f"</{implied}>")
            self._open.close_implied(name, breaks_out=name == "font" and _is_styled(attributes))
        if not self._open.counts("select"):
            self._held.end_menu()
        if self._is_too_deep(name):
            self._leave_out(name, attributes)
            return
        markup = self._start_markup(token, attributes)
        if markup is None:
            return
        is_html = self._open.takes_html
        encoding = attributes.get("encoding", "").lower()
        html_inside = name == "annotation-xml" and encoding in _HTML_ENCODINGS
        opened = self._open.open(name, self_closing=token.self_closing, html_inside=html_inside)
        if not self._is_menu_item(name):
            self._write(markup)
        elif self._held.menu is not None:
            self._held.menu.start(token, attributes)
        if opened and name == "template" and is_html:
            self._templates += 1
        self._newline_is_skipped = is_html and name in ("pre", "listing", "textarea")

    def _closes_itself(self, token: Token) -> bool:
        """Say whether an end tag has to be written, as HTML takes the tag for an open one."""
        is_html = self._open.takes_html and token.name not in ("svg", "math")
        closes = self._is_xhtml and token.self_closing
        return closes and is_html and token.name not in elements.VOID

    def _end_tag(self, name: str, start: int) -> None:
        """Take an end tag that starts at `start` of the source."""
        if self._dropped_formatting[name] > 0:
            self._dropped_formatting[name] -= 1
            return
        if self._left_out:
            if self._left_out.close(name):
                self._break_line(name)
                return
            if not self._open.counts(name):
                return
            self._left_out.clear()
        if name == "template" and self._templates and not self._open.is_foreign:
            self._templates -= 1
            if not self._templates:
                self._held.end_shadow(start)
        for foreign in self._open.broken_out(name):
            self._write(f"</{_safe(foreign)}>")
        if not self._is_menu_item(name):
            self._write(f"</{_safe(name)}>")
        elif self._held.menu is not None:
            self._held.menu.end(name)
        self._open.close(name)
        if not self._open.counts("select"):
            self._held.end_menu()

    def _start_markup(self, token: Token, attributes: dict[str, str]) -> str | None:
        """Return the canonical start tag, or None for a formatting element that is left out."""
        name = token.name
        says = attributes or name == "dialog" or self._boxed.holds(name, attributes)
        key = self._key(name, attributes) if says else -1
        if may_hold(name, attributes) and self._open.takes_html and not self._templates:
            self._facts.append(self._facts[key] if key >= 0 else NO_FACTS)
            key = len(self._facts) - 1  # its own, not that of all with the same facts
            self._held.start(token, key, attributes)
        is_formatting = name in elements.FORMATTING and self._open.takes_html
        if is_formatting and not self._templates and not self._open.add_formatting(name, key):
            self._dropped_formatting[name] += 1
            return None
        parts = [f"<{_safe(name)}"]
        if key >= 0:
            parts.append(f' k="{key}"')
        if name == "input" and attributes.get("type", "").lower() == "hidden":
            parts.append(' type="hidden"')
        elif name == "annotation-xml" and attributes.get("encoding", "").lower() in _HTML_ENCODINGS:
            parts.append(' encoding="text/html"')
        elif name == "font" and _is_styled(attributes):
            parts.append(' color=""')
        parts.append("/>" if token.self_closing else ">")
        return "".join(parts)

    def _attributes(self, token: Token) -> dict[str, str]:
        """Return the attributes, the first of each name, values decoded."""
        attributes: dict[str, str] = {}
        for name, start, end in token.attributes:
            if name not in attributes:
                attributes[name] = decode_attribute(self._source[start:end])
        return attributes

    def _key(self, name: str, attributes: dict[str, str]) -> int:
        """Return a number for these attributes, or -1 where they say nothing.

        Formatting elements with the same attributes count as one to a tree builder (it repeats at
        most three of them), so that theirs are compared in full.
        """
        facts = element_facts(name, attributes)
        if self._boxed.holds(name, attributes):
            facts = replace(facts, boxed=True)
        identity: object = facts
        if name in elements.FORMATTING:
            identity = (facts, tuple(sorted(attributes.items())))
        elif facts == NO_FACTS:
            return -1
        key = self._keys.setdefault(identity, len(self._facts))
        if key == len(self._facts):
            self._facts.append(facts)
        return key

    def _note(self, name: str, attributes: dict[str, str]) -> None:
        """Note the meaning of a start tag for the page as a whole."""
        if name == "html" and attributes.get("lang"):
            self._metadata.setdefault("lang", attributes["lang"])
        if self._templates:
            return
        if name == "meta":
            self._note_meta(attributes)
        else:
            self._held.note(name, attributes)

    def _note_meta(self, attributes: dict[str, str]) -> None:
        name = (attributes.get("name") or attributes.get("property") or "").strip().lower()
        value = " ".join(attributes.get("content", "").split())
        if name in _META_NAMES and value:
            self._metadata.setdefault(_META_NAMES[name], value)

    def _is_menu_item(self, name: str) -> bool:
        """Say whether a tag belongs to a ``<select>``, all hidden: lexbor takes quadratic time."""
        return name in ("option", "optgroup") and self._open.counts("select") > 0

    # Tags past the greatest depth

    def _is_too_deep(self, name: str) -> bool:
        if name in elements.VOID:
            return False
        return bool(self._left_out) or len(self._open) >= MAX_DEPTH

    def _leave_out(self, name: str, attributes: dict[str, str]) -> None:
        facts = element_facts(name, attributes)
        hides = name in elements.HIDDEN or not facts.displayed or facts.visible is False
        self._left_out.open(name, hides=hides)
        self._break_line(name)

    def _break_line(self, name: str) -> None:
        if name in elements.BLOCKS or name in elements.CELLS:
            self._write("<br>")


_HTML_ENCODINGS = ("text/html", "application/xhtml+xml")


def _is_styled(attributes: dict[str, str]) -> bool:
    return any(name in attributes for name in ("color", "face", "size"))


def _safe(name: str) -> str:
    return name.replace("\0", "\N{REPLACEMENT CHARACTER}")
