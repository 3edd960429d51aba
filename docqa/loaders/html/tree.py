"""Trees of marked sources, as one stream of events whatever library builds them.

selectolax (lexbor) is fast; beautifulsoup4 with html5lib is pure Python. Both follow the HTML
Standard's tree construction, so that paths are a browser's.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

from docqa.errors import MissingDependencyError
from docqa.loaders.html.tokens import ascii_lower

__all__ = ["TreeBuilder", "TreeEvent", "available_builder"]


class TreeEvent(NamedTuple):
    """A step of a walk through a tree, in document order.

    Attributes:
        kind: an element starts or ends, a text node, or another node (a comment).
        value: the element's name in lower case, or the text node's characters.
        key: the number in the start tag's attribute ``k``, or -1.
    """

    kind: Literal["start", "end", "text", "other"]
    value: str = ""
    key: int = -1


class TreeBuilder(NamedTuple):
    """A library that builds trees, with its version."""

    name: Literal["selectolax", "html5lib"]
    version: str

    def walk(self, markup: str) -> Iterator[TreeEvent]:
        """Parse `markup` and yield the events of its tree."""
        return _walk_lexbor(markup) if self.name == "selectolax" else _walk_soup(markup)


def available_builder() -> TreeBuilder:
    """Return the best tree builder that is installed.

    Raises:
        MissingDependencyError: none is.
    """
    try:
        import selectolax
        import selectolax.lexbor  # a build may lack it

        return TreeBuilder("selectolax", str(selectolax.__version__))
    except ImportError:
        pass
    try:
        import bs4  # noqa: F401  # both are needed
        import html5lib

        return TreeBuilder("html5lib", str(html5lib.__version__))
    except ImportError as error:
        raise MissingDependencyError(
            "reading HTML needs selectolax, which comes with docqa-exact and is missing: "
            "pip install selectolax, or another parser: pip install 'docqa-exact[html5lib]'"
        ) from error


def _walk_lexbor(markup: str) -> Iterator[TreeEvent]:
    from selectolax.lexbor import LexborHTMLParser

    parser = LexborHTMLParser(markup)
    node = parser.root
    ancestors: list[Any] = []
    while node is not None:
        tag = node.tag
        descend = None
        if tag == "-text":
            yield TreeEvent("text", node.text_content or "")
        elif tag is None or tag in ("-comment", "!doctype"):
            yield TreeEvent("other")
        else:
            yield TreeEvent("start", ascii_lower(tag), int(node.attributes.get("k") or -1))
            descend = node.first_child
            if descend is None:
                yield TreeEvent("end")
        if descend is not None:
            ancestors.append(node)
            node = descend
            continue
        following = node.next if ancestors else None
        while following is None and ancestors:
            yield TreeEvent("end")
            node = ancestors.pop()
            following = node.next if ancestors else None
        node = following


def _walk_soup(markup: str) -> Iterator[TreeEvent]:
    from bs4 import BeautifulSoup
    from bs4.element import PreformattedString, Tag

    soup = BeautifulSoup(markup, "html5lib")
    if soup.html is None:
        return
    yield _soup_start(soup.html)
    pending: list[Iterator[Any]] = [iter(soup.html.contents)]
    while pending:
        node = next(pending[-1], None)
        if node is None:
            pending.pop()
            yield TreeEvent("end")
        elif isinstance(node, Tag):
            yield _soup_start(node)
            pending.append(iter(node.contents))
        elif isinstance(node, PreformattedString):
            yield TreeEvent("other")
        else:
            yield TreeEvent("text", str(node))


def _soup_start(tag: Any) -> TreeEvent:
    return TreeEvent("start", ascii_lower(tag.name), int(tag.attrs.get("k") or -1))
