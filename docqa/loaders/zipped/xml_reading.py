"""Read the XML of untrusted files as a stream: no entities, no outside files, bounded depth.

A stream needs no tree, so that the memory a part takes is that of what is kept of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol
from xml.parsers import expat

from docqa.errors import MalformedError

__all__ = ["ElementPath", "PathStep", "StartTags", "XmlTarget", "read_xml"]

MAX_DEPTH = 512
"""Elements may nest so deep; Word itself refuses tables nested deeper than a few dozen."""

_LONGEST_TOKEN = 16 << 20
"""Bytes of one tag or comment: the parser reads it again whenever more of it arrives."""


class XmlTarget(Protocol):
    """A target of `read_xml`: it takes elements and text in the order of the file."""

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        """Take a start tag; names are prefixed as `read_xml` says."""
        ...

    def end(self, name: str) -> None:
        """Take an end tag."""
        ...

    def text(self, text: str) -> None:
        """Take characters; those between two tags may come in pieces."""
        ...


class StartTags:
    """A base class of targets that look at start tags alone."""

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        """Take a start tag."""

    def end(self, name: str) -> None:
        """Take an end tag."""

    def text(self, text: str) -> None:
        """Take characters."""


def read_xml(
    chunks: Iterable[bytes],
    target: XmlTarget,
    *,
    prefixes: Mapping[str, str],
    source: str,
    part: str,
) -> None:
    """Parse a part and hand its elements and characters to `target`.

    A document type is read over; an entity that it declares is refused, because nothing but an
    attack needs one here (ECMA-376 part 2 forbids document types altogether).

    Args:
        chunks: the part's bytes.
        target: takes what is read.
        prefixes: by namespace. A name in one of them is ``prefix:local``, a name without namespace
            ``local``, any other ``{namespace}local``, whatever prefixes the part itself uses.
        source: the file's path or name, for messages.
        part: the part's name, for messages.

    Raises:
        MalformedError: the XML is broken, nests too deep or declares entities.
    """
    reader = _Reader(target, prefixes, f"{source}: the part {part}", source)
    reader.read(chunks)


def _is_of_encoding(error: Exception) -> bool:
    """Say whether Python's codecs, which expat asks, raised an error, and no element's handler."""
    return type(error) is LookupError or "encoding" in str(error)


class _Reader:
    def __init__(
        self, target: XmlTarget, prefixes: Mapping[str, str], where: str, source: str
    ) -> None:
        self._target, self._prefixes = target, prefixes
        self._where, self._source = where, source
        self._names: dict[str, str] = {}
        self._depth = 0
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = target.text
        self._parser.EntityDeclHandler = self._refuse_entity

    def read(self, chunks: Iterable[bytes]) -> None:
        fed = 0
        try:
            for chunk in chunks:
                self._parser.Parse(chunk, False)
                fed += len(chunk)
                if fed - max(0, self._parser.CurrentByteIndex) > _LONGEST_TOKEN:
                    raise self._malformed("holds a tag of many megabytes")
            self._parser.Parse(b"", True)
        except expat.ExpatError as error:
            raise self._malformed(f"is no well-formed XML: {error}") from error
        except (LookupError, ValueError) as error:
            if not _is_of_encoding(error):
                raise
            raise self._malformed(f"declares an encoding that no reader has: {error}") from error

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._malformed(f"nests elements more than {MAX_DEPTH} deep")
        if attributes:
            attributes = {self._name(key): value for key, value in attributes.items()}
        self._target.start(self._name(tag), attributes)

    def _end(self, tag: str) -> None:
        self._depth -= 1
        self._target.end(self._name(tag))

    def _name(self, tag: str) -> str:
        name = self._names.get(tag)
        if name is None:
            namespace, _, local = tag.rpartition(" ")
            prefix = self._prefixes.get(namespace)
            name = f"{prefix}:{local}" if prefix else f"{{{namespace}}}{local}"
            name = self._names[tag] = name if namespace else local
        return name

    def _refuse_entity(self, name: str, *_: object) -> None:
        raise self._malformed(f"declares the entity {name[:40]!r}, which no document needs")

    def _malformed(self, what: str) -> MalformedError:
        return MalformedError(
            f"{self._where} {what}; the file is damaged or made to do harm", source=self._source
        )


@dataclass(frozen=True, slots=True)
class PathStep:
    """An element by its parent, its name and its place, from 1, among those of that name.

    A path is written out only when it is asked for: a hostile file can make it long, and give it
    to every paragraph.
    """

    parent: PathStep | None
    name: str
    place: int

    def xpath(self) -> str:
        """Return the path from the root.

        >>> PathStep(PathStep(None, "w:body", 1), "w:p", 2).xpath()
        '/w:body/w:p[2]'
        """
        root, *below = self.lineage()
        steps = [_step(root.name), *(f"{_step(each.name)}[{each.place}]" for each in below)]
        return "/" + "/".join(steps)

    def lineage(self) -> list[PathStep]:
        """Return the elements from the root to this one."""
        lineage = []
        step: PathStep | None = self
        while step is not None:
            lineage.append(step)
            step = step.parent
        return lineage[::-1]

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle without recursion, which a deep path would exhaust."""
        return (_rebuild_step, ([(each.name, each.place) for each in self.lineage()],))


def _rebuild_step(lineage: list[tuple[str, int]]) -> PathStep | None:
    step = None
    for name, place in lineage:
        step = PathStep(step, name, place)
    return step


class ElementPath:
    """The path of the open elements of a part.

    >>> path = ElementPath()
    >>> for name in ("w:body", "w:p"):
    ...     path.start(name)
    >>> path.end(); path.start("w:p")
    >>> path.step.xpath(), path.names
    ('/w:body/w:p[2]', ['w:body', 'w:p'])
    """

    def __init__(self) -> None:
        self.names: list[str] = []
        self._steps: list[PathStep] = []
        self._children: list[dict[str, int]] = [{}]

    @property
    def step(self) -> PathStep:
        """Return the innermost open element."""
        return self._steps[-1]

    def start(self, name: str) -> None:
        """Enter an element."""
        counts = self._children[-1]
        place = counts[name] = counts.get(name, 0) + 1
        self._steps.append(PathStep(self._steps[-1] if self._steps else None, name, place))
        self.names.append(name)
        self._children.append({})

    def end(self) -> None:
        """Leave the innermost element."""
        self.names.pop()
        self._steps.pop()
        self._children.pop()


def _step(name: str) -> str:
    r"""Name an element in XPath 1.0.

    >>> _step("w:p"), _step("{urn:x}y")
    ('w:p', '*[namespace-uri()="urn:x" and local-name()="y"]')
    """
    if not name.startswith("{"):
        return name
    namespace, _, local = name[1:].rpartition("}")
    quote = "'" if '"' in namespace else '"'
    return f'*[namespace-uri()={quote}{namespace}{quote} and local-name()="{local}"]'
