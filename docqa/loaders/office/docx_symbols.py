"""Characters of symbol fonts, shown by ``w:sym`` where its code means nothing by itself."""

from __future__ import annotations

__all__ = ["symbol"]

# Adobe's "Symbol" encoding (ISO 32000-1, annex D.5): letters, and the operators in common use.
_GREEK = dict(
    zip(
        (*range(0x41, 0x5B), *range(0x61, 0x7B)),
        "ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖαβχδεφγηιϕκλμνοπθρστυϖωξψζ",
        strict=True,
    )
)
_OPERATORS = {
    0xA2: "′",
    0xA3: "≤",
    0xA5: "∞",
    0xAB: "↔",
    0xAC: "←",
    0xAD: "↑",
    0xAE: "→",
    0xAF: "↓",
    0xB0: "°",
    0xB1: "±",
    0xB2: "″",
    0xB3: "≥",
    0xB4: "×",
    0xB5: "∝",
    0xB6: "∂",
    0xB7: "•",
    0xB8: "÷",
    0xB9: "≠",
    0xBA: "≡",
    0xBB: "≈",
    0xBC: "…",
    0xC5: "⊕",
    0xC7: "∩",
    0xC8: "∪",
    0xCE: "∈",
    0xD1: "∇",
    0xD2: "®",
    0xD3: "©",
    0xD4: "™",
    0xD5: "∏",
    0xD6: "√",
    0xD7: "⋅",
    0xE5: "∑",
    0xF2: "∫",
}
# Microsoft's Wingdings: what forms and lists use of it.
_WINGDINGS = {
    0x6C: "●",
    0x6E: "■",
    0x6F: "□",
    0x71: "❑",
    0x75: "◆",
    0x76: "❖",
    0x9F: "•",
    0xA7: "▪",
    0xA8: "◻",
    0xD8: "➢",
    0xDF: "←",
    0xE0: "→",
    0xFB: "✗",
    0xFC: "✓",
    0xFD: "☒",
    0xFE: "☑",
}
_FONTS = {"symbol": {**_GREEK, **_OPERATORS}, "wingdings": _WINGDINGS}
_PRIVATE = range(0xE000, 0xF900)


def symbol(font: str, code: str) -> str:
    """Return the character that a code shows in a font, U+FFFD where that is not known.

    Args:
        font: its name.
        code: hexadecimal; codes of symbol fonts may be moved to U+F000 (ISO/IEC 29500-1,
            17.3.3.30).

    >>> symbol("Symbol", "F0B3"), symbol("Arial", "00B1"), symbol("Webdings", "F061")
    ('≥', '±', '�')
    """
    try:
        number = int(code, 16)
        character = chr(number)
    except (ValueError, OverflowError):
        return "\N{REPLACEMENT CHARACTER}"
    known = _FONTS.get(font.lower())
    if known is not None:
        character = known.get(number & 0xFF, "\N{REPLACEMENT CHARACTER}")
    is_odd = number in _PRIVATE and known is None
    is_odd = is_odd or not (character.isprintable() or character.isspace())
    return "\N{REPLACEMENT CHARACTER}" if is_odd else character
