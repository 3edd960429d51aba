"""The effect of the open elements around a text: whether it shows, and as which kind."""

from __future__ import annotations

from dataclasses import dataclass, field

from docqa.datamodel import BlockKind
from docqa.loaders.html import elements
from docqa.loaders.html.blocks import boilerplate_container
from docqa.loaders.html.facts import ElementFacts

__all__ = ["TextFrame", "child_frame", "is_foreign", "root_frame"]

_KINDS: dict[str, BlockKind] = {
    **dict.fromkeys(elements.HEADINGS, "heading"),
    **dict.fromkeys(elements.PREFORMATTED, "code"),
    **dict.fromkeys(("li", "dd", "dt"), "list_item"),
    **dict.fromkeys(("article", "section", "main", "td", "th", "caption"), "paragraph"),
}
_SECTIONS = frozenset({"article", "main", "section"})


@dataclass(slots=True)
class TextFrame:
    """The effect of an open element on the text inside it."""

    name: str
    element: int
    foreign: bool
    displayed: bool
    visible: bool
    preformatted: bool
    in_link: bool
    in_article: bool
    svg_text: bool
    container: int
    kind: BlockKind
    atomic: bool = False  # no browser finds text across its edges
    level: int = -1  # number of the innermost element that raises or lowers the text, or -1
    struck: bool = False
    slots: frozenset[str] | None = None  # of its shadow root: what goes into no other is not shown
    children: dict[str, int] = field(default_factory=dict)
    text_nodes: int = 0
    node: int = -1  # the text node that further text continues, or -1


def root_frame() -> TextFrame:
    """Return the frame around the root element."""
    return TextFrame("", -1, False, True, True, False, False, False, False, -1, "paragraph")


def is_foreign(name: str, parent: TextFrame) -> bool:
    """Say whether an element is SVG or MathML, by its name and its parent."""
    if name in ("svg", "math"):
        return True
    integrates = parent.name in ("foreignobject", "mi", "mo", "mn", "ms", "mtext", "annotation-xml")
    return parent.foreign and not integrates


def child_frame(
    name: str, element: int, foreign: bool, facts: ElementFacts, parent: TextFrame
) -> TextFrame:
    """Return the effect of an element on the text inside it.

    Args:
        name: in lower case.
        element: its number in the element table.
        foreign: it is SVG or MathML.
        facts: what its attributes say.
        parent: the frame around it.
    """
    hidden = name in (elements.HIDDEN_FOREIGN if foreign else elements.HIDDEN)
    hidden = hidden or not (parent.slots is None or facts.slot in parent.slots)
    keeps_white = name in elements.PREFORMATTED or name == "textarea"
    preformatted = parent.preformatted or (keeps_white and not foreign)
    return TextFrame(
        name=name,
        element=element,
        foreign=foreign,
        displayed=parent.displayed and facts.displayed and not hidden,
        visible=parent.visible if facts.visible is None else facts.visible,
        preformatted=preformatted if facts.preformatted is None else facts.preformatted,
        in_link=parent.in_link or facts.is_link,
        in_article=parent.in_article or name in _SECTIONS,
        svg_text=_shows_foreign_text(name, parent),
        container=_container(name, element, facts, parent),
        kind=_KINDS.get(name, parent.kind),
        atomic=parent.displayed and (facts.boxed or name in elements.ATOMIC),
        level=element if _is_raised(name, foreign, facts, parent) else parent.level,
        struck=parent.struck or facts.struck or (name in elements.STRUCK and not foreign),
    )


def _is_raised(name: str, foreign: bool, facts: ElementFacts, parent: TextFrame) -> bool:
    if foreign:
        return parent.name in elements.MATH_SCRIPTS
    return facts.raised or name in elements.RAISED


def _shows_foreign_text(name: str, parent: TextFrame) -> bool:
    """Say whether text right inside this element is rendered: all MathML, of SVG ``<text>``."""
    if name == "svg":
        return False
    return name in ("math", "text") or parent.svg_text


def _container(name: str, element: int, facts: ElementFacts, parent: TextFrame) -> int:
    if name == "main" or facts.role == "main":
        return -1
    if parent.container >= 0:
        return parent.container
    in_article = parent.in_article
    return element if boilerplate_container(name, facts.role, in_article=in_article) else -1
