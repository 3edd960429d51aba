"""One worker process, from its start to its death: requests, replies, deadlines, remains."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from docqa.errors import SettingError
from docqa.loaders.isolation.deadline_clock import DeadlineClock
from docqa.loaders.isolation.deaths import WorkerDeathError, cause_of
from docqa.loaders.isolation.messages import MessageError, decode, pack_request, receive, send
from docqa.loaders.isolation.requests import (
    NOT_SENT,
    Done,
    Failed,
    PageRead,
    Ready,
    Reply,
    Request,
    Unknown,
)

__all__ = ["WorkerProcess"]

# The worker is no copy of this process: it runs neither the caller's script (which may lack an
# `if __name__ == "__main__"`) nor what the environment says (-I), but imports from the same places.
_BOOT = (
    "import sys; sys.path[:] = sys.argv[1:]; "
    "from docqa.loaders.isolation.worker import main; main()"
)
_REMAINS = 4000  # characters kept of standard error
_SECONDS_TO_DIE = 5.0  # from the end of its messages to that of the process


class WorkerProcess:
    """A worker process; not for use by several threads at once.

    Raises:
        SettingError: there is no interpreter that could run it.
    """

    def __init__(self) -> None:
        if not sys.executable or getattr(sys, "frozen", False):
            raise SettingError(
                "isolation needs a Python interpreter to start; this program is frozen or embeds "
                "one: load with isolate=False"
            )
        self.kept: set[str] = set()  # keys of source maps that the process (likely) keeps
        self.is_fresh = True  # it has served no request yet
        self.page_index: int | None = None  # of the page that it reads, as far as it says
        self._is_ready = False
        # No stream has a buffer, whose lock a thread may hold when the process forks: the child,
        # where that thread is not, could never close it.
        self._stderr = tempfile.TemporaryFile("a+b", buffering=0)  # noqa: SIM115  # closed in abandon()
        flags = ["-B"] if sys.dont_write_bytecode else []
        if sys.flags.utf8_mode:
            flags += ["-X", "utf8"]
        self._process = subprocess.Popen(
            [sys.executable, "-I", *flags, "-c", _BOOT, *filter(_is_text, sys.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            bufsize=0,
            start_new_session=True,  # Ctrl-C on the terminal reaches us, and we end the worker
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._stdin, self._stdout = self._process.stdin, self._process.stdout
        self._clock = DeadlineClock(self.kill)

    @property
    def pid(self) -> int:
        """Return the number of the process."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Say whether the process runs."""
        return self._process.poll() is None

    def exchange(
        self,
        request: Request,
        content: bytes,
        *,
        seconds: float | None,
        on_progress: Callable[[int, int], None] | None = None,
        on_page: Callable[[int, bytes], None] | None = None,
    ) -> Done | Failed | Unknown:
        """Send a request and return its reply.

        Args:
            request: what is asked.
            content: raw bytes beside it.
            seconds: on the clock until the process is ended; None for ever.
            on_progress: called with (pages done, pages in all).
            on_page: called with the index of a page from 0 and its content, encoded.

        Raises:
            WorkerDeathError: the process ended, or did not speak as a worker does.
            SettingError: the request cannot be pickled.
        """
        packed = _packed(request)
        self._clock.set(seconds)
        self.is_fresh, self.page_index = False, None
        try:
            with self._deaths(None, seconds):
                self._be_ready()
                self._clear_stderr()
                send(self._stdin, packed, content)
            reply = self._answer(seconds, on_progress, on_page)
        except BaseException:
            self.kill()  # it is dead, or in the middle of a message
            self._process.wait()  # the next request must see that it is gone
            raise
        finally:
            self._clock.set(None)
        if isinstance(reply, (Done, Failed)) and reply.leaves:
            self.kill()
        return reply

    def _answer(
        self,
        seconds: float | None,
        on_progress: Callable[[int, int], None] | None,
        on_page: Callable[[int, bytes], None] | None,
    ) -> Done | Failed | Unknown:
        """Return the reply that ends a request, and pass on those before it."""
        index: int | None = None
        while True:
            with self._deaths(index, seconds):
                reply, extra = self._reply()
                if isinstance(reply, Ready):
                    raise MessageError("a second greeting")
            if isinstance(reply, (Done, Failed, Unknown)):
                return reply
            if isinstance(reply, PageRead):
                if on_page is not None:
                    on_page(reply.index, extra)
            else:
                self.page_index = index = reply.index
                if on_progress is not None:
                    on_progress(reply.done, reply.total)

    @contextmanager
    def checked(self, words: str = "") -> Iterator[None]:
        """End the process where its words are no message: it may be in the hands of the file.

        Args:
            words: put in front of the reason.

        Raises:
            WorkerDeathError: a `MessageError` was raised inside the `with` statement.
        """
        try:
            yield
        except MessageError as error:
            self.kill()
            raise WorkerDeathError("crashed", f"{words}{error}") from error

    def kill(self) -> None:
        """End the process and its children, and wait for that; a second call does nothing."""
        if self._process.poll() is None:
            with suppress(OSError):
                if hasattr(os, "killpg"):
                    os.killpg(self._process.pid, signal.SIGKILL)
                else:
                    self._process.kill()
            self._process.wait()  # the next request must see that it is gone

    def close(self) -> None:
        """End the process and free its pipes here."""
        self._clock.stop()
        self.kill()
        self.abandon()

    def abandon(self) -> None:
        """Close our ends of the pipes; a forked child does so with its copies."""
        for stream in (self._stdin, self._stdout, self._stderr):
            with suppress(OSError, ValueError):
                stream.close()

    def _be_ready(self) -> None:
        if not self._is_ready:
            reply, _ = self._reply()
            if not isinstance(reply, Ready):
                raise MessageError("no greeting")
            self._is_ready = True

    def _reply(self) -> tuple[Reply, bytes]:
        packed, extra = receive(self._stdout)
        reply: Reply = decode(packed, Reply)
        return reply, extra

    def _clear_stderr(self) -> None:
        with suppress(OSError):
            self._stderr.truncate(0)

    def _remains(self) -> str:
        """Return the last characters that the process wrote to standard error."""
        with suppress(OSError, ValueError):
            size = self._stderr.seek(0, os.SEEK_END)
            self._stderr.seek(max(0, size - 4 * _REMAINS))
            return self._stderr.read().decode("utf-8", "replace")[-_REMAINS:]
        return ""

    @contextmanager
    def _deaths(self, index: int | None, seconds: float | None) -> Iterator[None]:
        """Turn errors of reading and writing into the death of the process."""
        try:
            yield
        except (EOFError, OSError, MessageError) as error:
            raise self._death(error, index, seconds) from error

    def _death(
        self, error: Exception, index: int | None, seconds: float | None
    ) -> WorkerDeathError:
        if not isinstance(error, MessageError):
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_SECONDS_TO_DIE)  # its own end tells more than ours
        self.kill()
        code = self._process.wait()
        stderr = self._remains()
        if self._clock.has_struck and seconds is not None:
            return WorkerDeathError(
                "timeout", f"{seconds:.3g} s on the clock", index=index, stderr=stderr
            )
        if not self._is_ready:
            words = (stderr.strip().splitlines() or [f"exit code {code}"])[-1]
            return WorkerDeathError("start", words, stderr=stderr)
        if isinstance(error, MessageError):
            return WorkerDeathError("crashed", str(error), index=index, stderr=stderr)
        cause, detail = cause_of(code, stderr)
        return WorkerDeathError(cause, detail, index=index, stderr=stderr)


def _packed(request: Request) -> bytes:
    try:
        return pack_request(request)
    except Exception as error:  # what an engine's own pickling raises, too
        raise SettingError(f"{NOT_SENT} ({error})") from error


def _is_text(entry: object) -> bool:
    return isinstance(entry, str)
