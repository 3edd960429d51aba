"""Put an Office document together from its text laid out, whichever program it is for."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from docqa.datamodel import Document, LoadWarning, Page
from docqa.errors import NoTextError
from docqa.loaders.office.layout import LaidOut
from docqa.loaders.office.package import OfficePackage
from docqa.loaders.office.unread import unread_warnings

__all__ = ["office_document", "require_text"]


def require_text(laid_out: LaidOut, *, source: str, sheets: str) -> None:
    """Check that there is a text.

    Args:
        laid_out: what was read.
        source: the file's path or name.
        sheets: what the message calls pages or slides.

    Raises:
        NoTextError: there is none.
    """
    if not laid_out.text:
        raise NoTextError(
            f"{source} holds no text; if its {sheets} are pictures, save it as PDF and run OCR "
            "on that",
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
    parts: Sequence[str],
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
        parts: names of the parts that were read; what else holds text is warned of.
        warnings: what was found while reading.
        pages: its slides, if it has any.
    """
    metadata = package.metadata()
    return Document(
        id=hashlib.sha256(data).hexdigest(),
        text=laid_out.text,
        source=source,
        media_type=media_type,
        title=metadata.pop("title", None) or laid_out.title,
        source_map=laid_out.source_map,
        blocks=laid_out.blocks,
        pages=pages,
        warnings=(*warnings, *unread_warnings(package, parts)),
        metadata=metadata,
        extractor=extractor,
    )
