"""Read text with pypdf where PDFium refuses: slower, and without rectangles."""

from __future__ import annotations

from functools import partial
from io import BytesIO
from typing import Any

from docqa._pypdf import translated

__all__ = ["FallbackError", "FallbackFile"]


class FallbackError(Exception):
    """A failure of pypdf too to read the file or the page.

    Attributes:
        needs_password: the file opens, but not without another password.
    """

    def __init__(self, message: str, *, needs_password: bool = False) -> None:
        super().__init__(message)
        self.needs_password = needs_password


_translated = partial(translated, FallbackError)


class FallbackFile:
    """A PDF opened by pypdf; every exception of pypdf becomes a `FallbackError`.

    Args:
        data: the file's bytes.
        password: to try.
        tries_empty: try the empty one where `password` does not fit. Not where PDFium asked for
            one: pypdf opens files whose owner's password is empty, which a mistyped password must
            not turn into a success without rectangles.

    Raises:
        FallbackError: pypdf cannot read it.
    """

    def __init__(
        self, data: bytes, password: str | None = None, *, tries_empty: bool = True
    ) -> None:
        with _translated():
            import pypdf

            self.extractor = f"pypdf {pypdf.__version__}"
            self._reader: Any = pypdf.PdfReader(BytesIO(data), strict=False)
            forms = [password] if password else []
            forms += [""] if tries_empty else []
            if self._reader.is_encrypted and not any(map(self._reader.decrypt, forms)):
                raise FallbackError("the password is missing or wrong", needs_password=True)
            self.page_count = len(self._reader.pages)

    def text(self, index: int) -> str:
        """Return the text of page `index` (from 0) with line feeds.

        Raises:
            FallbackError: pypdf cannot read the page.
        """
        with _translated():
            text = str(self._reader.pages[index].extract_text())
        return _printable(text)

    def size(self, index: int) -> tuple[float, float]:
        """Return the displayed width and height in points; zeros where they are unreadable."""
        try:
            with _translated():
                page = self._reader.pages[index]
                width, height = abs(float(page.cropbox.width)), abs(float(page.cropbox.height))
                return (height, width) if page.rotation % 180 else (width, height)
        except FallbackError:
            return 0.0, 0.0

    def labels(self) -> list[str | None]:
        """Return the labels that the file declares, None for every page without."""
        try:
            with _translated():
                if "/PageLabels" in self._reader.root_object:
                    return [label or None for label in self._reader.page_labels]
        except FallbackError:
            pass
        return [None] * self.page_count

    def metadata(self) -> dict[str, str]:
        """Return the document information under the file's own keys, without their slashes."""
        try:
            with _translated():
                entries = dict(self._reader.metadata or {})
                return {str(key).lstrip("/"): str(value).strip() for key, value in entries.items()}
        except FallbackError:
            return {}


def _printable(text: str) -> str:
    r"""Return `text` with line feeds only and U+FFFD for characters that cannot be shown.

    >>> _printable("a\r\nb\x00\ud800c")
    'a\nb��c'
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ").replace("\xa0", " ")
    return "".join(
        character if character == "\n" or _is_shown(ord(character)) else "\ufffd"
        for character in text
    )


def _is_shown(code: int) -> bool:
    return code >= 0x20 and not 0x7F <= code < 0xA0 and not 0xD800 <= code < 0xE000
