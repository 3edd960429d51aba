"""Parts of a file as documents of Haystack, and the way back to their places in the file."""

from __future__ import annotations

import hashlib
import inspect
from pathlib import PurePath
from typing import Any

from haystack import Document, default_to_dict

from docqa.adapters.corpus import Part
from docqa.datamodel import Span, is_nameless

__all__ = ["document_of", "place_in_file", "plain_values"]


def document_of(part: Part, given: dict[str, Any], *, full_path: bool) -> Document:
    """Return a part as Haystack's document, on top of the meta that were given."""
    source = part.document.source
    path = None if is_nameless(source) else source if full_path else PurePath(source).name
    own = {
        "file_path": path,
        "title": part.document.title,
        "page_number": part.page_number,
        "page_label": part.page_label,
        "total_pages": part.n_pages or None,
        "split_id": part.number,
        "split_idx_start": part.span.start,
        "source_id": part.document.id,
        "docqa_seal": _seal(part.document.id, part.span.start, part.text),
        "boxes": part.boxes,
    }
    meta = {name: value for name, value in own.items() if value is not None}
    return Document(content=part.text, meta={**given, **meta}, score=part.score)


def place_in_file(document: Document, span: Span) -> tuple[str, Span] | None:
    """Return a file's id, and the characters of its text that are a span of a document.

    None for a document that comes from elsewhere, or whose text or place was changed.
    """
    meta, text = document.meta, document.content or ""
    source_id, start = meta.get("source_id"), meta.get("split_idx_start")
    if not isinstance(start, int) or not isinstance(source_id, str):
        return None
    same = meta.get("docqa_seal") == _seal(source_id, start, text)
    return (source_id, span.shift(start)) if same else None


def _seal(source_id: str, start: int, text: str) -> str:
    """Return a checksum by which a text is known to stand at its place still."""
    sealed = f"{source_id}:{start}:{text}".encode("utf-8", "surrogatepass")
    return hashlib.sha256(sealed).hexdigest()[:16]


def plain_values(made: Any) -> dict[str, Any]:
    """Return a component as Haystack saves it: its class, and its settings by name."""
    names = inspect.signature(type(made).__init__).parameters
    values = {name: getattr(made, name) for name in names if hasattr(made, name)}
    return default_to_dict(made, **values)
