"""Questions at a prompt, over documents and a reader that stay open."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress

from docqa.cli.exits import ANSWERED, FAILED
from docqa.cli.interrupt import emit, raising_interrupt
from docqa.cli.notices import Notices, counted
from docqa.cli.session import Session
from docqa.cli.sources import SourceFile
from docqa.cli.writers import Format, Writer, open_writer
from docqa.datamodel import Document

__all__ = ["converse", "typed_questions"]

_PROMPT = "? "


def converse(session: Session, files: Sequence[SourceFile], notices: Notices, kind: Format) -> int:
    """Answer questions from the terminal until an empty line or Ctrl-D; return the exit code.

    The code says whether every source could be loaded; what was asked does not change it.
    """
    with ExitStack() as opened:
        documents = _load(session, files, notices, opened)
        if not documents:
            return FAILED
        session.progress.end_steps()
        n_passages = sum(len(session.pipeline.passages(document)) for document in documents)
        session.progress.close()
        notices.note(f"{_named(documents)}, {n_passages:,} passages; an empty line leaves")
        writer = open_writer(kind, many_sources=len(documents) > 1, many_questions=False)
        for question in typed_questions():
            _answer(session, documents, question, notices, writer)
    return ANSWERED if len(documents) == len(files) else FAILED


def _load(
    session: Session, files: Sequence[SourceFile], notices: Notices, opened: ExitStack
) -> list[Document]:
    documents = []
    for file in files:
        session.progress.next_step()
        try:
            document = session.load(file)
        except Exception as error:
            session.progress.close()
            notices.error(error, source=file.path)
            continue
        documents.append(opened.enter_context(document))
        if document.warnings:
            session.progress.close()
            notices.warnings(document)
    return documents


def _named(documents: Sequence[Document]) -> str:
    pages = sum(len(document.pages) for document in documents)
    name = documents[0].source if len(documents) == 1 else f"{len(documents)} documents"
    return f"{name}: {counted(pages, 'page')}" if pages else name


def _answer(
    session: Session,
    documents: Sequence[Document],
    question: str,
    notices: Notices,
    writer: Writer,
) -> None:
    for _, item in session.ask_open(documents, question):
        session.progress.close()
        if item.error is not None:
            notices.error(item.error, source=item.source)
            continue
        writer.write(item)
        if item.answers:
            notices.note(str(item.answers.coverage))


def typed_questions() -> Iterator[str]:
    """Yield the typed questions, with line editing and history, until an empty line or Ctrl-D."""
    if sys.stdout.isatty():
        with suppress(ImportError):  # on Windows the console itself edits lines
            import readline  # noqa: F401  # importing it gives `input` editing and history
    while True:
        try:
            with raising_interrupt():
                line = _read_line()
        except EOFError:
            emit(sys.stderr, "\n")
            return
        if not line.strip():
            return
        yield line.strip()


def _read_line() -> str:
    if sys.stdout.isatty():
        return input(_PROMPT)
    emit(sys.stderr, _PROMPT)  # standard output goes to a file: keep the prompt out of it
    line = sys.stdin.readline()
    if not line:
        raise EOFError
    return line
