"""``docqa ask``: every question to every source."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import click

from docqa.cli.artifacts import Artifact, write_all
from docqa.cli.exits import (
    ANSWERED,
    FAILED,
    NOTHING_FOUND,
    debug_option,
    debugging,
    hush_libraries,
)
from docqa.cli.highlight_option import highlight_copy, highlight_options
from docqa.cli.notices import Notices
from docqa.cli.options import answer_options, reading_options, source_options
from docqa.cli.output import Format, open_writer
from docqa.cli.outputs import require_apart, without_outputs
from docqa.cli.progress import ProgressLine
from docqa.cli.report_option import report_option, report_page
from docqa.cli.session import ReadingSettings, Session
from docqa.cli.sources import STDIN, Expansion, expand, read_questions, split_arguments
from docqa.datamodel import Document, GridItem
from docqa.errors import NoTextError
from docqa.loaders.settings import LoadSettings

__all__ = ["ask"]

_EPILOG = """
\b
Examples:
  docqa ask report.pdf "Who audits the company?"
  docqa ask report.pdf "Which risks are named?" -k 5
  docqa ask contracts/ 'minutes/**/*.html' "When does the agreement end?"
  docqa ask report.pdf -q "Who signed?" -q "When?" --json
  docqa ask report.pdf -q "Who signed?" -q "When?" --highlight marked.pdf
  docqa ask reports/ --questions questions.txt --csv > answers.csv
  docqa ask reports/ --questions questions.txt --report answers.html
  docqa ask report.pdf                          (asks for questions until an empty line)
  docqa ask report.pdf < questions.txt          (one question a line)
  curl -sL https://example.org/ | docqa ask - "What may the domain be used for?"

\b
Output:
  Answers go to standard output, everything else to standard error.
  --json   one object a line. "answer" is null where none was found; "error" says why a source
           failed. "start" and "end" count characters of the document's text.
  --csv    RFC 4180 under a header. A cell that a spreadsheet would run as a formula gets an
           apostrophe in front; --json has the exact words always.

\b
Exit codes:
  0 answered, 1 nothing found, 2 an error (the other sources are still asked),
  130 left with Ctrl-C
