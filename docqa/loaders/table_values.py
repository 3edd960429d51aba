"""Tell the values of a table (numbers, amounts, shares, dashes) from its words and years."""

from __future__ import annotations

import re

__all__ = ["is_value", "is_year"]

_SIGNS = r"[#$€£¥]?\s*[(\[<~+±–—−-]*\s*[$€£¥]?\s*"
_NUMBER = rf"{_SIGNS}\d[\d.,:/]*\s*(?:%|x|bps?|pts?)?\s*[)\]]*\s*%?"
_BLANK = r"[#$€£¥]?\s*(?:[–—−-]{1,2}|N/?[AM]|n/?[am])\.?\s*%?"
_NOTES = r"(?:\s*\([a-z]{1,2}\))*"
_VALUE = re.compile(rf"(?:{_NUMBER}|{_BLANK}){_NOTES}")
_YEAR = re.compile(rf"(?:19|20)\d\d{_NOTES}")


def is_value(text: str) -> bool:
    """Say whether a cell holds a value; a year alone heads a column and is none.

    >>> [is_value(text) for text in ("$ (7)", "22 %", "—", "NM", "1,266(a)", "2021", "Level 3")]
    [True, True, True, True, True, False, False]
    """
    return bool(_VALUE.fullmatch(text)) and not is_year(text)


def is_year(text: str) -> bool:
    """Say whether a cell holds a year, perhaps with the mark of a footnote.

    >>> is_year("2021(d)"), is_year("2,021")
    (True, False)
    """
    return bool(_YEAR.fullmatch(text))
