"""Limits on one source: its time, the memory of an isolated worker, caps on the content."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, fields

from docqa.errors import LoadTimeoutError, SettingError

__all__ = ["Limits", "SourceTime", "at_work", "check_time"]

_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of loading a source; None is no limit. Hashable.

    The first three need a process of their own and hold for isolated loading only, but for the
    time after the load. The caps on the content hold everywhere.

    Attributes:
        memory_bytes: address space beyond that of the worker before it loads. The largest of
            1,002 awkward PDFs takes 170 MB, a web page of 5 MB 300 MB.
        cpu_seconds: processor time of one step: one page of a PDF, or the whole of a document
            without pages. The slowest of those PDFs takes 2 s as a whole, 5 MB of HTML 2 s.
        wall_seconds: time of the whole load, on the clock; and of the load, splitting, indexing
            and the reading for one question together, in the caller's process too.
        file_bytes: size of the source. It is held in memory.
        pages: later pages are left out with a warning; a file of 400 bytes can claim 2 billion.
        page_characters: text of a page beyond is left out with a warning; a dense newspaper page
            has 50,000.
        characters: of the whole text, which the caller's own process splits and ranks: 1 s for a
            million of prose, 6 s for a million made to be slow. The Bible has 4 million.

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


@dataclass(slots=True)
class SourceTime:
    """The time that one source may take, spent only while it is `at_work`.

    Attributes:
        source: its name.
        limit: seconds on the clock; None for no limit.
        spent: seconds taken so far.
    """

    source: str
    limit: float | None
    spent: float = 0.0


@dataclass(frozen=True, slots=True)
class _AtWork:
    """The sources at work since a moment of the clock."""

    times: Sequence[SourceTime]
    since: float


_AT_WORK: ContextVar[_AtWork | None] = ContextVar("sources at work", default=None)


@contextmanager
def at_work(*times: SourceTime) -> Iterator[None]:
    """Spend the time of sources while the block runs; `check_time` in it holds them to it.

    Raises:
        LoadTimeoutError: one of them has none left.
    """
    now = _AtWork([each for each in times if each.limit is not None], time.monotonic())
    token = _AT_WORK.set(now)
    try:
        check_time()
        yield
    finally:
        _AT_WORK.reset(token)
        for each in times:
            each.spent += time.monotonic() - now.since


def check_time() -> None:
    """End the work on a source that has taken its time; called between bounded steps of work.

    Raises:
        LoadTimeoutError: a source at work has no time left.
    """
    now = _AT_WORK.get()
    if now is None:
        return
    passed = time.monotonic() - now.since
    for each in now.times:
        if each.limit is not None and each.spent + passed >= each.limit:
            raise LoadTimeoutError(
                f"{each.source}: loading, splitting, indexing and reading it takes over "
                f"{each.limit:g} s on the clock; give more with --time-limit if you trust the file",
                source=each.source,
            )
