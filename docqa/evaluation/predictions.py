"""The prediction of a reader for each question, and the files of the official scripts."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from docqa.showing.new_file import write_new_file

__all__ = ["Prediction", "odds_file", "write_predictions"]

_SMALLEST = 1e-12  # scores are taken to be at least so far from 0 and 1 when made into odds


@dataclass(frozen=True, slots=True)
class Prediction:
    """The best answer to one question, whether or not its score passes a threshold.

    Attributes:
        question_id: the question's id.
        text: the answer's words; empty where no span was proposed.
        start: where it starts, in characters of the text that was asked; None without a span.
        score: in 0 to 1; 0.0 without a span.
        error: why the question could not be read, or None.
    """

    question_id: str
    text: str = ""
    start: int | None = None
    score: float = 0.0
    error: str | None = None

    @property
    def no_answer_odds(self) -> float:
        """Return the log of the odds that there is no answer, ``log((1 - score) / score)``.

        For an uncalibrated score this is the no-answer logit less the span's logit, the number
        that Devlin et al. (2019, arXiv 1810.04805) compare with a threshold.

        >>> Prediction("q", "1911", 0, 0.5).no_answer_odds
        0.0
        """
        score = min(max(self.score, _SMALLEST), 1.0 - _SMALLEST)
        return math.log((1.0 - score) / score)

    def decided(self, min_score: float) -> str:
        """Return the words, or nothing where the score is below `min_score`."""
        return self.text if self.score >= min_score else ""


def write_predictions(predictions: Iterable[Prediction], path: str | Path) -> tuple[Path, Path]:
    """Write ``{id: text}`` to `path` and ``{id: no-answer odds}`` beside it; return both paths.

    The official scripts take them: evaluate-v2.0.py the second one with
    ``--na-prob-file`` (and ``--na-prob-thresh 0`` for a `min_score` of 0.5).

    Raises:
        HighlightError: a file cannot be written.
    """
    rows, file = list(predictions), Path(path).expanduser()
    odds = odds_file(file)
    _write(file, {row.question_id: row.text for row in rows})
    _write(odds, {row.question_id: row.no_answer_odds for row in rows})
    return file, odds


def odds_file(path: str | Path) -> Path:
    """Return the path of the no-answer odds beside a file of predictions.

    >>> odds_file("out/mini.json").name
    'mini.odds.json'
    """
    file = Path(path)
    return file.with_name(f"{file.name.removesuffix('.json')}.odds.json")


def _write(file: Path, content: dict[str, str] | dict[str, float]) -> None:
    write_new_file(file, (json.dumps(content, ensure_ascii=False, indent=0) + "\n").encode())
