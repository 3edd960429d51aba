"""Files that commands write: never over a file that is read, never two over one another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Protocol

import click

from docqa.cli.notices import Notices
from docqa.cli.sources import STDIN, Expansion, SourceFile
from docqa.datamodel import Document, GridItem

__all__ = ["Artifact", "require_apart", "require_outputs", "without_outputs", "write_all"]


class Artifact(Protocol):
    """A file made of outcomes: they are collected while a command asks, and written at its end."""

    def add(self, document: Document | None, item: GridItem) -> None:
        """Take one outcome; `document` is open during this call only, None if loading failed."""
        ...

    def write(self, notices: Notices) -> None:
        """Write the file after the last outcome, and report it; or the reason why none is written.

        Raises:
            DocqaError: it cannot be made.
        """
        ...


def write_all(artifacts: Sequence[Artifact], notices: Notices) -> bool:
    """Write every artifact, even where another fails; return whether all were written."""
    succeeded = []
    for artifact in artifacts:
        try:
            artifact.write(notices)
        except BrokenPipeError:
            raise
        except Exception as error:
            notices.error(error)
            succeeded.append(False)
    return all(succeeded)


def without_outputs(
    expansion: Expansion, outputs: Mapping[str, str], notices: Notices
) -> Expansion:
    """Return the sources without the files of an earlier run that this run replaces.

    Only files that a folder or a pattern brought along and that docqa made are left out; a file of
    another origin is refused by `require_apart`.

    Args:
        expansion: the sources.
        outputs: the files to be written, by option.
        notices: for each source that is left out.

    Raises:
        click.UsageError: no source is left.
    """
    kept = []
    for file in expansion.files:
        option = _replacing_option(file, outputs)
        if option is None:
            kept.append(file)
        else:
            notices.note(f"{file.path} is no source: docqa made it, and {option} replaces it")
    if expansion.files and not kept:
        raise click.UsageError("no source is left: name a file that docqa did not make")
    return replace(expansion, files=tuple(kept))


def _replacing_option(file: SourceFile, outputs: Mapping[str, str]) -> str | None:
    """Return the option that replaces a source which docqa made; None for a true source."""
    from docqa.showing.new_file import is_made_by_docqa, is_one_file

    path = Path(file.path)
    if not file.is_found:
        return None
    for option, out in outputs.items():
        if is_one_file(Path(out), path) and is_made_by_docqa(path):
            return option
    return None


def require_apart(
    outputs: Mapping[str, str], expansion: Expansion, question_file: str | None
) -> None:
    """Check that no output replaces a source, the questions or another output.

    Args:
        outputs: the files to be written, by option.
        expansion: the sources.
        question_file: of ``--questions``, or None.

    Raises:
        click.UsageError: two outputs are one file, or one holds the questions.
        SettingError: an output is a source.
    """
    from docqa.showing.new_file import is_one_file, require_new_file

    for (option, out), (other_option, other) in combinations(outputs.items(), 2):
        if is_one_file(Path(out), Path(other)):
            raise click.UsageError(
                f"{option} and {other_option} both write to {out}; give each a name of its own"
            )
    for option, out in outputs.items():
        if question_file not in (None, STDIN) and is_one_file(Path(out), Path(question_file)):
            raise click.UsageError(
                f"{out} holds the questions, and {option} would replace it; choose another name"
            )
        for file in expansion.files:
            if file.path != STDIN:
                require_new_file(Path(out), Path(file.path))


def require_outputs(outputs: Mapping[str, Path], names: Sequence[str]) -> None:
    """Check before any work that outputs can be written and replace no questions.

    Args:
        outputs: the files, by option, such as ``"--output"``.
        names: the files of questions.

    Raises:
        click.UsageError: an output holds the questions, or two outputs are one file.
        HighlightError: one cannot be written.
    """
    from docqa.showing.new_file import is_one_file, require_writable

    for option, out in outputs.items():
        require_writable(out)
        for name in names:
            if is_one_file(out, Path(name).expanduser()):
                raise click.UsageError(
                    f"{option} would replace the questions {name}; choose another name"
                )
    for (option, one), (its, other) in combinations(outputs.items(), 2):
        if is_one_file(one, other):
            raise click.UsageError(f"{option} and {its} name one file; choose another name")
