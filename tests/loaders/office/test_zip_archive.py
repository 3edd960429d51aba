"""Containers that strangers made: what is refused, inside which bounds, and in which words."""

from __future__ import annotations

import io
import resource
import time
import zipfile
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

import docqa
from docqa.errors import EncryptedError, LoadError, MalformedError, TooLargeError
from docqa.loaders.zipped.archive import DEFAULT_LIMITS, ZipArchive, ZipLimits

MIB = 1 << 20
Zipped = Callable[..., bytes]


def raw_entry(archive: zipfile.ZipFile, name: str, deflated: bytes, declared: int) -> None:
    """Add a part with any compressed data and any declared size."""
    assert archive.fp is not None
    info = zipfile.ZipInfo(name)
    info.compress_type, info.file_size = zipfile.ZIP_DEFLATED, declared
    info.compress_size, info.header_offset = len(deflated), archive.fp.tell()
    info.CRC = 0
    archive.fp.write(info.FileHeader())
    archive.fp.write(deflated)
    archive.filelist.append(info)
    archive.start_dir = archive.fp.tell()
    archive._didModify = True  # type: ignore[attr-defined]


def zeros(mib: int) -> bytes:
    """Return a deflate stream of `mib` MiB of zeros, made of one block again and again."""
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = squeeze.compress(bytes(MIB)) + squeeze.flush(zlib.Z_FULL_FLUSH)
    return block * mib + squeeze.flush()


_TO_THE_BOMB = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="a" Type="x/officeDocument" Target="word/document.xml"/></Relationships>'
)


def bomb(declared: int, mib: int) -> bytes:
    """Return a container that unpacks to `mib` MiB and says that it unpacks to `declared` bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("_rels/.rels", _TO_THE_BOMB)
        raw_entry(archive, "word/document.xml", zeros(mib), declared)
    return buffer.getvalue()


def read_all(data: bytes, limits: ZipLimits = DEFAULT_LIMITS) -> set[bytes]:
    archive = ZipArchive(data, source="x", limits=limits)
    return {archive.read(name) for name in archive.names}


def test_parts_are_read_by_name(zipped: Zipped) -> None:
    """Case, a leading slash and backslashes make no difference; other names are missing."""
    archive = ZipArchive(zipped({"Word\\Document.xml": "text", "a/": ""}), source="x")
    assert archive.names == ["Word/Document.xml"]
    assert archive.read("/word/document.xml") == b"text"
    with pytest.raises(MalformedError, match=r"x: the part b is missing; the file is damaged"):
        archive.read("b")


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (ZipLimits(entries=1), "lists more than 1 parts"),
        (ZipLimits(part=MIB - 1), "part a holds more than 1 MiB"),
        (ZipLimits(total=2 * MIB - 1), "hold more than 2 MiB together"),
        (ZipLimits(ratio=100, ratio_from=1000), "unpacks to more than 100 times its size"),
    ],
)
def test_each_limit_is_named(zipped: Zipped, limits: ZipLimits, words: str) -> None:
    """The error says which limit a container exceeds, and at which part."""
    data = zipped({"a": bytes(MIB), "b": bytes(MIB)})
    with pytest.raises(TooLargeError, match=f"x: .*{words}"):
        read_all(data, limits)


def test_what_comes_out_counts_and_not_what_is_declared() -> None:
    """A part that declares little gives no more than it declares, and then is broken."""
    archive = ZipArchive(bomb(declared=100, mib=64), source="x")
    with pytest.raises(MalformedError, match=r"word/document.xml cannot be read: bad CRC"):
        archive.read("word/document.xml")


@pytest.mark.parametrize(
    ("declared", "error"),
    [(1000, MalformedError), (100 * MIB, MalformedError), (10 << 30, TooLargeError)],
)
def test_a_bomb_of_ten_gigabytes_is_refused_at_once(declared: int, error: type) -> None:
    """10 MB that unpack to 10 GB cost neither seconds nor memory, honest or not."""
    data = bomb(declared, mib=10 << 10)
    assert len(data) > 9 * MIB
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    with pytest.raises(error, match=r"bomb.docx: the part word/document.xml "):
        docqa.load(data, name="bomb.docx")
    assert time.process_time() - start < 2
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 * 1024  # KiB


def test_parts_that_share_bytes_are_refused(zipped: Zipped) -> None:
    """Many names for the same bytes are how a small file holds endless data."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a", bytes(1000))
        same = zipfile.ZipInfo("b")
        same.file_size = same.compress_size = 1000
        same.header_offset, same.CRC = 0, archive.getinfo("a").CRC
        archive.filelist.append(same)
    with pytest.raises(MalformedError, match="a and b share bytes"):
        ZipArchive(buffer.getvalue(), source="x")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_stands_for_two_parts_is_refused() -> None:
    """Nobody can say which of the two another program would show."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a", "one")
        archive.writestr("A", "two")
    with pytest.raises(MalformedError, match="2 parts called a"):
        ZipArchive(buffer.getvalue(), source="x").read("a")


def test_encrypted_parts_are_said_to_be(zipped: Zipped) -> None:
    """The flag of an encrypted part leads to its own error."""
    data = bytearray(zipped({"a": "text"}))
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(EncryptedError, match="zip password"):
        ZipArchive(bytes(data), source="x").read("a")


def test_other_methods_of_compression_are_refused() -> None:
    """Bzip2 and LZMA have no limit to their ratio, and the formats do not allow them."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("a", bytes(1000))
    with pytest.raises(MalformedError, match="compressed by method 12"):
        ZipArchive(buffer.getvalue(), source="x").read("a")


def test_a_part_may_have_no_name() -> None:
    """Python's zipfile fails on asking such a part whether it is a folder."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        raw_entry(archive, "", zeros(1), MIB)
        archive.writestr("a.txt", "lamp")
    found = ZipArchive(buffer.getvalue(), source="x")
    assert (found.names, found.read("a.txt")) == (["", "a.txt"], b"lamp")


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_a_truncated_container_is_malformed(zipped: Zipped, share: float) -> None:
    """A file that was cut off is said to be."""
    data = zipped(dict.fromkeys("abc", "text " * 200))
    with pytest.raises(MalformedError, match="cut off"):
        read_all(data[: int(share * len(data))])


@given(st.data())
def test_broken_bytes_never_raise_anything_else(zipped: Zipped, data: st.DataObject) -> None:
    """Whatever bytes change, the outcome is whole parts or an error of the tree."""
    content = bytearray(zipped({"a": "text " * 9, "b/c": "more"}))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        parts = read_all(bytes(content))
    except LoadError:
        return
    assert parts <= {b"text " * 9, b"more"}
