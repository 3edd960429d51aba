"""Add highlight annotations to a PDF."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from docqa.datamodel import Box

__all__ = ["MarkedPdf", "PdfMark", "mark_pdf"]


@dataclass(frozen=True, slots=True)
class PdfMark:
    """Hold one highlight: a comment over one or more rectangles of a page.

    Attributes:
        page_number: from 1.
        boxes: points from the displayed page's top left corner, one per line.
        color: ``#rrggbb``.
        comment: the text that readers see with it.
    """

    page_number: int
    boxes: tuple[Box, ...]
    color: str
    comment: str


@dataclass(frozen=True, slots=True)
class MarkedPdf:
    """Hold a marked copy.

    Attributes:
        data: its bytes.
        keeps_original: they begin with all bytes of the original.
        notes: what its reader should know.
    """

    data: bytes
    keeps_original: bool
    notes: tuple[str, ...] = ()


def mark_pdf(data: bytes, marks: Sequence[PdfMark], *, password: str | None = None) -> MarkedPdf:
    """Return a copy of a PDF with highlights."""
    raise NotImplementedError
