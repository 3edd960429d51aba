"""Call something when a deadline passes, at next to no cost for deadlines that do not."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

__all__ = ["DeadlineClock"]


class DeadlineClock:
    """A clock for one deadline at a time, in a thread that is started once and seldom woken.

    A `threading.Timer` for each request would take longer than most requests do. A deadline that
    is later than what the thread waits for anyway does not wake it.

    Args:
        strike: called in the clock's thread when a deadline passes.
    """

    def __init__(self, strike: Callable[[], None]) -> None:
        self.has_struck = False
        self._strike = strike
        self._changed = threading.Condition()
        self._deadline: float | None = None
        self._wakes_at: float | None = None  # None: not before it is notified
        self._stopped = False
        self._thread: threading.Thread | None = None

    def set(self, seconds: float | None) -> None:
        """Set the deadline to `seconds` from now, in place of the last; None for none."""
        with self._changed:
            self._deadline = None if seconds is None else time.monotonic() + seconds
            if self._deadline is None:
                return
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, daemon=True)
                self._thread.start()
            elif self._wakes_at is None or self._deadline < self._wakes_at:
                self._changed.notify()

    def stop(self) -> None:
        """End the thread."""
        with self._changed:
            self._deadline, self._stopped = None, True
            self._changed.notify()

    def _run(self) -> None:
        with self._changed:
            while not self._stopped:
                self._wakes_at = self._deadline
                if self._deadline is None:
                    self._changed.wait()
                elif (left := self._deadline - time.monotonic()) > 0:
                    self._changed.wait(min(left, threading.TIMEOUT_MAX))
                else:
                    self._deadline, self.has_struck = None, True
                    self._strike()
