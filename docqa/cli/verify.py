"""``docqa verify``: whether citations still hold."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from docqa.cli.exits import FAILED
from docqa.cli.notices import Notices, counted
from docqa.cli.options import isolation_options, password_option
from docqa.cli.prelude import Run, command
from docqa.cli.terminal import console_for, one_line
from docqa.errors import CitationError
from docqa.limits import Limits
from docqa.load_settings import LoadSettings
from docqa.places import headed_in_words

if TYPE_CHECKING:
    from docqa.citations.outcomes import Verification
    from docqa.citations.records import Citation

__all__ = ["verify"]

_MOST_BROKEN_NAMED = 5  # lines; a whole file of them is another kind of file
_STDIN = "-"
_ALL_EXACT, _NOT_ALL = 0, 1
_LONGEST_QUOTE = 60  # characters shown
_STYLES = {"exact": "green", "moved": "yellow", "ambiguous": "yellow"}

_EPILOG = """
\b
Examples:
  docqa ask report.pdf -q "Who signed?" --json > answers.jsonl
  docqa verify answers.jsonl
  docqa verify answers.jsonl --root archive/    (where the files are now)
  docqa ask minutes/ "Who was there?" --json | docqa verify - --json

\b
Outcomes:
  exact      the same file, the words at the same place
  moved      the file changed, or the place did: found again by the words around them
  ambiguous  the words stand at several places and nothing decides between them
  gone       the words are no longer there, or the file is missing
  failed     the file, or the line of ANSWERS, cannot be read

\b
Exit codes:
  0 all are exact, 1 some moved, are ambiguous or gone, 2 some failed
"""


@dataclass
class _Records:
    """The citations of the input, the line of each, and the numbers of other lines."""

    citations: list[Citation] = field(default_factory=list)
    places: list[str] = field(default_factory=list)
    n_lines: int = 0
    n_without_answer: int = 0
    n_broken: int = 0


@command(
    epilog=_EPILOG,
    json="Write one JSON object a line.",
    quiet="No progress and notes; only errors.",
)
@click.argument(
    "answers", nargs=-1, required=True, metavar="ANSWERS...", type=click.Path(allow_dash=True)
)
@click.option(
    "--root",
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False),
    help="Relative paths start in this folder, and files that are gone from their path are looked"
    " for in it and below, by their content.",
)
@password_option
@isolation_options
def verify(
    run: Run,
    /,
    *,
    answers: Sequence[str],
    root: str | None,
    password: str | None,
    isolate: bool,
    limits: Limits | None,
) -> int:
    """Check that the words that ANSWERS cite still stand in their files.

    ANSWERS are files as docqa ask --json writes them, or - for standard input.
    """
    from docqa.citations.verification import verifications

    records = _read(answers, run.notices)
    counts: Counter[str] = Counter()
    outcomes = verifications(
        records.citations,
        root=root,
        settings=LoadSettings(password=password, isolate=isolate, limits=limits),
        on_file=lambda n, total, path: run.progress.say(f"checking {path}, {n + 1} of {total}"),
    )
    for outcome, place in zip(outcomes, records.places, strict=True):
        run.progress.close()
        counts[outcome.status] += 1
        if outcome.error is not None:
            run.notices.error(outcome.error, source=outcome.citation.source)
        if run.as_json:
            run.write_record({**outcome.to_dict(), "record": place})
        else:
            run.write(_line(outcome))
    run.notices.note(_summary(counts, records))
    return FAILED if records.n_broken else _exit_code(counts)


def _read(names: Sequence[str], notices: Notices) -> _Records:
    """Return the citations of all files; a broken line is reported and the rest is read.

    Raises:
        click.UsageError: a file cannot be read, or holds no line.
    """
    from docqa.citations.records import citations_of

    records = _Records()
    for place, line in _lines(names):
        records.n_lines += 1
        try:
            found = citations_of(_parsed(line))
        except CitationError as error:
            records.n_broken += 1
            if records.n_broken <= _MOST_BROKEN_NAMED:
                notices.error(CitationError(f"{place}: {error}"))
            continue
        records.n_without_answer += not found
        records.citations += found
        records.places += [place] * len(found)
    if records.n_broken > _MOST_BROKEN_NAMED:
        more = f"{records.n_broken - _MOST_BROKEN_NAMED:,} more lines are broken"
        notices.error(CitationError(f"{more}; give what docqa ask --json wrote"))
    if not records.n_lines:
        raise click.UsageError(
            f"nothing to check in {', '.join(names)}; docqa ask ... --json writes what is checked"
        )
    return records


def _lines(names: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    for name in names:
        try:
            data = sys.stdin.buffer.read() if name == _STDIN else Path(name).read_bytes()
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise click.UsageError(f"{name} cannot be read: {reason}") from error
        for number, line in enumerate(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
            if line.strip():
                yield f"{name}:{number}", line


def _parsed(line: bytes) -> Any:
    try:
        return json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise CitationError("this line is not UTF-8") from error
    except (ValueError, RecursionError) as error:
        raise CitationError("this line is not JSON; one object a line is expected") from error


def _line(outcome: Verification) -> str:
    """Return an outcome as one line: status, file, words, place and reason."""
    from rich.text import Text

    quote = one_line(outcome.citation.quote).strip()
    if len(quote) > _LONGEST_QUOTE:
        quote = quote[: _LONGEST_QUOTE - 3].rstrip() + "..."
    line = Text.assemble(
        (f"{outcome.status:<9}", _STYLES.get(outcome.status, "red")),
        f" {one_line(outcome.citation.source)}: ",
        (f'"{quote}"', "bold"),
        (_now(outcome), "dim"),
        (f" ({one_line(outcome.reason)})" if outcome.reason else "", "dim"),
    )
    console = console_for(sys.stdout)
    with console.capture() as written:
        console.print(line, soft_wrap=True)
    return written.get()


def _now(outcome: Verification) -> str:
    """Return the present place of the words; of several places the nearest ones."""
    names = [one_line(headed_in_words(place.locations, place.heading)) for place in outcome.places]
    if outcome.status == "moved":
        span = outcome.places[0].span
        names = [f"{names[0]}, characters {span.start} to {span.end}"]
    return f", {' or '.join(names)}" if any(names) else ""


def _summary(counts: Counter[str], records: _Records) -> str:
    kinds = ("exact", "moved", "ambiguous", "gone", "failed")
    named = ", ".join(f"{counts[kind]:,} {kind}" for kind in kinds if counts[kind])
    summary = f"{counted(len(records.citations), 'citation')}: {named or 'nothing to check'}"
    if records.n_without_answer:
        summary += f"; {counted(records.n_without_answer, 'record')} without an answer"
    if records.n_broken:
        summary += f"; {counted(records.n_broken, 'broken line')}"
    return summary


def _exit_code(counts: Counter[str]) -> int:
    if counts["failed"]:
        return FAILED
    return _ALL_EXACT if set(+counts) <= {"exact"} else _NOT_ALL
