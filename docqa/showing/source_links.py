"""Link from a page on disk to the files that it speaks of."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from docqa.datamodel import Location, PageLocation, SourceLocation

__all__ = ["link_to_file", "with_place"]


def link_to_file(source: str, folder: Path) -> str | None:
    """Return the address of a file as seen from a page in `folder`, or None where there is none.

    It is relative where a path leads there, so that both can be moved together. Every character
    with a meaning in an address is escaped: a file called ``javascript:alert(1)`` stays a file.

    Args:
        source: the file's path, as it was asked.
        folder: the folder of the page.
    """
    path = Path(source)
    try:
        if not path.is_file():
            return None
        target, start = path.absolute(), Path(os.path.realpath(folder))
        relative = os.path.relpath(os.path.realpath(target.parent), start)
    except OSError:
        return None
    except ValueError:  # another drive, or a name with a NUL
        return path.absolute().as_uri() if "\0" not in source else None
    whole = os.path.normpath(os.path.join(relative, target.name))  # noqa: PTH118  # keeps ".."
    return quote(os.fsencode(whole.replace(os.sep, "/")), safe="/")


def with_place(link: str, locations: Sequence[Location]) -> str:
    """Return a link to a place in the file: a page of a PDF, words of a web page.

    >>> with_place("a.pdf", [PageLocation(3, None, None, None)])
    'a.pdf#page=3'
    """
    first = locations[0] if locations else None
    if isinstance(first, PageLocation):
        return f"{link}#page={first.page_number}"
    if isinstance(first, SourceLocation) and first.text_fragment and first.part is None:
        return link + first.text_fragment
    return link
