"""Write a password in each of the ways in which files expect it."""

from __future__ import annotations

import stringprep
import unicodedata

__all__ = ["password_bytes", "saslprep"]


def password_bytes(password: str | None) -> list[bytes | None]:
    """Return what to hand to PDFium, in the order to try.

    PDFium takes bytes. AES-256 files expect UTF-8 after SASLprep (ISO 32000-2, 7.6.4.3.3), which
    PDFium leaves to its caller; older ones a single-byte encoding.

    >>> password_bytes(None), password_bytes("secret")
    ([None], [b'secret'])
    """
    if password is None:
        return [None]
    forms = [password.encode(), saslprep(password).encode(), password.encode("latin-1", "replace")]
    return list(dict.fromkeys(forms))


def saslprep(password: str) -> str:
    r"""Return the form of a password that RFC 4013 compares: its section 2.1 and 2.2.

    >>> saslprep("I\u00adX"), saslprep("\u2168")
    ('IX', 'IX')
    """
    kept = (character for character in password if not stringprep.in_table_b1(character))
    spaced = (" " if stringprep.in_table_c12(character) else character for character in kept)
    return unicodedata.normalize("NFKC", "".join(spaced))
