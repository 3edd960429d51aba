"""The ends of the command line: one line for every error, and an exit code."""

from __future__ import annotations

import logging
import os
import sys
import traceback
import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import click

from docqa.cli.interrupt import INTERRUPTED, emit, leave_at_once
from docqa.cli.terminal import one_line
from docqa.errors import DocqaError

__all__ = [
    "ANSWERED",
    "BROKEN_PIPE",
    "FAILED",
    "NOTHING_FOUND",
    "debug_option",
    "debugging",
    "describe",
    "guarded",
    "hush_libraries",
    "report_error",
]

ANSWERED, NOTHING_FOUND, FAILED = 0, 1, 2  # as grep ends
BROKEN_PIPE = 141  # 128 + SIGPIPE, what shells report for a command whose reader left

_DEBUG = "docqa.debug"
_UNUSED_GPU = (
    "docqa: reading on the CPU, though NVIDIA's driver is here, since torch is not installed; to "
    "use the GPU: pip install 'docqa-exact[torch]'\n"
)


def _set_debug(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value:
        ctx.meta[_DEBUG] = True


def debug_option() -> click.Option:
    """Return the option ``--debug``, which `debugging` reads."""
    return click.Option(
        ["--debug"],
        is_flag=True,
        expose_value=False,
        is_eager=True,
        callback=_set_debug,
        help="Show tracebacks, warnings and logs of the libraries beneath.",
    )


def debugging(ctx: click.Context) -> bool:
    """Say whether ``--debug`` is given."""
    return bool(ctx.meta.get(_DEBUG))


def guarded(ctx: click.Context, call: Callable[[click.Context], Any]) -> Any:
    """Run `call`; end with one line and an exit code whatever it raises."""
    try:
        result = call(ctx)
        sys.stdout.flush()
    except (click.ClickException, click.exceptions.Exit):
        raise
    except BrokenPipeError:
        _drop_output()
        ctx.exit(BROKEN_PIPE)
    except (KeyboardInterrupt, click.Abort):
        leave_at_once()
        ctx.exit(INTERRUPTED)
    except Exception as error:
        if debugging(ctx):
            traceback.print_exc()
        else:
            report_error(error)
        ctx.exit(FAILED)
    return result


def report_error(error: Exception) -> None:
    """Write the message of an error to standard error, as one line."""
    emit(sys.stderr, f"docqa: error: {describe(error)}\n")


def describe(error: Exception) -> str:
    r"""Return the message of an error on one line, harmless for terminals.

    >>> describe(ValueError("bad\nvalue"))
    'unexpected ValueError: bad value; rerun with --debug to see where'
    """
    if isinstance(error, DocqaError):
        return one_line(str(error))
    if isinstance(error, MemoryError):
        return "out of memory; ask fewer or smaller documents at a time"
    detail = f": {one_line(str(error))}" if str(error) else ""
    return f"unexpected {type(error).__name__}{detail}; rerun with --debug to see where"


def hush_libraries(ctx: click.Context) -> None:
    """Keep the warnings and logs of the libraries beneath off the user's terminal.

    What matters of them reaches the user as warnings of the document. ``--debug`` shows them all.
    Where a library for the GPU is missing, one line says so.
    """
    _note_unused_gpu(ctx)
    if debugging(ctx):
        logging.basicConfig(level=logging.INFO)
        return
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    if not sys.stderr.isatty():
        os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
    logging.getLogger().addHandler(logging.NullHandler())


def _note_unused_gpu(ctx: click.Context) -> None:
    """Say that a GPU stands idle, where a command reads and may choose its device."""
    asked = ctx.params
    settings = "reader" in asked, asked.get("device"), asked.get("runtime", "auto")
    if settings != (True, "auto", "auto") or asked.get("quiet"):
        return
    from docqa.reader.hardware import has_nvidia_driver
    from docqa.reader.requirements import is_installed

    if has_nvidia_driver() and not is_installed("torch"):
        emit(sys.stderr, _UNUSED_GPU)


def _drop_output() -> None:
    """Point standard output at nothing, so that the flush at exit does not fail."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
