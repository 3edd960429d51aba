"""Elements that a page's own style sheets may set apart in a line, for text fragments.

Browsers search for a fragment's words in what they lay out: nothing is found across the edge of a
block, a box or a float, nor in what is hidden. This module does not apply styles. It collects
the elements for which some rule, under whatever condition, speaks of such things; text fragments
then do not rely on their edges. Style sheets in files of their own are not seen.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

__all__ = ["BoxedElements"]

# CSS 2.2: declarations that take an element, or its text, out of the line (9.2 to 9.7, 11.2).
_SETS_APART = re.compile(r"\b(?:display|visibility|float|position)\s*:", re.IGNORECASE)
_COMBINATOR = re.compile(r"[\s>+~]")
_NAME = re.compile(r"([.#])((?:[\w-]|[^\x00-\x7f])+)")
_TAG = re.compile(r"[A-Za-z][\w-]*")


class BoxedElements:
    """The elements that the style sheets inside a page's source may set apart.

    Args:
        source: the page's source, whatever else is in it.

    >>> boxed = BoxedElements("<style>@media print { p .note, a#x > b {display: none} }</style>")
    >>> boxed.holds("i", {"class": "a note"}), boxed.holds("b", {}), boxed.holds("a", {"id": "x"})
    (True, True, False)
    """

    def __init__(self, source: str) -> None:
        self._classes: set[str] = set()
        self._ids: set[str] = set()
        self._tags: set[str] = set()
        for sheet in _style_sheets(source):
            for subject in _subjects(sheet):
                self._add(subject)

    def holds(self, name: str, attributes: dict[str, str]) -> bool:
        """Say whether a rule may set an element apart.

        Args:
            name: in lower case.
            attributes: of its start tag.
        """
        return (
            name in self._tags
            or (bool(self._ids) and attributes.get("id") in self._ids)
            or (bool(self._classes) and not self._classes.isdisjoint(_classes(attributes)))
        )

    def _add(self, subject: str) -> None:
        names = _NAME.findall(subject)
        self._classes.update(name for kind, name in names if kind == ".")
        self._ids.update(name for kind, name in names if kind == "#")
        tag = _TAG.match(subject)
        if tag and not names:
            self._tags.add(tag[0].lower())


def _classes(attributes: dict[str, str]) -> list[str]:
    return attributes.get("class", "").split()


def _style_sheets(source: str) -> Iterator[str]:
    """Yield the content of ``<style>`` elements, in time linear in the source."""
    lower = source.lower() if len(source.lower()) == len(source) else source
    place = lower.find("<style")
    while place >= 0:
        start, end = lower.find(">", place), lower.find("</style", place)
        if start < 0 or end < 0:
            return
        yield source[start + 1 : end]
        place = lower.find("<style", end)


def _subjects(sheet: str) -> Iterator[str]:
    """Yield the last compound of each selector whose rule sets its elements apart."""
    for rule in sheet.split("}"):
        before, brace, declarations = rule.rpartition("{")
        if brace and _SETS_APART.search(declarations):
            for selector in before.rpartition("{")[2].split(","):
                parts = _COMBINATOR.split(selector.strip())
                yield parts[-1]
