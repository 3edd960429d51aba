"""The meaning of a start tag's attributes for the text inside the element."""

from __future__ import annotations

import re
from dataclasses import dataclass

from docqa.loaders.html.elements import parse_style

__all__ = ["NO_FACTS", "ElementFacts", "element_facts"]


@dataclass(frozen=True, slots=True)
class ElementFacts:
    """The meaning of a start tag's attributes; None where they say nothing.

    Attributes:
        id: the element's id, or ``""``.
        role: its ARIA role in lower case, or ``""``.
        is_link: whether it leads anywhere: an ``<a>`` without ``href`` is a place to link to.
        displayed: False where the element is not rendered at all.
        visible: its inline ``visibility``.
        preformatted: whether its inline ``white-space`` keeps white space.
        boxed: its inline ``display``, or a rule of the page, may make it a box of its own or a
            block.
        raised, struck: its inline style raises or lowers its text, or crosses it out.
        colspan, rowspan: over how many columns and rows a table cell reaches.
        scope: what a table's header cell heads, in lower case, or ``""``.
        slot: the slot of a shadow root that it is, or that it goes into; ``""`` for the unnamed.
    """

    id: str = ""
    role: str = ""
    is_link: bool = False
    displayed: bool = True
    visible: bool | None = None
    preformatted: bool | None = None
    boxed: bool = False
    raised: bool = False
    struck: bool = False
    colspan: int = 1
    rowspan: int = 1
    scope: str = ""
    slot: str = ""


_MOST_COLUMNS, _MOST_ROWS = 1000, 65534  # HTML Standard, 4.9.11
_LEADING_NUMBER = re.compile(r"\s*(\d{1,9})", re.ASCII)

NO_FACTS = ElementFacts()


def element_facts(name: str, attributes: dict[str, str]) -> ElementFacts:
    """Return the meaning of an element's attributes for its text.

    ``hidden="until-found"`` stays visible: find-in-page and text fragments reveal it.
    ``aria-hidden`` is not looked at: it hides from screen readers what everybody else sees.

    >>> element_facts("p", {"hidden": ""}).displayed, element_facts("p", {"id": "x"}).displayed
    (False, True)
    """
    style = parse_style(attributes["style"]) if attributes.get("style") else None
    hidden = (
        ("hidden" in attributes and attributes["hidden"].strip().lower() != "until-found")
        or "popover" in attributes
        or (name == "dialog" and "open" not in attributes)
    )
    displayed = style.displayed if style else None
    return ElementFacts(
        id=attributes.get("id", ""),
        role=attributes.get("role", "").strip().lower(),
        is_link=name == "a" and ("href" in attributes or "xlink:href" in attributes),
        displayed=not hidden if displayed is None else displayed,
        visible=style.visible if style else None,
        preformatted=style.preformatted if style else None,
        boxed=style.boxed if style else False,
        raised=style.raised if style else False,
        struck=style.struck if style else False,
        colspan=_count(attributes.get("colspan", ""), _MOST_COLUMNS),
        rowspan=_count(attributes.get("rowspan", ""), _MOST_ROWS),
        scope=attributes.get("scope", "").strip().lower(),
        slot=attributes.get("name" if name == "slot" else "slot", ""),
    )


def _count(value: str, most: int) -> int:
    """Return the number an attribute's value begins with, 1 to `most`; 1 where it has none.

    >>> _count(" 3", 9), _count("99", 9), _count("0", 9), _count("many", 9)
    (3, 9, 1, 1)
    """
    match = _LEADING_NUMBER.match(value)
    return min(max(1, int(match[1])), most) if match else 1
