"""Citations as they were recorded, in an answer or a line of JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from docqa.datamodel import Answer
from docqa.errors import CitationError, SettingError
from docqa.limits import Limits
from docqa.load_settings import TEXT_CAPS, LoadSettings
from docqa.ocr_engine import DEFAULT_LANGUAGE

__all__ = ["Citable", "Citation", "citation_of_handle", "citations_of", "handle"]

Citable = Answer | Mapping[str, Any]

_NUMBERS = ("page_number", "page_label", "line")  # where the words start, beside the locations


@dataclass(frozen=True, slots=True)
class Citation:
    """A recorded place: the words, their position, and their file.

    Attributes:
        quote: the exact words.
        start, end: characters of the document's text, half-open.
        prefix, suffix: the characters around the words; ``""`` where none were recorded.
        source: the file's path or name, as it was given.
        document_id: SHA-256 of the file's bytes; ``""`` where it was not recorded.
        extractor: what gave the text; ``""`` where it was not recorded.
        loading: the settings that decide how the file reads; nothing else of them is recorded.
        ocr_engine: an engine of the caller's own that read scanned pages; ``""`` without one.
        locations: the recorded places in the original, as plain values.
        numbers: the page, its label and the line, those that were recorded.
        selectors: of the recorded target, as plain values.
        occurrence: 0 for the answer itself, from 1 for its further occurrences.
    """

    quote: str
    start: int
    end: int
    prefix: str
    suffix: str
    source: str
    document_id: str
    extractor: str
    loading: LoadSettings
    locations: tuple[Mapping[str, Any], ...]
    numbers: Mapping[str, Any] = field(default_factory=dict)
    selectors: tuple[Any, ...] = ()
    occurrence: int = 0
    ocr_engine: str = ""


def citations_of(record: Citable) -> tuple[Citation, ...]:
    """Return the citations of one answer: its own place, then its occurrences.

    Args:
        record: an `Answer`, or what `Answer.to_dict` or a line of ``docqa ask --json`` says. A
            line that says that there is no answer, or an error, has no citations.

    Raises:
        CitationError: it is no such record.
    """
    plain = record.to_dict() if isinstance(record, Answer) else record
    if not isinstance(plain, Mapping) or "answer" not in plain:
        raise CitationError('no record of an answer: it has no "answer"; see docqa ask --json')
    if plain["answer"] is None:
        return ()
    return tuple(_citations(plain))


def handle(document_id: str, start: int, end: int) -> str:
    """Return the short name of a place, by which it can be cited.

    Args:
        document_id: or the first digits of it.
        start: of the place, in characters of the document's text.
        end: behind it.

    >>> handle("d3f1", 831, 846)
    'd3f1#831-846'
    """
    return f"{document_id}#{start}-{end}"


def citation_of_handle(record: Mapping[str, Any]) -> Citation:
    """Return the citation of ``{"cite": HANDLE, "quote": WORDS}``; its source is not known.

    Raises:
        CitationError: it is no handle.
    """
    cite, words = record.get("cite"), record.get("quote")
    document_id, _, place = str(cite).partition("#")
    start, dash, end = place.partition("-")
    if not (dash and start.isdecimal() and end.isdecimal() and isinstance(words, str) and words):
        raise CitationError(
            'a citation is an answer\'s record, or {"cite": "<document>#<start>-<end>", '
            '"quote": "<words>"}'
        )
    return Citation(
        quote=words,
        start=int(start),
        end=int(end),
        prefix="",
        suffix="",
        source="",
        document_id=document_id,
        extractor="",
        loading=LoadSettings(),
        locations=(),
    )


def _citations(plain: Mapping[str, Any]) -> Iterator[Citation]:
    document = _optional(plain, "document", "object", {})
    load = _optional(_optional(plain, "settings", "object", {}), "load", "object", {})
    extractor = _optional(document, "extractor", "text", "")
    shared = {
        "source": _field(document if "source" in document else plain, "source", "text"),
        "document_id": _optional(document, "id", "text", ""),
        "extractor": extractor,
        # The file may be a stranger's: it decides how its text is read, and nothing else.
        "loading": LoadSettings(
            media_type=_optional(load, "media_type", "text", None),
            encoding=_optional(load, "encoding", "text", None),
            limits=_caps(load),
            ocr=load.get("ocr") is True,
            ocr_language=_optional(load, "ocr_language", "text", DEFAULT_LANGUAGE),
        ),
        "ocr_engine": _engine_name(load, extractor),
    }
    yield _citation(plain, _field(plain, "answer", "text"), 0, shared)
    for number, spot in enumerate(_optional(plain, "occurrences", "list", []), start=1):
        if not isinstance(spot, Mapping):
            raise CitationError(f"occurrence {number} is no object")
        yield _citation(spot, _field(spot, "text", "text"), number, shared)


def _caps(load: Mapping[str, Any]) -> Limits | None:
    """Return the recorded limits beyond which text was left out; None where they were the usual."""
    given = [name for name in TEXT_CAPS if load.get(name) is not None]
    caps = {name: _field(load, name, "whole number") for name in given}
    try:
        return Limits(**caps) if caps else None
    except SettingError as error:
        raise CitationError(str(error)) from error


def _engine_name(load: Mapping[str, Any], extractor: str) -> str:
    """Return the engine that read pages of the document, when it was one of the caller's own."""
    name = load.get("ocr")
    if not isinstance(name, str) or (extractor and not extractor.endswith(f"; {name}")):
        return ""  # it had nothing to read
    return name


def _citation(
    plain: Mapping[str, Any], quote: str, occurrence: int, shared: Mapping[str, Any]
) -> Citation:
    start, end = _field(plain, "start", "whole number"), _field(plain, "end", "whole number")
    if not 0 <= start < end or not quote:
        raise CitationError(f"[{start}, {end}) is no place of {quote!r}")
    target = _optional(plain, "target", "object", {})
    selectors = _optional(target, "selector", "list", [])
    surroundings = _text_quote(selectors)
    return Citation(
        quote=quote,
        start=start,
        end=end,
        prefix=_optional(surroundings, "prefix", "text", ""),
        suffix=_optional(surroundings, "suffix", "text", ""),
        locations=_locations(plain),
        numbers={name: plain[name] for name in _NUMBERS if name in plain},
        selectors=tuple(selectors),
        occurrence=occurrence,
        **shared,
    )


def _locations(plain: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    places = _optional(plain, "locations", "list", [])
    for number, place in enumerate(places, start=1):
        if not isinstance(place, Mapping):
            raise CitationError(f"location {number} is no object")
    return tuple(places)


def _text_quote(selectors: Iterable[Any]) -> Mapping[str, Any]:
    quotes = (
        selector
        for selector in selectors
        if isinstance(selector, Mapping) and selector.get("type") == "TextQuoteSelector"
    )
    return next(quotes, {})


_KINDS: dict[str, type | tuple[type, ...]] = {
    "text": str,
    "whole number": int,
    "list": (list, tuple),
    "object": Mapping,
}


def _field(plain: Mapping[str, Any], name: str, kind: str) -> Any:
    value = plain.get(name)
    if not isinstance(value, _KINDS[kind]) or isinstance(value, bool):
        raise CitationError(f'"{name}" is missing, or no {kind}')
    return value


def _optional(plain: Mapping[str, Any], name: str, kind: str, default: Any) -> Any:
    return default if plain.get(name) is None else _field(plain, name, kind)