"""


@dataclass
class _Tally:
    """Count outcomes, for the exit code and the closing note."""

    answered: int = 0
    unanswered: int = 0
    failed: int = 0
    passages_read: int = 0
    passages_total: int = 0

    def add(self, item: GridItem) -> None:
        self.failed += item.error is not None
        self.answered += bool(item.answers)
        self.unanswered += item.error is None and not item.answers
        self.passages_read += item.answers.coverage.passages_read
        self.passages_total += item.answers.coverage.passages_total

    @property
    def exit_code(self) -> int:
        if self.failed:
            return FAILED
        return ANSWERED if self.answered else NOTHING_FOUND

    def __str__(self) -> str:
        outcomes = [f"{self.answered:,} answered", f"{self.unanswered:,} without an answer"]
        outcomes += [f"{self.failed:,} failed"] if self.failed else []
        read = f"read {self.passages_read:,} of {self.passages_total:,} passages"
        return f"{', '.join(outcomes)}; {read}"


@click.command(epilog=_EPILOG, no_args_is_help=True)
@click.argument("arguments", nargs=-1, metavar="SOURCE... [QUESTION]", type=click.Path())
@click.option("-q", "--question", "questions", multiple=True, help="A question; may be repeated.")
@click.option(
    "--questions",
    "question_file",
    metavar="FILE",
    type=click.Path(allow_dash=True),
    help="Questions from a UTF-8 file, one a line; - for standard input.",
)
@answer_options
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object a line.")
@click.option("--csv", "as_csv", is_flag=True, help="Write CSV under a header.")
@click.option("--quiet", is_flag=True, help="No progress, notes and warnings; only errors.")
@highlight_options
@report_option
@reading_options
@source_options
@debug_option
@click.pass_context
def ask(
    ctx: click.Context,
    /,
    *,
    arguments: Sequence[str],
    questions: Sequence[str],
    question_file: str | None,
    as_json: bool,
    as_csv: bool,
    quiet: bool,
    highlight_out: str | None,
    page_number: int | None,
    report_out: str | None,
    loading: LoadSettings,
    **reading: object,
) -> None:
    """Find the exact words that answer QUESTION in each SOURCE.

    A SOURCE is a file, a folder (everything of a supported kind in it and below), a pattern, or -
    for standard input. The last argument is the question, unless it is given with -q or
    --questions. Without a question, docqa asks for questions on a terminal and keeps the documents
    open; in a pipe it reads them from standard input, one a line.
    """
    hush_libraries(ctx)
    kind = _format(as_json=as_json, as_csv=as_csv)
    names, asked = _questions(arguments, questions, question_file)
    notices = Notices(quiet=quiet, debug=debugging(ctx))
    expansion = expand(names)
    notices.passed_over(expansion.passed_over)
    written = {"--highlight": highlight_out, "--report": report_out}
    outputs = {option: out for option, out in written.items() if out is not None}
    expansion = without_outputs(expansion, outputs, notices)
    require_apart(outputs, expansion, question_file)
    session = Session(
        loading,
        ReadingSettings(**reading),  # type: ignore[arg-type]  # click checked them
        ProgressLine(quiet=quiet, steps=len(expansion.files)),
    )
    ctx.call_on_close(session.progress.close)
    artifacts = _artifacts(
        highlight_copy(highlight_out, expansion, session, page_number=page_number),
        report_page(report_out, session),
    )
    if asked is None:
        from docqa.cli.prompt import converse

        if artifacts:
            raise click.UsageError(
                "--highlight and --report need the question: give it on the command line"
            )
        ctx.exit(converse(session, expansion.files, notices, kind))
    ctx.exit(_ask_grid(session, expansion, asked, notices, kind=kind, artifacts=artifacts))


def _artifacts(*chosen: Artifact | None) -> list[Artifact]:
    return [artifact for artifact in chosen if artifact is not None]


def _format(*, as_json: bool, as_csv: bool) -> Format:
    if as_json and as_csv:
        raise click.UsageError("--json and --csv exclude each other; choose one of them")
    return "json" if as_json else "csv" if as_csv else "text"


def _questions(
    arguments: Sequence[str], given: Sequence[str], file: str | None
) -> tuple[list[str], list[str] | None]:
    """Return the sources' names and the questions; None for questions at a prompt.

    Raises:
        click.UsageError: a source or question is missing, or both want standard input.
    """
    sources, last = split_arguments(arguments, question_given=bool(given or file))
    if STDIN in sources and (file == STDIN or not (given or file or last)):
        raise click.UsageError(
            "standard input holds the document (-), so the questions cannot come from there too;"
            " give the question as the last argument, with -q or with --questions FILE"
        )
    asked = [*given, *(read_questions(file) if file else ()), *([last] if last else ())]
    if any(not question.strip() for question in asked) or last == "":
        raise click.UsageError("the question is empty; ask with at least one word")
    if asked:
        return sources, asked
    return sources, None if sys.stdin.isatty() else read_questions(STDIN)


def _ask_grid(
    session: Session,
    expansion: Expansion,
    questions: Sequence[str],
    notices: Notices,
    *,
    kind: Format,
    artifacts: Sequence[Artifact],
) -> int:
    """Write every outcome as it comes, then the files made of them; return the exit code."""
    many_sources = len(expansion.files) > 1
    grid = many_sources or len(questions) > 1
    writer = open_writer(kind, many_sources=many_sources, many_questions=len(questions) > 1)
    tally = _Tally()
    for document, item in _outcomes(session, expansion, questions, notices):
        tally.add(item)
        for artifact in artifacts:
            artifact.add(document, item)
        if item.error is not None:
            notices.error(item.error, source=item.source)
        if item.error is None or kind != "text":
            writer.write(item)
        if kind == "text" and not grid and item.answers:
            notices.note(str(item.answers.coverage))
    session.progress.close()
    if grid:
        notices.note(str(tally))
    if not tally.answered and tally.unanswered:
        notices.note(_what_to_try(session.reading, tally))
    return tally.exit_code if write_all(artifacts, notices) else FAILED


def _outcomes(
    session: Session, expansion: Expansion, questions: Sequence[str], notices: Notices
) -> Iterator[tuple[Document | None, GridItem]]:
    warned = None
    for document, item in session.ask_all(expansion.files, questions):
        session.progress.close()
        if document is not None and document is not warned:
            if not isinstance(item.error, NoTextError):  # its message says why there is none
                notices.warnings(document)
            warned = document
        yield document, item


def _what_to_try(reading: ReadingSettings, tally: _Tally) -> str:
    tries = []
    if tally.passages_read < tally.passages_total and not reading.exhaustive:
        tries.append("--exhaustive reads all passages")
    if reading.min_score is None or reading.min_score > 0:
        tries.append("--min-score 0 shows even unlikely answers")
    tries.append("other words may match the document's better")
    return f"to try: {'; '.join(tries)}"
