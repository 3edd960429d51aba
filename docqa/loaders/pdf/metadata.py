"""The metadata of a PDF: title, author, dates, permissions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

__all__ = ["metadata", "permission_names", "title"]

_NAMES = {
    "Title": "title",
    "Author": "author",
    "Subject": "subject",
    "Keywords": "keywords",
    "Creator": "creator",
    "Producer": "producer",
    "CreationDate": "created",
    "ModDate": "modified",
}

# ISO 32000-1, table 22: bit numbers from 1.
_PERMISSION_BITS = {
    "print": 3,
    "modify": 4,
    "copy": 5,
    "annotate": 6,
    "fill forms": 9,
    "extract for accessibility": 10,
    "assemble": 11,
    "print in high quality": 12,
}

_DATE = re.compile(r"(?:D:)?(\d{4})(\d\d)?(\d\d)?(\d\d)?(\d\d)?(\d\d)?(?:(Z)|([+-]\d\d)'?(\d\d)?)?")

# Names that programs write when the author gave no title.
_NO_TITLE = re.compile(
    r"(?:untitled|unknown|title|none|null|new document|blank page|\(anonymous\)|"
    r"(?:document|slide|page|book|sheet|presentation|unbenannt)\s*-?\d*)|"
    r"microsoft (?:word|powerpoint|excel|office) - .*|powerpoint presentation|"
    r".*\.(?:docx?|pptx?|xlsx?|pdf|indd|qxd|tex|dvi|p65|wpd|rtf|odt|html?|txt|tiff?|jpe?g|ps|eps|fm)|"
    r"[\W\d_]*",
    re.IGNORECASE | re.DOTALL,
)


def metadata(entries: Mapping[str, str]) -> dict[str, str]:
    """Return a PDF's document information under plain names, dates in ISO 8601.

    >>> metadata({"Author": "A. Writer", "CreationDate": "D:20240131093000+01'00'"})
    {'author': 'A. Writer', 'created': '2024-01-31T09:30:00+01:00'}
    """
    named = {_NAMES[key]: value for key, value in entries.items() if key in _NAMES}
    for key in ("created", "modified"):
        if key in named:
            named[key] = _iso_date(named[key])
    return named


def title(value: str | None) -> str | None:
    r"""Return a title worth showing, or None for a name that programs put in its place.

    >>> title("  Annual\nReport "), title("Microsoft Word - report.doc"), title("untitled")
    ('Annual Report', None, None)
    """
    words = " ".join((value or "").split())
    return None if _NO_TITLE.fullmatch(words) else words


def permission_names(bits: int) -> list[str]:
    """Return the names of the actions that an encrypted file allows.

    >>> permission_names(0b100100)
    ['print', 'annotate']
    """
    return [name for name, bit in _PERMISSION_BITS.items() if bits >> (bit - 1) & 1]


def _iso_date(value: str) -> str:
    """Return a PDF date (ISO 32000-1, 7.9.4) in ISO 8601, or as it is if it is none."""
    match = _DATE.match(value)
    if match is None:
        return value
    year, month, day, hour, minute, second, utc, zone_hours, zone_minutes = match.groups()
    zone = "+00:00" if utc else f"{zone_hours}:{zone_minutes or '00'}" if zone_hours else ""
    moment = f"{year}-{month or '01'}-{day or '01'}"
    if hour:
        moment += f"T{hour}:{minute or '00'}:{second or '00'}{zone}"
    try:
        datetime.fromisoformat(moment)
    except ValueError:
        return value
    return moment
