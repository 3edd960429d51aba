"""Read the paragraphs of a Word part: ISO/IEC 29500-1, section 17."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from docqa.loaders.office.docx_styles import Style, StyleReader, heading_level, inherit, is_on
from docqa.loaders.office.docx_symbols import symbol
from docqa.loaders.office.layout import PartParagraph
from docqa.loaders.office.reader import OfficeReader

__all__ = ["WordReader"]

# Deleted or moved away by a tracked change, field codes, phonetic guides, and properties whose
# elements are called as elements of text are.
_LEFT_OUT = frozenset({"w:del", "w:moveFrom", "w:instrText", "w:rt", "w:sdtPr", "w:tabs"}) | {
    *(
        "w:pPrChange",
        "w:rPrChange",
        "w:tblPrChange",
        "w:trPrChange",
        "w:tcPrChange",
        "w:numPrChange",
    )
}
_SEPARATORS = frozenset({"separator", "continuationSeparator", "continuationNotice"})
_RUNS = frozenset({"w:r", "m:r"})
_FORM_FIELDS = frozenset({"w:checkBox", "w:ddList"})
_LONGEST_NUMBER = 5
_CHARACTERS = {"w:tab": "\t", "w:ptab": "\t", "w:br": "\n", "w:cr": "\n", "w:noBreakHyphen": "-"}


@dataclass(slots=True)
class _Run:
    """The run properties that were read; None where they say nothing."""

    hidden: bool | None = None
    struck: bool | None = None
    height: str | None = None
    style: str | None = None


@dataclass(slots=True)
class _ParagraphStyle:
    """The properties of a paragraph, in whatever order they come."""

    named: Style = field(default_factory=Style)
    is_heading: bool | None = None
    in_list: bool | None = None
    mark_is_gone: bool = False

    @property
    def style(self) -> Style:
        return inherit(Style(is_heading=self.is_heading, in_list=self.in_list), self.named)


@dataclass(slots=True)
class _Field:
    """An open field; its result begins at its separator.

    Attributes:
        depth: how many paragraphs were open where it began.
    """

    depth: int
    in_result: bool = False


@dataclass(slots=True)
class _FormField:
    """The value of an old form field that no run holds: a drop-down's, or a box to tick's.

    Attributes:
        entries: of the drop-down.
        value, default: number of the chosen entry, or "1" for ticked.
    """

    entries: list[str] = field(default_factory=list)
    value: str | None = None
    default: str = "0"

    def shown(self, name: str) -> str:
        """Return the characters that the field shows; `name` is that of its kind's element."""
        value = self.default if self.value is None else self.value
        if name == "w:checkBox":
            return "☐" if value in ("0", "false", "off") else "☒"
        number = int(value) if value.isdecimal() and len(value) < _LONGEST_NUMBER else 0
        return self.entries[number] if number < len(self.entries) else ""


