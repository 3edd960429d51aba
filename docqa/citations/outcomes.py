"""The outcome of checking a citation: a status, and the places of its words now."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from docqa.citations.records import Citation
from docqa.datamodel import Location, Span
from docqa.errors import DocqaError

__all__ = ["FoundPlace", "Status", "Verification"]

Status = Literal["exact", "moved", "ambiguous", "gone", "failed"]


@dataclass(frozen=True, slots=True)
class FoundPlace:
    """A place where a citation's words stand now.

    Attributes:
        span: characters of the document's text.
        locations: the place in the original.
        likeness: how much the surroundings are like those recorded, in 0 to 1.
        heading: the nearest heading above the words; None without one.
    """

    span: Span
    locations: tuple[Location, ...]
    likeness: float = 1.0
    heading: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            **asdict(self.span),
            "likeness": self.likeness,
            "locations": [asdict(location) for location in self.locations],
        }


@dataclass(frozen=True, slots=True)
class Verification:
    """The outcome of checking one citation.

    Attributes:
        citation: as it was recorded.
        status: ``"exact"``: the same file, and the words at the same place. ``"moved"``: the file
            changed or the place is another; the words were found by their surroundings.
            ``"ambiguous"``: the words stand at several places, and their surroundings do not
            decide between them. ``"gone"``: the words are no longer there, or the file is
            missing. ``"failed"``: the file cannot be read.
        reason: in words; empty for exact.
        path: the file that was read; None where it is missing.
        file_changed: whether the file's bytes are not those cited; None where that is unknown.
        places: where the words stand now: one for exact and moved, the nearest few for ambiguous.
        error: why the file could not be read.
    """

    citation: Citation
    status: Status
    reason: str = ""
    path: str | None = None
    file_changed: bool | None = None
    places: tuple[FoundPlace, ...] = ()
    error: DocqaError | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        cited = self.citation
        return {
            "status": self.status,
            "reason": self.reason,
            "answer": cited.quote,
            "source": cited.source,
            "occurrence": cited.occurrence,
            "start": cited.start,
            "end": cited.end,
            "path": self.path,
            "file_changed": self.file_changed,
            "places": [place.to_dict() for place in self.places],
        }
