"""The worker process: it loads files under limits and sends back plain data.

Started by `docqa.loaders.isolation.process`, with requests on standard input and replies on
standard output. It keeps the source maps of the last documents, so that their files are opened
here and nowhere else.
"""

from __future__ import annotations

import errno
import faulthandler
import os
import queue
import signal
import sys
import threading
import traceback
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import IO, TYPE_CHECKING, Any

from docqa.datamodel import LoadWarning
from docqa.errors import DocqaError, LoaderCrashedError, LoadMemoryError, SettingError
from docqa.limits import Limits
from docqa.loaders.formats import PageOptions, load_bytes
from docqa.loaders.isolation.documents import plain_document, source_map_of
from docqa.loaders.isolation.messages import decode, encode, receive, send, unpack_request
from docqa.loaders.isolation.process_limits import (
    MemoryWatch,
    forbid_core_files,
    limit_address_space,
    memory_in_use,
    renew_cpu_limit,
)
from docqa.loaders.isolation.requests import (
    NOT_SENT,
    Call,
    Done,
    Failed,
    Keep,
    Load,
    PageRead,
    Progressed,
    Ready,
    Reply,
    Request,
    Unknown,
)

if TYPE_CHECKING:
    from docqa.loaders.pdf.pages import ReadPage

__all__ = ["main"]

_KEPT_DOCUMENTS = 8
_KEPT_BYTES = 256 << 20  # of their files together; the last one stays whatever its size
_TIRED = 512 << 20  # address space that stays taken after a request; a new worker starts small


def main() -> None:
    """Serve requests until the parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to act on
    replies = _take_standard_output()
    faulthandler.enable()
    if hasattr(signal, "SIGXCPU"):
        faulthandler.register(signal.SIGXCPU, chain=True)
    forbid_core_files()
    worker = _Worker(replies)
    worker.reply(Ready())
    for packed, content in _requests(sys.stdin.buffer):
        worker.serve(packed, content)
        del packed, content  # the file is not kept while nothing is asked


def _take_standard_output() -> IO[bytes]:
    """Return standard output for ourselves; the prints of libraries go to standard error."""
    ours = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return ours


def _requests(stream: IO[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Yield messages; end the process as soon as the parent has closed its side, also at work."""
    messages: queue.SimpleQueue[tuple[bytes, bytes]] = queue.SimpleQueue()

    def read() -> None:
        try:
            while True:
                messages.put(receive(stream))
        finally:
            os._exit(0)

    threading.Thread(target=read, daemon=True).start()
    while True:
        yield messages.get()


