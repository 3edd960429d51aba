"""Text that an element shows and that no text node of the tree holds.

The values of form fields stand in attributes, the chosen options of a menu among others, a frame's
page in ``srcdoc``. A shadow root is the content of a ``<template>``; that of a ``<noscript>`` is
raw text. Each is a run of the source, kept beside the marked source by the number of its element.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from docqa.datamodel import Span
from docqa.loaders.html.runs import ATTRIBUTE_REFERENCES, Runs
from docqa.loaders.html.tokens import Token

__all__ = ["HOLDERS", "SHADOW_HOSTS", "Held", "HeldTexts", "may_hold"]

HOLDERS = frozenset({"iframe", "input", "noscript", "option", "template"})
"""Elements whose text stands apart from that around them, in the source and in a browser's DOM."""

# HTML Standard, "attach a shadow root"; custom elements have a hyphen in their names.
SHADOW_HOSTS = frozenset(
    {"article", "aside", "blockquote", "body", "div", "footer", "h1", "h2", "h3", "h4", "h5", "h6"}
    | {"header", "main", "nav", "p", "section", "span"}
)

_VALUELESS = frozenset(
    {"checkbox", "color", "file", "hidden", "image", "password", "radio", "range"}
)

_FRAMES = {"iframe": "src", "frame": "src", "object": "data", "embed": "src"}
_PAGE_FRAMES = frozenset({"frame", "iframe"})
_INVISIBLE = frozenset({"0", "1", "0px", "1px"})
_DOCUMENT = re.compile(r"\.(?:pdf|x?html?|txt|docx|pptx|epub|md)(?:[?#]|\Z)", re.IGNORECASE)
_WHITE = re.compile(r"[\t\n\f\r ]*")


@dataclass(frozen=True, slots=True)
class Held:
    """A text that an element holds.

    Attributes:
        runs: of the source, in order.
        steps: from the element to the one below it that has them, as names and places from 1.
        is_attribute: they are an attribute's value, and no text node.
        is_page: the text is HTML of its own.
        is_filled: of a shadow root, its host has other content beside it.
    """

    runs: tuple[int, ...]
    steps: tuple[tuple[str, int], ...] = ()
    is_attribute: bool = False
    is_page: bool = False
    is_filled: bool = False


def may_hold(name: str, attributes: dict[str, str]) -> bool:
    """Say whether an HTML element may show text that no text node has."""
    if name == "template":
        return attributes.get("shadowrootmode", "").lower() in ("open", "closed")
    return name in ("noscript", "select") or bool(_shown_value(name, attributes))


def _shown_value(name: str, attributes: dict[str, str]) -> str:
    """Return the name of the attribute that an element shows, or ``""``.

    >>> _shown_value("input", {"value": "PN-4471"}), _shown_value("input", {"type": "hidden"})
    ('value', '')
    """
    if name == "iframe":
        return "srcdoc" if "srcdoc" in attributes else ""
    kind = attributes.get("type", "").strip().lower()
    is_shown = name == "input" and kind not in _VALUELESS and attributes.get("value", "").strip()
    return "value" if is_shown else ""


@dataclass(slots=True)
class Option:
    """An option of a menu.

    Attributes:
        steps: from the menu's element to its own.
        is_selected, is_disabled: by its attributes.
        label: where the attribute stands that is shown in place of its text, or None.
        texts: its characters of the source.
    """

    steps: tuple[tuple[str, int], ...]
    is_selected: bool
    is_disabled: bool
    label: Span | None
    texts: list[Span] = field(default_factory=list)


class Menu:
    """The options of an open ``<select>``.

    Args:
        key: number of its element's facts.
        attributes: of its start tag.
    """

    def __init__(self, key: int, attributes: dict[str, str]) -> None:
        self.key = key
        self._is_multiple = "multiple" in attributes
        self._is_list = self._is_multiple or attributes.get("size", "1").strip() not in (
            "",
            "0",
            "1",
        )
        self._options: list[Option] = []
        self._groups, self._places, self._in_group = 0, [0, 0], False

    def start(self, token: Token, attributes: dict[str, str]) -> None:
        """Take the start tag of an option or of a group of them."""
        name = token.name
        if name == "optgroup":
            self._groups, self._in_group, self._places[1] = self._groups + 1, True, 0
            return
        self._places[self._in_group] += 1
        steps: tuple[tuple[str, int], ...] = ((name, self._places[self._in_group]),)
        if self._in_group:
            steps = (("optgroup", self._groups), *steps)
        disabled = "disabled" in attributes
        label = _value_of(token, "label") if attributes.get("label") else None
        self._options.append(Option(steps, "selected" in attributes, disabled, label))

    def end(self, name: str) -> None:
        """Take an end tag."""
        if name == "optgroup":
            self._in_group = False

    def text(self, span: Span) -> None:
        """Take characters of the source that stand in the menu."""
        if self._options:
            self._options[-1].texts.append(span)

    def chosen(self) -> list[Option]:
        """Return the options that a browser shows as chosen."""
        chosen = [one for one in self._options if one.is_selected]
        if not self._is_multiple:
            chosen = chosen[-1:]
        if not chosen and not self._is_list:
            usable = [one for one in self._options if not one.is_disabled]
            chosen = (usable or self._options)[:1]
        return chosen


