"""The arguments of ``docqa ask``: sources, their files, and the question."""

from __future__ import annotations

import difflib
import glob
import os
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

import click

from docqa.errors import LoadError, SourceNotFoundError, SourceUnreadableError

__all__ = [
    "STDIN",
    "Expansion",
    "SourceFile",
    "expand",
    "found_files",
    "looks_like_path",
    "names_source",
    "plain_path",
    "read_questions",
    "refuse_second_question",
    "split_arguments",
]

STDIN = "-"
_WILDCARD = re.compile(r"[*\[]")  # not "?", which ends questions
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+://", re.I)


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A source to load, or with `error` the reason why it cannot be.

    Attributes:
        path: of the file, or ``-``.
        error: why there is nothing to load.
        is_found: in a folder or by a pattern; no argument names it.
    """

    path: str
    error: LoadError | None = None
    is_found: bool = False


@dataclass(frozen=True, slots=True)
class Expansion:
    """The sources that the arguments name, and the files passed over in folders.

    Attributes:
        files: in the order of the arguments, those of folders and patterns sorted; none twice.
        passed_over: how many files of other kinds lie in the folders, by suffix.
    """

    files: tuple[SourceFile, ...]
    passed_over: Counter[str]


def split_arguments(
    arguments: Sequence[str], *, question_given: bool
) -> tuple[list[str], str | None]:
    """Return the sources and, where the last argument is one, the question.

    Args:
        arguments: the positional arguments.
        question_given: an option already holds the question; then all arguments are sources.

    Raises:
        click.UsageError: no source is given.
        SourceNotFoundError: the last argument looks like a file and is missing, or neighbouring
            arguments look like the words of a question or name without quotes.

    >>> split_arguments(["-", "Who signs?"], question_given=False)
    (['-'], 'Who signs?')
    """
    arguments = [plain_path(each) for each in arguments]
    _refuse_loose_words(arguments)
    if question_given or (arguments and names_source(arguments[-1])):
        sources, question = list(arguments), None
    else:
        sources, question = list(arguments[:-1]), arguments[-1] if arguments else None
    if question == "" and not sources:
        raise click.UsageError(
            "no source given, and the question is empty: write docqa ask SOURCE... QUESTION"
        )
    if question is not None and (looks_like_path(question) or not sources):
        _refuse_question(question, has_sources=bool(sources))
    if not sources:
        raise click.UsageError("no source given: write docqa ask SOURCE... QUESTION")
    return sources, question


def plain_path(argument: str) -> str:
    """Return the path that a ``file:`` address means; anything else as it is.

    >>> plain_path("file:///reports/a%20b.pdf"), plain_path("report.pdf")
    ('/reports/a b.pdf', 'report.pdf')
    """
    if not argument.lower().startswith("file://"):
        return argument
    from urllib.parse import urlsplit
    from urllib.request import url2pathname

    found = urlsplit(argument)
    return url2pathname(found.path) if found.netloc in ("", "localhost") else argument


def refuse_second_question(arguments: Sequence[str]) -> None:
    """Refuse a question among the sources, where an option holds the questions.

    Raises:
        click.UsageError: there is one.
    """
    for argument in arguments[1:]:
        if re.search(r"\s|\?$", argument.strip()) and not (
            names_source(argument) or (glob.has_magic(argument) and _matches(argument))
        ):
            raise click.UsageError(
                "with -q or --questions every argument is a source, and this one is none: "
                f"{argument!r}; give it with -q too"
            )


def _refuse_loose_words(arguments: Sequence[str]) -> None:
    """Refuse neighbours that name nothing, as a shell makes them of words without quotes."""
    for missing, run in groupby(arguments, key=_is_loose):
        words = list(run) if missing else []
        if not all(map(_is_whole_name, words[:-1])):  # the last may be a question of one word
            named, joined = ", ".join(words), " ".join(words)
            raise SourceNotFoundError(
                f"no such files: {named}; put a question, or a name with spaces, in quotes: "
                f'"{joined}"',
                source=joined,
            )


def _is_loose(argument: str) -> bool:
    return bool(argument) and not re.search(r"\s", argument) and not names_source(argument)


def _is_whole_name(argument: str) -> bool:
    """Say whether an argument can be a complete name, so that its neighbour is another one."""
    from docqa.loaders.formats import SUPPORTED_SUFFIXES

    return bool(
        Path(argument).suffix.lower() in SUPPORTED_SUFFIXES
        or _WILDCARD.search(argument)
        or _ADDRESS.match(argument)
    )


def names_source(argument: str) -> bool:
    """Say whether an argument is a source that is there: a file, a folder, a pattern, or ``-``."""
    argument = plain_path(argument)
    return (
        argument == STDIN
        or os.path.lexists(argument)
        or bool(_WILDCARD.search(argument) and _matches(argument))
    )


def looks_like_path(argument: str) -> bool:
    """Say whether an argument is meant as a file: by its suffix, a slash or a scheme."""
    from docqa.loaders.formats import SUPPORTED_SUFFIXES

    return not re.search(r"\s", argument) and (
        Path(argument).suffix.lower() in SUPPORTED_SUFFIXES
        or os.sep in argument
        or bool(_ADDRESS.match(argument))
    )


def _refuse_question(argument: str, *, has_sources: bool) -> None:
    if looks_like_path(argument):
        ending = " (if it is the question, give it with -q)" if has_sources else ""
        raise SourceNotFoundError(f"{_missing(argument)}{ending}", source=argument)
    raise click.UsageError(
        f"no source given: {argument!r} is not a file; write docqa ask SOURCE... QUESTION"
    )


def read_questions(file: str) -> list[str]:
    """Return the questions of a UTF-8 file, one a line; blank lines do not count.

    Args:
        file: its path, or ``"-"`` for standard input.

    Raises:
        click.UsageError: it cannot be read, or holds no question.
    """
    name = "standard input" if file == STDIN else file
    try:
        data = sys.stdin.buffer.read() if file == STDIN else Path(file).read_bytes()
        lines = data.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise click.UsageError(f"questions in {name} are not UTF-8; convert them first") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise click.UsageError(f"questions in {name} cannot be read: {reason}") from error
    questions = [line.strip() for line in lines if line.strip()]
    if not questions:
        raise click.UsageError(f"no question in {name}: write one a line")
    return questions


def expand(arguments: Iterable[str]) -> Expansion:
    """Return every file that the arguments name.

    A folder stands for the files of supported kinds in it and below, without hidden ones; a
    pattern (``*``, ``**``, ``[...]``, ``?``) for what it matches.
    """
    passed_over: Counter[str] = Counter()
    files: dict[str, SourceFile] = {}
    for argument in map(plain_path, arguments):
        for file in _expand_one(argument, passed_over):
            key = file.path if file.path == STDIN else os.path.normpath(file.path)
            if key not in files or not file.is_found:
                files[key] = file
    return Expansion(tuple(files.values()), passed_over)


def found_files(names: Sequence[str]) -> Sequence[SourceFile]:
    """Return the files that names stand for, of a command that needs all of them; see `expand`.

    Raises:
        DocqaError: a name stands for none, or a folder cannot be read.
    """
    files = expand(names).files
    for each in files:
        if each.error is not None:
            raise each.error
    return files


def _expand_one(argument: str, passed_over: Counter[str]) -> Iterator[SourceFile]:
    path = Path(argument)
    if argument == STDIN or path.is_file():
        yield SourceFile(argument)
    elif path.is_dir():
        yield from _folder(argument, passed_over)
    elif glob.has_magic(argument) and (found := _matches(argument)):
        for match in found:
            yield from (replace(file, is_found=True) for file in _expand_one(match, passed_over))
    elif os.path.lexists(argument):
        yield SourceFile(argument)  # a pipe or device, or a dangling link that loading reports
    else:
        yield SourceFile(argument, SourceNotFoundError(_missing(argument), source=argument))


def _matches(pattern: str) -> list[str]:
    return sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207  # Path takes no absolute one


def _folder(folder: str, passed_over: Counter[str]) -> Iterator[SourceFile]:
    from docqa.collection.files import files_in

    try:
        found = files_in(folder)
    except SourceUnreadableError as error:
        yield SourceFile(folder, error)
        return
    passed_over.update(found.passed_over)
    for unreadable, reason in found.unreadable:
        message = f"{unreadable}: this folder cannot be read: {reason}"
        yield SourceFile(unreadable, SourceUnreadableError(message, source=folder))
    if not found.paths and not found.unreadable:
        message = f"{folder}: no file of a supported kind in this folder ({_suffixes()})"
        yield SourceFile(folder, SourceNotFoundError(message, source=folder))
    yield from (SourceFile(str(Path(path)), is_found=True) for path in found.paths)


def _suffixes() -> str:
    from docqa.loaders.formats import SUPPORTED_SUFFIXES

    return ", ".join(sorted(SUPPORTED_SUFFIXES))


def _missing(argument: str) -> str:
    if argument.lower().startswith(("s3://", "lance://")):
        return f"{argument}: a collection is asked with docqa ask --in {argument} QUESTION"
    if _ADDRESS.match(argument):
        return (
            f"{argument}: addresses are not fetched; download it first, or pipe it: "
            f"curl -sL {argument} | docqa ask - QUESTION"
        )
    if glob.has_magic(argument):
        return f"{argument}: no file matches this pattern"
    path = Path(argument)
    try:
        names = [entry.name for entry in path.parent.iterdir()]
    except OSError as error:
        reasons = {FileNotFoundError: "does not exist", NotADirectoryError: "is a file"}
        reason = reasons.get(type(error), "cannot be read either")
        return f"{argument}: no such file; {path.parent} {reason}"
    close = difflib.get_close_matches(path.name, names, n=1)
    hint = f"did you mean {path.parent / close[0]}?" if close else "check the path"
    return f"{argument}: no such file; {hint}"
