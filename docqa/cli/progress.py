"""The line of progress on standard error, where that is a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from docqa.cli.terminal import one_line

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

__all__ = ["ProgressLine"]

_LONGEST_NAME = 48  # columns, so that the bar fits beside it on a terminal of 80


class ProgressLine:
    """A line of progress on standard error, where that is a terminal.

    Args:
        quiet: show nothing.

    Attributes:
        steps: how many sources there are; above 1 the line counts them.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self._shown = not quiet and sys.stderr.isatty()
        self.steps, self._step = 1, 0
        self._line: tuple[Progress, TaskID] | None = None

    @property
    def shown(self) -> bool:
        """Say whether the line is seen."""
        return self._shown

    def next_step(self) -> None:
        """Count one more source."""
        self._step += 1

    def end_steps(self) -> None:
        """End the counting of sources."""
        self._step = 0

    def say(
        self,
        activity: str,
        *,
        total: int | None = None,
        done: int = 0,
        unit: str = "pages",
        since: float | None = None,
    ) -> None:
        """Show the current activity.

        Args:
            activity: in a few words.
            total: how many there are to do; shows a bar.
            done: how many of them are.
            unit: what they are.
            since: when it began, by `time.monotonic`; shows a clock that runs.
        """
        if not self._shown:
            return
        count = f" ({self._step} of {self.steps})" if self.steps > 1 and self._step else ""
        state: dict[str, Any] = {
            "description": _shortened(one_line(activity)) + count,
            "total": total,
            "completed": done,
            "unit": f"{done:,}/{total:,} {unit}" if total else "",
            "since": since,
        }
        if self._line is None:
            progress = _line_of_progress()
            self._line = progress, progress.add_task(**state)
            progress.start()
            return
        progress, task = self._line
        if total:
            progress.update(task, **state)
        else:  # rich cannot take the total away from a task
            progress.remove_task(task)
            self._line = progress, progress.add_task(**state)

    def pages(self, source: str) -> Callable[[int, int], None] | None:
        """Return a loader's callback, (pages done, pages in all), or None where no line is seen."""
        if not self._shown:
            return None

        def update(done: int, total: int) -> None:
            self.say(f"loading {source}", total=total, done=done)

        return update

    def close(self) -> None:
        """Take the line away; a later `say` brings it back."""
        if self._line is not None:
            self._line[0].stop()
            self._line = None


def _line_of_progress() -> Progress:
    from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TextColumn
    from rich.text import Text

    from docqa.cli.terminal import console_for

    class PageBar(BarColumn):
        """A bar where the end is known, and nothing elsewhere."""

        def render(self, task: Task) -> Any:
            return super().render(task) if task.total else ""

    class Clock(ProgressColumn):
        """The time since the beginning, also while nothing is reported."""

        def render(self, task: Task) -> Text:
            since = task.fields["since"]
            return Text("" if since is None else f"{time.monotonic() - since:,.0f} s")

    columns: list[ProgressColumn] = [
        SpinnerColumn("line"),
        TextColumn("{task.description}", markup=False),
        PageBar(bar_width=24, complete_style="cyan", finished_style="cyan"),
        TextColumn("{task.fields[unit]}", markup=False),
        Clock(),
    ]
    return Progress(
        *columns,
        console=console_for(sys.stderr),
        transient=True,
        redirect_stdout=False,  # whoever writes takes the line away first
        redirect_stderr=False,
    )


def _shortened(text: str) -> str:
    if len(text) <= _LONGEST_NAME:
        return text
    return f"{text[:12]}...{text[15 - _LONGEST_NAME :]}"
