"""What ``docqa ask`` writes: every file for itself, and none over what it reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import click

from docqa.cli.notices import Notices
from docqa.cli.sources import STDIN, Expansion, SourceFile

__all__ = ["require_apart", "without_outputs"]


def without_outputs(
    expansion: Expansion, outputs: Mapping[str, str], notices: Notices
) -> Expansion:
    """Return the sources without what an earlier run wrote, where this one writes it anew.

    Only what a folder or a pattern brought along is left out, and only what docqa made: a file of
    another origin is refused by `require_apart`.

    Args:
        expansion: the sources.
        outputs: the files to be written, by option.
        notices: told of each source that is left out.

    Raises:
        click.UsageError: no source is left.
    """
    kept = []
    for file in expansion.files:
        option = _written_anew(file, outputs)
        if option is None:
            kept.append(file)
        else:
            notices.note(f"{file.path} is no source: docqa made it, and {option} writes it anew")
    if expansion.files and not kept:
        raise click.UsageError("no source is left: name a file that docqa did not make")
    return replace(expansion, files=tuple(kept))


def _written_anew(file: SourceFile, outputs: Mapping[str, str]) -> str | None:
    """Return the option that replaces a source which docqa made; None for a true source."""
    from docqa.showing.made_file import is_made_here
    from docqa.showing.new_file import is_one_file

    path = Path(file.path)
    if not file.is_found:
        return None
    for option, out in outputs.items():
        if is_one_file(Path(out), path) and is_made_here(path):
            return option
    return None


def require_apart(
    outputs: Mapping[str, str], expansion: Expansion, question_file: str | None
) -> None:
    """Check that what is written replaces neither what is read nor one another.

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
