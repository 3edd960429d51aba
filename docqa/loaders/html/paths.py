"""Elements and text nodes of a parsed document in flat arrays: paths without keeping the tree."""

from __future__ import annotations

import re
from array import array
from dataclasses import dataclass, field
from operator import le

from docqa.loaders.html.elements import SVG_TAG_CASE
from docqa.loaders.numbers import Numbers, of_one_length, within

__all__ = ["ElementTable", "TextNodeTable"]

_XML_NAME = re.compile(r"[A-Za-z_][\w.-]*\Z", re.ASCII)
_CSS_SAFE = re.compile(r"[\w-]", re.ASCII)
_ONE_OF_A_KIND = frozenset({"html", "head", "body"})


@dataclass(slots=True)
class ElementTable:
    """The elements of a tree, numbered in document order.

    An element is known by its parent, its name and its place among the parent's children of that
    name; that is all that XPath and CSS need.

    Attributes:
        parent: number of each element's parent, below its own; -1 for none.
        name_number, names: name of each element, as an index of the names that occur.
        place: from 1, among the parent's children of that name.
        foreign: 1 for SVG and MathML elements.
        ids: the ``id`` of each element that has one.
        name_numbers, id_counts: index of each name, and how often each ``id`` occurs.
    """

    parent: Numbers = field(default_factory=lambda: array("i"))
    name_number: Numbers = field(default_factory=lambda: array("I"))
    place: Numbers = field(default_factory=lambda: array("I"))
    foreign: Numbers = field(default_factory=lambda: array("B"))
    names: list[str] = field(default_factory=list)
    name_numbers: dict[str, int] = field(default_factory=dict)
    ids: dict[int, str] = field(default_factory=dict)
    id_counts: dict[str, int] = field(default_factory=dict)

    def require_sound(self) -> None:
        """Check a table from an untrusted process.

        Raises:
            ValueError: an element is its own ancestor, or has no name.
        """
        is_sound = (
            of_one_length(self.parent, self.name_number, self.place, self.foreign)
            and all(-1 <= parent < number for number, parent in enumerate(self.parent))
            and within(self.name_number, 0, len(self.names))
            and self.id_counts.keys() >= set(self.ids.values())
        )
        if not is_sound:
            raise ValueError("the elements of a page are no tree")

    def __len__(self) -> int:
        return len(self.parent)

    def add(self, name: str, parent: int, place: int, *, foreign: bool, id_: str = "") -> int:
        """Add an element and return its number.

        Args:
            name: in lower case.
            parent: its parent's number, or -1.
            place: from 1, among the parent's children of that name.
            foreign: it is an SVG or MathML element.
            id_: its ``id``, or an empty string.
        """
        number = self.name_numbers.setdefault(name, len(self.names))
        if number == len(self.names):
            self.names.append(name)
        self.parent.append(parent)
        self.name_number.append(number)
        self.place.append(place)
        self.foreign.append(foreign)
        if id_:
            self.ids[len(self.parent) - 1] = id_
            self.id_counts[id_] = self.id_counts.get(id_, 0) + 1
        return len(self.parent) - 1

    def name(self, element: int) -> str:
        """Return the element's name in lower case."""
        return self.names[self.name_number[element]]

    def is_foreign(self, element: int) -> bool:
        """Say whether it is an SVG or MathML element."""
        return bool(self.foreign[element])

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
            own_id = self.ids.get(number, "")
            if own_id and self.id_counts[own_id] == 1:
                steps.append("#" + _css_escape(own_id))
                break
            steps.append(self._css_step(number))
        return " > ".join(reversed(steps))

    def _lineage(self, element: int) -> list[int]:
        numbers = []
        while element >= 0:
            numbers.append(element)
            element = self.parent[element]
        return numbers[::-1]

    def _tag(self, number: int) -> str:
        name = self.names[self.name_number[number]]
        return SVG_TAG_CASE.get(name, name) if self.foreign[number] else name

    def _xpath_step(self, number: int) -> str:
        tag, place = self._tag(number), self.place[number]
        if tag in _ONE_OF_A_KIND and place == 1:
            return tag
        if _XML_NAME.match(tag) and not self.foreign[number]:
            return f"{tag}[{place}]"
        return f"*[local-name()={_xpath_string(tag)}][{place}]"

    def _css_step(self, number: int) -> str:
        tag, place = self._tag(number), self.place[number]
        if tag in _ONE_OF_A_KIND and place == 1:
            return tag
        return f"{_css_escape(tag)}:nth-of-type({place})"


@dataclass(slots=True)
class TextNodeTable:
    """The text nodes of a tree: their element, their place, and the runs that make them up.

    Each run of the source belongs to at most one node.

    Attributes:
        node_of_run: the node of each run of the source, or -1.
        element, place: element of each node, and the node's place (from 1) in it; 0 for text of
            the element that is no text node.
        first: index of each node's first run in `run_numbers`.
        run_numbers: the runs of all nodes, in the order of their text.
    """

    node_of_run: Numbers
    element: Numbers = field(default_factory=lambda: array("I"))
    place: Numbers = field(default_factory=lambda: array("I"))
    first: Numbers = field(default_factory=lambda: array("I"))
    run_numbers: Numbers = field(default_factory=lambda: array("I"))

    @classmethod
    def of(cls, runs: int) -> TextNodeTable:
        """Return an empty table for a source of `runs` runs."""
        return cls(array("i", [-1]) * runs)

    def require_sound(self, *, runs: int, elements: int) -> None:
        """Check a table from an untrusted process.

        Args:
            runs: number of runs of the source.
            elements: number of elements of the tree.

        Raises:
            ValueError: it names a run, an element or a node that does not exist.
        """
        nodes = len(self.element)
        is_sound = (
            len(self.node_of_run) == runs
            and len(self.place) == len(self.first) == nodes > 0
            and within(self.element, 0, elements)
            and self.first[0] >= 0
            and all(map(le, self.first, [*self.first[1:], len(self.run_numbers)]))
            and within(self.run_numbers, 0, runs)
            and within(self.node_of_run, -1, nodes)
        )
        if not is_sound:
            raise ValueError("the text nodes of a page name what does not exist")

    def add(self, element: int, place: int) -> int:
        """Add text node `place` (from 1; 0 for no node) of `element`; return its number."""
        self.element.append(element)
        self.place.append(place)
        self.first.append(len(self.run_numbers))
        return len(self.element) - 1

    def add_runs(self, runs: list[int]) -> None:
        """Append runs to the last node, in the order of its text."""
        self.run_numbers.extend(runs)
        for run in runs:
            self.node_of_run[run] = len(self.element) - 1

    def node_of(self, run: int) -> int:
        """Return the node that holds a run, or -1."""
        return self.node_of_run[run]

    def runs(self, node: int) -> Numbers:
        """Return the runs of a node, in the order of its text."""
        last = node + 1 == len(self.first)
        return self.run_numbers[self.first[node] : None if last else self.first[node + 1]]


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
