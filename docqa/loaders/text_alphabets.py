"""Tell Western, Central European and Baltic texts apart by the alphabets of their languages.

Their encodings give letters to nearly every byte, so that a few bytes fit all of them: "mañana" in
cp1252 is "mańana" in cp1250. But the letters of a text are those of one language, and "mańana, qué"
has no language that writes both.
"""

from __future__ import annotations

import re

__all__ = ["latin_encoding"]

# The letters outside ASCII of each encoding's languages, from the Unicode CLDR's main exemplar
# characters, shortened to what the encoding has. On a tie the encoding named first is taken.
_ALPHABETS = {
    "cp1252": (
        *("äöüß", "áéíñóúüªº", "ãáâàçéêíóôõúüªº", "àâæçéèêëîïôœùûüÿªº", "àèéìíîòóùúªº"),
        *("åäöé", "æøåéèóòôâêü", "áðéíóúýþæö", "áéëíïóöúüè", "àçéèíïóòúü·"),
    ),
    "cp1250": (
        *("ąćęłńóśźż", "áčďéěíňóřšťúůýž", "áäčďéíĺľňóôŕšťúýž", "áéíóöőúüű", "čćđšž", "ăâîşţ"),
    ),
    "cp1257": ("ąčęėįšųūž", "āčēģīķļņšūž", "äõöüšž"),
    "iso8859_2": (
        *("ąćęłńóśźż", "áčďéěíňóřšťúůýž", "áäčďéíĺľňóôŕšťúýž", "áéíóöőúüű", "čćđšž", "ăâîşţ"),
    ),
}
_INSIDE_A_WORD = re.compile(r"(?<=[^\W\d_])[\x80-\x9f¡-©«-´¶-¹»-¿](?=[a-z])")
"""Signs that no word has within it; the middle dot and ª, º are none of them."""


def latin_encoding(sample: bytes) -> str | None:
    """Return the Latin encoding in which `sample` fits one language best, or None.

    >>> latin_encoding("El niño comió mañana".encode("cp1252"))
    'cp1252'
    >>> latin_encoding("Kupující je povinen zaplatit do třiceti dnů".encode("cp1250"))
    'cp1250'
    """
    fits = {codec: fit for codec in _ALPHABETS if (fit := _fit(sample, codec)) is not None}
    return max(fits, key=fits.__getitem__) if fits else None


def _fit(sample: bytes, codec: str) -> float | None:
    """Return the share of letters outside ASCII that the best language of `codec` has."""
    try:
        text = sample.decode(codec)
    except UnicodeDecodeError:
        return None
    letters = [each for each in text.lower() if not each.isascii() and each.isalpha()]
    misfits = len(_INSIDE_A_WORD.findall(text))
    if not letters and not misfits:
        return 1.0
    known = max(sum(each in alphabet for each in letters) for alphabet in _ALPHABETS[codec])
    return known / (len(letters) + misfits)
