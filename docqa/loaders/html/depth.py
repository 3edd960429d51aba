"""Elements that nest too deep to be written, followed until they close."""

from __future__ import annotations

from collections import Counter

__all__ = ["LeftOutElements"]


class LeftOutElements:
    """A stack of the open elements past the greatest depth; true while there are some.

    Attributes:
        were_any: an element was left out at some time.
    """

    def __init__(self) -> None:
        self._open: list[tuple[str, bool]] = []  # name, hides its text
        self._counts: Counter[str] = Counter()
        self._hiding = 0
        self.were_any = False

    def __bool__(self) -> bool:
        return bool(self._open)

    @property
    def hide_text(self) -> bool:
        """Say whether one of them hides its content."""
        return self._hiding > 0

    def open(self, name: str, *, hides: bool) -> None:
        """Push an element; `hides` says that its text is not shown."""
        self.were_any = True
        self._open.append((name, hides))
        self._counts[name] += 1
        self._hiding += hides

    def close(self, name: str) -> bool:
        """Pop up to the last element called `name`; say whether there was one."""
        if not self._counts[name]:
            return False
        closed = ""
        while closed != name:
            closed, hides = self._open.pop()
            self._counts[closed] -= 1
            self._hiding -= hides
        return True

    def clear(self) -> None:
        """Pop all: an element around them closes."""
        self._open.clear()
        self._counts.clear()
        self._hiding = 0
