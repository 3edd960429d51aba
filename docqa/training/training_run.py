"""Train a reader on files of questions: everything from the files to the finished folder."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from docqa.errors import QuestionSetError, SettingError, TrainingError
from docqa.evaluation.reading import read_gold_paragraphs
from docqa.evaluation.summary import summarize
from docqa.question_sets import Article, BadRow, QuestionSet, read_question_set
from docqa.reader.models import load_span_reader
from docqa.reader.requirements import TORCH_PACKAGES, require
from docqa.reader.span_reader import SpanReader
from docqa.training.distil import ask_teacher
from docqa.training.examples import Example, ExampleMaker
from docqa.training.negatives import hard_negatives
from docqa.training.settings import TrainSettings

if TYPE_CHECKING:
    from docqa.protocols import SpanModel
    from docqa.reader.tokenizer import FastTokenizer
    from docqa.training.finetune import StepReport

__all__ = ["Computing", "Trained", "TrainingData", "prepare_data", "train"]

_DTYPES = "float32", "bfloat16"


@dataclass(frozen=True, slots=True)
class TrainingData:
    """Data that a run trains on.

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


@dataclass(frozen=True, slots=True)
class Trained:
    """Outcome of a run.

    Attributes:
        reader: folder of the best version.
        figures: ``exact_match`` and ``f1`` (0 to 100) of it and the ``step`` it was reached at;
            ``{}`` without evaluation.
        step: steps taken; fewer than `steps` where the run was stopped, and `reader` may then not
            be there yet.
        steps: in all.
    """

    reader: Path
    figures: Mapping[str, float]
    step: int
    steps: int


@dataclass(frozen=True, slots=True)
class Computing:
    """Number format and device of a run.

    Attributes:
        dtype: ``"float32"``, or ``"bfloat16"`` with float32 master weights.
        unit: what multiplies bfloat16 in hardware, such as ``"AMX"``; None where nothing is known
            to, and bfloat16 is slower than float32.
        device: such as ``"cpu"``.
        step: steps that an earlier call took; 0 for a new run.
    """

    dtype: str
    unit: str | None
    device: str
    step: int


