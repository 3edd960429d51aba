"""Tell the values of a table (numbers, amounts, shares, dashes) from its words and years."""

from __future__ import annotations

import re

__all__ = ["is_currency", "is_value", "is_year"]

_SIGNS = r"[#$€£¥]?\s*[(\[<~+±–—−-]*\s*[$€£¥]?\s*"
_NUMBER = rf"{_SIGNS}\d[\d.,:/]*\s*(?:%|x|bps?|pts?)?\s*[)\]]*\s*%?"
_BLANK = r"[#$€£¥]?\s*(?:[–—−-]{1,2}|N/?[AM]|n/?[am])\.?\s*%?"
_NOTES = r"(?: [a-z\d])?(?:\s*\([a-z]{1,2}\))*"  # a raised mark, or marks in brackets
_VALUE = re.compile(rf"(?:{_NUMBER}|{_BLANK}){_NOTES}")
_LONGEST = 40  # characters; no value has more
_CURRENCY = re.compile(r"[#$€£¥]+")
_YEAR = re.compile(rf"(?:19|20)\d\d{_NOTES}")


def is_value(text: str) -> bool:
    """Say whether a cell holds a value; a year alone heads a column and is none.

    >>> [is_value(text) for text in ("$ (7)", "22 %", "—", "1,266(a)", "45 3", "2021", "Level 3")]
    [True, True, True, True, True, False, False]
    """
    content = " ".join(text.split())
    is_short = len(content) <= _LONGEST
    return is_short and bool(_VALUE.fullmatch(content)) and not is_year(content)


def is_year(text: str) -> bool:
    """Say whether a cell holds a year, perhaps with the mark of a footnote.

    >>> is_year("2021(d)"), is_year("2,021")
    (True, False)
    """
    return bool(_YEAR.fullmatch(text))


def is_currency(text: str) -> bool:
    """Say whether a cell holds no more than a sign of currency or number.

    >>> is_currency("$"), is_currency("$ 3")
    (True, False)
    """
    return bool(_CURRENCY.fullmatch(text))
