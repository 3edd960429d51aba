"""Train a reader on files of questions: everything from the files to the finished folder."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docqa.question_sets import BadRow, QuestionSet, read_question_set
from docqa.training.examples import Example, ExampleMaker
from docqa.training.negatives import hard_negatives
from docqa.training.settings import TrainSettings

if TYPE_CHECKING:
    from docqa.reader.tokenizer import FastTokenizer
    from docqa.training.finetune import StepReport

__all__ = ["TrainingData", "prepare_data", "train"]


@dataclass(frozen=True, slots=True)
class TrainingData:
    """Hold what a run trains on.

    Attributes:
        examples: windows, those of each file together.
        weights: how often each is seen an epoch.
        bad_rows: what was left out, and why.
        counts: for each file ``(questions, examples, hard negatives)``.
    """

    examples: tuple[Example, ...]
    weights: tuple[float, ...]
    bad_rows: tuple[BadRow, ...]
    counts: Mapping[str, tuple[int, int, int]]


def prepare_data(
    files: Mapping[str | Path, float], tokenizer: FastTokenizer, settings: TrainSettings
) -> TrainingData:
    """Read files of questions and make the examples.

    Args:
        files: paths with their weights: how often each file is seen an epoch.
        tokenizer: of the model to be trained.
        settings: of the run.

    Raises:
        QuestionSetError: a file cannot be used.
    """
    examples: list[Example] = []
    weights: list[float] = []
    bad_rows: list[BadRow] = []
    counts: dict[str, tuple[int, int, int]] = {}
    for path, weight in files.items():
        asked = read_question_set(path)
        maker = ExampleMaker(
            tokenizer,
            window_tokens=settings.window_tokens,
            window_overlap=settings.window_overlap,
            max_question_tokens=settings.max_question_tokens,
            noise=settings.noise,
            seed=settings.seed,
        )
        negatives = hard_negatives(asked, share=settings.hard_negatives, seed=settings.seed)
        made = maker.from_set(asked) + maker.from_negatives(asked.name, negatives)
        examples += made
        weights += [weight] * len(made)
        bad_rows += [*asked.bad_rows, *maker.bad_rows]
        counts[str(path)] = len(asked), len(made), len(negatives)
    return TrainingData(tuple(examples), tuple(weights), tuple(bad_rows), counts)


def train(
    files: Mapping[str | Path, float],
    folder: str | Path,
    *,
    start: str = "mini",
    settings: TrainSettings | None = None,
    evaluate_on: QuestionSet | None = None,
    device: str = "auto",
    progress: Callable[[StepReport], None] | None = None,
    prepared: Callable[[TrainingData], None] | None = None,
) -> dict[str, float]:
    """Train a reader and write it to ``folder/best``."""
    from docqa.training.finetune import finetune
    from docqa.training.start import load_start

    settings = settings or TrainSettings()
    begun = load_start(start, dropout=settings.dropout, seed=settings.seed)
    data = prepare_data(files, begun.tokenizer, settings)
    if prepared:
        prepared(data)
    return finetune(
        begun,
        data.examples,
        data.weights,
        Path(folder),
        settings,
        fingerprint=_fingerprint(start, data, settings),
        evaluate=_evaluation(begun.tokenizer, evaluate_on, settings) if evaluate_on else None,
        device=device,
        progress=progress,
    )


def _fingerprint(start: str, data: TrainingData, settings: TrainSettings) -> str:
    digest = hashlib.sha256(json.dumps([start, settings.to_dict()]).encode())
    for example, weight in zip(data.examples, data.weights, strict=True):
        digest.update(f"{example.key} {example.places} {weight}".encode())
        digest.update(example.input_ids.tobytes())
    return digest.hexdigest()


def _evaluation(
    tokenizer: FastTokenizer, asked: QuestionSet, settings: TrainSettings
) -> Callable[[Any], dict[str, float]]:
    from docqa.datamodel import Passage, Span
    from docqa.evaluation.squad import exact_match, f1
    from docqa.reader.span_reader import SpanReader

    rows = [(paragraph.context, question) for paragraph, question in asked.rows()]

    def evaluate(model: Any) -> dict[str, float]:
        reader = SpanReader(
            model,
            tokenizer,
            name="training",
            no_answer=True,
            window_tokens=settings.window_tokens,
            window_overlap=settings.window_overlap,
            max_question_tokens=settings.max_question_tokens,
        )
        asked = [(q.text, [Passage("x", 0, Span(0, len(c)), c)]) for c, q in rows]
        found = reader.read_all(asked, top_k=1)
        ems, f1s = [], []
        for (context, question), spans in zip(rows, found, strict=True):
            golds = [gold.text for gold in question.golds]
            if golds:
                text = spans.spans[0].span.of(context) if spans.spans else ""
                ems.append(exact_match(text, golds))
                f1s.append(f1(text, golds))
        return {"exact_match": 100 * sum(ems) / len(ems), "f1": 100 * sum(f1s) / len(f1s)}

    return evaluate
