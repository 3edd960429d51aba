"""Boundaries of HTML tokens over an untouched source, in time linear in its length.

No HTML parser gives the positions of text, so this tokenizer finds them: the states of the HTML
Standard, 13.2.5, that decide where a token starts and ends. It decodes nothing. Every
search that finds no end consumes the rest of the file, so that none is repeated.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from enum import Enum
from typing import NamedTuple

__all__ = ["Attribute", "Token", "TokenKind", "tokenize"]


class TokenKind(Enum):
    """The kind of a token; ``DROPPED`` is ``</>``, or an unfinished tag at the end of the file."""

    TEXT = "text"
    RAW_TEXT = "raw text"
    RCDATA = "rcdata"
    CDATA = "cdata"
    START_TAG = "start tag"
    END_TAG = "end tag"
    COMMENT = "comment"
    DOCTYPE = "doctype"
    DROPPED = "dropped"


class Attribute(NamedTuple):
    """An attribute: its name in lower case and ``[start, end)`` of its raw value."""

    name: str
    start: int
    end: int


class Token(NamedTuple):
    """A token.

    Attributes:
        kind: what it is.
        start, end: characters of the source, half-open; of a CDATA section, its content.
        name: a tag's name in lower case; for RAW_TEXT and RCDATA the element's; else empty.
        attributes: of a start tag, in order, duplicates included.
        self_closing: a start tag ends with ``/>``.
    """

    kind: TokenKind
    start: int
    end: int
    name: str = ""
    attributes: tuple[Attribute, ...] = ()
    self_closing: bool = False


RCDATA_ELEMENTS = frozenset({"title", "textarea"})
RAW_TEXT_ELEMENTS = frozenset(
    {"script", "style", "xmp", "iframe", "noembed", "noframes", "noscript", "plaintext"}
)
"""Elements whose content is not parsed; ``noscript`` as in a browser that runs scripts."""

_SPACE = "\t\n\f\r "
_TAG_NAME = re.compile(r"[^\t\n\f\r />]*")
_BETWEEN = re.compile(r"(?:[\t\n\f\r ]|/(?!>))*")
_ATTRIBUTE_NAME = re.compile(r"[^\t\n\f\r />][^\t\n\f\r />=]*")
_EQUALS = re.compile(r"[\t\n\f\r ]*=[\t\n\f\r ]*")
_UNQUOTED = re.compile(r"[^\t\n\f\r >]*")
_MARKUP = re.compile(r"<(?:[A-Za-z!?]|/(?=.))", re.DOTALL)
_COMMENT_END = re.compile(r"--!?>")
_SCRIPT_PART = re.compile(r"<!--|-->|<(/?)script(?=[\t\n\f\r />])", re.IGNORECASE)
_EMPTY_ESCAPE = re.compile(r"--+>")
_ASCII_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}


def tokenize(
    source: str, *, is_foreign: Callable[[], bool] = lambda: False, is_xml: bool = False
) -> Iterator[Token]:
    """Yield the tokens of an HTML document, which cover it but for CDATA's delimiters.

    The caller may follow the open elements between two tokens: `is_foreign` is asked after each
    tag whether the current element is SVG or MathML, where content is never raw text and CDATA
    sections exist.

    Args:
        source: the decoded document, line ends as they are.
        is_foreign: says whether the current element is foreign.
        is_xml: a tag that closes itself has no content, and CDATA sections exist everywhere.

    >>> [(token.kind.value, token.name, token.end) for token in tokenize("<p class=x>a</p>")]
    [('start tag', 'p', 11), ('text', '', 12), ('end tag', 'p', 16)]
    """
    position = 0
    while position < len(source):
        opening = _MARKUP.search(source, position)
        start = opening.start() if opening else len(source)
        if start > position:
            yield Token(TokenKind.TEXT, position, start)
        if opening is None:
            return
        token = _markup(source, start, lambda: is_xml or is_foreign())
        yield token
        position = token.end
        if token.kind is TokenKind.CDATA:
            position += 3
        elif is_xml and token.self_closing:
            continue
        elif token.kind is TokenKind.START_TAG and not is_foreign():
            content = _raw_content(source, token)
            if content is not None:
                yield content
                position = content.end


def _markup(source: str, start: int, has_cdata: Callable[[], bool]) -> Token:
    """Return the token that starts with the ``<`` at `start`."""
    second, third = source[start + 1], source[start + 2 : start + 3]
    if second == "!":
        return _declaration(source, start, has_cdata)
    if second == "/" and third == ">":
        return Token(TokenKind.DROPPED, start, start + 3)
    if second == "/" and not (third.isascii() and third.isalpha()):
        return _bogus_comment(source, start)
    if second == "?":
        return _bogus_comment(source, start)
    return _tag(source, start)


def _declaration(source: str, start: int, has_cdata: Callable[[], bool]) -> Token:
    if source.startswith("--", start + 2):
        return Token(TokenKind.COMMENT, start, _comment_end(source, start + 4))
    if source.startswith("[CDATA[", start + 2) and has_cdata():
        end = source.find("]]>", start + 9)
        return Token(TokenKind.CDATA, start + 9, len(source) if end < 0 else end)
    if source[start + 2 : start + 9].lower() == "doctype":
        return _bogus_comment(source, start)._replace(kind=TokenKind.DOCTYPE)
    return _bogus_comment(source, start)


def _bogus_comment(source: str, start: int) -> Token:
    end = source.find(">", start + 2)
    return Token(TokenKind.COMMENT, start, len(source) if end < 0 else end + 1)


def _comment_end(source: str, start: int) -> int:
    if source.startswith(">", start):
        return start + 1
    if source.startswith("->", start):
        return start + 2
    found = _COMMENT_END.search(source, start)
    return found.end() if found else len(source)


def _tag(source: str, start: int) -> Token:
    """Return the start or end tag at `start`, or a DROPPED token to the end of the file."""
    is_end = source[start + 1] == "/"
    name_match = _TAG_NAME.match(source, start + (2 if is_end else 1))
    assert name_match is not None  # the pattern matches the empty string too
    name, position = ascii_lower(name_match.group()), name_match.end()
    attributes: list[Attribute] = []
    while True:
        between = _BETWEEN.match(source, position)
        position = between.end() if between else position
        following = source[position : position + 1]
        if following in (">", "/"):  # a slash here is followed by ">"
            kind = TokenKind.END_TAG if is_end else TokenKind.START_TAG
            closing = following == "/"
            return Token(kind, start, position + 1 + closing, name, tuple(attributes), closing)
        attribute = _attribute(source, position) if following else None
        if attribute is None:
            return Token(TokenKind.DROPPED, start, len(source))
        attributes.append(attribute[0])
        position = attribute[1]


def _attribute(source: str, start: int) -> tuple[Attribute, int] | None:
    """Return the attribute at `start` and where it ends, or None where the file ends first."""
    name_match = _ATTRIBUTE_NAME.match(source, start)
    assert name_match is not None  # the caller saw a character that starts a name
    name, position = ascii_lower(name_match.group()), name_match.end()
    equals = _EQUALS.match(source, position)
    if equals is None:
        return Attribute(name, position, position), position
    position = equals.end()
    quote = source[position : position + 1]
    if quote in ('"', "'"):
        end = source.find(quote, position + 1)
        return None if end < 0 else (Attribute(name, position + 1, end), end + 1)
    unquoted = _UNQUOTED.match(source, position)
    end = unquoted.end() if unquoted else position
    return Attribute(name, position, end), end


def ascii_lower(name: str) -> str:
    """Return `name` with A to Z in lower case and all else untouched, as HTML compares names."""
    return name.lower() if name.isascii() else name.translate(_ASCII_LOWER)


def _raw_content(source: str, tag: Token) -> Token | None:
    """Return the content after a start tag that switches the tokenizer, if any is there."""
    if tag.name in RCDATA_ELEMENTS:
        kind = TokenKind.RCDATA
    elif tag.name in RAW_TEXT_ELEMENTS:
        kind = TokenKind.RAW_TEXT
    else:
        return None
    if tag.name == "plaintext":
        end = len(source)
    elif tag.name == "script":
        end = _script_end(source, tag.end)
    else:
        found = _end_tag_pattern(tag.name).search(source, tag.end)
        end = found.start() if found else len(source)
    return Token(kind, tag.end, end, tag.name) if end > tag.end else None


def _end_tag_pattern(name: str) -> re.Pattern[str]:
    return re.compile(f"</{name}(?=[\t\n\f\r />])", re.IGNORECASE)


def _script_end(source: str, start: int) -> int:
    """Return where the script's content ends: its ``</script`` or the end of the file.

    Inside ``<!--`` a nested ``<script`` makes the next ``</script`` part of the content
    (script data double escaped state, HTML Standard, 13.2.5.23).
    """
    escaped = double = False
    position = start
    while (part := _SCRIPT_PART.search(source, position)) is not None:
        position = part.end()
        if part.group() == "<!--":
            if not escaped:
                empty = _EMPTY_ESCAPE.match(source, part.start() + 2)
                escaped = empty is None
                position = empty.end() if empty else position
        elif part.group() == "-->":
            escaped = double = False
        elif part.group(1):
            if not double:
                return part.start()
            double = False
        elif escaped:
            double = True
    return len(source)
