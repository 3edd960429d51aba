"""Name what an Office file holds beside its text and docqa does not read."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from docqa.datamodel import LoadWarning
from docqa.loaders.office.package import OfficePackage
from docqa.loaders.zipped.xml_reading import StartTags

__all__ = ["unread_warnings"]

_KINDS = {
    "chart": "chart",
    "chartEx": "chart",
    "diagramData": "diagram",
    "package": "embedded document",
    "oleObject": "embedded document",
    "aFChunk": "embedded document",
}
_COMMENTS = frozenset({"comment", "cm"})  # their elements in Word and in PowerPoint


def unread_warnings(package: OfficePackage, parts: Sequence[str]) -> tuple[LoadWarning, ...]:
    """Return one warning that counts what `parts`, all read, lead to and is not, or none."""
    counts: Counter[str] = Counter()
    comments = _Comments()
    for part in parts:
        for relation in package.relationships(part):
            if relation.kind in _KINDS and relation.target not in parts:
                counts[_KINDS[relation.kind]] += 1
            elif relation.kind == "comments" and relation.target in package.archive:
                package.read(relation.target, comments)
    counts["comment"] += comments.count
    found = [(name, count) for name, count in counts.items() if count]
    if not found:
        return ()
    listed = ", ".join(f"{count:,} {name}{'s' * (count > 1)}" for name, count in found)
    return (LoadWarning("parts-unread", f"the file holds what is not read: {listed}"),)


class _Comments(StartTags):
    def __init__(self) -> None:
        self.count = 0

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        self.count += re.split("[:}]", name)[-1] in _COMMENTS
