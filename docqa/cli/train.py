"""``docqa train``: fine-tune a reader on questions with gold answers."""

from __future__ import annotations

import functools
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from docqa.cli.interrupt import INTERRUPTED, before_leaving, request_to_stop, tell
from docqa.cli.notices import SLOW_BFLOAT16, Notices, counted
from docqa.cli.options import device_option
from docqa.cli.prelude import Run, command
from docqa.cli.progress import ProgressLine
from docqa.cli.train_tools import TOOLS, TrainCommand
from docqa.training.settings import TrainSettings

if TYPE_CHECKING:
    from docqa.training.finetune import StepReport
    from docqa.training.training_run import Computing, Trained, TrainingData

__all__ = ["train"]

_Command = TypeVar("_Command", bound=Callable[..., Any])

_MOST_ROWS_NAMED = 5  # lines on standard error; --bad-rows writes them all
_STEPS_A_LINE = 50  # where no bar is shown
_SETTINGS_HELP = {
    "epochs": "How often the data is seen; 1.5 is once and a half.",
    "batch_tokens": "Tokens of one forward pass, padding included.",
    "accumulate": "Forward passes whose gradients make one step.",
    "learning_rate": "The highest, after warm-up; falls linearly to 0.",
    "warmup": "Share of the steps in which the rate rises.",
    "weight_decay": "Of AdamW; biases and norms have none.",
    "clip_norm": "Longest gradient.",
    "dropout": "Share of dropped activations; the checkpoint's own by default.",
    "freeze": "Keep the embeddings and the N lowest layers as they are; without, all are trained.",
    "window_tokens": "Longest window: question, passage and special tokens.",
    "window_overlap": "Tokens that windows of one long passage share.",
    "max_question_tokens": "Longest question; rows with longer ones are left out.",
    "hard_negatives": "Share of the questions that are also paired with a passage that ranks high"
    " and lacks their answer.",
    "noise": "Share of the questions that are written as people type.",
    "teacher_weight": "Share of the teacher in the loss.",
    "temperature": "Softens the teacher's distributions.",
    "evaluate_every": "In steps.",
    "checkpoint_every": "In steps: what a kill costs at most.",
    "seed": "Of all random draws.",
}

_METAVARS = {"freeze": "N"}

_EPILOG = """
\b
Examples:
  docqa train questions.json --out run/
  docqa train squad.json qamr.json.gz --weight qamr.json.gz 0.1 --evaluate-on dev.json --out run/
  docqa train questions.json --teacher distilbert --out run/
  docqa ask report.pdf "Who audits the company?" --reader run/reader
  docqa train average mean/ run-a/reader run-b/reader
  docqa train pack run/reader my-reader --no-answer

\b
DATA is in SQuAD form (v1.1 or v2.0). The same command goes on where a run was cut off. Ctrl-C ends
it after the step that it is taking, with a checkpoint.
"""


def _settings_options(command: _Command) -> _Command:
    """Add an option for each field of `TrainSettings`; the command gets them as `settings`."""

    @functools.wraps(command)
    def with_settings(*arguments: Any, **given: Any) -> Any:
        own = {field.name: given.pop(field.name) for field in fields(TrainSettings)}
        return command(*arguments, settings=TrainSettings(**own), **given)

    made: Callable[..., Any] = with_settings
    for field in reversed(fields(TrainSettings)):
        kind = int if str(field.type).startswith("int") else float
        made = click.option(
            f"--{field.name.replace('_', '-')}",
            type=kind,
            default=field.default,
            show_default=field.default is not None,
            metavar=_METAVARS.get(field.name),
            help=_SETTINGS_HELP[field.name],
        )(made)
    return cast(_Command, made)


@command(
    cls=TrainCommand,
    epilog=_EPILOG,
    json="Write the outcome as one JSON object.",
    quiet="No progress and notes; only errors.",
    subcommand_metavar="",
)
@click.argument("data", nargs=-1, required=True, metavar="DATA...", type=click.Path())
@click.option(
    "--out",
    required=True,
    metavar="DIR",
    type=click.Path(file_okay=False),
    help="Gets reader/, log.jsonl, and the state to resume from.",
)
@click.option(
    "--start",
    default="mini",
    metavar="NAME|PATH",
    show_default=True,
    help="The checkpoint to start from: a reader, or an encoder's folder.",
)
@click.option(
    "--teacher",
    metavar="NAME|PATH",
    help="A stronger reader to learn from; its logits are kept in DIR.",
)
@click.option(
    "--evaluate-on",
    metavar="FILE",
    type=click.Path(),
    help="Questions that choose the best version; without, the last is kept.",
)
@click.option(
    "--weight",
    "weights",
    nargs=2,
    multiple=True,
    type=(str, float),
    metavar="DATA TIMES",
    help="How often a file is seen an epoch: 0.3 is a random 30% of it.",
)
@device_option
@click.option(
    "--dtype",
    type=click.Choice(["float32", "bfloat16"]),
    help="The number format it computes in; by default bfloat16, with float32 master weights, where"
    " the device multiplies it in hardware. A run goes on in its own.",
)
@click.option(
    "--bad-rows",
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help="Write every row that is left out: file, id and reason.",
)
@_settings_options
def train(
    run: Run,
    /,
    *,
    data: Sequence[str],
    out: str,
    start: str,
    teacher: str | None,
    evaluate_on: str | None,
    weights: Sequence[tuple[str, float]],
    device: str,
    dtype: str | None,
    bad_rows: str | None,
    settings: TrainSettings,
) -> int | None:
    """Fine-tune a reader on the questions of DATA and write it to DIR/reader."""
    from docqa.question_sets import read_question_set
    from docqa.training.training_run import train as train_reader

    files = _weighted(data, weights)
    watch = _Watch(
        run.notices,
        run.progress,
        bad_rows=bad_rows,
        checkpoint_every=settings.checkpoint_every,
    )
    if not run.quiet:
        before_leaving(watch.leave)
    run.progress.say("reading the questions")
    with request_to_stop(watch.stop_asked if not run.quiet else lambda: None) as stop:
        trained = train_reader(
            files,
            out,
            start=start,
            teacher=teacher,
            evaluate_on=read_question_set(evaluate_on) if evaluate_on else None,
            settings=settings,
            device=device,
            dtype=dtype,
            on_start=watch.start,
            on_data=watch.data,
            on_teacher=watch.teacher,
            on_step=watch.step,
            stop=stop,
        )
    run.progress.close()
    if trained.step < trained.steps:
        run.notices.note(_stopped(trained, Path(out)))
        return INTERRUPTED
    if run.as_json:
        run.write_record({"reader": str(trained.reader), "figures": dict(trained.figures)})
    else:
        run.write(_line(trained))
    return None


