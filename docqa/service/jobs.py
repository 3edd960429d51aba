"""Work that outlives its request: loading and synchronising, with progress and a stop."""

from __future__ import annotations

import threading
import uuid
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Literal

from docqa.errors import BusyError, DocqaError, UnknownItemError

__all__ = ["ServiceJob", "Jobs", "Progressing"]

JobState = Literal["waiting", "running", "done", "failed", "cancelled"]
_KEPT = 200  # ended jobs that can still be looked at
_WAITING = 50
_THREADS = 2


@dataclass(slots=True)
class ServiceJob:
    """A piece of work in the background.

    Attributes:
        id: random; who knows it may look at it.
        kind: ``"document"`` or ``"sync"``.
        subject: the document's or the collection's name.
        state: how far it is.
        done, total: pages or files; 0 of 0 where nothing is known.
        failures: a line for each file that could not be read.
        result: plain values, once it is done.
        error: why it failed.
        stop: set by who wants it to end.
        ended: set at its end.
        unused: called where its work never begins.
    """

    id: str
    kind: str
    subject: str
    state: JobState = "waiting"
    done: int = 0
    total: int = 0
    failures: list[str] = field(default_factory=list)
    result: dict[str, Any] | None = None
    error: DocqaError | None = None
    stop: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)
    unused: Callable[[], None] | None = None


class CancelledJobError(DocqaError):
    """A job was stopped by its owner."""


class Progressing:
    """The progress of a job as loaders and collections report it.

    Args:
        job: the job.
    """

    def __init__(self, job: ServiceJob) -> None:
        self._job = job

    def __call__(self, done: int, total: int) -> None:
        """Take over the progress; end the work where the job was cancelled.

        Raises:
            CancelledJobError: it was.
        """
        self._job.done, self._job.total = done, total
        if self._job.stop.is_set():
            raise CancelledJobError(f"{self._job.subject}: stopped")


class Jobs:
    """The jobs of a service: a few at work, a bounded number waiting, the last ended ones kept."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._jobs: OrderedDict[str, ServiceJob] = OrderedDict()
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="docqa-job")

    def start(
        self,
        kind: str,
        subject: str,
        work: Callable[[ServiceJob], dict[str, Any]],
        *,
        unused: Callable[[], None] | None = None,
    ) -> ServiceJob:
        """Return a new job that does a piece of work.

        Args:
            kind: see `ServiceJob`.
            subject: see `ServiceJob`.
            work: gets the job, for its progress; returns the result.
            unused: called where the work never begins.

        Raises:
            BusyError: too many jobs wait.
        """
        job = ServiceJob(uuid.uuid4().hex, kind, subject, unused=unused)
        with self._lock:
            if sum(each.state == "waiting" for each in self._jobs.values()) >= _WAITING:
                raise BusyError(f"{_WAITING} jobs wait already; try again later", retry_after=10.0)
            self._jobs[job.id] = job
            ended = [key for key, each in self._jobs.items() if each.ended.is_set()]
            for key in ended[: max(0, len(ended) - _KEPT)]:
                del self._jobs[key]
        self._threads.submit(self._run, job, work)
        return job

    def all(self) -> list[ServiceJob]:
        """Return all jobs, the oldest first."""
        with self._lock:
            return list(self._jobs.values())

    def get(self, job_id: str) -> ServiceJob:
        """Return a job.

        Raises:
            UnknownItemError: there is none of this id.
        """
        with self._lock:
            job = self._jobs.get(job_id)
        if job is None:
            raise UnknownItemError(f"there is no job {job_id[:80]!r}")
        return job

    def cancel(self, job_id: str) -> ServiceJob:
        """Stop a job at its next step, or before it begins, and return it.

        Raises:
            UnknownItemError: there is none of this id.
        """
        job = self.get(job_id)
        self._stop(job)
        return job

    def close(self) -> None:
        """Stop all jobs."""
        for job in self.all():
            self._stop(job)
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _stop(self, job: ServiceJob) -> None:
        job.stop.set()
        with self._lock:
            if job.state != "waiting":
                return
            job.state = "cancelled"
        if job.unused is not None:
            job.unused()
        job.ended.set()

    def _run(self, job: ServiceJob, work: Callable[[ServiceJob], dict[str, Any]]) -> None:
        with self._lock:
            if job.state != "waiting":
                return
            job.state = "running"
        try:
            job.result = work(job)
            job.state = "done"
        except CancelledJobError:
            job.state = "cancelled"
        except DocqaError as error:
            job.state, job.error = "failed", error
        except Exception as error:  # a defect of docqa: its owner must not wait for ever
            job.error = DocqaError(f"{job.subject}: an error in docqa: {type(error).__name__}")
            job.state = "failed"
            raise
        finally:
            job.ended.set()