class HeldTexts:
    """A collector of held texts, while the marked source is written.

    Args:
        source: the decoded document.
        runs: its runs, to which those of held texts are added.

    Attributes:
        found: what each element holds, by the number of its facts.
        menu: the open ``<select>``, or None.
        slotted: the slots of shadow roots that elements name.
        frames: addresses of other files that the page shows, as it writes them.
    """

    def __init__(self, source: str, runs: Runs) -> None:
        self._source, self._runs = source, runs
        self._holder = -1  # number of the last element that holds its content
        self._shadow_start = -1  # of the content of the open shadow root, or -1
        self.found: dict[int, list[Held]] = {}
        self.menu: Menu | None = None
        self.slotted: set[str] = set()
        self.frames: list[str] = []

    def start(self, token: Token, key: int, attributes: dict[str, str]) -> None:
        """Take the start tag of an element that may hold text, with the number of its facts."""
        name = token.name
        if name == "select":
            self.menu = Menu(key, attributes)
        elif name in ("noscript", "template"):
            self._holder = key
            self._shadow_start = token.end if name == "template" else -1
        else:
            value = _value_of(token, _shown_value(name, attributes))
            self._hold(key, value, references=ATTRIBUTE_REFERENCES, is_page=name == "iframe")

    def content(self, span: Span) -> None:
        """Take the content of the last element that holds its own."""
        self._hold(self._holder, span, is_page=True)

    def end_menu(self) -> None:
        """Take the end of the open menu, if one is open: it holds the options chosen in it."""
        if self.menu is None:
            return
        key, chosen, self.menu = self.menu.key, self.menu.chosen(), None
        for one in chosen:
            if one.label is not None:
                self._hold(key, one.label, references=ATTRIBUTE_REFERENCES, steps=one.steps)
            else:
                self._hold(key, *one.texts, references=1, steps=one.steps)

    def end_shadow(self, end: int) -> None:
        """Take the end of the open shadow root's content, if one is open."""
        if self._shadow_start >= 0:
            span = Span(self._shadow_start, end)
            self._hold(self._holder, span, is_page=True, is_filled=_goes_on(self._source, end))
        self._shadow_start = -1

    def note(self, name: str, attributes: dict[str, str]) -> None:
        """Take note of the slot that an element names, or of the file that it shows."""
        if attributes.get("slot"):
            self.slotted.add(attributes["slot"])
        address = attributes.get(_FRAMES.get(name, ""), "").strip()
        if not address or "srcdoc" in attributes or "hidden" in attributes:
            return
        sizes = {attributes.get("width", "").strip(), attributes.get("height", "").strip()}
        if not sizes & _INVISIBLE and (name in _PAGE_FRAMES or _DOCUMENT.search(address)):
            self.frames.append(address)

    def _hold(self, key: int, *spans: Span, references: int = 0, **says: Any) -> None:
        runs = tuple(self._runs.add(one.start, one.end, references, False) for one in spans if one)
        if runs:
            is_attribute = references == ATTRIBUTE_REFERENCES
            held = Held(runs, is_attribute=is_attribute, **says)
            self.found.setdefault(key, []).append(held)


def _value_of(token: Token, name: str) -> Span:
    """Return where the value of a tag's attribute stands in the source."""
    return next(Span(one.start, one.end) for one in token.attributes if one.name == name)


def _goes_on(source: str, position: int) -> bool:
    """Say whether an element has more content behind the end tag of one in it at `position`."""
    position = source.find(">", position) + 1 or len(source)
    while True:
        white = _WHITE.match(source, position)
        position = white.end() if white else position
        if not source.startswith("<!--", position):
            return position < len(source) and not source.startswith("</", position)
        position = source.find("-->", position) + 3
        if position < 3:
            return False
