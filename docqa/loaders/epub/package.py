"""Find the items of an EPUB in reading order: EPUB 3.3, "Open Container Format" and "Packages"."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from docqa.errors import EncryptedError, MalformedError
from docqa.loaders.zipped.archive import ZipArchive
from docqa.loaders.zipped.xml_reading import StartTags, XmlTarget, read_xml

__all__ = ["EpubItem", "EpubPackage"]

_PREFIXES = {
    "urn:oasis:names:tc:opendocument:xmlns:container": "ocf",
    "http://www.idpf.org/2007/opf": "opf",
    "http://openebook.org/namespaces/oeb-package/1.0/": "opf",  # before EPUB had that name
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://purl.org/dc/elements/1.0/": "dc",
    "http://www.w3.org/2001/04/xmlenc#": "enc",
}
_CONTAINER = "META-INF/container.xml"
_ENCRYPTION = "META-INF/encryption.xml"
# Both obfuscate fonts only and need no key: EPUB 3.3 (OCF, 4.4) and Adobe's method before it.
_FONT_METHODS = frozenset(
    {"http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC"},
)
_LONGEST_CHAIN = 10  # of fallbacks; a chain may also be a ring
_METADATA = {
    "dc:title": "title",
    "dc:creator": "author",
    "dc:language": "lang",
    "dc:publisher": "publisher",
    "dc:date": "date",
    "dc:identifier": "identifier",
}
_PAGES = frozenset({"application/xhtml+xml", "text/html", "text/x-oeb1-document"})


@dataclass(frozen=True, slots=True)
class EpubItem:
    """A file of the publication.

    Attributes:
        part: its name in the container, as the container writes it.
        is_page: it is XHTML.
        is_navigation: it is the publication's own table of contents.
        fallback: id of the item to use where this one cannot be shown, or ``""``.
    """

    part: str
    is_page: bool
    is_navigation: bool
    fallback: str


class EpubPackage:
    """An EPUB's container and its package document.

    Args:
        data: the whole file.
        source: its path or name, for messages.

    Attributes:
        spine: items in reading order, those outside the main line (``linear="no"``) last.
        unread: names of pages that are in no reading order, or that nothing can be read from.
        metadata: title, author, language and the like, as the file says them.

    Raises:
        MalformedError: it is no EPUB, or is damaged.
        EncryptedError: its text is protected.
        TooLargeError: it exceeds a limit of `ZipArchive`.
    """

    def __init__(self, data: bytes, *, source: str) -> None:
        self.source = source
        self.archive = ZipArchive(data, source=source)
        container = _Container()
        self._read(_CONTAINER, container)
        if not container.packages:
            raise MalformedError(
                f"{source}: {_CONTAINER} names no package document; the file is damaged",
                source=source,
            )
        folder = posixpath.dirname(container.packages[0].replace("\\", "/"))
        package = _Package(folder, self.archive.member)
        self._read(container.packages[0], package)
        self.metadata = {name: value for name, value in package.metadata.items() if value}
        self.spine = package.reading_order()
        read = {item.part for item in self.spine}
        self.unread = [
            item.part
            for item in package.items.values()
            if item.is_page and not item.is_navigation and item.part not in read
        ]
        self._refuse_protected()

    def _read(self, part: str, target: XmlTarget) -> None:
        read_xml(
            self.archive.chunks(part), target, prefixes=_PREFIXES, source=self.source, part=part
        )

    def _refuse_protected(self) -> None:
        if _ENCRYPTION not in self.archive:
            return
        encryption = _Encryption()
        self._read(_ENCRYPTION, encryption)
        parts = {self.archive.member(part) for part in encryption.parts}
        protected = [item.part for item in self.spine if item.part in parts]
        if protected:
            raise EncryptedError(
                f"{self.source}: {len(protected):,} of its {len(self.spine):,} chapters are "
                "protected (DRM), which docqa cannot open; ask its seller for a copy without",
                source=self.source,
            )


class _Container(StartTags):
    def __init__(self) -> None:
        self.packages: list[str] = []

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "ocf:rootfile" and attributes.get("full-path"):
            self.packages.append(attributes["full-path"])


class _Encryption(StartTags):
    """A target that finds the encrypted parts, without obfuscated fonts."""

    def __init__(self) -> None:
        self.parts: set[str] = set()
        self._is_font = False

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "enc:EncryptedData":
            self._is_font = False
        elif name == "enc:EncryptionMethod":
            self._is_font = attributes.get("Algorithm") in _FONT_METHODS
        elif name == "enc:CipherReference" and not self._is_font:
            self.parts.add(unquote(attributes.get("URI", "")).lstrip("/"))


class _Package(StartTags):
    def __init__(self, folder: str, member: Callable[[str], str | None]) -> None:
        self._folder, self._member = folder, member
        self._open: str | None = None
        self._line: list[tuple[str, bool]] = []  # ids of items, and whether off the main line
        self.items: dict[str, EpubItem] = {}
        self.metadata: dict[str, str] = {}

    def reading_order(self) -> list[EpubItem]:
        """Return the items of the spine, each once; an item that is no page by its fallback."""
        in_order = sorted(self._line, key=lambda entry: entry[1])
        found = (self._shown(item_id) for item_id, _ in in_order)
        return list(dict.fromkeys(item for item in found if item is not None))

    def _shown(self, item_id: str) -> EpubItem | None:
        item = first = self.items.get(item_id)
        for _ in range(_LONGEST_CHAIN):
            if item is None or item.is_page:
                break
            item = self.items.get(item.fallback)
        return item if item is not None and item.is_page else first

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "opf:item":
            self._add_item(attributes)
        elif name == "opf:itemref":
            self._line.append((attributes.get("idref", ""), attributes.get("linear") == "no"))
        entry = _METADATA.get(name)
        self._open = entry if entry and entry not in self.metadata else None

    def end(self, name: str) -> None:
        if self._open is not None and self._open in self.metadata:
            self.metadata[self._open] = " ".join(self.metadata[self._open].split())
        self._open = None

    def text(self, text: str) -> None:
        if self._open is not None:
            self.metadata[self._open] = self.metadata.get(self._open, "") + text

    def _add_item(self, attributes: Mapping[str, str]) -> None:
        href = attributes.get("href", "").partition("#")[0]
        part = self._path(unquote(href))
        name = self._member(part) or self._member(self._path(href)) or part
        self.items[attributes.get("id", "")] = EpubItem(
            name,
            is_page=attributes.get("media-type", "").lower() in _PAGES,
            is_navigation="nav" in attributes.get("properties", "").split(),
            fallback=attributes.get("fallback", ""),
        )

    def _path(self, href: str) -> str:
        """Return the path in the container of a file that the package document names."""
        path = posixpath.join("/", self._folder, href.replace("\\", "/"))
        return posixpath.normpath(path).lstrip("/")