for _tool in TOOLS:
    train.add_command(_tool)


def _weighted(data: Sequence[str], weights: Sequence[tuple[str, float]]) -> Mapping[Any, float]:
    """Return each file with its weight.

    Raises:
        click.UsageError: a weight is of no file.
    """
    files = dict.fromkeys(data, 1.0)
    for name, times in weights:
        if name not in files:
            raise click.UsageError(f"--weight {name}: it is not one of DATA ({', '.join(files)})")
        files[name] = times
    return files


class _Watch:
    """The reports on a run of training."""

    def __init__(
        self,
        notices: Notices,
        progress: ProgressLine,
        *,
        bad_rows: str | None,
        checkpoint_every: int,
    ) -> None:
        self._notices, self.progress, self._bad_rows = notices, progress, bad_rows
        self._read = self._kept = 0
        self._checkpoint_every = checkpoint_every

    def start(self, computing: Computing) -> None:
        """Report the number format of a run, and the step after which it goes on."""
        self.progress.close()
        self._kept = computing.step
        exact = " with float32 master weights" if computing.dtype == "bfloat16" else ""
        where = f"{computing.device}, which is not known to multiply bfloat16 in hardware"
        if computing.unit:
            where = f"{computing.device}, where {computing.unit} multiplies bfloat16"
        goes_on = f"; going on after step {computing.step:,}" if computing.step else ""
        self._notices.note(f"training in {computing.dtype}{exact} on {where}{goes_on}")
        if computing.dtype == "bfloat16" and not computing.unit:
            self._notices.warning(SLOW_BFLOAT16.format(device=computing.device))
        self.progress.say("reading the questions")

    def leave(self) -> None:
        """Report in one write where Ctrl-C leaves the run, and do nothing else."""
        at = f"the last checkpoint is of step {self._kept:,}" if self._kept else "no checkpoint yet"
        read = f", {self._read:,} windows that the teacher read are kept" if self._read else ""
        tell(f"stopped at once; {at}{read}. To go on: {_command_line()}")

    def stop_asked(self) -> None:
        """Report in one write that the run will end, and do nothing else."""
        tell("stopping after this step, with a checkpoint; Ctrl-C again ends it at once")

    def data(self, data: TrainingData) -> None:
        self.progress.close()
        for path, (questions, examples, negatives) in data.counts.items():
            self._notices.note(
                f"{path}: {questions:,} questions, {examples:,} windows, {negatives:,} of them "
                "hard negatives"
            )
        rows = data.bad_rows
        for row in rows[:_MOST_ROWS_NAMED]:
            self._notices.note(f"left out: {row}")
        if len(rows) > _MOST_ROWS_NAMED:
            left = f"{len(rows) - _MOST_ROWS_NAMED:,} more rows are left out"
            self._notices.note(f"{left}; --bad-rows FILE names them all")
        if self._bad_rows:
            Path(self._bad_rows).write_text("".join(f"{row}\n" for row in rows), "utf-8")
        self.progress.say("loading")

    def teacher(self, done: int, total: int) -> None:
        self._read = done
        self.progress.say("the teacher reads", total=total, done=done, unit="windows")

    def step(self, report: StepReport) -> None:
        if report.step == report.steps or report.step % self._checkpoint_every == 0:
            self._kept = report.step
        speed = f"{report.tokens / report.seconds:,.0f} tokens/s"
        state = f"loss {report.loss:.3f}, {speed}"
        if report.figures:
            self.progress.close()
            f1, exact = report.figures["f1"], report.figures["exact_match"]
            self._notices.note(f"step {report.step:,}: {state}, EM {exact:.2f}, F1 {f1:.2f}")
        elif not self.progress.shown and report.step % _STEPS_A_LINE == 0:
            self._notices.note(f"step {report.step:,} of {report.steps:,}: {state}")
        self.progress.say(state, total=report.steps, done=report.step, unit="steps")


def _stopped(trained: Trained, out: Path) -> str:
    from docqa.training.checkpoint import STATE_FILE

    return (
        f"stopped after step {trained.step:,} of {trained.steps:,}, with a checkpoint in "
        f"{out / STATE_FILE}. To go on: {_command_line()}"
    )


def _command_line() -> str:
    """Return the command as it was given, for the shell."""
    words = ["docqa", *sys.argv[1:]]
    return subprocess.list2cmdline(words) if os.name == "nt" else shlex.join(words)


def _line(trained: Trained) -> str:
    if not trained.figures:
        return f"{trained.reader}\n"
    figures = trained.figures
    return (
        f"{trained.reader}: EM {figures['exact_match']:.2f}, F1 {figures['f1']:.2f} "
        f"at {counted(int(figures['step']), 'step')}\n"
    )
