"""Self-contained pages from templates: escaped throughout, without scripts or requests."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from docqa.highlighting.colours import PALETTE

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ["readable", "render"]

# Controls that HTML has no place for (HTML Standard, 13.2.3.5) are shown by their pictures.
_CONTROLS = {code: 0x2400 + code for code in range(0x20) if chr(code) not in "\t\n\r"}
_CONTROLS[0x7F] = 0x2421
_NONCHARACTERS = re.compile("[\\ud800-\\udfff\\ufffe\\uffff]")


def readable(text: str) -> str:
    r"""Return `text` with a visible sign in place of every character that no page may hold.

    >>> readable("a\0b\x1b[31m")
    'a␀b␛[31m'
    """
    return _NONCHARACTERS.sub("\N{REPLACEMENT CHARACTER}", text.translate(_CONTROLS))


def render(template: str, **values: object) -> bytes:
    """Return the page that a template makes of `values`, in UTF-8.

    Everything is escaped, except values that are marked as markup (``__html__``).
    """
    from docqa._version import __version__

    page = (
        _environment().get_template(template).render(**values, palette=PALETTE, version=__version__)
    )
    return page.encode("utf-8")


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("docqa.highlighting"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalized,
    )


def _finalized(value: object) -> object:
    return readable(value) if type(value) is str else value
