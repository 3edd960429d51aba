"""What the attributes of a start tag mean for the text inside the element."""

from __future__ import annotations

from dataclasses import dataclass

from docqa.loaders.html_elements import parse_style

__all__ = ["NO_FACTS", "ElementFacts", "element_facts"]


@dataclass(frozen=True, slots=True)
class ElementFacts:
    """Hold what a start tag's attributes say; None where they say nothing.

    Attributes:
        id: the element's id, or ``""``.
        role: its ARIA role in lower case, or ``""``.
        is_link: whether it leads anywhere: an ``<a>`` without ``href`` is a place to link to.
        displayed: False where the element is not rendered at all.
        visible: its inline ``visibility``.
        preformatted: whether its inline ``white-space`` keeps white space.
        boxed: its inline ``display``, or a rule of the page, may make it a box of its own or a
            block.
    """

    id: str = ""
    role: str = ""
    is_link: bool = False
    displayed: bool = True
    visible: bool | None = None
    preformatted: bool | None = None
    boxed: bool = False


NO_FACTS = ElementFacts()


def element_facts(name: str, attributes: dict[str, str]) -> ElementFacts:
    """Say what an element's attributes mean for its text.

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
    )
