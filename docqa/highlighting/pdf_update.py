"""Incremental updates of a PDF, which keep all its bytes (ISO 32000-1, 7.5.6).

pypdf reads the file and writes the objects; the cross-reference section is written here, because
that of pypdf's own incremental mode loses the document information and the generations of
objects, continues a table with a stream, refuses encrypted files, and costs a clone of every object
of the file.
"""

from __future__ import annotations

import hashlib
import re
from functools import cached_property
from io import BytesIO
from itertools import groupby
from typing import Any

__all__ = ["PdfUpdate"]

_STARTXREF = re.compile(rb"startxref\s+(\d{1,12})")
_TABLE = re.compile(rb"\s*xref\b")
_HEADER_REACH = 1024  # bytes before the header that readers pass over (ISO 32000-1, annex H.3)
_END = b"\nstartxref\n0\n%%EOF\n"
_MOST_OFFSET = 10**10  # a table has ten digits for an offset


class PdfUpdate:
    """The new and changed objects of a file, to be appended to its bytes.

    Its methods raise the exceptions of pypdf, which may be of any type.

    Args:
        data: a PDF, plain or encrypted; new objects are encrypted as the file is.
        password: opens an encrypted one; the empty one is tried where it does not fit.
    """

    def __init__(self, data: bytes, password: str | None = None) -> None:
        self._data, self._password = data, password
        self._reader = self._opened()
        self._objects: dict[tuple[int, int], Any] = {}  # by number and generation
        self._next_number = _highest_number(self._reader) + 1

    def _opened(self) -> Any:
        from pypdf import PdfReader

        end = _END if _startxref(self._data) is None else b""  # without any, pypdf gives up
        reader = PdfReader(BytesIO(self._data + end), strict=False)
        passwords = dict.fromkeys([self._password or "", ""])
        if reader.is_encrypted and not any(map(reader.decrypt, passwords)):
            raise ValueError("the password is missing or wrong")
        return reader

    @cached_property
    def _pages(self) -> Any:
        """Return the pages by a second reader: its walk changes the objects it has read."""
        return self._opened().pages

    @property
    def page_count(self) -> int:
        """Return the number of pages that pypdf finds."""
        return len(self._pages)

    @cached_property
    def _places(self) -> dict[tuple[int, int], list[int]]:
        """Return the indexes of each page, by the number and generation of its object."""
        found: dict[tuple[int, int], list[int]] = {}
        for index, page in enumerate(self._pages):
            if (reference := page.indirect_reference) is not None:
                found.setdefault((reference.idnum, reference.generation), []).append(index)
        return found

    def page_places(self, index: int) -> tuple[int, ...]:
        """Return every index at which the page at `index` stands, rising; seldom more than one.

        A file may list one page several times; what changes on one of them changes on all.
        """
        reference = self._pages[index].indirect_reference
        return tuple(self._places[reference.idnum, reference.generation])

    def page(self, index: int) -> tuple[Any, Any]:
        """Return the reference to page `index` (from 0) and its dictionary, which may be changed.

        Attributes inherited from the tree of pages are not in the dictionary.
        """
        from pypdf.generic import DictionaryObject

        reference = self._pages[index].indirect_reference
        key = reference.idnum, reference.generation
        if key not in self._objects:
            stored = self._reader.get_object(reference)
            if not isinstance(stored, DictionaryObject):
                raise ValueError(f"page {index + 1} is no dictionary")
            self._objects[key] = stored
        return self._reference(*key), self._objects[key]

    def add(self, item: Any) -> Any:
        """Add a new object; return the reference to it."""
        key = self._next_number, 0
        self._next_number += 1
        self._objects[key] = item
        return self._reference(*key)

    def _reference(self, number: int, generation: int) -> Any:
        from pypdf.generic import IndirectObject

        return IndirectObject(number, generation, self._reader)

    def to_bytes(self) -> bytes:
        """Return the file's bytes, and behind them the objects with their cross-references."""
        stream = BytesIO()
        stream.write(self._data)
        if not self._data.endswith((b"\n", b"\r")):
            stream.write(b"\n")
        base = max(0, self._data.find(b"%PDF-", 0, _HEADER_REACH))  # offsets count from there
        offsets = {key: self._write(stream, key) - base for key in sorted(self._objects)}
        previous = _startxref(self._data)
        is_table = previous is None or _TABLE.match(self._data, base + previous) is not None
        trailer = self._trailer(previous)
        start = stream.tell() - base
        if is_table and start < _MOST_OFFSET:
            _write_table(stream, offsets, trailer)
        else:
            offsets[self._next_number, 0] = start
            _write_stream(stream, offsets, trailer)
        stream.write(b"\nstartxref\n%d\n%%%%EOF\n" % start)
        return stream.getvalue()

    def _write(self, stream: BytesIO, key: tuple[int, int]) -> int:
        """Write one object; return where it starts."""
        start, item = stream.tell(), self._objects[key]
        if self._reader.is_encrypted:
            item = self._reader._encryption.encrypt_object(item, *key)
        stream.write(b"%d %d obj\n" % key)
        item.write_to_stream(stream)
        stream.write(b"\nendobj\n")
        return start

    def _trailer(self, previous: int | None) -> Any:
        """Return the trailer of the new section: that of the last one."""
        from pypdf.generic import DictionaryObject, NameObject, NumberObject

        old = self._reader.trailer
        trailer = DictionaryObject({NameObject("/Size"): NumberObject(self._next_number)})
        for name in ("/Root", "/Info", "/Encrypt"):
            if name in old:
                trailer[NameObject(name)] = old.raw_get(name)
        if (identity := _identity(old, self._data)) is not None:
            trailer[NameObject("/ID")] = identity
        if previous is not None:
            trailer[NameObject("/Prev")] = NumberObject(previous)
        return trailer


