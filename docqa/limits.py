"""Limits of loading one source: time and memory of an isolated worker, caps on the content."""

from __future__ import annotations

from dataclasses import dataclass, fields

from docqa.errors import SettingError

__all__ = ["Limits"]

_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of loading a source; None is no limit. Hashable.

    The first three need a process of their own and hold for isolated loading only. The caps on
    the content hold everywhere.

    Attributes:
        memory_bytes: address space beyond that of the worker before it loads. The largest of
            1,002 awkward PDFs takes 170 MB, a web page of 5 MB 300 MB.
        cpu_seconds: processor time of one step: one page of a PDF, or the whole of a document
            without pages. The slowest of those PDFs takes 2 s as a whole, 5 MB of HTML 2 s.
        wall_seconds: time of the whole load, on the clock.
        file_bytes: size of the source. It is held in memory.
        pages: later pages are left out with a warning; a file of 400 bytes can claim 2 billion.
        page_characters: text of a page beyond is left out with a warning; a dense newspaper page
            has 50,000.
        characters: of the whole text, which the caller's own process splits and ranks: 5 s for a
            million of prose, 40 s for a million made to be slow. The Bible has 4 million.

    Nesting has fixed caps: HTML elements are followed 512 deep (the text below is kept), Markdown
    20.

    Raises:
        SettingError: a limit is not above 0.
    """

    memory_bytes: int | None = 2048 * _MIB
    cpu_seconds: float | None = 60.0
    wall_seconds: float | None = 600.0
    file_bytes: int | None = 512 * _MIB
    pages: int | None = 20_000
    page_characters: int | None = 1_000_000
    characters: int | None = 10_000_000

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None and not value > 0:
                raise SettingError(f"{field.name} must be above 0 (or None: no limit), not {value}")
