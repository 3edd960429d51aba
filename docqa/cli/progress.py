"""One line on standard error that says what is going on; nothing where nobody watches."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from docqa.cli.terminal import one_line

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

__all__ = ["ProgressLine"]

_LONGEST_NAME = 48  # columns, so that the bar fits beside it on a terminal of 80


class ProgressLine:
    """Show one line of progress while `quiet` is off and standard error is a terminal.

    Args:
        quiet: show nothing.
        steps: how many sources there are; above 1 the line counts them.
    """

    def __init__(self, *, quiet: bool = False, steps: int = 1) -> None:
        self._shown = not quiet and sys.stderr.isatty()
        self._steps, self._step = steps, 0
        self._progress: Progress | None = None
        self._task: TaskID | None = None

    def next_step(self) -> None:
        """Count one more source."""
        self._step += 1

    def say(self, activity: str, *, total: int | None = None, done: int = 0) -> None:
        """Show what is going on, with a bar where `total` is known."""
        if not self._shown:
            return
        progress = self._open()
        if self._task is None:
            self._task = progress.add_task("", total=None)
        count = f" ({self._step} of {self._steps})" if self._steps > 1 and self._step else ""
        unit = f"{done:,}/{total:,} pages" if total else ""
        progress.update(
            self._task,
            description=_shortened(one_line(activity)) + count,
            total=total,
            completed=done,
            unit=unit,
        )

    def pages(self, source: str) -> Callable[[int, int], None] | None:
        """Return what a loader calls with (pages done, pages in all), or None unseen."""
        if not self._shown:
            return None

        def update(done: int, total: int) -> None:
            self.say(f"loading {source}", total=total, done=done)

        return update

    def close(self) -> None:
        """Take the line away; a later `say` brings it back."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = self._task = None

    @contextmanager
    def away(self) -> Iterator[None]:
        """Take the line away while something else is written."""
        self.close()
        yield

    def _open(self) -> Progress:
        if self._progress is None:
            from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

            from docqa.cli.terminal import console_for

            columns: list[Any] = [
                SpinnerColumn("line"),
                TextColumn("{task.description}", markup=False),
                BarColumn(bar_width=24),
                TextColumn("{task.fields[unit]}", markup=False),
            ]
            self._progress = Progress(*columns, console=console_for(sys.stderr), transient=True)
            self._progress.start()
        return self._progress


def _shortened(text: str) -> str:
    if len(text) <= _LONGEST_NAME:
        return text
    return f"{text[:12]}...{text[15 - _LONGEST_NAME :]}"
