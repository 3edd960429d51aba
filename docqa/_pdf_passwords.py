"""Open PDFs with a password, written in each of the ways in which files expect it."""

from __future__ import annotations

import stringprep
import unicodedata

from docqa._pdfium import PdfFile, PdfiumError
from docqa.errors import SettingError

__all__ = ["open_pdf", "password_bytes", "saslprep"]


def open_pdf(data: bytes, password: str | None) -> tuple[PdfFile, bytes | None]:
    """Open a file with the first form of the password that fits, last of all without one.

    Returns:
        The open file, and the bytes that opened it or None.

    Raises:
        PdfiumError: none fits, or the file is broken.
        SettingError: the password is no text.
    """
    for attempt in password_bytes(password):
        try:
            return PdfFile(data, attempt), attempt
        except PdfiumError as error:
            if error.reason != "password" or attempt is None:
                raise
    return PdfFile(data, None), None


def password_bytes(password: str | None) -> list[bytes | None]:
    """Return the bytes of a password to give to PDFium, in the order to try.

    PDFium takes bytes. AES-256 files expect UTF-8 after SASLprep (ISO 32000-2, 7.6.4.3.3), which
    PDFium leaves to its caller; older ones a single-byte encoding. Bytes that a command line could
    not decode (U+DC80 to U+DCFF) are themselves.

    Raises:
        SettingError: `password` is no text, or holds half of a surrogate pair.

    >>> password_bytes(None), password_bytes("secret")
    ([None], [b'secret'])
    """
    if password is None:
        return [None]
    if not isinstance(password, str):
        raise SettingError(f"the password is {type(password).__name__}; give it as str")
    try:
        utf8 = [text.encode("utf-8", "surrogateescape") for text in (password, saslprep(password))]
    except UnicodeEncodeError as error:
        raise SettingError(
            "the password holds half of a surrogate pair, which no file can mean; type it again"
        ) from error
    return list(dict.fromkeys([*utf8, password.encode("latin-1", "replace")]))


def saslprep(password: str) -> str:
    r"""Return the form of a password that RFC 4013 compares: its section 2.1 and 2.2.

    >>> saslprep("I\u00adX"), saslprep("\u2168")
    ('IX', 'IX')
    """
    kept = (character for character in password if not stringprep.in_table_b1(character))
    spaced = (" " if stringprep.in_table_c12(character) else character for character in kept)
    return unicodedata.normalize("NFKC", "".join(spaced))
