"""The encoding of a plain text: declared, verified or guessed from its bytes."""

from __future__ import annotations

import codecs
import re
import unicodedata
from dataclasses import dataclass

from docqa.datamodel import Span
from docqa.errors import MalformedError, SettingError
from docqa.loaders.decoded_source import DecodedSource, codec_of, decode
from docqa.loaders.sniffing import is_padded_text

__all__ = ["DecodedText", "decode_text"]

_BOMS = (  # the longer marks first: the UTF-32 mark starts with the UTF-16 one
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SAMPLE_BYTES = 200_000  # enough for a stable guess, and bounded for a huge file
# The legacy encodings of the WHATWG Encoding standard that files are still found in; a guess among
# all codecs of Python takes rare ones (short Russian in KOI8-R became Shift_JIS-2004).
_LEGACY = (
    *("cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp1258"),
    *("cp874", "koi8_r", "koi8_u", "iso8859_2", "iso2022_jp"),
    *("shift_jis", "euc_jp", "gb18030", "big5", "euc_kr"),
)
# Latin texts with few letters outside ASCII are taken for any of these ("§ 12" even for Shift JIS).
_LATIN = frozenset({"cp1250", "cp1252", "cp1257", "iso8859_2"})
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

_MOSTLY_UTF8 = 0.01  # broken bytes per byte outside ASCII that still count as damaged UTF-8
_MOST_NULS = 0.01  # of a file; texts have none, or a stray one
_MOST_ASCII = 0.75  # of the bytes that a UTF-16 text has in ASCII's printable range; CJK has 0.4
_KNOWN = 0.98  # of the characters of a text that are assigned and no controls


@dataclass(frozen=True, slots=True)
class DecodedText:
    """A decoded text and the encoding of its bytes.

    Attributes:
        source: the characters, which lead back to the file's bytes.
        encoding: name of the codec.
        guessed: the encoding was neither declared nor verified, but guessed from the bytes.
    """

    source: DecodedSource
    encoding: str
    guessed: bool = False

    @property
    def text(self) -> str:
        """Return the characters; bytes without meaning are U+FFFD."""
        return self.source.text

    @property
    def replaced(self) -> int:
        """Return how many characters stand for bytes that have no meaning in the encoding."""
        return self.text.count("\N{REPLACEMENT CHARACTER}") if self.source.is_broken else 0

    def byte_span(self, span: Span) -> Span | None:
        """Return the bytes of the file that hold `span` of the text; None in UTF-7."""
        return self.source.byte_span(span)


def decode_text(data: bytes, *, source: str, encoding: str | None = None) -> DecodedText:
    """Decode a plain text: byte order mark, then the given encoding, UTF-16, UTF-8, a guess.

    Raises:
        SettingError: there is no codec for files of the name `encoding`.
        MalformedError: no encoding gives text.

    >>> decode_text("naïve".encode("utf-8-sig"), source="x").text
    'naïve'
    >>> decode_text("naïve".encode("utf-16-le"), source="x").encoding
    'utf-16-le'
    """
    for mark, name in _BOMS:
        if data.startswith(mark):
            return DecodedText(decode(data, name, len(mark)), name)
    if encoding is not None:
        return _declared(data, encoding)
    sample = data[:_SAMPLE_BYTES]
    likely = _unmarked_utf16(sample) or _escaped_japanese(data)
    if likely is not None:
        return DecodedText(decode(data, likely), likely, guessed=True)
    is_padded = is_padded_text(sample)
    if sample.count(0) > _MOST_NULS * len(sample) and not is_padded:
        raise _not_text(source)
    decoded = decode(data, "utf-8")
    if decoded.is_broken and not _is_damaged_utf8(sample):
        likely = _guess(sample.replace(b"\0", b"") if is_padded else sample, source)
        return DecodedText(decode(data, likely), likely, guessed=True)
    return DecodedText(decoded, "utf-8", guessed=decoded.is_broken)


def _declared(data: bytes, encoding: str) -> DecodedText:
    codec = codec_of(encoding)
    if codec is None:
        raise SettingError(
            f"unknown encoding {encoding!r}; use a name such as utf-8, cp1252, shift_jis"
        )
    return DecodedText(decode(data, codec), codec)


def _not_text(source: str) -> MalformedError:
    return MalformedError(
        f"{source}: these bytes are not text in any known encoding; name it with encoding= "
        "(--encoding) if it is text",
        source=source,
    )


def _unmarked_utf16(sample: bytes) -> str | None:
    """Return the byte order of UTF-16 without a mark, or None.

    Latin text has a NUL in nearly every unit; other text only in its spaces and line ends, and is
    recognised by the order that gives known characters and more of those of ASCII.
    """
    half = len(sample) // 2
    if half < 2 or b"\0" not in sample:
        return None
    even, odd = sample[0::2].count(0) / half, sample[1::2].count(0) / half
    if max(even, odd) > 0.3 and min(even, odd) < 0.1:
        return "utf-16-le" if odd > even else "utf-16-be"
    if _is_bytewise(sample):
        return None
    texts = {order: _known_text(sample[: 2 * half], order) for order in ("utf-16-le", "utf-16-be")}
    spaces = {order: sum(map(text.count, " \n")) for order, text in texts.items()}
    best = max(spaces, key=spaces.__getitem__)
    return best if spaces[best] else None


def _is_bytewise(sample: bytes) -> bool:
    """Say whether the bytes are characters by themselves: mostly ASCII, or longer UTF-8."""
    printable = sum(0x20 <= byte < 0x7F or byte in b"\t\n\r" for byte in sample)
    if printable > _MOST_ASCII * len(sample):
        return True
    decoder = codecs.getincrementaldecoder("utf-8")()  # the sample may end inside a character
    try:
        return not decoder.decode(sample).isascii()
    except UnicodeDecodeError:
        return False


def _known_text(sample: bytes, codec: str) -> str:
    """Return the decoded sample, or nothing where characters are unassigned or controls."""
    try:
        text = codecs.getincrementaldecoder(codec)().decode(sample)
    except UnicodeDecodeError:
        return ""
    known = sum(
        character in "\t\n\r" or not unicodedata.category(character).startswith("C")
        for character in text
    )
    return text if known >= _KNOWN * len(text) else ""


def _escaped_japanese(data: bytes) -> str | None:
    """Return ``"iso2022_jp"`` for ASCII bytes whose escape sequences lead to other characters."""
    if not (b"\x1b$" in data or b"\x1b(" in data) or not data.isascii():
        return None
    try:
        return None if data.decode("iso2022_jp").isascii() else "iso2022_jp"
    except UnicodeDecodeError:
        return None


def _is_damaged_utf8(sample: bytes) -> bool:
    """Say whether nearly all bytes outside ASCII form valid sequences."""
    high = sum(1 for byte in sample if byte >= 0x80)
    broken = sample.decode("utf-8", "replace").count("\ufffd")
    return high > 8 and broken <= max(1, _MOSTLY_UTF8 * high)


def _guess(sample: bytes, source: str) -> str:
    from charset_normalizer import from_bytes

    matches = from_bytes(sample, cp_isolation=list(_LEGACY))
    best = matches.best()
    if b"\0" in sample:
        raise _not_text(source)
    if best is None:
        latin = _latin_encoding(sample) if _is_bytewise(sample) else None
        if latin is None:
            raise _not_text(source)
        return latin
    is_latin = any(
        match.chaos <= best.chaos and not _LATIN.isdisjoint(match.could_be_from_charset)
        for match in matches
    )
    if best.encoding in _LATIN or (best.encoding == "shift_jis" and is_latin):
        return _latin_encoding(sample) or best.encoding
    return best.encoding


def _latin_encoding(sample: bytes) -> str | None:
    """Return the Latin encoding in which `sample` fits one language best, or None.

    Western, Central European and Baltic encodings give letters to nearly every byte, so that a few
    bytes fit all of them: "mañana" in cp1252 is "mańana" in cp1250. But the letters of a text are
    those of one language, and "mańana, qué" has no language that writes both.

    >>> _latin_encoding("El niño comió mañana".encode("cp1252"))
    'cp1252'
    >>> _latin_encoding("Kupující je povinen zaplatit do třiceti dnů".encode("cp1250"))
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
