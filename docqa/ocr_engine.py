"""Optical character recognition: a page's image, the words read from it, the engine's contract."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

__all__ = [
    "DEFAULT_LANGUAGE",
    "NamedEngine",
    "OcrEngine",
    "OcrError",
    "OcrResult",
    "OcrWord",
    "PageImage",
    "PixelBox",
    "read_image",
]

DEFAULT_LANGUAGE = "eng"
"""Language of Tesseract where none is given, in Tesseract's names for languages."""

_DOUBTFUL = 0.7  # mean confidence of a page; good scans give 0.9 and more, wrong turns under 0.5


class PixelBox(NamedTuple):
    """A rectangle in pixels from an image's top left corner; right and bottom are outside."""

    left: int
    top: int
    right: int
    bottom: int


@dataclass(frozen=True, slots=True)
class PageImage:
    """A displayed page as an image.

    Attributes:
        width, height: pixels.
        pixels: one byte of grey each (255 is white), row by row from the top, without padding.
        dpi: pixels per inch of the page.
    """

    width: int
    height: int
    pixels: bytes
    dpi: int

    def upside_down(self) -> PageImage:
        """Return the image turned by half a circle."""
        return PageImage(self.width, self.height, self.pixels[::-1], self.dpi)

    def turned_back(self, box: PixelBox) -> PixelBox:
        """Return where a box of the image upside down stands in this one.

        >>> PageImage(10, 20, bytes(200), 72).turned_back(PixelBox(1, 2, 4, 3))
        PixelBox(left=6, top=17, right=9, bottom=18)
        """
        return PixelBox(
            self.width - box.right,
            self.height - box.bottom,
            self.width - box.left,
            self.height - box.top,
        )


@dataclass(frozen=True, slots=True)
class OcrWord:
    """A word read from an image.

    Attributes:
        text: the word, without white space.
        box: where it stands in the image.
        confidence: in 0 to 1, as the engine reports it.
        paragraph, line: words with the same numbers stand in one paragraph, and on one line.
    """

    text: str
    box: PixelBox
    confidence: float
    paragraph: int
    line: int


class OcrError(Exception):
    """A failure of an engine to read an image, with the reason."""


@dataclass(frozen=True, slots=True)
class NamedEngine:
    """The name of an engine that read a document, for records; it cannot read.

    Attributes:
        name, language: as `OcrEngine` has them.
    """

    name: str
    language: str | None = None

    def read(self, image: PageImage) -> list[OcrWord]:
        """Refuse: only the engine itself reads.

        Raises:
            OcrError: always.
        """
        del image
        raise OcrError(f"{self.name} is known by its name only; give the engine itself as ocr=")


class OcrEngine(Protocol):
    """An engine that reads the words of images.

    It is hashable, as every object is that defines no equality.
    """

    @property
    def name(self) -> str:
        """Return name and version, such as ``"tesseract 5.3.0"``.

        Raises:
            MissingDependencyError: the engine is not installed.
            SettingError: it lacks the language.
        """
        ...

    @property
    def language(self) -> str | None:
        """Return the language of docqa's Tesseract, such as ``"eng+deu"``; None for other engines.

        With it, the settings ``ocr=True`` and `ocr_language` make the engine again.
        """
        ...

    def read(self, image: PageImage) -> list[OcrWord]:
        """Return the words of an image in reading order, lines and paragraphs together.

        Several threads may call this at once.

        Raises:
            OcrError: the engine failed, or took too long.
        """
        ...


@dataclass(frozen=True, slots=True)
class OcrResult:
    """The words that an engine read of a page.

    Attributes:
        words: in reading order; empty where it found none.
        failure: why it could not read the page, or None.
    """

    words: tuple[OcrWord, ...] = ()
    failure: str | None = None

    @property
    def confidence(self) -> float:
        """Return the mean confidence of the characters, in 0 to 1; 0 without any."""
        characters = sum(len(word.text) for word in self.words)
        total = sum(len(word.text) * word.confidence for word in self.words)
        return total / characters if characters else 0.0

    @property
    def is_doubtful(self) -> bool:
        """Say whether words were read, but with so little confidence that many will be wrong."""
        return bool(self.words) and self.confidence < _DOUBTFUL


def read_image(engine: OcrEngine, image: PageImage) -> OcrResult:
    """Read an image; where that gives doubtful words, also upside down, and keep the better.

    Tesseract finds out by itself that lines run upwards or downwards, but not that a page stands
    on its head: its words then come with a confidence of 0.2 to 0.4, right ones with over 0.9.
    """
    try:
        upright = OcrResult(tuple(engine.read(image)))
        if not upright.is_doubtful:
            return upright
        turned = engine.read(image.upside_down())
        words = tuple(replace(word, box=image.turned_back(word.box)) for word in turned)
        return max(upright, OcrResult(words), key=lambda reading: reading.confidence)
    except OcrError as error:
        return OcrResult(failure=str(error))
