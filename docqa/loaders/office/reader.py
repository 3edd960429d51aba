"""Paragraphs of Word and PowerPoint: the common part of reading them from their XML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from docqa.loaders.office.layout import PartParagraph
from docqa.loaders.office.tables import OpenTable, Row
from docqa.loaders.typography import CONTEXT, is_parted
from docqa.loaders.zipped.xml_reading import ElementPath

__all__ = ["OfficeReader", "OpenParagraph"]

# Parts of a formula that do not stand on its line; a space keeps 1/2 from reading as 12.
_APART = frozenset({"m:num", "m:den", "m:deg", "m:sub", "m:sup", "m:lim", "m:mr", "m:e"})
# Emoji as characters of a font: their fallback is the character itself ([MS-DOCX], w16se:symEx).
_NOT_READ = frozenset({"w16se"})
_SPACES = str.maketrans("\t\n\r", "   ")


@dataclass(slots=True)
class OpenParagraph:
    """A paragraph whose element is open.

    Attributes:
        spaces: offsets of the spaces put between its characters.
        length: of the characters so far.
        height: of the last characters; see `OfficeReader.height`.
    """

    paragraph: PartParagraph
    pieces: list[str] = field(default_factory=list)
    spaces: list[int] = field(default_factory=list)
    length: int = 0
    height: str = ""

    def add(self, text: str) -> None:
        """Add characters of the part."""
        self.pieces.append(text)
        self.length += len(text)

    def part(self) -> None:
        """Add a space that the part does not have."""
        self.spaces.append(self.length)
        self.add(" ")


class OfficeReader:
    """A reader of one part's paragraphs: the target of `read_xml`, to be completed by a format.

    A paragraph inside another one (that of a text box) follows the one that it stands in. Of
    alternatives for new and old programs (``mc:AlternateContent``) the first is read that holds
    text.

    Args:
        part: the part's name.

    Attributes:
        paragraphs: in document order; most of those without text are left out.
        path: the open elements.
        struck: the number of characters left out because they are crossed out.
    """

    paragraph_name = ""  # of a paragraph's element
    table_name = ""
    row_name = ""
    cell_name = ""
    text_names: frozenset[str] = frozenset()
    """Elements whose characters are text."""

    def __init__(self, part: str) -> None:
        self.part = part
        self.paragraphs: list[PartParagraph] = []
        self.path = ElementPath()
        self._count = 0
        self._open: list[OpenParagraph] = []
        self._tables: list[OpenTable] = []
        self._rows: list[Row] = []
        self.struck = 0
        self._alternatives: list[bool] = []  # whether one was taken already
        self._skipped = 0  # open elements from the first that is left out

    # What a format says of its own elements

    def leaves_out(self, name: str, attributes: Mapping[str, str]) -> bool:
        """Say whether nothing in an element shows."""
        return False

    def enter(self, name: str, attributes: Mapping[str, str], parent: str) -> None:
        """Take an element that shows."""

    def leave(self, name: str) -> None:
        """Take the end of an element that shows; it is still the innermost of `path`."""

    def begin_row(self, row: Row) -> None:
        """Take a table row that was just begun."""

    def begin_paragraph(self, paragraph: PartParagraph) -> None:
        """Take a paragraph that was just begun."""

    def end_paragraph(self, paragraph: PartParagraph) -> None:
        """Take a paragraph that was just finished."""

    def shows(self) -> bool:
        """Say whether characters here are shown."""
        return True

    def is_struck(self) -> bool:
        """Say whether characters here are crossed out."""
        return False

    def height(self) -> str:
        """Return a word for where characters here stand; ``""`` for on the line."""
        return ""

    # The target of `read_xml`

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        """Take a start tag."""
        if name == self.paragraph_name:
            self._count += 1  # those left out too, so that the number counts elements
        if self._skipped:
            self._skipped += 1
            return
        self.path.start(name)
        if self._is_other_alternative(name, attributes) or self.leaves_out(name, attributes):
            self._skipped = 1
        elif name == self.paragraph_name:
            self._begin_paragraph()
        elif name == self.table_name:
            self._tables.append(OpenTable())
        elif name == self.row_name:
            if self._rows:
                self._rows[-1].is_layout = True
            self._rows.append((self._tables[-1] if self._tables else OpenTable()).new_row())
            self.begin_row(self._rows[-1])
        elif name == self.cell_name and self._rows:
            cell = self._rows[-1].begin_cell()
            cell.reach(columns=attributes.get("gridSpan", ""), rows=attributes.get("rowSpan", ""))
        elif name in _APART:
            if self._open and self.shows():
                self._open[-1].part()
        else:
            self.enter(name, attributes, self._parent())

    def end(self, name: str) -> None:
        """Take an end tag."""
        if self._skipped > 1:
            self._skipped -= 1
            return
        if self._skipped:
            self._skipped = 0
        elif name == self.paragraph_name:
            self._end_paragraph()
        elif name == self.row_name:
            self._rows.pop()
        elif name == self.table_name:
            self._tables.pop()
        elif name == "mc:AlternateContent":
            self._alternatives.pop()
        else:
            self.leave(name)
        self.path.end()

    def text(self, text: str) -> None:
        """Take characters; a line end or tab among them is a space to Word and PowerPoint."""
        if not self._skipped and self.path.names[-1] in self.text_names:
            self.add(text.translate(_SPACES))

    def add(self, text: str) -> None:
        """Add characters to the innermost open paragraph, if they show."""
        if not self._open or not text or not self.shows():
            return
        if self.is_struck():
            self.struck += len(text.strip())
            return
        paragraph, height = self._open[-1], self.height()
        if height != paragraph.height:
            before = "".join(paragraph.pieces[-CONTEXT:])[-CONTEXT:]
            if is_parted(before, text):
                paragraph.part()
            paragraph.height = height
        paragraph.add(text)

    def _parent(self) -> str:
        """Return the name of the element around the innermost one; alternatives do not count."""
        around = self.path.names[-2::-1]
        return next((name for name in around if not name.startswith("mc:")), "")

    def _is_other_alternative(self, name: str, attributes: Mapping[str, str]) -> bool:
        if name == "mc:AlternateContent":
            self._alternatives.append(False)
        if name not in ("mc:Choice", "mc:Fallback") or not self._alternatives:
            return False
        if name == "mc:Choice" and attributes.get("Requires") in _NOT_READ:
            return True
        taken, self._alternatives[-1] = self._alternatives[-1], True
        return taken

    def _begin_paragraph(self) -> None:
        row = self._rows[-1] if self._rows else None
        paragraph = PartParagraph(
            self.part, self.path.step, self._count, row=row, cell=row.cells if row else 0
        )
        self.paragraphs.append(paragraph)
        self._open.append(OpenParagraph(paragraph))
        self.begin_paragraph(paragraph)

    def _end_paragraph(self) -> None:
        done = self._open.pop()
        done.paragraph.text, done.paragraph.spaces = "".join(done.pieces), tuple(done.spaces)
        self.end_paragraph(done.paragraph)
        if not done.paragraph.text.strip():
            if self.paragraphs[-1] is done.paragraph:  # else one of its text boxes has text
                self.paragraphs.pop()
                if self.paragraphs:  # what its predecessor goes on with ends here
                    self.paragraphs[-1].goes_on &= done.paragraph.goes_on
        elif done.paragraph.kind == "heading" and done.paragraph.row:
            done.paragraph.row.is_layout = True
