"""Open the store at an address."""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from docqa.errors import SettingError
from docqa.index.contract import Store

__all__ = ["open_store", "shown"]

_SCHEME = re.compile(r"([a-z][a-z0-9+.-]+)://", re.I)
_WITHOUT_USER = ("file", "lance", "s3")


def open_store(address: str | os.PathLike[str]) -> Store:
    """Return the store at an address; nothing is made or read yet.

    Args:
        address: a folder (also ``file:///folder``), for a collection on this machine;
            ``lance:///folder`` or ``s3://bucket/prefix`` for one that machines share.

    Raises:
        MissingDependencyError: the engine's library is not installed.
        SettingError: there is no engine for such an address.
    """
    text = os.fspath(address)
    found = _SCHEME.match(text)
    scheme = found.group(1).lower() if found else "file"
    if scheme == "file":
        from docqa.index.tantivy.store import TantivyStore

        return TantivyStore(Path(unquote(urlsplit(text).path)) if found else Path(text))
    if scheme in ("lance", "s3"):
        from docqa.index.lance.store import LanceStore

        return LanceStore(text)
    raise SettingError(
        f"{shown(text)}: no engine for addresses that begin with {scheme}://; a collection is a "
        "folder, or lance:///FOLDER or s3://BUCKET/PREFIX"
    )


def shown(address: str) -> str:
    """Return an address for messages, without user and password.

    >>> shown("https://ada:s3cret@search.example.org/kb"), shown("notes/@home")
    ('https://search.example.org/kb', 'notes/@home')
    """
    found = _SCHEME.match(address)
    if not found or found.group(1).lower() in _WITHOUT_USER:
        return address
    return found.group() + address[found.end() :].rpartition("@")[2]
