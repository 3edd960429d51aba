"""Unpack what a worker sends, which may be in the hands of the file that it loaded.

A file that takes over the worker must not take over its parent by a pickle, nor stop it. So a
message may name records, errors and source maps that replies consist of, and nothing else: no
class that opens the source, no engine. Two further things are refused that no reply needs:

- Keys other than text and whole numbers, and sets: the hash of a tuple that holds another one
  twice, which holds a third one twice, and so on, takes time without end.
- State for anything but an object of its own, such as other methods for a class.

That takes Python's own unpickler in place of the one in C, which cannot be told to refuse a key.
"""

from __future__ import annotations

import importlib
import io
import pickle
from functools import cache
from types import FunctionType
from typing import Any

from docqa.datamodel import Block, Span
from docqa.loaders.isolation.messages import MessageError, content_of

__all__ = ["unpack_untrusted"]

_RECORDS = {"docqa.datamodel", "docqa.errors"}  # every class of these modules
_NAMED = {
    "docqa._pdfium": {"UserBox"},
    "docqa.highlighting.page_crop": {"PageCrop"},
    "docqa.loaders.containers.epub": {"EpubSourceMap"},
    "docqa.loaders.containers.office_layout": {"Paragraph", "PartSourceMap", "Row"},
    "docqa.loaders.decoded_source": {"DecodedSource"},
    "docqa.loaders.html.paths": {"ElementTable", "TextNodeTable"},
    "docqa.loaders.html.runs": {"Runs"},
    "docqa.loaders.html.source_map": {"HtmlSourceMap"},
    "docqa.loaders.html.text": {"VisibleText"},
    "docqa.loaders.html.text_directive": {"FragmentMatcher"},
    "docqa.loaders.html.text_fragment": {"FragmentFinder"},
    "docqa.loaders.isolation.requests": {
        *("Done", "Failed", "PageRead", "Progressed", "Ready", "Unknown")
    },
    "docqa.loaders.offset_map": {"OffsetMap"},
    "docqa.loaders.pdf.source_map": {"PagesSourceMap"},
    "docqa.loaders.text": {"TextSourceMap"},
    "docqa.loaders.text_decoding": {"DecodedText"},
    "docqa.showing.original": {"MarkedFile"},
}
_CALLED = (Block, Span)  # records that say themselves how they are pickled
_OTHERS = {
    ("array", "_array_reconstructor"),
    ("array", "array"),
    ("docqa.errors", "_rebuild_isolation_error"),
    ("docqa.errors", "_rebuild_load_error"),
    ("docqa.loaders.containers.xml_reading", "_rebuild_step"),
}
_KEYS = (str, int)
# Opcodes of sets, and those that are older than protocol 5 and call or hash what they like.
_REFUSED = (
    *(pickle.EMPTY_SET + pickle.ADDITEMS + pickle.FROZENSET),
    *(pickle.DICT + pickle.INST + pickle.OBJ + pickle.EXT1 + pickle.EXT2 + pickle.EXT4),
)


def unpack_untrusted(packed: bytes, content: bytes | None = None) -> Any:
    """Return what a worker packed.

    Raises:
        MessageError: it is no pickle, or holds something that no reply does.
    """
    try:
        return _Unpickler(io.BytesIO(packed), content).load()
    except MessageError:
        raise
    except Exception as error:
        raise MessageError(f"not a message: {error}") from error


_InPython: Any = pickle._Unpickler  # joblib builds on it too; its parts have no types


class _Unpickler(_InPython):  # type: ignore[misc]
    def __init__(self, buffer: io.BytesIO, content: bytes | None) -> None:
        super().__init__(buffer)
        self._content = content

    def persistent_load(self, pid: object) -> bytes:
        return content_of(pid, self._content)

    def find_class(self, module: str, name: str) -> Any:
        return _found(module, name)

    def load_setitem(self) -> None:
        _require_keys(self.stack[-2:-1])
        super().load_setitem()

    def load_setitems(self) -> None:
        _require_keys(self.stack[::2])  # since the mark
        super().load_setitems()

    def load_reduce(self) -> None:
        called = self.stack[-2]
        if isinstance(called, type) and not issubclass(called, (BaseException, *_CALLED)):
            raise MessageError(f"a message may not call {called.__name__}")
        super().load_reduce()

    def load_build(self) -> None:
        if isinstance(self.stack[-2], (type, FunctionType)):
            raise MessageError("a message may not change a class or a function")
        super().load_build()

    def refuse(self) -> None:
        raise MessageError("a message holds no sets, nor what older pickles are made of")

    dispatch = _InPython.dispatch | {
        pickle.SETITEM[0]: load_setitem,
        pickle.SETITEMS[0]: load_setitems,
        pickle.REDUCE[0]: load_reduce,
        pickle.BUILD[0]: load_build,
        **dict.fromkeys(_REFUSED, refuse),
    }


def _require_keys(keys: list[object]) -> None:
    """Check what is about to be hashed.

    Raises:
        MessageError: it is neither text nor a whole number.
    """
    for key in keys:
        if type(key) not in _KEYS:
            raise MessageError(f"a message may not hold a {type(key).__name__} as a key")


@cache
def _found(module: str, name: str) -> Any:
    """Return what a message may name.

    Raises:
        MessageError: it may not.
    """
    if (module, name) in _OTHERS:
        return getattr(importlib.import_module(module), name)
    if name in _NAMED.get(module, ()) or module in _RECORDS:
        found = getattr(importlib.import_module(module), name, None)
        if isinstance(found, type) and found.__module__ == module:
            return found
    raise MessageError(f"a message may not hold {module}.{name}")
