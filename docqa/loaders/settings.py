"""How sources are loaded: one record for the library, the pipeline and the command line."""

from __future__ import annotations

from dataclasses import dataclass

from docqa.loaders.ocr import OcrEngine

__all__ = ["DEFAULT_LANGUAGE", "LoadSettings"]

DEFAULT_LANGUAGE = "eng"  # of OCR, in the names that Tesseract has for languages


@dataclass(frozen=True, slots=True)
class LoadSettings:
    """Hold what a caller says about sources; hashable, so that it can be part of a cache's key.

    Attributes:
        password: opens encrypted PDFs.
        media_type: overrules the detection.
        encoding: overrules the declared encoding of text, Markdown and HTML.
        ocr: reads the scanned pages of PDFs, with Tesseract or with an engine of your own.
        ocr_language: what Tesseract reads; several are joined as ``"eng+deu"``.
    """

    password: str | None = None
    media_type: str | None = None
    encoding: str | None = None
    ocr: bool | OcrEngine = False
    ocr_language: str = DEFAULT_LANGUAGE
