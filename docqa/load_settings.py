"""The settings with which sources are loaded, for the library, the pipeline and the command."""

from __future__ import annotations

from dataclasses import dataclass, replace

from docqa.errors import SettingError
from docqa.limits import Limits
from docqa.ocr_engine import DEFAULT_LANGUAGE, NamedEngine, OcrEngine

__all__ = ["DEFAULT_LANGUAGE", "TEXT_CAPS", "LoadSettings"]

TEXT_CAPS = ("pages", "page_characters")  # limits beyond which text is left out of a document

# OCR of a long scan takes hours, and limits the time of every page itself.
_OCR_SECONDS = 4 * 3600.0


@dataclass(frozen=True, slots=True)
class LoadSettings:
    """Settings of a caller for its sources; hashable, so that they can be part of a cache's key.

    Attributes:
        password: opens encrypted PDFs; the user's or the owner's.
        media_type: overrules the detection, such as ``"text/plain"`` to read HTML as text.
        encoding: overrules the declared encoding of text, Markdown and HTML.
        isolate: load in a worker process under limits on time and memory, so that a file from a
            stranger cannot crash or fill this process.
        limits: time, memory and sizes that loading may take. Without `isolate` only its caps hold;
            None takes `Limits()` with it, and without it the caps on pages and their characters.
        ocr: read the scanned pages of PDFs, those that show text but hold none: with Tesseract, or
            with an engine of your own.
        ocr_language: language of Tesseract; several are joined as ``"eng+deu"``.

    Raises:
        SettingError: `limits` or `ocr` is of another kind.
    """

    password: str | None = None
    media_type: str | None = None
    encoding: str | None = None
    isolate: bool = False
    limits: Limits | None = None
    ocr: bool | OcrEngine = False
    ocr_language: str = DEFAULT_LANGUAGE

    def __post_init__(self) -> None:
        if not isinstance(self.limits, Limits | None):
            raise SettingError(f"limits must be docqa.Limits(...) or None, not {self.limits!r}")
        if not isinstance(self.ocr, bool) and not hasattr(self.ocr, "name"):
            raise SettingError(f"ocr must be True, False or an OcrEngine, not {self.ocr!r}")

    def to_dict(self) -> dict[str, str | bool | int | None]:
        """Return the settings that decide how a source reads as plain values: no password.

        Of the limits, those that cut text off, where they are not the usual ones.
        """
        limits, usual = self.effective_limits, Limits()
        return {
            "media_type": self.media_type,
            "encoding": self.encoding,
            **self._ocr_to_dict(),
            **{
                name: getattr(limits, name)
                for name in TEXT_CAPS
                if getattr(limits, name) != getattr(usual, name)
            },
        }

    def _ocr_to_dict(self) -> dict[str, str | bool | None]:
        """Return whether Tesseract reads, and in which language; or the name of another engine."""
        if isinstance(self.ocr, bool):
            return {"ocr": self.ocr, "ocr_language": self.ocr_language if self.ocr else None}
        # Engines written for docqa 0.1 have no `language`.
        language = getattr(self.ocr, "language", None)
        if language is not None:
            return {"ocr": True, "ocr_language": language}
        return {"ocr": self.ocr.name, "ocr_language": None}

    @property
    def kept(self) -> LoadSettings:
        """Return the settings that a document keeps: no password, and the engine's name alone."""
        if isinstance(self.ocr, bool):
            return replace(self, password=None)
        named = self._ocr_to_dict()
        if isinstance(named["ocr"], str):
            return replace(self, password=None, ocr=NamedEngine(named["ocr"]))
        return replace(self, password=None, ocr=True, ocr_language=str(named["ocr_language"]))

    @property
    def effective_limits(self) -> Limits:
        """Return the limits that hold."""
        if self.limits is not None:
            return self.limits
        if not self.isolate:
            return Limits(file_bytes=None, characters=None)
        return Limits(wall_seconds=_OCR_SECONDS) if self.ocr else Limits()

    @property
    def wall_seconds(self) -> float | None:
        """Return the time that a source may take as a whole; None where no limit was asked for."""
        limited = self.isolate or self.limits is not None
        return self.effective_limits.wall_seconds if limited else None
