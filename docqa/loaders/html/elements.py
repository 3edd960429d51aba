"""Elements in the HTML Standard: which are blocks, hidden, void, and how they nest."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["InlineStyle", "parse_style"]


def _names(names: str) -> frozenset[str]:
    return frozenset(names.split())


VOID = _names(
    "area base basefont bgsound br col embed frame hr img input keygen link meta param source "
    "track wbr"
)

# Not rendered as text by a browser's own style sheet (HTML Standard, 15.3.1), replaced elements
# whose content is only a fallback, and elements whose text `held` has.
HIDDEN = _names(
    "area audio base basefont canvas datalist embed frame frameset head iframe img input link "
    "meta meter noembed noframes noscript object optgroup option param progress rp script "
    "select source style template title track video"
)

# Of MathML, annotations repeat the formula in another notation. Of SVG, only text is rendered.
HIDDEN_FOREIGN = _names(
    "annotation annotation-xml clippath defs desc filter lineargradient marker mask metadata "
    "pattern radialgradient script style symbol title"
)

BLOCKS = _names(
    "address article aside blockquote body caption center dd details dialog dir div dl dt "
    "fieldset figcaption figure footer form frameset h1 h2 h3 h4 h5 h6 header hgroup hr html "
    "legend li listing main menu nav ol optgroup option p plaintext pre search section summary "
    "table tbody tfoot thead tr ul xmp"
)
"""Elements that stand on lines of their own."""

SPACED_BLOCKS = _names(
    "article blockquote dl figure h1 h2 h3 h4 h5 h6 hr ol p pre section table ul"
)
"""Blocks with a margin: an empty line sets them apart."""

ATOMIC = _names(
    "audio button canvas embed iframe img input meter object progress select svg textarea video "
    "math mi mn mo ms mtext"
)
"""Elements that stand in a line as one box: a browser finds no text across their edges."""

RAISED = frozenset({"sub", "sup"})
STRUCK = frozenset({"del", "s", "strike"})
"""Elements whose text is crossed out: what no longer holds."""

MATH_SCRIPTS = _names("mmultiscripts msub msubsup msup")
"""Elements of MathML whose children stand at different heights."""

MATH_STACKS = _names("mfrac mover mroot mtable mtr munder munderover")
"""Elements of MathML whose children do not stand on one line."""

CELLS = frozenset({"td", "th"})
HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
PREFORMATTED = frozenset({"listing", "plaintext", "pre", "xmp"})
FORMATTING = _names("a b big code em font i nobr s small strike strong tt u")

CLOSES_PARAGRAPH = _names(
    "address article aside blockquote center details dialog dir div dl fieldset figcaption "
    "figure footer form h1 h2 h3 h4 h5 h6 header hgroup hr listing main menu nav ol p plaintext "
    "pre search section summary table ul xmp"
) | {"li", "dd", "dt"}

SPECIAL = (
    BLOCKS
    | VOID
    | CELLS
    | _names(
        "applet button colgroup head iframe marquee noembed noframes noscript object script select "
        "style template textarea title"
    )
) - {"dialog", "optgroup", "option", "legend"}
"""Elements that stop the search of an end tag for its start (HTML Standard, 13.2.4.2)."""

SCOPE = _names(
    "applet annotation-xml caption desc foreignobject html marquee mi mn mo ms mtext object "
    "table td template th title"
)
"""Elements that hide those outside them (HTML Standard, "has an element in scope")."""

TABLE_PARTS = _names("caption col colgroup tbody td tfoot th thead tr")

TABLE_FRAME = _names("colgroup table tbody tfoot thead tr")
"""Elements that hold rows and cells and no text: a browser moves text out of them."""

FOREIGN_BREAKOUT = _names(
    "b big blockquote body br center code dd div dl dt em embed h1 h2 h3 h4 h5 h6 head hr i img "
    "li listing menu meta nobr ol p pre ruby s small span strike strong sub sup table tt u ul "
    "var"
)
"""Start tags that end SVG and MathML content (HTML Standard, 13.2.6.5)."""

SVG_TAG_CASE = {"foreignobject": "foreignObject", "textpath": "textPath"}
"""SVG elements that can hold text and whose names are not in lower case."""

_DECLARATION = re.compile(
    r"\s*(display|visibility|white-space|vertical-align|text-decoration(?:-line)?)"
    r"\s*:\s*([a-z -]+)",
    re.IGNORECASE,
)
_BOX_VALUES = re.compile("block|inline-.*|flow-root|flex|grid|list-item|table.*")
_DECORATIONS = ("text-decoration", "text-decoration-line")
_PRE_VALUES = frozenset({"pre", "pre-wrap", "break-spaces"})


@dataclass(frozen=True, slots=True)
class InlineStyle:
    """The properties of an inline style that concern text; None where it says nothing.

    Attributes:
        displayed: False for ``display: none``.
        visible: False for ``visibility: hidden`` and ``collapse``.
        preformatted: whether white space is kept.
        boxed: it is a box of its own in the line, or a block.
        raised: it is raised or lowered.
        struck: it is crossed out.
    """

    displayed: bool | None = None
    visible: bool | None = None
    preformatted: bool | None = None
    boxed: bool = False
    raised: bool = False
    struck: bool = False


def parse_style(style: str) -> InlineStyle:
    """Read the declarations of a ``style`` attribute that decide about text; the last one wins.

    >>> parse_style("color: red; display:none")  # doctest: +NORMALIZE_WHITESPACE
    InlineStyle(displayed=False, visible=None, preformatted=None, boxed=False, raised=False,
                struck=False)
    """
    values: dict[str, str] = {}
    for declaration in style.split(";"):
        match = _DECLARATION.match(declaration)
        if match:
            values[match[1].lower()] = match[2].lower().strip()
    display, visibility = values.get("display"), values.get("visibility")
    space = values.get("white-space")
    return InlineStyle(
        displayed=None if display is None else display != "none",
        visible=None if visibility is None else visibility not in ("hidden", "collapse"),
        preformatted=None if space is None else space in _PRE_VALUES,
        boxed=display is not None and _BOX_VALUES.fullmatch(display) is not None,
        raised=values.get("vertical-align") in ("sub", "super"),
        struck=any("line-through" in values.get(name, "") for name in _DECORATIONS),
    )
