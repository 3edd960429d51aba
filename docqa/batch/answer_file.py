"""The file of a batch's answers: whole outcomes count, and nothing else in it is ever read.

Every line says which cell it belongs to and how many lines that cell has, so the file needs no
other one beside it. Lines are added for several cells at once, in one write. Cells that are to be
asked again are taken out before any are added, and the others are put in order at the end. Both
write a new file and move it over the old one in one step.
"""

from __future__ import annotations

import json
import os
import secrets
import stat
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import IO, Any

from docqa.batch.asking import CellOutcome, Status
from docqa.batch.settings import differences
from docqa.errors import BatchError

__all__ = ["AnswerFile", "Key", "KeptCell"]

Key = tuple[str, str]  # source, id of the question
_BEGINNING = b'{"question": "'  # of every line


@dataclass(frozen=True, slots=True)
class KeptCell:
    """One cell of the file.

    Attributes:
        start, end: its lines, in bytes of the file.
        content_sha256: of the source; None where it could not be read.
    """

    start: int
    end: int
    question: str
    content_sha256: str | None
    status: Status


class AnswerFile:
    """The file of answers, open for one writer; a context manager.

    Attributes:
        path: of the file.
        cells: its cells, in the order of the file.
        cut_off: bytes at its end that were no whole cell, and were taken off.

    Args:
        path: made where it is missing.
        settings: of the job; a file with answers under others is refused.
        fresh: begin with an empty file, whatever is there.

    Raises:
        BatchError: it cannot be written, another process writes it, a line in it was not written
            by a job, or the job had other settings.
    """

    def __init__(self, path: Path, settings: dict[str, Any], *, fresh: bool = False) -> None:
        self.path = path
        self.cells: dict[Key, KeptCell] = {}
        self.cut_off = 0
        self._target = Path(os.path.realpath(path))
        self._lock = _locked(self._target)
        try:
            self._file: IO[bytes] = _opened(self._target, "wb" if fresh else "ab")
            self._size = 0 if fresh else self._read(settings)
        except BaseException:
            self._lock.release()
            raise

    def __enter__(self) -> AnswerFile:
        return self

    def __exit__(self, *exception: object) -> None:
        self._file.close()
        with suppress(OSError):  # it does no harm where it stays
            Path(self._lock.lock_file).unlink()
        self._lock.release()

    def append(self, source: str, outcomes: Iterable[CellOutcome]) -> None:
        """Add the lines of some cells of one source, all or none of them.

        Raises:
            BatchError: they cannot be written.
        """
        added: dict[Key, KeptCell] = {}
        data = bytearray()
        for outcome in outcomes:
            start = self._size + len(data)
            data += "".join(outcome.lines).encode()
            added[source, outcome.question.id] = KeptCell(
                start,
                self._size + len(data),
                outcome.question.text,
                outcome.content_sha256,
                outcome.status,
            )
        self._write(bytes(data))
        self.cells |= added

    def drop(self, keys: Collection[Key]) -> None:
        """Take out the lines of these cells.

        Raises:
            BatchError: the file cannot be written again.
        """
        if keys:
            self._rewrite([key for key in self.cells if key not in keys])

    def arrange(self, order: Iterable[Key]) -> None:
        """Put the cells in this order, after all others.

        Raises:
            BatchError: the file cannot be written again.
        """
        last = [key for key in order if key in self.cells]
        named = set(last)
        wanted = [*(key for key in self.cells if key not in named), *last]
        if wanted != list(self.cells):
            self._rewrite(wanted)

    def _read(self, settings: dict[str, Any]) -> int:
        """Read the cells of the file; return the number of bytes that are kept."""
        with self._target.open("rb") as file:
            for key, lines in groupby(self._lines(file, settings), key=lambda line: line.key):
                cell = list(lines)
                first = cell[0]
                if len(cell) != first.n_lines or key in self.cells:
                    continue  # a write that a kill or a full disk broke off
                self.cells[key] = KeptCell(
                    first.start, cell[-1].end, first.question, first.content, first.status
                )
            size = file.seek(0, os.SEEK_END)
        kept = sum(cell.end - cell.start for cell in self.cells.values())
        if kept < size:
            self.cut_off = size - kept
            self._rewrite(list(self.cells))
        return kept

    def _lines(self, file: IO[bytes], settings: dict[str, Any]) -> Iterator[_Line]:
        start = 0
        for number, data in enumerate(file, start=1):
            end = start + len(data)
            if _is_torn(data):
                return
            line = _parsed(data, start, end)
            if line is None:
                raise BatchError(
                    f"{self.path}:{number}: this line was not written by docqa batch; choose "
                    "another file for the answers, or let --fresh replace this one"
                )
            if line.settings != settings:
                raise BatchError(
                    f"{self.path} was answered with other settings: "
                    f"{'; '.join(differences(line.settings, settings))}; go on with those, choose "
                    "another file for the answers, or start again with --fresh"
                )
            yield line
            start = end

    def _write(self, data: bytes) -> None:
        try:
            _write_all(self._file, data)
        except OSError as error:
            with suppress(OSError):
                self._file.truncate(self._size)
            raise self._failed(error) from error
        self._size += len(data)

    def _rewrite(self, keys: Iterable[Key]) -> None:
        """Let the file hold these cells alone, in this order; it is the old or the new one."""
        temporary = self._target.with_name(f".{self._target.name[:32]}.{secrets.token_hex(4)}")
        cells: dict[Key, KeptCell] = {}
        size = 0
        try:
            with self._target.open("rb") as old, temporary.open("xb") as new:
                for key in keys:
                    cell = self.cells[key]
                    old.seek(cell.start)
                    start, size = size, size + new.write(old.read(cell.end - cell.start))
                    cells[key] = replace(cell, start=start, end=size)
                new.flush()
                os.fsync(new.fileno())
            temporary.chmod(stat.S_IMODE(self._target.stat().st_mode))
            self._file.close()
            temporary.replace(self._target)
        except OSError as error:
            raise self._failed(error) from error
        finally:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
        self._file = _opened(self._target, "ab")
        self.cells, self._size = cells, size

    def _failed(self, error: OSError) -> BatchError:
        return BatchError(
            f"{self.path}: cannot be written: {error.strerror or error}; its answers are kept, and "
            "the same command goes on from there"
        )


