"""Changes of a collection, with progress and safe against Ctrl-C."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docqa.cli.exits import ANSWERED, FAILED, NOTHING_FOUND
from docqa.cli.interrupt import emit, raising_interrupt
from docqa.cli.notices import Notices, counted
from docqa.cli.prelude import Run
from docqa.cli.progress import ProgressLine
from docqa.cli.sources import expand
from docqa.cli.terminal import one_line
from docqa.collection.changes import Changes, IndexProgress
from docqa.errors import LoadError
from docqa.load_settings import LoadSettings

if TYPE_CHECKING:
    from docqa.asking.pipeline import Pipeline
    from docqa.collection.records import CollectedDocument
    from docqa.workers.pool import Pool

__all__ = [
    "Indexing",
    "indexing_pipeline",
    "write_changes",
]

_SECONDS_A_LINE = 30.0  # where no terminal shows the progress
_MOST_ERRORS = 20
_LISTED = ("added", "replaced", "moved", "removed")
_CHANGED = (*_LISTED, "unchanged", "failed")


def indexing_pipeline(reader: str, sizes: Mapping[str, Any]) -> Pipeline:
    """Return the pipeline whose reader's tokens are kept; its weights are not loaded."""
    from docqa.asking.pipeline import Pipeline

    return Pipeline(reader=reader, **sizes)


class Indexing:
    """The changes of one collection by ``docqa index`` and ``docqa kb``.

    Args:
        address: the collection's.
        reader: the reader whose tokens are kept.
        sizes: sizes of passages, where they are asked for; see `docqa.Pipeline`.
        loading: settings for loading sources.
        pool: loads sources elsewhere; None for this process.
        notices: for errors and notes.
        progress: for the state.

    Attributes:
        collection: the collection.
        changes: all changes so far.
    """

    def __init__(
        self,
        address: str,
        *,
        reader: str,
        sizes: Mapping[str, Any],
        loading: LoadSettings,
        pool: Pool | None = None,
        notices: Notices,
        progress: ProgressLine,
    ) -> None:
        from docqa.collection.collection import Collection

        self.collection = Collection(
            address,
            pipeline=indexing_pipeline(reader, sizes).with_loading(loading),
            pool=pool,
        )
        self.changes = Changes()
        self._notices, self._progress = notices, progress
        self._watch = _Watch(notices, progress)

    def add(
        self,
        sources: Sequence[str],
        *,
        metadata: Mapping[str, str] | None,
        checksum: bool,
        retry_failed: bool,
    ) -> int:
        """Keep folders in step and add files; return the exit code.

        The settings are those of `docqa.Collection.sync`.
        """
        folders = [each for each in sources if Path(each).is_dir()]
        found = expand(each for each in sources if each not in folders)
        is_failed = False
        for file in found.files:
            if file.error is not None:
                self._notices.error(file.error)
                is_failed = True
        files = [file.path for file in found.files if file.error is None]
        with self._interruptible():
            for folder in folders:
                is_failed |= not self._sync(
                    folder, metadata=metadata, checksum=checksum, retry_failed=retry_failed
                )
            if files:
                self._do(self.collection.add(files, metadata=metadata, progress=self._watch))
        self._note_pages()
        if is_failed or self.changes.failed:
            return FAILED
        return ANSWERED if self.changes or self.changes.unchanged else NOTHING_FOUND

    def refresh(self) -> bool:
        """Keep in step all folders that were indexed, and read changed files that were added.

        Returns:
            Whether all of them could be read.
        """
        with self._interruptible():
            folders = self.collection.info().folders
            could = [self._sync(folder) for folder in folders]
            alone = [each.key for each in self.collection.documents() if _is_alone(each)]
            if alone:
                self._do(self.collection.add(alone, progress=self._watch))
        self._note_pages()
        return all(could)

    def rebuild(self) -> int:
        """Make everything again from its sources; return the exit code."""
        with self._interruptible("made again; the same command begins again with the first"):
            self._do(self.collection.rebuild(progress=self._watch))
        self._note_pages()
        return FAILED if self.changes.failed else ANSWERED

    def _sync(self, folder: str, **settings: Any) -> bool:
        """Keep one folder in step; say whether it could be read."""
        self._progress.say(f"looking for changes in {folder}")
        try:
            changes = self.collection.sync(folder, progress=self._watch, **settings)
        except LoadError as error:
            self._notices.error(error)
            return False
        self._do(changes)
        if not any(getattr(changes, name) for name in _CHANGED):
            self._notices.note(f"{folder}: no file of a supported kind in this folder yet")
        self._notices.passed_over(changes.passed_over)
        return True

    def _do(self, changes: Changes) -> None:
        """Count changes that were made and last."""
        self._progress.close()
        self.changes = _together(self.changes, changes)
        self._watch.next()

    def _note_pages(self) -> None:
        if summary := self._watch.summary():
            self._notices.note(summary)

    @contextmanager
    def _interruptible(self, done: str = "") -> Iterator[None]:
        """Report on Ctrl-C the documents that stay; `done` names the next step."""
        try:
            with raising_interrupt():
                yield
        except KeyboardInterrupt:
            self._progress.close()
            at = self.collection.address
            done = done or f"in {at} and stay; the same command goes on with the rest"
            emit(sys.stderr, f"docqa: stopped: {self._watch.kept()} {done}\n")
            raise


