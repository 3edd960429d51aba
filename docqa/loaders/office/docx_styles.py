"""The styles of a Word document: heading, list, contents, hidden."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from docqa.loaders.zipped.xml_reading import ElementPath

__all__ = ["Style", "StyleReader", "heading_level", "inherit", "is_on"]

_HEADING = re.compile(r"heading ?\d|title|subtitle", re.IGNORECASE)
_CONTENTS = re.compile(r"toc ?\d|toc heading|table of figures", re.IGNORECASE)
_HEADING_LEVELS = frozenset("012345678")  # ISO/IEC 29500-1, 17.3.1.20; level 9 is body text


@dataclass(frozen=True, slots=True)
class Style:
    """The properties of a style, with or without those of its base; None where it says nothing.

    Attributes:
        name: its name; built-in styles have English names whatever the program's language.
        based_on: the style that it changes.
        is_heading: by its outline level or its name.
        in_list: its paragraphs are numbered or have bullets.
        in_contents: its paragraphs are lines of a table of contents.
        hidden, struck: its text is hidden, or crossed out.
        height: of its text: ``"superscript"``, ``"subscript"`` or ``"baseline"``.
    """

    name: str = ""
    based_on: str | None = None
    is_heading: bool | None = None
    in_list: bool | None = None
    in_contents: bool | None = None
    hidden: bool | None = None
    struck: bool | None = None
    height: str | None = None


class StyleReader:
    """A reader of the styles part; the target of `read_xml`."""

    def __init__(self) -> None:
        self._styles: dict[str, Style] = {}
        self._path = ElementPath()
        self._id = ""

    def style(self, style_id: str) -> Style:
        """Return a style with the properties of its base; an undefined one is known by its id."""
        style = self._styles.get(style_id)
        if style is None:
            return _named(Style(name=style_id))
        seen = {style_id}
        base = style.based_on
        while base is not None and base in self._styles and base not in seen:
            seen.add(base)
            style = inherit(style, self._styles[base])
            base = self._styles[base].based_on
        return style

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        """Take a start tag."""
        self._path.start(name)
        value = attributes.get("w:val", "")
        if name == "w:style":
            self._id = attributes.get("w:styleId", "")
            self._styles[self._id] = Style()
            return
        style = self._styles.get(self._id)
        if style is None:
            return
        if name == "w:name":
            style = _named(replace(style, name=value))
        elif name == "w:basedOn":
            style = replace(style, based_on=value)
        elif name == "w:outlineLvl":
            style = replace(style, is_heading=heading_level(value))
        elif name == "w:numId":
            style = replace(style, in_list=value != "0")
        elif self._path.names[-2:-1] == ["w:rPr"]:
            style = _with_run_property(style, name, attributes)
        self._styles[self._id] = style

    def end(self, name: str) -> None:
        """Take an end tag."""
        self._path.end()
        if name == "w:style":
            self._id = ""

    def text(self, text: str) -> None:
        """Take characters: styles have none."""


def heading_level(value: str) -> bool:
    """Say whether an outline level makes a heading.

    >>> heading_level("0"), heading_level("9"), heading_level("")
    (True, False, False)
    """
    return value in _HEADING_LEVELS


def is_on(attributes: Mapping[str, str]) -> bool:
    """Say whether an on-off property is on: it is, unless it says otherwise.

    >>> is_on({}), is_on({"w:val": "0"})
    (True, False)
    """
    return attributes.get("w:val", "true") not in ("0", "false", "off")


def _with_run_property(style: Style, name: str, attributes: Mapping[str, str]) -> Style:
    if name == "w:vanish":
        return replace(style, hidden=is_on(attributes))
    if name in ("w:strike", "w:dstrike"):
        return replace(style, struck=is_on(attributes))
    if name == "w:vertAlign":
        return replace(style, height=attributes.get("w:val", ""))
    return style


def _named(style: Style) -> Style:
    """Add the meaning of a built-in style's name; an outline level that was read goes first."""
    return replace(
        style,
        is_heading=style.is_heading or bool(_HEADING.fullmatch(style.name)) or None,
        in_contents=bool(_CONTENTS.fullmatch(style.name)) or None,
        in_list=style.in_list or style.name.lower().startswith("list ") or None,
    )


def inherit(style: Style, base: Style) -> Style:
    """Return a style, with the properties that it leaves open taken from `base`.

    >>> inherit(Style(in_list=False), Style(in_list=True, is_heading=True)).is_heading
    True
    """
    return replace(
        style,
        is_heading=base.is_heading if style.is_heading is None else style.is_heading,
        in_list=base.in_list if style.in_list is None else style.in_list,
        in_contents=base.in_contents if style.in_contents is None else style.in_contents,
        hidden=base.hidden if style.hidden is None else style.hidden,
        struck=base.struck if style.struck is None else style.struck,
        height=base.height if style.height is None else style.height,
    )
