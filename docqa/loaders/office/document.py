"""Put an Office document together from its text laid out, whichever program it is for."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence

from docqa.datamodel import Document, LoadWarning, Page
from docqa.errors import NoTextError
from docqa.loaders.office.layout import LaidOut
from docqa.loaders.office.package import OfficePackage
from docqa.loaders.office.reader import OfficeReader
from docqa.loaders.typography import struck_warning
from docqa.loaders.zipped.xml_reading import StartTags

__all__ = ["office_document", "require_text", "unread_warnings"]

_KINDS = {
    "chart": "chart",
    "chartEx": "chart",
    "diagramData": "diagram",
    "package": "embedded document",
    "oleObject": "embedded document",
    "aFChunk": "inserted document",
}
_MOST_REASONS, _NAMES_SHOWN = 3, 3
_COMMENTS = frozenset({"comment", "cm"})  # their elements in Word and in PowerPoint


def require_text(
    laid_out: LaidOut, unread: Sequence[LoadWarning], *, source: str, sheets: str
) -> None:
    """Check that there is a text.

    Args:
        laid_out: what was read.
        unread: warnings of what was not.
        source: the file's path or name.
        sheets: what the message calls pages or slides.

    Raises:
        NoTextError: there is none.
    """
    if laid_out.text:
        return
    if unread:
        reasons = "; ".join(warning.message for warning in unread[:_MOST_REASONS])
        raise NoTextError(f"{source} holds no text that can be read: {reasons}", source=source)
    raise NoTextError(
        f"{source} holds no text; if its {sheets} are pictures, save it as PDF and run OCR on that",
        source=source,
    )


def office_document(
    data: bytes,
    package: OfficePackage,
    laid_out: LaidOut,
    *,
    source: str,
    media_type: str,
    extractor: str,
    readers: Sequence[OfficeReader],
    unread: Sequence[LoadWarning],
    warnings: Sequence[LoadWarning],
    pages: tuple[Page, ...] = (),
) -> Document:
    """Return the document of a package.

    Args:
        data: the file.
        package: opened from it.
        laid_out: its text.
        source: its path or name.
        media_type: what it is.
        extractor: what read it.
        readers: of the parts that were read.
        unread: the `unread_warnings` of these parts.
        warnings: what was found while reading.
        pages: its slides, if it has any.
    """
    metadata = package.metadata()
    struck = sum(reader.struck for reader in readers)
    return Document(
        id=hashlib.sha256(data).hexdigest(),
        text=laid_out.text,
        source=source,
        media_type=media_type,
        title=metadata.pop("title", None) or laid_out.title,
        source_map=laid_out.source_map,
        blocks=laid_out.blocks,
        pages=pages,
        tables=laid_out.tables,
        warnings=(
            *warnings,
            *([struck_warning(struck)] if struck else ()),
            *unread,
        ),
        metadata=metadata,
        extractor=extractor,
    )


def unread_warnings(
    package: OfficePackage, readers: Sequence[OfficeReader]
) -> tuple[LoadWarning, ...]:
    """Return a warning that names the unread things to which parts that were read lead, or none."""
    parts = [reader.part for reader in readers]
    found: dict[str, list[str]] = {}
    comments = _Comments()
    for part in parts:
        for relation in package.relationships(part):
            if relation.kind in _KINDS and relation.target not in parts:
                found.setdefault(_KINDS[relation.kind], []).append(relation.target)
            elif relation.kind == "comments" and relation.target in package.archive:
                package.read(relation.target, comments)
    listed = [_counted(name, len(names), names) for name, names in found.items()]
    listed += [_counted("comment", comments.count)] if comments.count else []
    if not listed:
        return ()
    return (LoadWarning("parts-unread", f"the file holds what is not read: {', '.join(listed)}"),)


def _counted(name: str, count: int, parts: Sequence[str] = ()) -> str:
    """Return a number of things, and the first of the parts that hold them.

    >>> _counted("chart", 1, ["word/charts/chart1.xml"]), _counted("comment", 2)
    ('1 chart (word/charts/chart1.xml)', '2 comments')
    """
    shown = [*parts[:_NAMES_SHOWN], *(["…"] if len(parts) > _NAMES_SHOWN else [])]
    where = f" ({', '.join(shown)})" if shown else ""
    return f"{count:,} {name}{'s' * (count > 1)}{where}"


class _Comments(StartTags):
    def __init__(self) -> None:
        self.count = 0

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        self.count += re.split("[:}]", name)[-1] in _COMMENTS
