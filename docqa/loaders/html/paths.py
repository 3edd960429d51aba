"""Elements and text nodes of a parsed document in flat arrays: paths without keeping the tree."""

from __future__ import annotations

import re
from array import array

from docqa.loaders.html.elements import SVG_TAG_CASE

__all__ = ["ElementTable", "TextNodeTable"]

_XML_NAME = re.compile(r"[A-Za-z_][\w.-]*\Z", re.ASCII)
_CSS_SAFE = re.compile(r"[\w-]", re.ASCII)
_ONE_OF_A_KIND = frozenset({"html", "head", "body"})


class ElementTable:
    """Hold the elements of a tree, numbered in document order.

    An element is known by its parent, its name and its place among the parent's children of that
    name; that is all that XPath and CSS need.
    """

    def __init__(self) -> None:
        self._parent = array("i")
        self._name = array("I")
        self._place = array("I")
        self._is_foreign = array("B")
        self._names: list[str] = []
        self._name_numbers: dict[str, int] = {}
        self._ids: dict[int, str] = {}
        self._id_counts: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._parent)

    def add(self, name: str, parent: int, place: int, *, foreign: bool, id_: str = "") -> int:
        """Add an element and return its number.

        Args:
            name: in lower case.
            parent: its parent's number, or -1.
            place: from 1, among the parent's children of that name.
            foreign: it is an SVG or MathML element.
            id_: its ``id``, or an empty string.
        """
        number = self._name_numbers.setdefault(name, len(self._names))
        if number == len(self._names):
            self._names.append(name)
        self._parent.append(parent)
        self._name.append(number)
        self._place.append(place)
        self._is_foreign.append(foreign)
        if id_:
            self._ids[len(self._parent) - 1] = id_
            self._id_counts[id_] = self._id_counts.get(id_, 0) + 1
        return len(self._parent) - 1

    def name(self, element: int) -> str:
        """Return the element's name in lower case."""
        return self._names[self._name[element]]

    def is_foreign(self, element: int) -> bool:
        """Say whether it is an SVG or MathML element."""
        return bool(self._is_foreign[element])

    def xpath(self, element: int) -> str:
        """Return the element's path from the root, as in ``/html/body/div[2]/p[1]``.

        SVG and MathML elements are named by ``local-name()``, because they stand in namespaces
        of their own.
        """
        return "/" + "/".join(self._xpath_step(number) for number in self._lineage(element))

    def css_path(self, element: int) -> str:
        """Return a CSS selector of the element, from its nearest ancestor with a unique id."""
        steps: list[str] = []
        for number in reversed(self._lineage(element)):
            own_id = self._ids.get(number, "")
            if own_id and self._id_counts[own_id] == 1:
                steps.append("#" + _css_escape(own_id))
                break
            steps.append(self._css_step(number))
        return " > ".join(reversed(steps))

    def _lineage(self, element: int) -> list[int]:
        numbers = []
        while element >= 0:
            numbers.append(element)
            element = self._parent[element]
        return numbers[::-1]

    def _tag(self, number: int) -> str:
        name = self._names[self._name[number]]
        return SVG_TAG_CASE.get(name, name) if self._is_foreign[number] else name

    def _xpath_step(self, number: int) -> str:
        tag, place = self._tag(number), self._place[number]
        if tag in _ONE_OF_A_KIND and place == 1:
            return tag
        if _XML_NAME.match(tag) and not self._is_foreign[number]:
            return f"{tag}[{place}]"
        return f"*[local-name()={_xpath_string(tag)}][{place}]"

    def _css_step(self, number: int) -> str:
        tag, place = self._tag(number), self._place[number]
        if tag in _ONE_OF_A_KIND and place == 1:
            return tag
        return f"{_css_escape(tag)}:nth-of-type({place})"


class TextNodeTable:
    """Hold the text nodes of a tree: their element, their place, and the runs that make them up.

    Each run of the source belongs to at most one node.
    """

    def __init__(self, runs: int) -> None:
        self.element = array("I")
        self.place = array("I")
        self._first = array("I")
        self._runs = array("I")
        self._node_of_run = array("i", [-1]) * runs

    def add(self, element: int, place: int) -> int:
        """Add text node `place` (from 1) of `element` and return its number."""
        self.element.append(element)
        self.place.append(place)
        self._first.append(len(self._runs))
        return len(self.element) - 1

    def add_runs(self, runs: list[int]) -> None:
        """Append runs to the last node, in the order of its text."""
        self._runs.extend(runs)
        for run in runs:
            self._node_of_run[run] = len(self.element) - 1

    def node_of(self, run: int) -> int:
        """Return the node that holds a run, or -1."""
        return self._node_of_run[run]

    def runs(self, node: int) -> array[int]:
        """Return the runs of a node, in the order of its text."""
        last = node + 1 == len(self._first)
        return self._runs[self._first[node] : None if last else self._first[node + 1]]


def _xpath_string(text: str) -> str:
    r"""Quote a string for XPath 1.0, which has no escapes.

    >>> _xpath_string("o'clock")
    '"o\'clock"'
    """
    if '"' not in text:
        return f'"{text}"'
    if "'" not in text:
        return f"'{text}'"
    return "concat(" + ", '\"', ".join(f'"{part}"' for part in text.split('"')) + ")"


def _css_escape(name: str) -> str:
    r"""Escape an identifier for a selector (CSSOM, "serialize an identifier").

    >>> _css_escape("a.b"), _css_escape("2nd")
    ('a\\.b', '\\32 nd')
    """
    if name == "-":
        return "\\-"
    escaped = []
    for place, char in enumerate(name):
        leading = place == 0 or (place == 1 and name[0] == "-")
        if char == "\0":
            escaped.append("\N{REPLACEMENT CHARACTER}")
        elif (leading and char.isascii() and char.isdigit()) or char < " " or char == "\x7f":
            escaped.append(f"\\{ord(char):x} ")
        elif not char.isascii() or _CSS_SAFE.match(char):
            escaped.append(char)
        else:
            escaped.append("\\" + char)
    return "".join(escaped)
