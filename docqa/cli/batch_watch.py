"""Reports of ``docqa batch`` on its job: while it runs, at its end, and after Ctrl-C."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from docqa.cli.interrupt import tell
from docqa.cli.notices import Notices, counted, fold_warnings
from docqa.cli.progress import ProgressLine
from docqa.outcome_records import outcomes_in_words

if TYPE_CHECKING:
    from docqa.batch.asking import SourceOutcome
    from docqa.batch.job import BatchJob, Resumed

__all__ = ["Watch", "report_resumed"]

_MOST_TOLD = 5  # names one by one
_SECONDS_A_NOTE = 60.0  # where no progress line is shown


class Watch:
    """The reports on a job while it runs.

    Args:
        job: the job.
        out: its file of answers.
        n_sources: how many documents or collections it asks.
        progress: for the state.
        notices: for everything else.
    """

    def __init__(
        self, job: BatchJob, out: str, n_sources: int, progress: ProgressLine, notices: Notices
    ) -> None:
        self._job, self._out, self._n_sources = job, out, n_sources
        self.progress, self._notices = progress, notices
        self._began = self._reported = time.monotonic()
        self._sources = self._asked = 0

    def outcome(self, outcome: SourceOutcome) -> None:
        """Report one outcome: the state of the job, and the warnings and errors of the outcome."""
        self._asked += len(outcome.cells)
        self._sources += outcome.is_last
        self._report_trouble(outcome)
        total = self._job.n_outcomes
        self.progress.say(self._state(), total=total, done=self._job.tally.total, unit="outcomes")
        if not self.progress.shown and time.monotonic() - self._reported >= _SECONDS_A_NOTE:
            self._reported = time.monotonic()
            self._notices.note(f"{self._job.tally.total:,} of {total:,} outcomes: {self._state()}")

    def _report_trouble(self, outcome: SourceOutcome) -> None:
        for message in fold_warnings(outcome.warnings):
            self.progress.close()
            named = outcome.source in message
            self._notices.warning(message if named else f"{outcome.source}: {message}")
        for cell in outcome.cells:
            if cell.error is not None:
                self.progress.close()
                self._notices.failed(cell.error["message"], source=outcome.source)

    def _state(self) -> str:
        """Return the numbers of documents, answers and errors so far, and the speed."""
        tally = self._job.tally
        parts = [counted(self._sources, "document"), f"{tally.answered:,} answered"]
        parts += [f"{tally.failed:,} failed"] if tally.failed else []
        return f"{', '.join(parts)}, {self._rate():.3g} a second"

    def _rate(self) -> float:
        return self._asked / max(time.monotonic() - self._began, 1e-9)

    def end(self) -> None:
        """Report the outcomes of the whole job and of this run."""
        self.progress.close()
        tally, seconds = self._job.tally, time.monotonic() - self._began
        kinds = outcomes_in_words(
            answered=tally.answered, unanswered=tally.unanswered, failed=tally.failed
        )
        self._notices.note(
            f"{self._out}: {counted(self._n_sources, 'document')}, "
            f"{counted(self._job.n_outcomes, 'outcome')}: {kinds}"
        )
        if self._asked:
            now = f"asked {self._asked:,} of them now, in {seconds:.1f} s"
            self._notices.note(f"{now} ({self._rate():.3g} a second)")
        if tally.failed:
            self._notices.note("the same command with --retry-failed asks again what failed")

    def leave(self) -> None:
        """Report in one write the outcomes that Ctrl-C leaves, and do nothing else."""
        done, total = self._job.tally.total, self._job.n_outcomes
        line = f"stopped; {self._out} has {done:,} of {total:,} outcomes"
        tell(f"{line}, and the same command goes on from there")


def report_resumed(resumed: Resumed, there: str, out: str, notices: Notices) -> None:
    """Report the outcomes of an earlier run, and the questions that are asked again.

    Args:
        resumed: the state that was found.
        there: the number of outcomes kept, in words.
        out: the file of answers.
        notices: for the report.
    """
    if resumed.cut_off:
        notices.note(f"{out}: cut off an end that was not whole")
    if resumed.kept:
        notices.note(f"{out} has {there}; going on from there")
    for name in resumed.changed[:_MOST_TOLD]:
        notices.note(f"{name}: changed since it was asked; asking it again")
    if len(resumed.changed) > _MOST_TOLD:
        more = counted(len(resumed.changed) - _MOST_TOLD, "more document")
        notices.note(f"{more} changed; asking them again")
    if resumed.renamed:
        ids = ", ".join(resumed.renamed[:_MOST_TOLD])
        notices.note(f"other words under the same id ({ids}); asking them again")
    if resumed.retried:
        notices.note(f"asking again {counted(resumed.retried, 'outcome')} that failed")
    if resumed.unnamed:
        names = counted(len(resumed.unnamed), "document")
        notices.note(f"{out} keeps the outcomes of {names} not named now ({resumed.unnamed[0]} …)")
