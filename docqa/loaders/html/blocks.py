"""Blocks of a web page's text, and which of them are boilerplate."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from docqa.datamodel import Block, BlockKind, Span

__all__ = ["BlockRecorder", "boilerplate_container"]

# Elements and ARIA landmark roles (WAI-ARIA 1.2, 5.3.4) that hold what surrounds a page's content.
_BOILERPLATE_ELEMENTS = frozenset({"nav", "footer", "aside", "form", "menu", "dialog"})
_BOILERPLATE_ROLES = frozenset(
    {"alertdialog", "banner", "complementary", "contentinfo", "dialog", "menu", "menubar"}
) | {"navigation", "search"}

_LINK_SHARE = 0.5
"""A block with more of its characters inside links is navigation."""

_WRAPPER_SHARE = 0.5
"""A container with more of the page's text is a wrapper around the page, not boilerplate."""


def boilerplate_container(name: str, role: str, *, in_article: bool) -> bool:
    """Say whether an element holds boilerplate by its name or role.

    A ``<header>`` counts outside articles and sections only: inside, it heads the text.

    >>> boilerplate_container("header", "", in_article=False)
    True
    >>> boilerplate_container("header", "", in_article=True)
    False
    """
    if name == "header" and not role:
        return not in_article
    return name in _BOILERPLATE_ELEMENTS or role in _BOILERPLATE_ROLES


@dataclass(slots=True)
class _OpenBlock:
    start: int
    end: int
    kind: BlockKind
    container: int
    link_characters: int = 0
    characters: int = 0


class BlockRecorder:
    """A collector of blocks in the order of the text."""

    def __init__(self) -> None:
        self._blocks: list[_OpenBlock] = []
        self._is_open = False

    def __len__(self) -> int:
        return len(self._blocks)

    def extend(self, span: Span, kind: BlockKind, container: int, *, in_link: bool) -> None:
        """Add characters to the open block, or open one.

        Args:
            span: characters of the text, at or after the end of the last block.
            kind: of the block, should one be opened.
            container: number of the element that makes it boilerplate, or -1.
            in_link: the characters are part of a link.
        """
        if not self._is_open:
            self._blocks.append(_OpenBlock(span.start, span.end, kind, container))
            self._is_open = True
        block = self._blocks[-1]
        block.end = span.end
        block.characters += len(span)
        block.link_characters += len(span) if in_link else 0

    def close(self) -> None:
        """End the open block, if there is one."""
        self._is_open = False

    def join(self, first: int, kind: BlockKind) -> None:
        """Replace the blocks from number `first` on by one from the first to the last of them."""
        parts = self._blocks[first:]
        self.close()
        if not parts:
            return
        joined = _OpenBlock(parts[0].start, parts[-1].end, kind, parts[0].container)
        joined.characters = sum(part.characters for part in parts)
        joined.link_characters = sum(part.link_characters for part in parts)
        self._blocks[first:] = [joined]

    def build(self, text: str) -> tuple[Block, ...]:
        """Return the blocks, trimmed to their visible characters, with boilerplate flagged."""
        wrappers = self._wrappers()
        blocks = []
        for block in self._blocks:
            span = _trim(text, block.start, block.end)
            if span:
                dense = block.link_characters > _LINK_SHARE * block.characters
                inside = block.container >= 0 and block.container not in wrappers
                blocks.append(Block(span, block.kind, boilerplate=inside or dense))
        return tuple(blocks)

    def _wrappers(self) -> set[int]:
        sizes: Counter[int] = Counter()
        for block in self._blocks:
            sizes[block.container] += block.characters - block.link_characters
        total = sum(sizes.values())
        return {number for number, size in sizes.items() if size > _WRAPPER_SHARE * total}


def _trim(text: str, start: int, end: int) -> Span:
    part = text[start:end]
    left = len(part) - len(part.lstrip())
    return Span(start + left, max(start + left, start + len(part.rstrip())))
