"""Work that outlasts its request: its progress, its end, and the way to stop it."""

from __future__ import annotations

import asyncio
import secrets
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from docqa.server.problems import Problem, problem_of

__all__ = ["Job", "Jobs"]

_MOST_JOBS = 200  # ended ones are forgotten beyond it, the oldest first

State = Literal["waiting", "running", "done", "failed", "cancelled"]


@dataclass
class Job:
    """A piece of work; see `docqa.server.replies.JobModel`."""

    id: str
    kind: Literal["load", "sync"]
    name: str
    state: State = "waiting"
    done: int = 0
    total: int | None = None
    failures: list[str] = field(default_factory=list)
    problem: Problem | None = None
    result: str | None = None
    task: asyncio.Task[None] | None = None

    def report(self, done: int, total: int) -> None:
        """Note how far the work is; any thread may call it."""
        self.done, self.total = done, total

    @property
    def is_over(self) -> bool:
        """Say whether the work ended."""
        return self.state in {"done", "failed", "cancelled"}

    def record(self) -> dict[str, Any]:
        """Return the job for the wire."""
        return {
            "id": self.id,
            "kind": self.kind,
            "state": self.state,
            "done": self.done,
            "total": self.total,
            "name": self.name,
            "failures": list(self.failures),
            "problem": None if self.problem is None else self.problem.record(),
            "result": self.result,
        }


class Jobs:
    """The jobs of a server, running and lately ended; used by its event loop alone."""

    def __init__(self) -> None:
        self._jobs: OrderedDict[str, Job] = OrderedDict()

    def start(
        self,
        kind: Literal["load", "sync"],
        name: str,
        work: Callable[[Job], Awaitable[str | None]],
    ) -> Job:
        """Begin a job.

        Args:
            kind, name: of the job.
            work: gives the address of its result; cancelled when the job is.

        Raises:
            Problem: there are too many that have not ended.
        """
        self._forget()
        if len(self._jobs) >= _MOST_JOBS:
            raise Problem.busy(f"{_MOST_JOBS} jobs are under way; wait for some", retry_seconds=5)
        job = Job(secrets.token_urlsafe(12), kind, name)
        self._jobs[job.id] = job
        job.task = asyncio.create_task(_run(job, work))
        return job

    def get(self, job_id: str) -> Job:
        """Return a job.

        Raises:
            Problem: there is none of that name.
        """
        if job_id not in self._jobs:
            raise Problem(404, "no-job", "there is no such job; ended ones are forgotten in time")
        return self._jobs[job_id]

    def under_way(self, kind: str, name: str) -> Job | None:
        """Return the job of a kind about something that has not ended."""
        found = (job for job in self._jobs.values() if (job.kind, job.name) == (kind, name))
        return next((job for job in found if not job.is_over), None)

    async def wait(self, job: Job, seconds: float) -> None:
        """Wait for the end of a job, at most some seconds."""
        if job.task is not None:
            await asyncio.wait([job.task], timeout=seconds)

    def cancel(self, job: Job) -> None:
        """Stop a job that has not ended."""
        if job.task is not None and not job.is_over:
            job.task.cancel()
            job.state = "cancelled"

    def close(self) -> None:
        """Stop all jobs."""
        for job in self._jobs.values():
            self.cancel(job)

    def _forget(self) -> None:
        ended = [job.id for job in self._jobs.values() if job.is_over]
        for job_id in ended[: max(0, len(self._jobs) - _MOST_JOBS + 1)]:
            del self._jobs[job_id]


async def _run(job: Job, work: Callable[[Job], Awaitable[str | None]]) -> None:
    job.state = "running"
    try:
        job.result = await work(job)
        job.state = "done"
    except asyncio.CancelledError:
        job.state = "cancelled"
        raise
    except Exception as error:
        job.problem, job.state = problem_of(error), "failed"
