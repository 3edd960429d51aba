"""One call of a tool: the time that it has, its stop, and its progress."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

__all__ = ["Turn"]


@dataclass(slots=True)
class Turn:
    """The time of one call of a tool, its caller's stop, and its progress.

    Attributes:
        seconds: that it may take from now on.
        stop: set when its caller is gone.
        done, total: pages or documents; 0 of 0 where nothing is known.
        doing: the work in words.
    """

    seconds: float
    stop: threading.Event = field(default_factory=threading.Event)
    done: float = 0
    total: float = 0
    doing: str = ""
    began: float = field(default_factory=time.monotonic)

    @property
    def left(self) -> float:
        """Return the seconds that are left; 0 when they are over, or its caller is gone."""
        if self.stop.is_set():
            return 0.0
        return max(0.0, self.began + self.seconds - time.monotonic())

    def note(self, done: float, total: float, doing: str) -> None:
        """Take down the progress."""
        self.done, self.total, self.doing = done, total, doing
