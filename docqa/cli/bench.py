"""``docqa bench``: how fast this machine asks, stage by stage and reader by reader."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING, Any, Literal

import click

from docqa.cli.exits import ANSWERED, debug_option, debugging, hush_libraries
from docqa.cli.interrupt import emit
from docqa.cli.notices import Notices
from docqa.cli.options import LibraryDefault, source_options
from docqa.cli.progress import ProgressLine
from docqa.load_settings import LoadSettings

if TYPE_CHECKING:
    from docqa.benchmark.contenders import Choice

__all__ = ["bench"]

_EPILOG = """
\b
Examples:
  docqa bench
  docqa bench report.pdf "Who audits the company?" --reader mini
  docqa bench --reader mini --runtime torch --runtime onnx
  docqa bench --reader distilbert-base --reader ./my-checkpoint --rounds 5
  docqa bench --reader mini --cold --json > speed.json

\b
Readers:
  what ask takes, and shapes with random weights, whose speed is that of the real model:
  bert-base, distilbert-base, minilm

\b
Exit codes:
  0 measured, 2 an error
"""


@click.command(epilog=_EPILOG)
@click.argument("file", required=False, type=click.Path())
@click.argument("questions", nargs=-1, metavar="[QUESTION]...")
@click.option(
    "--reader",
    "readers",
    multiple=True,
    metavar="NAME|PATH",
    help="A reader to measure; may be repeated. The others are compared with the first one. By"
    " default bert-base, distilbert-base, and mini on torch and on what it runs by itself.",
)
@click.option(
    "--runtime",
    "runtimes",
    multiple=True,
    type=click.Choice(["auto", "onnx", "torch"]),
    help="What computes; may be repeated. Shapes run on torch.",
)
@click.option(
    "--dtype",
    "dtypes",
    multiple=True,
    type=click.Choice(["int8", "float32", "bfloat16", "float16"]),
    help="The number format to compute in; may be repeated.",
)
@click.option(
    "--device",
    default="auto",
    envvar="DOCQA_DEVICE",
    show_default=True,
    help="Where the readers run: auto, cpu, cuda, cuda:1, mps.",
)
@click.option(
    "--rounds",
    type=click.IntRange(min=1),
    default=3,
    show_default=True,
    metavar="N",
    help="How often everything is measured; medians are shown.",
)
@click.option(
    "--pages",
    type=click.IntRange(min=1),
    default=100,
    show_default=True,
    metavar="N",
    help="Pages of the PDF that is made where no FILE is given.",
)
@click.option(
    "--top-passages",
    cls=LibraryDefault,
    type=click.IntRange(min=1),
    help="Passages that are read for a question.",
)
@click.option("--cold", is_flag=True, help="Measure `docqa ask` from a fresh process as well.")
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object.")
@click.option("--quiet", is_flag=True, help="No progress and notes; only errors.")
@source_options
@debug_option
@click.pass_context
def bench(
    ctx: click.Context,
    /,
    *,
    file: str | None,
    questions: Sequence[str],
    readers: Sequence[str],
    runtimes: Sequence[Literal["auto", "onnx", "torch"]],
    dtypes: Sequence[str],
    device: str,
    rounds: int,
    pages: int,
    top_passages: int | None,
    cold: bool,
    as_json: bool,
    quiet: bool,
    loading: LoadSettings,
) -> None:
    """Measure how fast FILE, or a PDF made for it, is loaded, split, ranked and read here."""
    from docqa.benchmark.run import run_benchmark
    from docqa.cli.bench_text import benchmark_text

    hush_libraries(ctx)
    progress = ProgressLine(quiet=quiet)
    ctx.call_on_close(progress.close)
    given: dict[str, Any] = {} if top_passages is None else {"top_passages": top_passages}
    result = run_benchmark(
        file,
        questions,
        choices=_choices(readers, runtimes, dtypes, device),
        rounds=rounds,
        pages=pages,
        loading=loading,
        cold=cold,
        progress=progress.say,
        **given,
    )
    progress.close()
    notices = Notices(quiet=quiet, debug=debugging(ctx))
    for name, reason in result.failed.items():
        notices.note(f"not measured: {name}: {reason}")
    if as_json:
        emit(sys.stdout, json.dumps(result.to_dict(), indent=2, allow_nan=False) + "\n")
    else:
        emit(sys.stdout, benchmark_text(result, sys.stdout))
    ctx.exit(ANSWERED)


def _choices(
    readers: Sequence[str],
    runtimes: Sequence[Literal["auto", "onnx", "torch"]],
    dtypes: Sequence[str],
    device: str,
) -> list[Choice]:
    """Return every reader on every runtime in every number format; shapes on torch alone."""
    from docqa.benchmark.contenders import Choice
    from docqa.benchmark.run import DEFAULT_CHOICES
    from docqa.benchmark.shapes import SHAPES

    if not (readers or runtimes or dtypes):
        return [replace(choice, device=device) for choice in DEFAULT_CHOICES]
    names = readers or dict.fromkeys(choice.name for choice in DEFAULT_CHOICES)
    choices = (
        Choice(name, "auto" if name in SHAPES else runtime, dtype, device)
        for name, runtime, dtype in product(names, runtimes or ("auto",), dtypes or (None,))
    )
    return list(dict.fromkeys(choices))
