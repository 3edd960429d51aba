"""What a document is called, as terms."""

from __future__ import annotations

from pathlib import PurePath

from docqa.index.analysis import terms

NAME_WEIGHT = 0.5


def name_terms(source: str, title: str | None) -> tuple[str, ...]:
    """Return terms."""
    return tuple(
        dict.fromkeys(
            terms(PurePath(source).stem.replace("_", " ").replace("-", " ") + " " + (title or ""))
        )
    )