class WordReader(OfficeReader):
    """A reader of the body, notes, a header or a footer, as shown with all changes accepted.

    Args:
        part: the part's name.
        styles: the document's styles.
        boilerplate: every paragraph is (headers and footers).
    """

    paragraph_name, table_name, row_name, cell_name = "w:p", "w:tbl", "w:tr", "w:tc"
    text_names = frozenset({"w:t", "m:t"})

    def __init__(self, part: str, styles: StyleReader, *, boilerplate: bool = False) -> None:
        super().__init__(part)
        self._styles, self._boilerplate = styles, boilerplate
        self._resolved: dict[str, Style] = {}
        self._runs: list[_Run] = []
        self._fields: list[_Field] = []
        self._codes = 0  # fields whose result has not begun
        self._paragraph_styles: list[_ParagraphStyle] = []
        self._form_field = _FormField()

    def leaves_out(self, name: str, attributes: Mapping[str, str]) -> bool:
        """Say whether nothing in an element shows."""
        if name in ("w:footnote", "w:endnote"):
            return attributes.get("w:type") in _SEPARATORS
        if self.path.names[-3:-1] == ["w:pPr", "w:rPr"] and name in ("w:del", "w:moveFrom"):
            self._paragraph_styles[-1].mark_is_gone = bool(self._open)
        return name in _LEFT_OUT

    def begin_paragraph(self, paragraph: PartParagraph) -> None:
        """Take a paragraph that was just begun."""
        paragraph.boilerplate = self._boilerplate
        self._paragraph_styles.append(_ParagraphStyle())

    def end_paragraph(self, paragraph: PartParagraph) -> None:
        """Take a paragraph that was just finished: a field's code ends with it at the latest."""
        properties = self._paragraph_styles.pop()
        style, paragraph.goes_on = properties.style, properties.mark_is_gone
        paragraph.boilerplate |= bool(style.in_contents)
        if style.is_heading and not style.in_contents:
            paragraph.kind = "heading"
        elif style.in_list:
            paragraph.kind = "list_item"
        if self._codes:
            depth = len(self._paragraph_styles) + 1
            self._fields = [one for one in self._fields if one.in_result or one.depth < depth]
            self._codes = sum(not one.in_result for one in self._fields)

    def shows(self) -> bool:
        """Say whether characters here are shown."""
        if self._codes:
            return False
        run = self._runs[-1] if self._runs else _Run()
        if run.hidden is not None:
            return not run.hidden
        by_run = self._style(run.style).hidden if run.style else None
        by_paragraph = self._paragraph_styles[-1].named.hidden
        return bool(by_run) == bool(by_paragraph)  # 17.7.3: styles toggle what styles below say

    def is_struck(self) -> bool:
        """Say whether characters here are crossed out."""
        run = self._runs[-1] if self._runs else _Run()
        by_run = self._style(run.style).struck if run.style else None
        named = self._paragraph_styles[-1].named.struck
        return bool(next((one for one in (run.struck, by_run, named) if one is not None), False))

    def height(self) -> str:
        """Return where characters here stand; ``""`` for on the line."""
        run = self._runs[-1] if self._runs else _Run()
        by_run = self._style(run.style).height if run.style else None
        height = run.height or by_run or self._paragraph_styles[-1].named.height
        return "" if height is None or height == "baseline" else height

    def enter(self, name: str, attributes: Mapping[str, str], parent: str) -> None:
        """Take an element that shows."""
        if name in _RUNS:
            self._runs.append(_Run())
        elif parent in _RUNS:
            self._enter_run(name, attributes)
        elif parent in ("w:rPr", "w:pPr", "w:numPr"):
            self._property(name, attributes, parent)
        elif parent in ("w:tcPr", "w:trPr") and self._rows:
            self._table_property(name, attributes)
        elif name in _FORM_FIELDS:
            self._form_field = _FormField()
        elif parent in _FORM_FIELDS:
            self._choose(name, attributes.get("w:val"))

    def leave(self, name: str) -> None:
        """Take the end of an element that shows."""
        if name in _RUNS:
            self._runs.pop()
        elif name in _FORM_FIELDS and self._codes:
            codes, self._codes = self._codes, self._codes - 1  # the code is that of this field
            self.add(self._form_field.shown(name))
            self._codes = codes

    def _choose(self, name: str, value: str | None) -> None:
        if name == "w:listEntry":
            self._form_field.entries.append(value or "")
        elif name in ("w:result", "w:checked"):
            self._form_field.value = "1" if value is None else value
        elif name == "w:default":
            self._form_field.default = "1" if value is None else value

    def _enter_run(self, name: str, attributes: Mapping[str, str]) -> None:
        if name in _CHARACTERS:
            self.add(_CHARACTERS[name])
        elif name == "w:sym":
            self.add(symbol(attributes.get("w:font", ""), attributes.get("w:char", "")))
        elif name == "w:fldChar":
            self._field(attributes.get("w:fldCharType", ""))

    def _field(self, kind: str) -> None:
        if kind == "begin":
            self._fields.append(_Field(len(self._paragraph_styles)))
            self._codes += 1
        elif kind == "separate" and self._fields and not self._fields[-1].in_result:
            self._fields[-1].in_result = True
            self._codes -= 1
        elif kind == "end" and self._fields:
            self._codes -= not self._fields.pop().in_result

    def _property(self, name: str, attributes: Mapping[str, str], parent: str) -> None:
        names, value = self.path.names, attributes.get("w:val", "")
        if parent == "w:rPr":
            if names[-3:-2] and names[-3] in _RUNS and self._runs:
                self._run_property(self._runs[-1], name, attributes)
        elif self._paragraph_styles:
            self._paragraph_property(name, value)

    def _run_property(self, run: _Run, name: str, attributes: Mapping[str, str]) -> None:
        value = attributes.get("w:val", "")
        if name == "w:vanish":
            run.hidden = is_on(attributes)
        elif name in ("w:strike", "w:dstrike"):
            run.struck = bool(run.struck) or is_on(attributes)
        elif name == "w:vertAlign":
            run.height = value
        elif name == "w:position" and value.strip("+-0"):
            run.height = run.height or "moved"
        elif name == "w:rStyle":
            run.style = value

    def _table_property(self, name: str, attributes: Mapping[str, str]) -> None:
        row, value = self._rows[-1], attributes.get("w:val", "")
        if name == "w:tblHeader":
            row.is_header = is_on(attributes)
        elif name == "w:gridBefore":
            row.leave_out(value)
        elif name == "w:gridSpan" and row.cells in row.shapes:
            row.shapes[row.cells].reach(columns=value)
        elif name == "w:vMerge" and row.cells in row.shapes:
            row.shapes[row.cells].begins = value == "restart"
            row.shapes[row.cells].continues = value != "restart"

    def _paragraph_property(self, name: str, value: str) -> None:
        current = self._paragraph_styles[-1]
        if name == "w:pStyle":
            current.named = self._style(value)
        elif name == "w:outlineLvl":
            current.is_heading = heading_level(value)
        elif name == "w:numId":
            current.in_list = value != "0"

    def _style(self, style_id: str) -> Style:
        if style_id not in self._resolved:
            self._resolved[style_id] = self._styles.style(style_id)
        return self._resolved[style_id]