@dataclass(frozen=True, slots=True)
class _Line:
    start: int
    end: int
    key: Key
    question: str
    content: str | None
    status: Status
    n_lines: int
    settings: dict[str, Any]


def _is_torn(data: bytes) -> bool:
    r"""Say whether this is the beginning of a line of ours, or the padding of a file system.

    >>> _is_torn(b'{"quest'), _is_torn(b'{"question": "Who?"}\n'), _is_torn(b"my notes")
    (True, False, False)
    """
    if data.endswith(b"\n"):
        return False
    return _BEGINNING.startswith(data[: len(_BEGINNING)]) or not data.strip(b"\0")


def _parsed(data: bytes, start: int, end: int) -> _Line | None:
    """Return a parsed line; None where no job wrote it."""
    try:
        record = json.loads(data)
        cell = record["cell"]
        status: Status = "failed" if "error" in record else "unanswered"
        return _Line(
            start,
            end,
            (cell["source"], cell["question_id"]),
            record["question"],
            cell["content_sha256"],
            status if record["answer"] is None else "answered",
            cell["lines"],
            cell["settings"],
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _locked(path: Path) -> Any:
    """Return the lock of the one process that may write the file.

    Raises:
        BatchError: another process holds it, or the folder cannot be written.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(path.with_name(f".{path.name}.lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise BatchError(
            f"{path}: another docqa batch is writing it; wait for its end, or choose another file"
        ) from error
    except OSError as error:
        raise BatchError(f"{path}: cannot be written: {error.strerror or error}") from error
    return lock


def _opened(path: Path, mode: str) -> IO[bytes]:
    try:
        return path.open(mode, buffering=0)
    except OSError as error:
        raise BatchError(f"{path}: cannot be written: {error.strerror or error}") from error


def _write_all(file: IO[bytes], data: bytes) -> None:
    """Write in one call, and the rest that a full disk or a huge block leaves in more."""
    rest = memoryview(data)
    while rest:
        rest = rest[file.write(rest) :]