def prepare_data(
    files: Mapping[str | Path, float], tokenizer: FastTokenizer, settings: TrainSettings
) -> TrainingData:
    """Read files of questions and make the examples.

    Args:
        files: paths with their weights: how often each file is seen an epoch.
        tokenizer: of the model to be trained.
        settings: of the run.

    Raises:
        SettingError: a weight is below 0 or not finite.
        QuestionSetError: a file cannot be used.
    """
    for path, weight in files.items():
        if not 0 <= weight < math.inf:
            raise SettingError(f"the weight of {path} must be 0 or above and finite, not {weight}")
    examples: list[Example] = []
    weights: list[float] = []
    bad_rows: list[BadRow] = []
    counts: dict[str, tuple[int, int, int]] = {}
    for path, weight in files.items():
        asked = read_question_set(path)
        maker = ExampleMaker(tokenizer, settings)
        negatives = hard_negatives(asked, share=settings.hard_negatives, seed=settings.seed)
        made = maker.from_set(asked) + maker.from_negatives(asked, negatives)
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
    teacher: str | None = None,
    evaluate_on: QuestionSet | None = None,
    settings: TrainSettings | None = None,
    device: str = "auto",
    dtype: str | None = None,
    on_start: Callable[[Computing], None] | None = None,
    on_data: Callable[[TrainingData], None] | None = None,
    on_teacher: Callable[[int, int], None] | None = None,
    on_step: Callable[[StepReport], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> Trained:
    """Train a reader on files of questions in SQuAD form.

    A run that was cut off is called again with the same arguments: it goes on at its last
    checkpoint. On the CPU of the same machine, with the same number of threads, it takes the very
    same steps as if it had never stopped; on a GPU up to the order in which its kernels add. What
    cannot be trained on is left out and reported to `on_data`.

    Args:
        files: paths with their weights: how often each is seen an epoch.
        folder: gets ``reader/`` (a checkpoint that `docqa.load_reader` and transformers load),
            ``log.jsonl`` (a line for each step), ``state.pt`` (all that a resumed run needs) and
            ``teacher/`` (the teacher's logits).
        start: the checkpoint to start from, as in `docqa.load_reader`; also the folder of an
            encoder, which gets a new answer head.
        teacher: a stronger reader to learn from beside the gold answers.
        evaluate_on: questions that choose the best version; None keeps the last one.
        settings: of the run.
        device: where it runs; see `docqa.load_reader`.
        dtype: ``"bfloat16"`` (with float32 master weights) or ``"float32"``: what it computes in,
            evaluation and the teacher's reading included. None for that of a run that goes on, and
            for a new one bfloat16 where the device multiplies it in hardware, else float32, with
            the teacher in what suits its runtime.
        on_start: called first.
        on_data: called once, before the first step.
        on_teacher: called with (examples that the teacher has read, examples in all).
        on_step: called after each step.
        stop: asked before each step; True ends the run, with a checkpoint at that step.

    Raises:
        SettingError: windows are longer than what the start has positions for, a weight is below
            0 or not finite, it has fewer layers than are to be frozen, or there is no such device
            or number format.
        QuestionSetError: a file cannot be used, or no question of `evaluate_on` has an answer.
        QuestionError: a question is too long for the teacher.
        ModelError: the start or the teacher cannot be loaded.
        TrainingError: nothing is left to train on, the folder holds another run (of another number
            format, too) or its ``reader/`` something else than a reader, or the loss is no number
            any more.
        MissingDependencyError: the extra ``torch`` is not installed.
    """
    require("training", *TORCH_PACKAGES)
    from docqa.training.finetune import finetune
    from docqa.training.start import clear_way, load_start

    settings, folder = settings or TrainSettings(), Path(folder)
    clear_way(folder / "reader")
    computing = _computing(folder, device, dtype)
    if on_start:
        on_start(computing)
    begun = load_start(start, dropout=settings.dropout, seed=settings.seed, freeze=settings.freeze)
    if settings.window_tokens > begun.max_tokens:
        raise SettingError(
            f"window_tokens must be at most {begun.max_tokens}, what {start!r} has positions for; "
            f"it is {settings.window_tokens}"
        )
    evaluate = None
    if evaluate_on is not None:
        evaluate = _evaluation(begun.tokenizer, evaluate_on, settings)
    data = prepare_data(files, begun.tokenizer, settings)
    if on_data:
        on_data(data)
    soft_targets = None
    if teacher is not None:
        read_in = "bfloat16" if computing.dtype == "bfloat16" else dtype
        reader = load_span_reader(teacher, device=device, dtype=read_in)
        soft_targets = ask_teacher(reader, data.examples, folder / "teacher", progress=on_teacher)
    outcome = finetune(
        begun,
        data.examples,
        data.weights,
        folder,
        settings,
        fingerprint=_fingerprint((start, teacher), data, evaluate_on, settings),
        soft_targets=soft_targets,
        evaluate=evaluate,
        device=device,
        dtype=computing.dtype,
        progress=on_step,
        stop=stop,
    )
    return Trained(folder / "reader", outcome.figures, outcome.step, outcome.steps)


def _computing(folder: Path, device: str, dtype: str | None) -> Computing:
    """Return the number format of a run: as asked, else as it began, else the fast one here.

    Raises:
        SettingError: there is no such device or number format.
        TrainingError: the run began in another number format.
    """
    from docqa.reader.torch_model import bfloat16_unit, choose_device
    from docqa.training.checkpoint import read_beginning

    if dtype not in {None, *_DTYPES}:
        raise SettingError(f"dtype must be one of {', '.join(_DTYPES)} for training, not {dtype!r}")
    chosen = choose_device(device)
    unit = bfloat16_unit(chosen)
    began, step = read_beginning(folder) or (None, 0)
    if began and dtype not in {None, began}:
        raise TrainingError(
            f"{folder} holds a run in {began}; leave dtype out to go on in it, or give another "
            f"folder to start afresh in {dtype}"
        )
    suits = "bfloat16" if unit else "float32"
    return Computing(dtype or began or suits, unit, str(chosen), step)


def _evaluation(
    tokenizer: FastTokenizer, asked: QuestionSet, settings: TrainSettings
) -> Callable[[SpanModel], dict[str, float]]:
    """Return a function that measures a model on the answerable questions of a set.

    Each is asked of its own paragraph and gets the best span, whatever its score; a question too
    long to be read counts as wrong. The function returns ``exact_match`` and ``f1``, 0 to 100, by
    the official rules.

    Raises:
        QuestionSetError: no question of the set has an answer.
    """
    answerable = replace(asked, articles=tuple(map(_answerable, asked.articles)))
    if not len(answerable):
        raise QuestionSetError(
            f"{asked.name}: no question has an answer, so it cannot choose the best version; give "
            "questions with answers"
        )
    room = settings.window_tokens - tokenizer.template.n_special

    def evaluate(model: SpanModel) -> dict[str, float]:
        reader = SpanReader(
            model,
            tokenizer,
            name="training",
            no_answer=True,
            window_tokens=settings.window_tokens,
            window_overlap=settings.overlap(room - settings.max_question_tokens),
            max_question_tokens=settings.max_question_tokens,
        )
        summary = summarize(answerable, read_gold_paragraphs(reader, answerable))
        return {"exact_match": 100 * summary.exact_match, "f1": 100 * summary.f1}

    return evaluate


def _answerable(article: Article) -> Article:
    """Return an article with those of its questions that have an answer."""
    paragraphs = (
        replace(each, questions=tuple(one for one in each.questions if one.answerable))
        for each in article.paragraphs
    )
    return replace(article, paragraphs=tuple(paragraphs))


def _fingerprint(
    names: Sequence[str | None],
    data: TrainingData,
    evaluate_on: QuestionSet | None,
    settings: TrainSettings,
) -> str:
    """Return the identity of a run: its start, its settings and its data.

    How often it writes a checkpoint changes nothing of what comes out.
    """
    said = settings.to_dict()
    del said["checkpoint_every"]
    digest = hashlib.sha256(json.dumps([names, said]).encode())
    for example, weight in zip(data.examples, data.weights, strict=True):
        digest.update(json.dumps([example.key, example.places, weight]).encode())
        digest.update(example.input_ids.tobytes())
    for paragraph, question in evaluate_on.rows() if evaluate_on else ():
        golds = [(gold.text, gold.start) for gold in question.golds]
        row = [paragraph.context, question.id, question.text, golds]
        digest.update(json.dumps(row).encode())
    return digest.hexdigest()
