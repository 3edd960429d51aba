"""The contract of OCR engines, under the import path that guides gave before `docqa.ocr_engine`."""

from docqa.ocr_engine import (
    NamedEngine,
    OcrEngine,
    OcrError,
    OcrResult,
    OcrWord,
    PageImage,
    PixelBox,
    read_image,
)

__all__ = [
    "NamedEngine",
    "OcrEngine",
    "OcrError",
    "OcrResult",
    "OcrWord",
    "PageImage",
    "PixelBox",
    "read_image",
]
