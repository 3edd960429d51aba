"""The check that citations hold: each file is reopened, and its words compared."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from docqa.citations.anchoring import Quote, best_anchors, find_quote
from docqa.citations.cited_files import CitedFile, CitedFiles
from docqa.citations.outcomes import FoundPlace, Status, Verification
from docqa.citations.recorded_place import misnamed, same_locations
from docqa.citations.records import Citable, Citation, citations_of
from docqa.datamodel import Answer, Document, Span
from docqa.errors import CitationError, DocqaError, NoTextError
from docqa.limits import Limits
from docqa.load_settings import TEXT_CAPS, LoadSettings
from docqa.loaders.load import load_with

__all__ = ["check_citation", "verifications", "verify"]

_PLACES_SHOWN = 5  # of an ambiguous citation
_ALIKE = 0.95  # surroundings less alike are reported


def verify(
    answers: Iterable[Citable] | Citable,
    *,
    root: str | os.PathLike[str] | None = None,
    password: str | None = None,
    isolate: bool = False,
    limits: Limits | None = None,
) -> list[Verification]:
    """Return for each place that answers cite whether its words still stand there.

    Each file is loaded once, with the settings under which it was cited.

    Args:
        answers: of `docqa.ask`, or the objects that ``docqa ask --json`` wrote; records that say
            that there is no answer are passed over.
        root: relative paths start here, and files that are gone from their path are looked for
            here by their content; None for the working directory.
        password: opens encrypted PDFs.
        isolate: load in a worker process; see `docqa.load_settings.LoadSettings`.
        limits: of loading.

    Returns:
        One outcome for every answer and for each of its occurrences, in order.

    Raises:
        CitationError: a record is none of an answer.
    """
    records = [answers] if isinstance(answers, (Answer, Mapping)) else answers
    citations = [citation for record in records for citation in citations_of(record)]
    settings = LoadSettings(password=password, isolate=isolate, limits=limits)
    return list(verifications(citations, root=root, settings=settings))


def verifications(
    citations: Sequence[Citation],
    *,
    root: str | os.PathLike[str] | None = None,
    settings: LoadSettings,
    on_file: Callable[[int, int, str], None] | None = None,
) -> Iterator[Verification]:
    """Yield the outcome of each citation, in their order, as soon as those before it are known.

    Args:
        citations: grouped by file whatever their order, so that each file is loaded once.
        root: see `verify`.
        settings: password, isolation and limits; how a file reads is recorded with it.
        on_file: called with (files done, files in all, path) before each file is loaded.
    """
    files = CitedFiles(Path(root) if root is not None else None)
    groups: dict[_Group, list[int]] = {}
    for number, citation in enumerate(citations):
        groups.setdefault(_Group.of(citation, files.find(citation)), []).append(number)
    outcomes: list[Verification | None] = [None] * len(citations)
    yielded = 0
    for done, (group, numbers) in enumerate(groups.items()):
        if on_file is not None:
            on_file(done, len(groups), group.source)
        numbers.sort(key=lambda number: citations[number].start)  # page by page
        checked = _check_group(group, [citations[number] for number in numbers], settings)
        for number, outcome in zip(numbers, checked, strict=True):
            outcomes[number] = outcome
        while yielded < len(outcomes) and (known := outcomes[yielded]) is not None:
            yield known
            yielded += 1


@dataclass(frozen=True, slots=True)
class _Group:
    """The citations of one loaded file, with its settings."""

    file: CitedFile
    source: str
    loading: LoadSettings
    ocr_engine: str

    @staticmethod
    def of(citation: Citation, file: CitedFile) -> _Group:
        return _Group(file, citation.source, citation.loading, citation.ocr_engine)


def _check_group(
    group: _Group, citations: Sequence[Citation], settings: LoadSettings
) -> list[Verification]:
    path = group.file.path
    if path is None:
        return [Verification(citation, "gone", group.file.note) for citation in citations]
    if group.ocr_engine:
        reason = (
            f"{path}: its scanned pages were read by {group.ocr_engine}, which a record cannot "
            "bring along, and another engine may read them otherwise; load the file with that "
            "engine (ocr=) and look for the words"
        )
        return _failed(citations, path, CitationError(reason))
    chosen = _loading(group.loading, settings)
    try:
        # The name it was cited under, since its ending helps to find the format.
        loaded = load_with(chosen, path, name=group.source)
    except NoTextError as error:  # it had some when it was cited
        return [
            Verification(citation, "gone", str(error), str(path), file_changed=True)
            for citation in citations
        ]
    except DocqaError as error:
        return _failed(citations, path, error)
    with loaded as document:
        checked = [check_citation(citation, document) for citation in citations]
    note = group.file.note
    return [
        replace(one, path=str(path), reason="; ".join(part for part in (one.reason, note) if part))
        for one in checked
    ]


def _loading(recorded: LoadSettings, settings: LoadSettings) -> LoadSettings:
    """Return the recorded settings of a file with the caller's password, isolation and limits.

    A record may lower the limits that cut text off, never raise them.
    """
    chosen = replace(
        recorded,
        password=settings.password,
        isolate=settings.isolate,
        limits=settings.limits,
    )
    if recorded.limits is None:
        return chosen
    limits = chosen.effective_limits
    for name in TEXT_CAPS:
        cap, own = getattr(recorded.limits, name), getattr(limits, name)
        limits = replace(limits, **{name: cap if own is None else min(cap, own)})
    return replace(chosen, limits=limits)


def _failed(citations: Sequence[Citation], path: Path, error: DocqaError) -> list[Verification]:
    return [
        Verification(citation, "failed", str(error), str(path), error=error)
        for citation in citations
    ]


def check_citation(citation: Citation, document: Document) -> Verification:
    """Return whether the words of a citation still stand in a document where they stood."""
    changed = citation.document_id != document.id if citation.document_id else None
    span = Span(citation.start, citation.end)
    why = _why(citation, document, changed)
    if changed is not False or span.of(document.text) != citation.quote:
        return _look_again(citation, document, changed, why)
    place = _found(document, span)
    wrong = misnamed(citation, document, place.locations)
    if not wrong:
        return Verification(citation, "exact", file_changed=False, places=(place,))
    if not (reads_otherwise := _reads_otherwise(citation, document)):
        why = f"the file is the same, but the record names another place ({', '.join(wrong)})"
    if not _is_surrounded(citation, document.text):  # the same words may stand here by chance
        found = _look_again(citation, document, changed, why)
        if found.places or reads_otherwise:
            return found
    return Verification(citation, "moved", why, file_changed=False, places=(place,))


def _is_surrounded(citation: Citation, text: str) -> bool:
    """Say whether the recorded surroundings, if any, stand around the recorded place."""
    before = text[max(0, citation.start - len(citation.prefix)) : citation.start]
    return before == citation.prefix and text.startswith(citation.suffix, citation.end)


def _look_again(
    citation: Citation, document: Document, changed: bool | None, why: str
) -> Verification:
    quote = Quote(citation.quote, citation.prefix, citation.suffix)
    everywhere = find_quote(document.text, quote, near=citation.start)
    anchors = best_anchors(everywhere)
    if not anchors:
        lost = "the words stand in other surroundings only" if everywhere else "the words are gone"
        return Verification(citation, "gone", f"{why}; {lost}", file_changed=changed)
    places = tuple(
        _found(document, anchor.span, round(anchor.likeness, 3))
        for anchor in anchors[:_PLACES_SHOWN]
    )
    found = []
    if len(anchors) > 1:
        found.append(f"the words stand at {len(anchors)} places that look alike")
    elif _stands_still(citation, places[0]):
        found.append("the words stand where they stood")
    if places[0].likeness < _ALIKE:
        found.append(f"what stands around the words is {places[0].likeness:.0%} alike")
    if not anchors[0].same_spacing:
        found.append("white space inside the words differs")
    status: Status = "moved" if len(anchors) == 1 else "ambiguous"
    return Verification(
        citation, status, "; ".join([why, *found]), file_changed=changed, places=places
    )


def _found(document: Document, span: Span, likeness: float = 1.0) -> FoundPlace:
    return FoundPlace(span, document.locate(span), likeness, document.heading_above(span))


def _stands_still(citation: Citation, place: FoundPlace) -> bool:
    is_same = place.span == Span(citation.start, citation.end)
    return is_same and same_locations(citation.locations, place.locations)


def _reads_otherwise(citation: Citation, document: Document) -> bool:
    return bool(citation.extractor) and citation.extractor != document.extractor


def _why(citation: Citation, document: Document, changed: bool | None) -> str:
    if changed is None:
        return "the citation does not say which bytes the file had"
    if changed:
        return "the file changed"
    if _reads_otherwise(citation, document):
        return (
            f"the file is the same, but {document.extractor} reads it otherwise than "
            f"{citation.extractor} did"
        )
    return "the file is the same, but its text or places come out otherwise than when it was cited"
