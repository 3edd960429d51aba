"""``docqa train average``, ``convert`` and ``pack``: work on checkpoints beside training."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from docqa.cli.prelude import Run, command

__all__ = ["TOOLS", "TrainCommand"]

_FOLDER = click.Path(file_okay=False, path_type=Path)
_QUIET = "No notes; only errors."


class TrainCommand(click.Group):
    """A command with tools beside it, chosen by the first argument alone.

    ``docqa train average ...`` runs the tool; a data file of that name is given as ``./average``.
    """

    allow_interspersed_args = True  # a group's options end at its first argument

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments as those of the command, or leave them to the named tool."""
        if args and args[0] in self.commands:
            ctx.invoked_subcommand, ctx.args = args[0], args[1:]
            return ctx.args
        return click.Command.parse_args(self, ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        """Run the command or the named tool."""
        if ctx.invoked_subcommand is None:
            return click.Command.invoke(self, ctx)
        name = ctx.invoked_subcommand
        path = f"{ctx.info_name} {name}"  # a context below would show DATA in the usage line
        with self.commands[name].make_context(path, ctx.args, parent=ctx.parent) as tool:
            return tool.command.invoke(tool)


@command(quiet=_QUIET)
@click.argument("target", metavar="OUT", type=_FOLDER)
@click.argument("checkpoints", nargs=-1, required=True, metavar="CHECKPOINT...", type=_FOLDER)
def average(run: Run, /, *, target: Path, checkpoints: Sequence[Path]) -> None:
    """Write the mean of the weights of each CHECKPOINT, a folder, to the folder OUT.

    OUT gets the other files of the first one. Runs that began with the same weights can be averaged
    (Wortsman et al. 2022, "Model soups").
    """
    from docqa.training.average import average as write_average

    write_average(checkpoints, target)
    run.notices.note(f"wrote {target}")


@command(quiet=_QUIET)
@click.argument("source", metavar="SRC", type=_FOLDER)
@click.argument("target", metavar="DST", type=_FOLDER)
def convert(run: Run, /, *, source: Path, target: Path) -> None:
    """Write the BERT encoder in the folder SRC as a DistilBERT encoder to the folder DST."""
    from docqa.training.convert import convert as write_converted

    write_converted(source, target)
    run.notices.note(f"wrote {target}")


@command(quiet=_QUIET)
@click.argument("source", metavar="SRC", type=_FOLDER)
@click.argument("target", metavar="DST", type=_FOLDER)
@click.option(
    "--no-answer",
    is_flag=True,
    default=None,
    help="The model was trained with unanswerable questions.",
)
@click.option(
    "--bits",
    type=click.Choice(["8", "4"]),
    default="8",
    show_default=True,
    help="Bits of the weights in the file.",
)
def pack(run: Run, /, *, source: Path, target: Path, no_answer: bool | None, bits: str) -> None:
    """Write the reader in the folder SRC to the folder DST, ready for ONNX Runtime.

    The weights become 8-bit rows, or 4-bit blocks, which are made 8-bit rows when they are loaded.
    DistilBERT, BERT and MPNet get the graphs that run them.

    A calibration of former weights in DST is removed; docqa calibrate makes one for the new ones.
    """
    from docqa.reader.pack import pack_reader

    pack_reader(source, target, no_answer=no_answer, bits=int(bits))
    run.notices.note(f"wrote {target}")


TOOLS = (average, convert, pack)
