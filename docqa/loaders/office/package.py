"""Find the parts of an Office Open XML file: ECMA-376 part 2, "Open Packaging Conventions"."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from docqa.errors import MalformedError
from docqa.loaders.zipped.archive import ZipArchive
from docqa.loaders.zipped.xml_reading import StartTags, XmlTarget, read_xml

__all__ = ["PREFIXES", "OfficePackage", "Relationship"]

_TRANSITIONAL = "http://schemas.openxmlformats.org/"
_STRICT = "http://purl.oclc.org/ooxml/"
_MICROSOFT = "http://schemas.microsoft.com/office/"

# The prefixes that ECMA-376 and Microsoft's own documentation use. Files of the strict kind have
# other namespaces for the same names (ISO/IEC 29500-1, annex M).
PREFIXES: Mapping[str, str] = {
    _TRANSITIONAL + "wordprocessingml/2006/main": "w",
    _STRICT + "wordprocessingml/main": "w",
    _TRANSITIONAL + "presentationml/2006/main": "p",
    _STRICT + "presentationml/main": "p",
    _TRANSITIONAL + "drawingml/2006/main": "a",
    _STRICT + "drawingml/main": "a",
    _TRANSITIONAL + "drawingml/2006/wordprocessingDrawing": "wp",
    _STRICT + "drawingml/wordprocessingDrawing": "wp",
    _TRANSITIONAL + "drawingml/2006/picture": "pic",
    _STRICT + "drawingml/picture": "pic",
    _TRANSITIONAL + "drawingml/2006/diagram": "dgm",
    _STRICT + "drawingml/diagram": "dgm",
    _TRANSITIONAL + "officeDocument/2006/math": "m",
    _STRICT + "officeDocument/math": "m",
    _TRANSITIONAL + "officeDocument/2006/relationships": "r",
    _STRICT + "officeDocument/relationships": "r",
    _TRANSITIONAL + "markup-compatibility/2006": "mc",
    _MICROSOFT + "word/2010/wordprocessingShape": "wps",
    _MICROSOFT + "word/2010/wordprocessingGroup": "wpg",
    _MICROSOFT + "word/2010/wordprocessingCanvas": "wpc",
    _MICROSOFT + "word/2010/wordml": "w14",
    _MICROSOFT + "drawing/2010/main": "a14",
    "urn:schemas-microsoft-com:vml": "v",
    "urn:schemas-microsoft-com:office:office": "o",
    "urn:schemas-microsoft-com:office:word": "w10",
    _TRANSITIONAL + "package/2006/relationships": "rel",
    _TRANSITIONAL + "package/2006/metadata/core-properties": "cp",
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://purl.org/dc/terms/": "dcterms",
}

_METADATA = {
    "dc:title": "title",
    "dc:creator": "author",
    "dc:subject": "subject",
    "cp:keywords": "keywords",
    "dc:language": "lang",
    "dcterms:created": "created",
    "dcterms:modified": "modified",
}


@dataclass(frozen=True, slots=True)
class Relationship:
    """A relationship of a part: the last word of its type, and the other part's own name."""

    id: str
    kind: str
    target: str


class OfficePackage:
    """An Office Open XML file: its main part and the parts to which that leads.

    Args:
        data: the whole file.
        source: its path or name, for messages.

    Raises:
        MalformedError: it is no such file.
        EncryptedError: its parts are encrypted.
        TooLargeError: it exceeds a limit of `ZipArchive`.
    """

    def __init__(self, data: bytes, *, source: str) -> None:
        self.source = source
        self.archive = ZipArchive(data, source=source)
        self._relationships: dict[str, list[Relationship]] = {}
        roots = self.relationships("")
        main = next((one.target for one in roots if one.kind == "officeDocument"), None)
        if main is None or main not in self.archive:
            raise MalformedError(
                f"{source}: the container names no document part; it is damaged, or no Office file",
                source=source,
            )
        self.main_part = main

    def read(self, part: str, target: XmlTarget) -> None:
        """Hand the XML of a part to `target`; see `read_xml` and `ZipArchive.chunks`."""
        read_xml(
            self.archive.chunks(part), target, prefixes=PREFIXES, source=self.source, part=part
        )

    def relationships(self, part: str) -> list[Relationship]:
        """Return where a part leads inside the file, ``""`` being the package itself."""
        if part not in self._relationships:
            folder, name = posixpath.split(part.replace("\\", "/"))
            relations = posixpath.join(folder, "_rels", f"{name}.rels")
            reader = _Relationships(folder, self.archive.member)
            if relations in self.archive:
                self.read(relations, reader)
            self._relationships[part] = reader.found
        return self._relationships[part]

    def related(self, part: str, kind: str) -> list[str]:
        """Return the parts that `part` leads to by relationships of one kind, each once."""
        targets = (one.target for one in self.relationships(part) if one.kind == kind)
        return list(dict.fromkeys(targets))

    def metadata(self) -> dict[str, str]:
        """Return the title, the author and the like, as the file says them."""
        reader = _CoreProperties()
        for part in self.related("", "core-properties"):
            if part in self.archive:
                self.read(part, reader)
        return {name: value for name, value in reader.found.items() if value}


class _Relationships(StartTags):
    def __init__(self, folder: str, member: Callable[[str], str | None]) -> None:
        self._folder, self._member = folder, member
        self.found: list[Relationship] = []

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name != "rel:Relationship" or attributes.get("TargetMode") == "External":
            return
        kind = attributes.get("Type", "").rpartition("/")[2]
        target = unquote(attributes.get("Target", "").partition("#")[0]).replace("\\", "/")
        path = posixpath.normpath(posixpath.join("/", self._folder, target)).lstrip("/")
        self.found.append(Relationship(attributes.get("Id", ""), kind, self._member(path) or path))


class _CoreProperties:
    def __init__(self) -> None:
        self.found: dict[str, str] = {}
        self._open: str | None = None

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        self._open = _METADATA.get(name)

    def end(self, name: str) -> None:
        if self._open is not None:
            self.found[self._open] = " ".join(self.found.get(self._open, "").split())
        self._open = None

    def text(self, text: str) -> None:
        if self._open is not None:
            self.found[self._open] = self.found.get(self._open, "") + text
