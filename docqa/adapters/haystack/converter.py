"""Files of any kind that docqa reads as documents of Haystack."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from haystack import Document, component, default_from_dict, logging
from haystack.components.converters.utils import normalize_metadata
from haystack.dataclasses import ByteStream

from docqa.adapters.corpus import Each, parts_of, shared_pipeline
from docqa.adapters.haystack.documents import document_of, plain_values
from docqa.datamodel import Document as LoadedDocument
from docqa.errors import LoadError
from docqa.load_settings import DEFAULT_LANGUAGE, LoadSettings
from docqa.loaders.load import load_with

__all__ = ["DocqaConverter"]

_LOGGER = logging.getLogger(__name__)


@component
class DocqaConverter:
    """A converter of files of any kind that docqa reads, a document of Haystack for each part.

    A source that cannot be loaded is left out, with a warning that names it and says why.

    Args:
        each: ``"page"``, ``"passage"`` or ``"document"``: the parts. A file without pages is one
            page. Parts without text are left out. Pages of a document are parted by form feeds,
            as Haystack's splitters count them.
        store_full_path: keep the path as given in ``file_path``, not the file's name alone.
        reader: passages are cut for it; see `docqa.load_reader`.
        isolate: load in a worker process, so that a file from a stranger cannot hurt this one.
        ocr: read the scanned pages of PDFs, with Tesseract.
        ocr_language: of Tesseract.
    """

    __module__ = "docqa.adapters.haystack"  # the path that saved pipelines name

    def __init__(
        self,
        each: Each = "page",
        *,
        store_full_path: bool = False,
        reader: str = "cascade",
        isolate: bool = False,
        ocr: bool = False,
        ocr_language: str = DEFAULT_LANGUAGE,
    ) -> None:
        self.each = each
        self.store_full_path = store_full_path
        self.reader = reader
        self.isolate, self.ocr, self.ocr_language = isolate, ocr, ocr_language

    def to_dict(self) -> dict[str, Any]:
        """Return the component as plain values."""
        return plain_values(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> DocqaConverter:
        """Return the component of plain values."""
        return default_from_dict(cls, data)

    @component.output_types(documents=list[Document])
    def run(
        self,
        sources: list[str | Path | ByteStream],
        meta: dict[str, Any] | list[dict[str, Any]] | None = None,
    ) -> dict[str, list[Document]]:
        """Return the parts of all sources, in order.

        Args:
            sources: paths, or byte streams with their ``file_path`` or ``file_name`` in the meta.
            meta: added to that of all documents, or of each source's.

        Raises:
            SettingError: a setting is unknown.
        """
        documents: list[Document] = []
        metas = normalize_metadata(meta, len(sources))
        for source, own in zip(sources, metas, strict=True):
            try:
                loaded = self._loaded(source)
            except LoadError as error:
                _LOGGER.warning("{error}; the source is left out", error=str(error))
                continue
            given = source.meta if isinstance(source, ByteStream) else {}
            parts = parts_of(loaded, self.each, pipeline=shared_pipeline(self.reader))
            documents += (
                document_of(part, {**given, **own}, full_path=self.store_full_path)
                for part in parts
            )
        return {"documents": documents}

    def _loaded(self, source: str | Path | ByteStream) -> LoadedDocument:
        settings = LoadSettings(isolate=self.isolate, ocr=self.ocr, ocr_language=self.ocr_language)
        if not isinstance(source, ByteStream):
            return load_with(settings, source)
        name = source.meta.get("file_path") or source.meta.get("file_name")
        return load_with(settings, source.data, name=None if name is None else str(name))
