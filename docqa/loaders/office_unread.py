"""Name what an Office file holds beside its text and docqa does not read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from docqa.datamodel import LoadWarning
from docqa.loaders.office_package import OfficePackage

__all__ = ["unread_warnings"]

_KINDS = {
    "comments": "comment part",
    "chart": "chart",
    "chartEx": "chart",
    "diagramData": "diagram",
    "package": "embedded document",
    "oleObject": "embedded document",
    "aFChunk": "embedded document",
}


def unread_warnings(package: OfficePackage, parts: Sequence[str]) -> tuple[LoadWarning, ...]:
    """Return one warning that counts what `parts`, all read, lead to and is not, or none."""
    counts: Counter[str] = Counter()
    for part in parts:
        for relation in package.relationships(part):
            if relation.kind in _KINDS and relation.target not in parts:
                counts[_KINDS[relation.kind]] += 1
    if not counts:
        return ()
    listed = ", ".join(f"{count:,} {name}{'s' * (count > 1)}" for name, count in counts.items())
    return (LoadWarning("parts-unread", f"the file holds what is not read: {listed}"),)
