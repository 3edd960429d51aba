"""The questions that ``docqa evaluate`` and ``docqa calibrate`` read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import click

from docqa.cli.notices import Notices, counted
from docqa.cli.options import with_options

if TYPE_CHECKING:
    from docqa.evaluation.page_questions import PageQuestions
    from docqa.question_sets import QuestionSet

    Data: TypeAlias = QuestionSet | PageQuestions

__all__ = ["data_options", "has_pages", "read_data"]

_Command = TypeVar("_Command", bound=Callable[..., Any])

_MOST_NAMED = 20  # bad rows named one by one
_PAGE_QUESTIONS = ".jsonl"


def data_options(command: _Command) -> _Command:
    """Add the questions and the options on them: `names`, `root`, `sample` and `seed`."""
    return with_options(
        command,
        click.argument("names", nargs=-1, required=True, metavar="DATA...", type=click.Path()),
        click.option(
            "--root",
            metavar="DIR",
            type=click.Path(exists=True, file_okay=False),
            help="Where the files named in a .jsonl are; by default its own folder, or pdfs in it.",
        ),
        click.option(
            "--sample",
            type=click.IntRange(min=1),
            metavar="N",
            help="Draw N questions of each DATA.",
        ),
        click.option(
            "--seed", type=int, default=0, show_default=True, help="The seed of --sample."
        ),
    )


def has_pages(name: str) -> bool:
    """Say whether a file of questions is of the form with pages."""
    return Path(name).suffix.lower() == _PAGE_QUESTIONS


def read_data(
    name: str, root: str | None, notices: Notices, *, sample: int | None, seed: int
) -> Data:
    """Return the questions of a file, fewer of them where a sample is asked for.

    Rows that are left out are reported with their reasons.

    Raises:
        QuestionSetError: it holds none.
    """
    from docqa.evaluation.page_questions import read_page_questions
    from docqa.evaluation.sampling import draw, draw_page_questions
    from docqa.question_sets import read_question_set

    data: Data
    if has_pages(name):
        pages = read_page_questions(name, root=root)
        data = draw_page_questions(pages, sample, seed=seed) if sample else pages
        if pages.not_verbatim:
            notices.note(
                f"{pages.name}: {counted(len(pages.not_verbatim), 'question')} left out, since the"
                " answer is not on its page word for word"
            )
    else:
        questions = read_question_set(name)
        data = draw(questions, sample, seed=seed) if sample else questions
    for bad in data.bad_rows[:_MOST_NAMED]:
        notices.warning(str(bad))
    if len(data.bad_rows) > _MOST_NAMED:
        notices.warning(f"{name}: {counted(len(data.bad_rows) - _MOST_NAMED, 'more row')} left out")
    return data
