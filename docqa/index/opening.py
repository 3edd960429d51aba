"""Open the store at an address."""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from docqa.errors import SettingError
from docqa.index.contract import Store

__all__ = ["open_store"]

_SCHEME = re.compile(r"([a-z][a-z0-9+.-]+)://", re.I)


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
    rest = text[len(scheme) + 3 :].rpartition("@")[2]  # without a user and a password
    raise SettingError(
        f"{scheme}://{rest}: no engine for addresses that begin with {scheme}://; a collection is "
        "a folder, or lance:///FOLDER or s3://BUCKET/PREFIX"
    )
