"""Load e-mail messages and web archives: each part of them is placed in its own bytes."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from docqa.datamodel import Block, Document, LoadWarning, Span, Table
from docqa.errors import EncryptedError, LoadError, NoTextError, SettingError
from docqa.loaders.attachments import attached_files
from docqa.loaders.header_lines import decoded_words, shown_header
from docqa.loaders.html.loader import HtmlLoader
from docqa.loaders.html.source_map import HtmlSourceMap
from docqa.loaders.message.mime import MimePart
from docqa.loaders.sections import Section, SectionsSourceMap
from docqa.loaders.text import TextLoader, TextSourceMap

__all__ = ["MEDIA_TYPE", "MessageLoader"]

MEDIA_TYPE = "message/rfc822"

_BETWEEN = "\n\n"
_DEEPEST = 20  # parts inside parts; mail programs write up to five
_MOST_PARTS = 5_000
_PAGES = frozenset({"text/html", "application/xhtml+xml"})
_ENCRYPTED = frozenset(
    {"multipart/encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime"}
)
_SIGNATURES = re.compile(r"application/(?:pgp-signature|(?:x-)?pkcs7-signature)")
_CLOSED_ONLY = re.compile(r"\bsmime-type\s*=\s*[\"']?(?:signed|certs)", re.IGNORECASE)
_PARAGRAPH = re.compile(r"(?:[^\S\r\n]*\S[^\r\n]*(?:\r\n?|\n|\Z))+")


class MessageLoader:
    """A loader of messages (.eml) and of web pages saved as one (.mht, .mhtml).

    The text is that of the header lines (from, to, date, subject), then of the body: of
    alternatives the web page, else the plain text; and of the messages inside the message. Other
    parts are named in a warning; pictures of a page are not.

    Args:
        encoding: the encoding of its parts, where they declare a wrong one.
    """

    def __init__(self, encoding: str | None = None) -> None:
        self._encoding = encoding

    def load(self, data: bytes, *, source: str) -> Document:
        """Load `data`; `source` is its path or name, for messages and answers.

        Raises:
            EncryptedError: its body is encrypted.
            NoTextError: it has neither header lines nor a body that is text.
            SettingError: the encoding is unknown.
            MissingDependencyError: no tree builder for HTML is installed.
        """
        whole = MimePart.of(data)
        reader = _Reader(source, self._encoding)
        is_page = whole.media_type == "multipart/related" and _is_saved_page(whole)
        if is_page:
            reader.body(whole)
        else:
            reader.message(whole)
        unread = list(attached_files(reader.unread, "a mail program"))
        if not reader.read:
            reason = "; ".join(unread) or "its body is empty"
            raise NoTextError(f"{source} holds no text to answer from: {reason}", source=source)
        warnings = [*reader.warnings, *(LoadWarning("attachments-unread", one) for one in unread)]
        subject = decoded_words(str(whole.fields.get("Subject", "")))
        return Document(
            id=hashlib.sha256(data).hexdigest(),
            text=_BETWEEN.join(each.text for each in reader.read),
            source=source,
            media_type=MEDIA_TYPE,
            title=subject or reader.title,
            source_map=SectionsSourceMap(list(reader.sections())),
            blocks=tuple(reader.blocks()),
            tables=tuple(reader.tables()),
            warnings=tuple(warnings),
            metadata={} if is_page else _metadata(whole),
            extractor="docqa message",
        )


@dataclass(frozen=True, slots=True)
class _Read:
    """A part that was read: its text, and the way from there to its bytes."""

    part: str | None
    text: str
    source_map: HtmlSourceMap | TextSourceMap
    data: bytes
    blocks: tuple[Block, ...]
    tables: tuple[Table, ...] = ()


@dataclass(slots=True)
class _Reader:
    """A reader of the parts of one message, in their order.

    Attributes:
        source, encoding: of the loader.
        read: the parts read so far.
        unread: names of those that were not.
        warnings: of those that were.
        title: of the first web page.
    """

    source: str
    encoding: str | None
    read: list[_Read] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    warnings: list[LoadWarning] = field(default_factory=list)
    title: str | None = None
    _count: int = 0

    def message(self, whole: MimePart) -> None:
        """Read the header and the body of a message."""
        text, source_map = shown_header(whole.header)
        if text:
            around = whole.number.rpartition(".")[0] or None
            blocks = tuple(_lines(text))
            self.read.append(_Read(around, text, source_map, whole.header, blocks))
        self.body(whole)

    def body(self, part: MimePart) -> None:
        """Read a part and those inside it."""
        self._count += 1
        if self._count > _MOST_PARTS or part.number.count(".") >= _DEEPEST:
            self.unread.append(part.name)
            return
        self._refuse_encrypted(part)
        inside = part.parts()
        if part.media_type == "message/rfc822":
            self.message(inside[0])
        elif inside and part.media_type == "multipart/alternative":
            self.body(_shown_alternative(inside))
        elif inside:
            is_page = part.media_type == "multipart/related"
            for each in inside:
                if not (is_page and _belongs_to_page(each)):
                    self.body(each)
        else:
            self._leaf(part)

    def _leaf(self, part: MimePart) -> None:
        if part.is_attachment or part.media_type not in (*_PAGES, "text/plain"):
            if not _SIGNATURES.fullmatch(part.media_type):
                self.unread.append(part.name)
            return
        data, number = part.content, part.number or "1"
        if not data.strip():
            return
        try:
            document = self._document(part, data)
        except NoTextError:
            return
        except SettingError:
            raise
        except LoadError:
            self.unread.append(part.name)
            return
        source_map = document.source_map
        assert isinstance(source_map, HtmlSourceMap | TextSourceMap)
        blocks = document.blocks or tuple(_paragraphs(document.text))
        self.read.append(_Read(number, document.text, source_map, data, blocks, document.tables))
        self.title = self.title or document.title
        self.warnings += [
            replace(warning, message=f"part {number}: {warning.message}")
            for warning in document.warnings
        ]

    def _document(self, part: MimePart, data: bytes) -> Document:
        """Return the document that a part is, in the charset that it declares if that is one."""
        is_page, source = part.media_type in _PAGES, f"{self.source}, part {part.number or '1'}"
        is_xhtml = True if part.media_type == "application/xhtml+xml" else None
        encodings = [self.encoding] if self.encoding else [part.charset, None]
        for encoding in encodings:
            try:
                if is_page:
                    return HtmlLoader(encoding, is_xhtml=is_xhtml).load(data, source=source)
                return TextLoader(encoding).load(data, source=source)
            except SettingError:
                if encoding is encodings[-1]:
                    raise
        raise AssertionError("the last encoding returns or raises")

    def _refuse_encrypted(self, part: MimePart) -> None:
        is_signed_only = _CLOSED_ONLY.search(str(part.fields.get("Content-Type", "")))
        if part.media_type in _ENCRYPTED and not is_signed_only and not part.is_attachment:
            raise EncryptedError(
                f"{self.source}: this message is encrypted, and docqa has no key; open it in your "
                "mail program and save its text",
                source=self.source,
            )

    def sections(self) -> Iterator[Section]:
        """Yield the parts in the text of the whole."""
        for each, start in self._starts():
            span = Span(start, start + len(each.text))
            yield Section(each.part, span, each.source_map, each.data)

    def blocks(self) -> Iterator[Block]:
        """Yield the blocks of the whole."""
        for each, start in self._starts():
            yield from (replace(block, span=block.span.shift(start)) for block in each.blocks)

    def tables(self) -> Iterator[Table]:
        """Yield the tables of the whole."""
        for each, start in self._starts():
            yield from (table.shift(start) for table in each.tables)

    def _starts(self) -> Iterator[tuple[_Read, int]]:
        start = 0
        for each in self.read:
            yield each, start
            start += len(each.text) + len(_BETWEEN)


def _is_saved_page(whole: MimePart) -> bool:
    """Say whether a browser wrote a message that is a web page with its pictures."""
    written_by = str(whole.fields.get("From", "")).lower()
    return "Snapshot-Content-Location" in whole.fields or written_by.startswith(
        ("<saved by", '"saved by', "saved by")
    )


def _shown_alternative(parts: list[MimePart]) -> MimePart:
    """Return the part that a mail program shows: the web page, else the plain text."""

    def rank(part: MimePart) -> int:
        kinds = [part.media_type, *(each.media_type for each in part.parts())]
        return 2 if _PAGES.intersection(kinds) else int("text/plain" in kinds)

    return max(reversed(parts), key=rank)


def _belongs_to_page(part: MimePart) -> bool:
    """Say whether a part is a picture, a style or a script of the page beside it."""
    kind = part.media_type
    is_shown = kind in _PAGES or kind == "text/plain" or kind.startswith(("multipart/", "message/"))
    return not (is_shown or part.is_attachment)


def _metadata(whole: MimePart) -> dict[str, str]:
    entries = {"author": whole.fields.get("From"), "date": whole.fields.get("Date")}
    found = {name: decoded_words(str(value)) for name, value in entries.items() if value}
    return {name: value for name, value in found.items() if value}


def _lines(text: str) -> Iterator[Block]:
    return (Block(Span(*line.span()), "paragraph") for line in re.finditer("[^\n]+", text))


def _paragraphs(text: str) -> Iterator[Block]:
    """Yield the paragraphs of a plain text, which blank lines part."""
    for found in _PARAGRAPH.finditer(text):
        words = found.group()
        start = found.start() + len(words) - len(words.lstrip())
        yield Block(Span(start, start + len(words.strip())), "paragraph")