def write_changes(run: Run, address: str, changes: Changes) -> None:
    """Write the changes of a collection, and why sources are not in it."""
    if run.as_json:
        listed = {name: list(getattr(changes, name)) for name in _LISTED}
        failed = [each.to_dict() for each in changes.failed]
        counts = {"unchanged": len(changes.unchanged), "failed": failed}
        run.write_record({"collection": address, **listed, **counts})
    else:
        run.write(f"{one_line(address)}: {changes}\n")
    for each in changes.failed[:_MOST_ERRORS]:
        run.notices.error(LoadError(each.message, source=each.key))
    if (left := len(changes.failed) - _MOST_ERRORS) > 0:
        advice = f"{left:,} more sources failed; docqa info {address} --json names them all"
        run.notices.error(LoadError(advice, source=address))


@dataclass
class _Watch:
    """The progress of indexing, shown and remembered."""

    notices: Notices
    progress: ProgressLine
    now: IndexProgress | None = field(default=None, init=False)
    ended: list[IndexProgress] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        self.began = self.noted = time.monotonic()

    def __call__(self, now: IndexProgress) -> None:
        """Show the progress so far."""
        self.now = now
        if self.progress.shown:
            rest = self._rest(now)
            self.progress.say(
                "indexing", total=now.total, done=now.done, unit=rest, since=self.began
            )
        elif time.monotonic() - self.noted > _SECONDS_A_LINE:
            self.noted = time.monotonic()
            seconds = f"{time.monotonic() - self.began:,.0f} s"
            self.notices.note(f"{now.done:,} of {now.total:,} {self._rest(now)}, {seconds}")

    def next(self) -> None:
        """Keep the progress of a change that has ended."""
        if self.now is not None:
            self.ended.append(self.now)
            self.now = None

    def summary(self) -> str:
        """Return the numbers of files, pages and passages read in words; empty without any."""
        done = sum(each.done for each in self.ended)
        pages = sum(each.pages for each in self.ended)
        passages = sum(each.passages for each in self.ended)
        seconds = time.monotonic() - self.began
        of_pages = f"{counted(pages, 'page')}, " if pages else ""
        read = f"read {counted(done, 'file')}: {of_pages}{counted(passages, 'passage')}"
        return f"{read} in {seconds:.1f} seconds" if done else ""

    def kept(self) -> str:
        """Return the number of files that stay after Ctrl-C, in words; they are committed then."""
        last = [*self.ended, *([self.now] if self.now else [])]
        kept = sum(each.done - each.failed for each in last)
        total = sum(each.total for each in last)
        return f"{kept:,} of {counted(total, 'file')} are" if total else "the documents so far are"

    def _rest(self, now: IndexProgress) -> str:
        failed = f", {now.failed:,} failed" if now.failed else ""
        return f"files, {now.pages:,} pages, {now.passages:,} passages{failed}"


def _is_alone(document: CollectedDocument) -> bool:
    """Say whether a document's file was added by itself, and is there."""
    return document.folder is None and document.stamp is not None and Path(document.key).is_file()


def _together(first: Changes, second: Changes) -> Changes:
    both: dict[str, Any] = {
        name: tuple(chain(getattr(first, name), getattr(second, name))) for name in _CHANGED
    }
    return Changes(**both)