class _Worker:
    def __init__(self, replies: IO[bytes]) -> None:
        self._replies = replies
        self._kept: OrderedDict[str, tuple[Any, int]] = OrderedDict()  # with the file's size
        self._watch = MemoryWatch()
        self._watch.start()
        self._start = memory_in_use()

    def reply(self, reply: Reply, content: bytes = b"") -> None:
        send(self._replies, encode(reply), content)

    def serve(self, packed: bytes, content: bytes) -> None:
        """Answer one request; an error is an answer too."""
        reply: Done | Failed | Unknown
        try:
            request = _unpacked(packed)
            for key in request.forget:
                self._forget(key)
            self._begin(request.limits)
            reply = self._result(request, content)
            answer = encode(reply)
        except MemoryError:
            reply = _memory_failure("out of memory")
        except DocqaError as error:
            reply = Failed.of(error)
        except Exception as error:
            if _is_want_of_memory(error):
                reply = _memory_failure("no room to load a library")
            else:
                message = f"unexpected {type(error).__name__}: {error}"
                reply = Failed.of(LoaderCrashedError(message, source="", stderr=_trace()))
        self._end()
        if isinstance(reply, Failed):
            answer = encode(reply)
        elif isinstance(reply, Done) and self._is_tired(content):
            reply = Done(reply.value, leaves=True)
            answer = encode(reply)
        send(self._replies, answer)
        if isinstance(reply, (Done, Failed)) and reply.leaves:
            os._exit(0)

    def _begin(self, limits: Limits) -> None:
        renew_cpu_limit(limits.cpu_seconds)
        limit_address_space(limits.memory_bytes)
        self._watch.begin(limits.memory_bytes)

    def _end(self) -> None:
        self._watch.end()
        limit_address_space(None)
        renew_cpu_limit(None)

    def _is_tired(self, content: bytes) -> bool:
        kept = len(content) + sum(size for _, size in self._kept.values())
        return memory_in_use() - self._start - kept > _TIRED

    def _result(self, request: Request, content: bytes) -> Done | Unknown:
        if isinstance(request, Load):
            return self._load(request, content)
        if isinstance(request, Call):
            return Done(encode(request.function(*request.arguments, **request.settings)))
        if isinstance(request, Keep):
            source_map = source_map_of(
                request.source_map, request.state, text="", pages=request.pages, data=content
            )
            self._keep(request.key, source_map, len(content))
            return Done(encode(None))
        if request.key not in self._kept:
            return Unknown()
        self._kept.move_to_end(request.key)
        source_map, _ = self._kept[request.key]
        return Done(encode(getattr(source_map, request.method)(*request.arguments)))

    def _load(self, request: Load, data: bytes) -> Done:
        log = _PageLog(self.reply, request)
        document = load_bytes(
            request.settings, data, name=request.name, pages=PageOptions(log.progress, log=log)
        )
        loaded = plain_document(document)
        if loaded.opens_source:
            self._keep(request.key, document.source_map, len(data))
        return Done(encode(loaded))

    def _keep(self, key: str, source_map: Any, size: int) -> None:
        self._kept[key] = source_map, size
        while len(self._kept) > 1 and (
            len(self._kept) > _KEPT_DOCUMENTS
            or sum(size for _, size in self._kept.values()) > _KEPT_BYTES
        ):
            self._forget(next(iter(self._kept)))

    def _forget(self, key: str) -> None:
        if key in self._kept:
            self._kept.pop(key)[0].close()


def _unpacked(packed: bytes) -> Request:
    """Return a request.

    Raises:
        SettingError: the classes that it names are not here.
    """
    try:
        request: Request = unpack_request(packed)
    except Exception as error:  # an engine's class may do anything when it is made
        raise SettingError(f"{NOT_SENT} ({error})") from error
    return request


class _PageLog:
    """The `PageLog` of an isolated load: pages of earlier attempts in, pages read out."""

    def __init__(self, reply: Callable[..., None], request: Load) -> None:
        self._reply, self._limits, self._pages = reply, request.limits, request.pages
        self._done = 0

    def progress(self, done: int, total: int) -> None:
        renew_cpu_limit(self._limits.cpu_seconds)
        self._done = done
        self._reply(Progressed(done, total))

    def known(self, index: int) -> ReadPage | None:
        page = self._pages.get(index) if self._pages else None
        if page is None:
            return None
        from docqa.loaders.pdf.pages import ReadPage

        if isinstance(page, LoadWarning):
            return ReadPage.without_boxes("", warnings=(page,))
        read: ReadPage = decode(page, ReadPage)
        return read

    def starts(self, index: int, total: int) -> None:
        if index == 0 or index != self._done:
            self._reply(Progressed(self._done, total, index))

    def ends(self, index: int, page: ReadPage) -> None:
        if self._pages is not None and index not in self._pages:
            self._reply(PageRead(index), encode(page))


def _memory_failure(message: str) -> Failed:
    return Failed.of(LoadMemoryError(message, source="", stderr=_trace()), leaves=True)


def _is_want_of_memory(error: Exception) -> bool:
    """Say whether a library could not be loaded because the address space is used up."""
    if not isinstance(error, (ImportError, OSError)):
        return False
    words = str(error)
    return getattr(error, "errno", None) == errno.ENOMEM or any(
        sign in words for sign in ("failed to map segment", "Cannot allocate memory")
    )


def _trace() -> str:
    return traceback.format_exc(limit=20)
