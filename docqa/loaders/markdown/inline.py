"""The shown characters of a Markdown paragraph, heading or cell, each with its place in the source.

A CommonMark parser says which marks a stretch of source has, but not where. Its tokens come in the
order of the source, though, and a token's own marks have a known form, so that one walk along the
source finds the place of each.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from docqa.loaders.typography import CONTEXT, is_parted

if TYPE_CHECKING:
    from markdown_it.token import Token

__all__ = ["InlineText", "Shown", "inline_text"]

_TAG = re.compile(r"<(/?)(br|del|s|strike|sub|sup)\b", re.IGNORECASE)
_STRUCK = frozenset({"del", "s", "strike"})
_WHITE = re.compile(r"[ \t]*")


@dataclass(frozen=True, slots=True)
class Shown:
    """Shown characters and their place: ``[start, end)`` of the stretch of source.

    Attributes:
        text: equals the source's characters where `is_verbatim` is true.
        end: `start` for a space that the source does not have.
    """

    text: str
    start: int
    end: int
    is_verbatim: bool = True


@dataclass(slots=True)
class InlineText:
    """The shown characters of a stretch of source, and the number of those crossed out."""

    shown: list[Shown] = field(default_factory=list)
    struck: int = 0


class _LostError(Exception):
    """The source does not go on as the tokens say."""


def inline_text(content: str, children: Sequence[Token]) -> InlineText:
    """Return the shown characters of `content`; all of it where its marks are unclear.

    Args:
        content: a stretch of source, the parser's own.
        children: its tokens.
    """
    walk = _Walk(content)
    try:
        for child in children:
            walk.take(child)
    except _LostError:
        return InlineText([Shown(content, 0, len(content))])
    return walk.found


class _Walk:
    def __init__(self, content: str) -> None:
        self._content, self._at = content, 0
        self._level = 0
        self._is_new_level = False
        self._struck = 0  # open marks that cross out
        self.found = InlineText()

    def take(self, token: Token) -> None:
        """Go on along the source over the characters of a token."""
        kind = token.type
        if kind == "text":
            start = self._content.find(token.content, self._at)
            if start < 0:
                raise _LostError
            self._show(start, start + len(token.content))
        elif kind == "text_special":
            self._special(token)
        elif kind in ("softbreak", "hardbreak"):
            self._line_end("\n" if kind == "hardbreak" else " ")
        elif kind == "code_inline":
            self._code(token.markup)
        elif kind == "html_inline":
            self._tag(token.content)
        elif kind == "image":
            self._image()
        elif kind in ("link_open", "link_close"):
            self._link(token)
        else:
            self._skip(token.markup)
            self._struck += {"s_open": 1, "s_close": -1}.get(kind, 0)

    def _skip(self, mark: str) -> None:
        if not self._content.startswith(mark, self._at):
            raise _LostError
        self._at += len(mark)

    def _show(self, start: int, end: int, text: str | None = None) -> None:
        """Add source characters, or `text` that stands for them all; go on behind them."""
        self._at = end
        words = self._content[start:end] if text is None else text
        if self._struck > 0:
            self.found.struck += len(words.strip())
            return
        if self._is_new_level and words:
            self._is_new_level = False
            before = "".join(one.text for one in self.found.shown[-CONTEXT:])[-CONTEXT:]
            if is_parted(before, words):
                self.found.shown.append(Shown(" ", start, start, False))
        if words:
            self.found.shown.append(Shown(words, start, end, text is None))

    def _special(self, token: Token) -> None:
        if not self._content.startswith(token.markup, self._at):
            raise _LostError
        start, end = self._at, self._at + len(token.markup)
        if self._content.endswith(token.content, start, end):  # an escape: the sign itself
            self._show(end - len(token.content), end)
        else:
            self._show(start, end, token.content)

    def _line_end(self, text: str) -> None:
        start = self._content.find("\n", self._at)
        if start < 0:
            raise _LostError
        self._show(start, start + 1, text)
        white = _WHITE.match(self._content, self._at)
        self._at = white.end() if white else self._at

    def _code(self, ticks: str) -> None:
        self._skip(ticks)
        closing = re.compile(rf"(?<!`){ticks}(?!`)").search(self._content, self._at)
        if closing is None:
            raise _LostError
        start, end = self._at, closing.start()
        inner = self._content[start:end]
        if inner.strip() and inner[0] in " \n" and inner[-1] in " \n":
            start, end = start + 1, end - 1
        self._show(start, end)
        self._at = closing.end()

    def _tag(self, tag: str) -> None:
        self._skip(tag)
        known = _TAG.match(tag)
        if known is None:
            return
        name, step = known[2].lower(), -1 if known[1] else 1
        if name == "br":
            self._show(self._at - len(tag), self._at, "\n")
        elif name in _STRUCK:
            self._struck = max(0, self._struck + step)
        else:
            self._level += step
            self._is_new_level = True

    def _image(self) -> None:
        """Show the words that stand for a picture."""
        self._skip("![")
        end = _closing(self._content, self._at, "[", "]")
        self._show(self._at, end)
        self._at = self._behind_target(end + 1)

    def _link(self, token: Token) -> None:
        if token.markup == "autolink":
            self._skip("<" if token.type == "link_open" else ">")
        elif token.type == "link_open":
            self._skip("[")
        else:
            self._skip("]")
            self._at = self._behind_target(self._at)

    def _behind_target(self, at: int) -> int:
        """Return where the address or the label behind a link's words ends."""
        if self._content.startswith("(", at):
            return _closing(self._content, at + 1, "(", ")") + 1
        if self._content.startswith("[", at):
            return _closing(self._content, at + 1, "[", "]") + 1
        return at


def _closing(content: str, at: int, opening: str, closing: str) -> int:
    """Return where the bracket closes that was opened before `at`.

    Raises:
        _LostError: it does not.
    """
    depth = 1
    for place, character in _unescaped(content, at, titles=opening == "("):
        depth += (character == opening) - (character == closing)
        if not depth:
            return place
    raise _LostError


def _unescaped(content: str, at: int, *, titles: bool) -> Iterator[tuple[int, str]]:
    """Yield the characters from `at` on, but for escaped and quoted ones."""
    quote = ""
    while at < len(content):
        character = content[at]
        if character == "\\":
            at += 2
            continue
        if quote:
            quote = "" if character == quote else quote
        elif titles and (
            (character in "\"'" and content[at - 1].isspace())
            or (character == "<" and content[at - 1] == "(")
        ):
            quote = ">" if character == "<" else character
        else:
            yield at, character
        at += 1
