"""Outcomes of questions whose answers are known: the material of a calibration.

Asking takes minutes, fitting a moment, so observations can be kept in a file.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from docqa.asking.grid import AskedSource, ask_sources
from docqa.asking.pipeline import Pipeline
from docqa.datamodel import Answer, Evidence
from docqa.errors import CalibrationError, LoadError, MissingDependencyError
from docqa.evaluation.asked_documents import AskedDocument
from docqa.evaluation.squad import exact_match, f1
from docqa.question_sets import Article, QuestionSet
from docqa.showing.new_file import write_new_file

__all__ = ["ObservedAnswer", "Observation", "keep", "kept", "observe", "paragraphs_as_articles"]

_FORMAT = 2  # of kept observations; the first one held the best answers alone
_CANDIDATES = 40  # of a question, at most; those further down are as good as never right


@dataclass(frozen=True, slots=True)
class ObservedAnswer:
    """An answer that was proposed to a question: its evidence, and its quality.

    Attributes:
        evidence: its odds are those of the ranking under which it was asked.
        exact_match, f1: by the SQuAD rules; 0 where the document has no answer.
    """

    evidence: Evidence
    exact_match: float
    f1: float


@dataclass(frozen=True, slots=True)
class Observation:
    """The outcome of a question: all answers that were proposed.

    Attributes:
        document: name of the document that was asked.
        answerable: whether the document has an answer, as the questions' author says.
        candidates: at least one, whatever their scores; each wording once, best first.
    """

    document: str
    answerable: bool
    candidates: tuple[ObservedAnswer, ...]


def observe(
    pipeline: Pipeline,
    documents: Iterable[AskedDocument],
    *,
    progress: Callable[[int], None] | None = None,
    on_lost: Callable[[AskedDocument, int, LoadError | MissingDependencyError], None] | None = None,
) -> Iterator[Observation]:
    """Ask every question of its document; yield the observations.

    Nothing comes of a question that the reader cannot read, or for which it proposes no span. Of
    the answers to one question, at most 40 are kept.

    Args:
        pipeline: how questions are asked; its `min_score` does not count here.
        documents: with their questions.
        progress: called with the number of questions that are done.
        on_lost: called with a document that cannot be loaded, or holds no text, the number of its
            questions and the error; the others are asked. None lets the error end the run.

    Raises:
        LoadError: a document cannot be loaded, and there is no `on_lost`.
        MissingDependencyError: a library that its format needs is absent; likewise.
        ModelError: the reader fails.
    """
    n_done = 0
    for asked in documents:
        lost: list[LoadError | MissingDependencyError] = []
        texts = [each.question.text for each in asked.questions]
        source = AskedSource(asked.name, asked.open, texts, closes=True)
        items = ask_sources([source], partial(pipeline.call, top_k=_CANDIDATES, min_score=0.0))
        for each, (_, item) in zip(asked.questions, items, strict=True):
            if isinstance(item.error, (LoadError, MissingDependencyError)):
                if on_lost is None:
                    raise item.error
                lost.append(item.error)
            if item.answers:
                golds = [gold.text for gold in each.question.golds]
                candidates = tuple(_candidate(answer, golds) for answer in item.answers)
                yield Observation(asked.name, bool(golds), candidates)
            n_done += 1
            if progress is not None:
                progress(n_done)
        if lost and on_lost is not None:
            on_lost(asked, len(lost), lost[0])


def _candidate(answer: Answer, golds: Sequence[str]) -> ObservedAnswer:
    assert answer.evidence is not None  # the pipeline gives every answer its evidence
    if not golds:
        return ObservedAnswer(answer.evidence, 0.0, 0.0)
    return ObservedAnswer(answer.evidence, exact_match(answer.text, golds), f1(answer.text, golds))


def paragraphs_as_articles(question_set: QuestionSet) -> QuestionSet:
    """Return the set with every paragraph an article of its own, named after its article."""
    articles = (
        Article(f"{article.title or f'article {at}'}, paragraph {number}", (paragraph,))
        for at, article in enumerate(question_set.articles, start=1)
        for number, paragraph in enumerate(article.paragraphs, start=1)
    )
    return QuestionSet(question_set.name, tuple(articles), question_set.bad_rows)


def keep(observations: Iterable[Observation], made_by: Mapping[str, Any], path: Path) -> None:
    """Write observations as JSON lines, under a line that says how they were made.

    Raises:
        HighlightError: the file cannot be written.
    """
    lines = [_head(made_by), *map(asdict, observations)]
    write_new_file(path, "".join(json.dumps(line) + "\n" for line in lines).encode())


def kept(path: Path, made_by: Mapping[str, Any]) -> list[Observation] | None:
    """Return the observations that `keep` wrote, or None where there is no such file.

    Raises:
        CalibrationError: the file was made in another way, or holds no observations.
    """
    try:
        lines = path.read_text("utf-8").splitlines()
        head, *rows = map(json.loads, lines)
        if head != json.loads(json.dumps(_head(made_by))):
            raise CalibrationError(
                f"{path} holds observations of another reader, other questions or settings; "
                "remove it, or name another file"
            )
        return list(map(_observation, rows))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CalibrationError(f"{path} cannot be read: {error.strerror or error}") from error
    except (ValueError, TypeError, KeyError) as error:
        raise CalibrationError(
            f"{path} holds no observations ({error}); remove it, or name another file"
        ) from error


def _head(made_by: Mapping[str, Any]) -> dict[str, Any]:
    return {"format": _FORMAT, **made_by}


def _observation(row: Mapping[str, Any]) -> Observation:
    candidates = (
        ObservedAnswer(**{**each, "evidence": Evidence(**each["evidence"])})
        for each in row["candidates"]
    )
    return Observation(**{**row, "candidates": tuple(candidates)})