def _highest_number(reader: Any) -> int:
    """Return the highest object number in use, or claimed to be."""
    numbers: list[int] = [number for table in reader.xref.values() for number in table]
    numbers += [*reader.xref_objStm, int(reader.trailer.get("/Size", 0)) - 1]
    return max(numbers)


def _startxref(data: bytes) -> int | None:
    r"""Return the offset of the last cross-reference section, as the file states it.

    It is the file's own number, right or wrong: a reader that finds it wrong looks for the objects
    themselves, and finds the new ones too.

    >>> _startxref(b"startxref\n17\n%%EOF\nstartxref\n400\n%%EOF")
    400
    """
    match = _STARTXREF.match(data, max(0, data.rfind(b"startxref")))
    return int(match[1]) if match else None


def _identity(trailer: Any, data: bytes) -> Any:
    """Return the file's identifier: the first half stays, the second names the version."""
    from pypdf.generic import ArrayObject, ByteStringObject

    halves = trailer.get("/ID")
    if not isinstance(halves, list) or not halves:
        return None
    first = halves[0].get_object()
    version = hashlib.md5(data, usedforsecurity=False).digest()
    return ArrayObject([ByteStringObject(first.original_bytes), ByteStringObject(version)])


def _write_table(stream: BytesIO, offsets: dict[tuple[int, int], int], trailer: Any) -> None:
    """Write a cross-reference table (7.5.4): entries of 20 bytes, in runs of object numbers."""
    stream.write(b"xref\n")
    for run in _runs(offsets):
        stream.write(b"%d %d\n" % (run[0][0], len(run)))
        for number, generation in run:
            stream.write(b"%010d %05d n \n" % (offsets[number, generation], generation))
    stream.write(b"trailer\n")
    trailer.write_to_stream(stream)


def _write_stream(stream: BytesIO, offsets: dict[tuple[int, int], int], trailer: Any) -> None:
    """Write a cross-reference stream (7.5.8); the last of `offsets` is its own."""
    from pypdf.generic import ArrayObject, NameObject, NumberObject, StreamObject

    runs = _runs(offsets)
    own = max(offsets)[0]
    section = StreamObject()
    section.update(trailer)
    section[NameObject("/Type")] = NameObject("/XRef")
    section[NameObject("/Size")] = NumberObject(own + 1)
    section[NameObject("/W")] = ArrayObject(map(NumberObject, (1, 8, 2)))
    pairs = (number for run in runs for number in (run[0][0], len(run)))
    section[NameObject("/Index")] = ArrayObject(map(NumberObject, pairs))
    section.set_data(
        b"".join(
            b"\1" + offsets[key].to_bytes(8, "big") + key[1].to_bytes(2, "big")
            for run in runs
            for key in run
        )
    )
    stream.write(b"%d 0 obj\n" % own)
    section.write_to_stream(stream)
    stream.write(b"\nendobj")


def _runs(offsets: dict[tuple[int, int], int]) -> list[list[tuple[int, int]]]:
    """Return the objects in runs whose numbers count up.

    >>> _runs({(4, 0): 10, (9, 1): 20, (5, 0): 30})
    [[(4, 0), (5, 0)], [(9, 1)]]
    """
    ordered = enumerate(sorted(offsets))
    runs = groupby(ordered, key=lambda pair: pair[1][0] - pair[0])
    return [[key for _, key in run] for _, run in runs]
