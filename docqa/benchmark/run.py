"""One run: the stages, then readers and runtimes side by side."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from docqa.asking.settings import DEFAULT_TOP_PASSAGES
from docqa.benchmark.cold_start import cold_seconds
from docqa.benchmark.contenders import Choice, Contender, open_contender
from docqa.benchmark.machine import describe_machine
from docqa.benchmark.made_document import MADE_QUESTIONS, make_pdf
from docqa.benchmark.records import Benchmark, ReadingSpeed
from docqa.benchmark.rounds import read_in_rounds
from docqa.benchmark.shapes import SHAPES
from docqa.benchmark.stages import measure_stages
from docqa.errors import DocqaError, ModelError, SettingError
from docqa.load_settings import LoadSettings
from docqa.loaders.source_bytes import Source, read_source

__all__ = ["DEFAULT_CHOICES", "DEFAULT_PAGES", "DEFAULT_ROUNDS", "run_benchmark"]

DEFAULT_CHOICES = (
    Choice("bert-base"),
    Choice("distilbert-base"),
    Choice("mini", runtime="torch"),
    Choice("mini"),  # on what it runs by itself; left out where that is torch too
)
DEFAULT_ROUNDS, DEFAULT_PAGES = 3, 100

# Asked of a document that comes without questions; how long reading takes hardly depends on them.
_ANY_QUESTIONS = (
    "What is this about, and who wrote it?",
    "When did it happen, and how much was it?",
)


def run_benchmark(
    source: Source | None = None,
    questions: Iterable[str] = (),
    *,
    choices: Sequence[Choice] = DEFAULT_CHOICES,
    rounds: int = DEFAULT_ROUNDS,
    pages: int = DEFAULT_PAGES,
    top_passages: int = DEFAULT_TOP_PASSAGES,
    loading: LoadSettings | None = None,
    cold: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> Benchmark:
    """Measure how fast this machine loads, splits, ranks and reads a document.

    All readers read the same passages, those of the first one that loads. One that cannot be
    loaded is named in the result and spoils no other, and so is a cold start that fails; one that
    turns out to be the same as one before is left out.

    Args:
        source: the document; None for a PDF made for the run.
        questions: asked of it; without any, some that fit.
        choices: the readers; the first one is what the others are compared with.
        rounds: how often everything is measured; medians are reported.
        pages: of the document that is made.
        top_passages: how many passages are read for a question.
        loading: how the document is loaded.
        cold: measure `docqa ask` in fresh processes as well.
        progress: told what is going on.

    Raises:
        LoadError: the document cannot be loaded.
        ModelError: no reader can be loaded, or one fails in reading.
        QuestionError: a question is blank, or too long for a reader.
        SettingError: a number is below 1, or `choices` is empty.
    """
    if min(rounds, pages, top_passages, len(choices)) < 1:
        raise SettingError("rounds, pages, top_passages and choices must be at least 1")
    data, name = (make_pdf(pages), "made.pdf") if source is None else read_source(source)
    asked = tuple(questions) or (MADE_QUESTIONS if source is None else _ANY_QUESTIONS)
    machine = describe_machine()
    contenders, failed = _open(choices, progress)
    progress("measuring the stages")
    outcome = measure_stages(
        data,
        asked,
        contenders[0].reader,
        name=name,
        rounds=rounds,
        top_passages=top_passages,
        loading=LoadSettings() if loading is None else loading,
    )
    readings = read_in_rounds(contenders, outcome.requests, rounds=rounds, progress=progress)
    if cold:
        starts, cold_failed = _cold_starts(
            contenders,
            data,
            name=name,
            question=asked[0],
            rounds=rounds,
            loading=loading,
            progress=progress,
        )
        failed |= cold_failed
        readings = [
            replace(reading, cold_seconds=seconds)
            for reading, seconds in zip(readings, starts, strict=True)
        ]
    return Benchmark(
        machine=machine,
        source=name,
        made=source is None,
        stages=outcome.stages,
        readings=tuple(readings),
        peak_memory=_highest(outcome.peak_memory, readings),
        failed=failed,
    )


def _open(
    choices: Sequence[Choice], progress: Callable[[str], None]
) -> tuple[list[Contender], dict[str, str]]:
    """Return the readers, and why others could not be loaded.

    Raises:
        DocqaError: none could; it is the first one's reason.
    """
    opened: dict[tuple[str, ...], Contender] = {}
    errors: dict[str, DocqaError] = {}
    for choice in choices:
        progress(f"loading {choice}")
        try:
            made = open_contender(choice)
            opened.setdefault((choice.name, made.runtime, made.dtype, made.device), made)
        except DocqaError as error:
            errors[str(choice)] = error
    if not opened:
        raise next(iter(errors.values()))
    return list(opened.values()), {name: str(error) for name, error in errors.items()}


def _cold_starts(
    contenders: Sequence[Contender],
    data: bytes,
    *,
    name: str,
    question: str,
    rounds: int,
    loading: LoadSettings | None,
    progress: Callable[[str], None],
) -> tuple[list[tuple[float, ...]], dict[str, str]]:
    """Return the seconds of cold starts, in interleaved rounds, and why some failed.

    Shapes have none, and neither has a reader of which one start failed.
    """
    taken: list[list[float]] = [[] for _ in contenders]
    failed: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / Path(name).name
        path.write_bytes(data)
        for number in range(rounds):
            for contender, seconds in zip(contenders, taken, strict=True):
                what = f"cold start of {contender.choice}"
                if contender.choice.name in SHAPES or what in failed:
                    continue
                progress(f"cold start {number + 1} of {rounds}: {contender.choice}")
                try:
                    seconds.append(cold_seconds(contender.choice, path, question, loading))
                except ModelError as error:
                    failed[what] = str(error)
                    seconds.clear()
    return [tuple(seconds) for seconds in taken], failed


def _highest(peak: int | None, readings: Sequence[ReadingSpeed]) -> int | None:
    peaks = [peak, *(reading.peak_memory for reading in readings)]
    return max((one for one in peaks if one is not None), default=None)
