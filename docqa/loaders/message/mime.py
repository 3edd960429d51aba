"""Parts of a MIME message with their own bytes: RFC 2045 and RFC 2046.

The standard library decodes each part. The parts are cut out here, because its parser keeps no
bytes of the headers of a message inside another one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesHeaderParser

from docqa.loaders.header_lines import decoded_words

__all__ = ["MimePart"]

_HEADER_END = re.compile(rb"\A(?:\r?\n)|\r?\n(?=\r?\n)")
_LINE_END = re.compile(rb"\r?\n")
_ENVELOPE = re.compile(rb"\A>?From [^\n]*\n")  # in front of the headers, in files of mail programs


@dataclass(frozen=True, slots=True)
class MimePart:
    """A part of a message, or the message.

    Attributes:
        number: its numbers among the parts around it, from 1 and joined by dots: ``"2.1"``; ``""``
            for the message.
        header: bytes of its header lines, with what stands before them.
        fields: the header's fields.
        body: the bytes after the header, as they are transferred.
    """

    number: str
    header: bytes
    fields: Message
    body: bytes

    @classmethod
    def of(cls, data: bytes, number: str = "") -> MimePart:
        """Return the part that bytes are."""
        envelope = _ENVELOPE.match(data)
        start = envelope.end() if envelope else 0
        found = _HEADER_END.search(data, start) if start else _HEADER_END.search(data)
        end = found.end() if found else len(data)
        blank = _LINE_END.match(data, end)
        fields = BytesHeaderParser().parsebytes(data[start:end])
        return cls(number, data[:end], fields, data[blank.end() if blank else end :])

    @property
    def media_type(self) -> str:
        """Return the media type, in lower case."""
        return self.fields.get_content_type()

    @property
    def charset(self) -> str | None:
        """Return the charset that it declares, or None."""
        charset = self.fields.get_content_charset()
        return None if charset in (None, "us-ascii") else charset

    @property
    def is_attachment(self) -> bool:
        """Say whether it is meant to be saved, not shown."""
        return self.fields.get_content_disposition() == "attachment"

    @property
    def name(self) -> str:
        """Return the name of its file, or else its media type."""
        return decoded_words(self.fields.get_filename() or "") or self.media_type

    @property
    def content(self) -> bytes:
        """Return its bytes without their transfer encoding."""
        leaf = Message()
        leaf["Content-Transfer-Encoding"] = self.fields.get("Content-Transfer-Encoding", "7bit")
        leaf.set_payload(self.body.decode("ascii", "surrogateescape"))
        content = leaf.get_payload(decode=True)
        return content if isinstance(content, bytes) else self.body

    def parts(self) -> list[MimePart]:
        """Return the parts inside it: those of a multipart, or the message that it holds."""
        if self.media_type == "message/rfc822":
            return [MimePart.of(self.content, self._inside(1))]
        boundary = self.fields.get_boundary()
        if self.fields.get_content_maintype() != "multipart" or not boundary:
            return []
        pieces = enumerate(_between(self.body, boundary), start=1)
        return [MimePart.of(piece, self._inside(number)) for number, piece in pieces]

    def _inside(self, number: int) -> str:
        return f"{self.number}.{number}".lstrip(".")


def _between(body: bytes, boundary: str) -> Iterator[bytes]:
    """Yield the bytes between the delimiter lines of a multipart, up to the last one."""
    name = re.escape(boundary.rstrip().encode("ascii", "surrogateescape"))
    delimiter = re.compile(rb"(?:\A|(?:\r?\n))--" + name + rb"(--)?[ \t]*(?=\r?\n|\Z)")
    start = None
    for found in delimiter.finditer(body):
        if start is not None:
            yield body[start : max(start, found.start())]
        if found[1]:
            return
        line_end = _LINE_END.match(body, found.end())
        start = line_end.end() if line_end else len(body)
    if start is not None:
        yield body[start:]
