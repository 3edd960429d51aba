"""Read the paragraphs of a slide, its notes or a diagram: ISO/IEC 29500-1, sections 19 and 21."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from docqa.datamodel import BlockKind
from docqa.loaders.office.layout import PartParagraph
from docqa.loaders.office.reader import OfficeReader
from docqa.loaders.office.tables import Row

__all__ = ["SlideReader"]

_SHAPES = frozenset({"p:sp", "p:grpSp", "p:graphicFrame", "p:cxnSp", "p:pic"})
_TITLES = frozenset({"title", "ctrTitle"})
_EDGES = frozenset({"dt", "ftr", "hdr", "sldNum"})
_LISTS = frozenset({"body", "obj"})
_BULLETS = frozenset({"a:buChar", "a:buAutoNum", "a:buBlip"})
_ON = frozenset({"1", "true"})


@dataclass(slots=True)
class _Shape:
    """An open shape.

    Attributes:
        hidden: it is, or a group around it is.
        placeholder: the type of the placeholder that it fills; ``""`` where it fills none.
    """

    hidden: bool
    placeholder: str = ""


class SlideReader(OfficeReader):
    """A reader of a slide's shapes in the order of the file, its title first.

    That order is the one that PowerPoint's reading-order pane shows and that screen readers follow.

    Args:
        part: the part's name.
        slide_number: from 1; None for a diagram outside presentations.
        only: read what fills placeholders of this type only; ``""`` reads everything.

    Attributes:
        hidden: the slide is not shown in a presentation.
        has_picture: a picture stands on it.
    """

    paragraph_name, table_name, row_name, cell_name = "a:p", "a:tbl", "a:tr", "a:tc"
    text_names = frozenset({"a:t", "m:t"})

    def __init__(self, part: str, slide_number: int | None = None, *, only: str = "") -> None:
        super().__init__(part)
        self._slide_number, self._only = slide_number, only
        self._shapes: list[_Shape] = []
        self._titles: set[int] = set()
        self._height, self._is_struck, self._has_header = "", False, False
        self.hidden = self.has_picture = False

    def in_reading_order(self) -> list[PartParagraph]:
        """Return the paragraphs, those of the title first."""
        return sorted(self.paragraphs, key=lambda paragraph: paragraph.number not in self._titles)

    def leaves_out(self, name: str, attributes: Mapping[str, str]) -> bool:
        """Say whether an element is a cell that another one, merged with it, covers."""
        merged = attributes.get("hMerge") in _ON or attributes.get("vMerge") in _ON
        if name == self.cell_name and merged and self._rows:
            self._rows[-1].cells += 1
        return name == self.cell_name and merged

    def begin_paragraph(self, paragraph: PartParagraph) -> None:
        """Take a paragraph that was just begun."""
        placeholder = self._shapes[-1].placeholder if self._shapes else ""
        paragraph.slide_number = self._slide_number
        paragraph.boilerplate = placeholder in _EDGES
        paragraph.kind = _kind(placeholder) if not self._only else "paragraph"
        if placeholder in _TITLES:
            self._titles.add(paragraph.number)

    def shows(self) -> bool:
        """Say whether characters here are shown."""
        if not self._shapes:
            return not self._only
        shape = self._shapes[-1]
        return not shape.hidden and self._only in ("", shape.placeholder)

    def is_struck(self) -> bool:
        """Say whether characters here are crossed out."""
        return self._is_struck

    def height(self) -> str:
        """Return where characters here stand; ``""`` for on the line."""
        return self._height

    def begin_row(self, row: Row) -> None:
        """Take a table row that was just begun."""
        row.is_header = self._has_header and len(row.table.rows) == 1

    def enter(self, name: str, attributes: Mapping[str, str], parent: str) -> None:
        """Take an element that shows."""
        if name in ("a:r", "a:fld"):
            self._height, self._is_struck = "", False
        elif name == "a:rPr":
            self._height = attributes.get("baseline", "0").strip("0%")
            self._is_struck = attributes.get("strike", "noStrike") != "noStrike"
        elif name == "a:tblPr":
            self._has_header = attributes.get("firstRow") in _ON
        elif name in _SHAPES:
            self._shapes.append(_Shape(bool(self._shapes) and self._shapes[-1].hidden))
            self.has_picture |= name == "p:pic"
        elif name == "p:cNvPr" and self._shapes:
            self._shapes[-1].hidden |= attributes.get("hidden") in _ON
        elif name == "p:ph" and self._shapes:
            self._shapes[-1].placeholder = attributes.get("type", "obj")
        elif name == "a:br":
            self.add("\n")
        elif parent == "a:pPr" and self._open:
            self._bullet(name)
        elif name == "p:sld":
            self.hidden = attributes.get("show") in ("0", "false")

    def leave(self, name: str) -> None:
        """Take the end of an element that shows."""
        if name in ("a:r", "a:fld"):
            self._height, self._is_struck = "", False
        elif name in _SHAPES:
            self._shapes.pop()

    def _bullet(self, name: str) -> None:
        paragraph = self._open[-1].paragraph
        if name in _BULLETS and paragraph.kind == "paragraph":
            paragraph.kind = "list_item"
        elif name == "a:buNone" and paragraph.kind == "list_item":
            paragraph.kind = "paragraph"


def _kind(placeholder: str) -> BlockKind:
    if placeholder in _TITLES:
        return "heading"
    return "list_item" if placeholder in _LISTS else "paragraph"
