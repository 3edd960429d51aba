"""Tell XHTML from HTML: in XHTML, ``<title/>`` and ``<script src="a.js"/>`` are whole elements."""

from __future__ import annotations

import re
from pathlib import PurePath

__all__ = ["is_xhtml"]

_START_CHARACTERS = 2048
"""An XML declaration, a document type and the first tag take less than that."""

_SIGN = re.compile(
    r"\A\s*<\?xml\s"
    r"|<!doctype\s[^>]*//DTD XHTML"
    r"|<html\s[^>]*xmlns\s*=\s*[\"']http://www\.w3\.org/1999/xhtml",
    re.IGNORECASE,
)
_SUFFIXES = frozenset({".xhtml", ".xht"})


def is_xhtml(text: str, *, source: str) -> bool:
    """Say whether a page is XHTML, by its name, XML declaration, document type or namespace.

    A browser parses many of these pages as HTML. Theirs have no self-closing tags that HTML
    leaves open, or a browser would not show them as their author meant.

    >>> is_xhtml('<?xml version="1.0"?><html>', source="-"), is_xhtml("<html>", source="-")
    (True, False)
    """
    suffix = PurePath(source).suffix.lower()
    return suffix in _SUFFIXES or _SIGN.search(text[:_START_CHARACTERS]) is not None
