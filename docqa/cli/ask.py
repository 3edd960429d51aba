"""``docqa ask``: every question to every source."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from docqa.asking.reading_settings import ReadingSettings
from docqa.cli.collection_info import is_collection
from docqa.cli.collection_options import AskedCollection, collection_options
from docqa.cli.exits import FAILED
from docqa.cli.highlight_option import highlight_copy, highlight_options
from docqa.cli.notices import Notices
from docqa.cli.options import answer_options, reading_options, source_options
from docqa.cli.outcomes import OutcomeCounts, why_fewer, write_outcomes
from docqa.cli.output_files import Artifact, require_apart, without_outputs
from docqa.cli.prelude import Run, command
from docqa.cli.report_option import report_option, report_page
from docqa.cli.session import Session
from docqa.cli.sources import (
    STDIN,
    Expansion,
    expand,
    plain_path,
    read_questions,
    refuse_second_question,
    split_arguments,
)
from docqa.cli.writers import Format
from docqa.datamodel import Document, GridItem
from docqa.errors import NoTextError
from docqa.index.contract import Where
from docqa.load_settings import LoadSettings

if TYPE_CHECKING:
    from docqa.cli.ask_collection import CollectionSession

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
  docqa ask --in kb "Who signed?" --folder contracts/ --type pdf --where year=2024
  docqa ask --in kb "Who signed?" --sync        (looks for new and changed files first)

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


@command(epilog=_EPILOG, json="Write one JSON object a line.")
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
@click.option("--csv", "as_csv", is_flag=True, help="Write CSV under a header.")
@collection_options
@highlight_options
@report_option
@reading_options
@source_options
def ask(
    run: Run,
    /,
    *,
    arguments: Sequence[str],
    questions: Sequence[str],
    question_file: str | None,
    as_csv: bool,
    highlight_out: str | None,
    page_number: int | None,
    safe: bool,
    report_out: str | None,
    collection: AskedCollection | None,
    loading: LoadSettings,
    **reading: object,
) -> int:
    """Find the exact words that answer QUESTION in each SOURCE.

    A SOURCE is a file, a folder (everything of a supported kind in it and below), a pattern, or -
    for standard input. The last argument is the question, unless it is given with -q or
    --questions. Without a question, docqa asks for questions on a terminal and keeps the documents
    open; in a pipe it reads them from standard input, one a line. With --in there is no SOURCE: the
    answers come from all documents of a collection.
    """
    kind = _format(as_json=run.as_json, as_csv=as_csv)
    notices = run.notices
    written = {"--highlight": highlight_out, "--report": report_out}
    outputs = {option: out for option, out in written.items() if out is not None}
    if collection is None and (named := _collections(arguments)):
        if arguments[0] != named[0] or len(arguments) > 2:
            raise click.UsageError(
                f"{named[0]} is a collection, which is asked by itself: docqa ask --in {named[0]}"
            )
        notices.note(f"{named[0]} is a collection: asked as with --in {named[0]}")
        collection, arguments = AskedCollection(named[0], Where(), sync=False), arguments[1:]
    if collection is None:
        names, asked = _questions(arguments, questions, question_file)
        expansion = expand(names)
        notices.passed_over(expansion.passed_over)
        expansion = without_outputs(expansion, outputs, notices)
    else:
        asked = _questions_alone(arguments, questions, question_file)
        expansion = Expansion((), Counter())
    require_apart(outputs, expansion, question_file)
    run.progress.steps = len(expansion.files)
    session = Session(
        loading,
        ReadingSettings(**reading),  # type: ignore[arg-type]  # click checked them
        run.progress,
    )
    artifacts = _artifacts(
        highlight_copy(
            highlight_out,
            None if collection else expansion,
            session,
            page_number=page_number,
            safe=safe,
        ),
        report_page(report_out, session),
    )
    if asked is None and artifacts:
        raise click.UsageError(
            "--highlight and --report need the question: give it on the command line"
        )
    if collection is not None:
        from docqa.cli.ask_collection import CollectionSession

        opened = CollectionSession(collection, session, run.context)
        could = not collection.sync or opened.sync(notices)
        if asked is None:
            code = opened.converse(notices, kind)
        else:
            code = _ask_collection(opened, asked, notices, kind=kind, artifacts=artifacts)
        return code if could else FAILED
    if asked is None:
        from docqa.cli.prompt import converse

        return converse(session, expansion.files, notices, kind)
    return _ask_files(session, expansion, asked, notices, kind=kind, artifacts=artifacts)


def _collections(arguments: Sequence[str]) -> list[str]:
    """Return the arguments that name a folder with a collection."""
    return [each for each in arguments if Path(plain_path(each)).is_dir() and is_collection(each)]


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
    if given or file:
        refuse_second_question(arguments)
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


def _questions_alone(
    arguments: Sequence[str], given: Sequence[str], file: str | None
) -> list[str] | None:
    """Return the questions to a collection; None for questions at a prompt.

    Raises:
        click.UsageError: there are sources among the arguments, or a question is empty.
    """
    most = 0 if given or file else 1
    if len(arguments) > most:
        raise click.UsageError(
            f"with --in, {arguments[0]!r} is one argument too many: the sources are those of the "
            "collection, and a question goes in quotes"
        )
    asked = [*given, *(read_questions(file) if file else ()), *arguments]
    if any(not question.strip() for question in asked):
        raise click.UsageError("the question is empty; ask with at least one word")
    if asked:
        return asked
    return None if sys.stdin.isatty() else read_questions(STDIN)


def _ask_files(
    session: Session,
    expansion: Expansion,
    questions: Sequence[str],
    notices: Notices,
    *,
    kind: Format,
    artifacts: Sequence[Artifact],
) -> int:
    code = write_outcomes(
        _outcomes(session, expansion, questions, notices),
        notices,
        kind=kind,
        many_sources=len(expansion.files) > 1,
        many_questions=len(questions) > 1,
        artifacts=artifacts,
        what_to_try=partial(_what_to_try, session.reading),
        why_fewer=partial(why_fewer, session.reading),
    )
    session.progress.close()
    return code


def _ask_collection(
    collection: CollectionSession,
    questions: Sequence[str],
    notices: Notices,
    *,
    kind: Format,
    artifacts: Sequence[Artifact],
) -> int:
    return write_outcomes(
        collection.ask_all(questions),
        notices,
        kind=kind,
        many_sources=False,
        many_questions=len(questions) > 1,
        artifacts=artifacts,
        what_to_try=collection.what_to_try,
        why_fewer=collection.why_fewer,
    )


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


def _what_to_try(reading: ReadingSettings, tally: OutcomeCounts) -> str:
    tries = []
    if tally.passages_read < tally.passages_total and not reading.exhaustive:
        tries.append("--exhaustive reads all passages")
    if reading.min_score is None or reading.min_score > 0:
        tries.append("--min-score 0 shows even unlikely answers")
    tries.append("other words may match the document's better")
    return f"to try: {'; '.join(tries)}"
