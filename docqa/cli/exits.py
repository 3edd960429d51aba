"""The ends of the command line: one line for every error, and an exit code."""

from __future__ import annotations

import errno
import logging
import os
import re
import sys
import traceback
import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import click

from docqa.cli.interrupt import INTERRUPTED, OutputError, emit, leave_at_once
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
    "drop_output",
    "guarded",
    "hush_libraries",
    "is_of_output",
    "report_error",
    "report_full_output",
    "without_python",
    "write_defects",
]

ANSWERED, NOTHING_FOUND, FAILED = 0, 1, 2  # as grep ends
BROKEN_PIPE = 141  # 128 + SIGPIPE, what shells report for a command whose reader left

_DEBUG = "docqa.debug"
# Advice of the library that no command can follow, and what a command says instead.
_PYTHON_ADVICE = (
    (r" \(to load a text itself, pass it as bytes\)", ""),
    (r" \(ocr=True\)", ""),
    (r"isolate=False \(--no-isolate\)", "--no-isolate"),
    (
        r"raise the limit with Limits\((?:characters|file_bytes)=\.\.\.\)",
        "load it with --no-isolate if you trust it, which sets no such limit",
    ),
    (
        r"; raise the limit with Limits\(pages=\.\.\.\) to read on",
        "; only the library can raise this limit",
    ),
    (r"isolate=False", "--no-isolate"),
    (r"password= or --password", "--password"),
    (r"encoding= \(--encoding\)", "--encoding"),
    (r"encoding=, --encoding", "--encoding"),
    (r"a smaller window_tokens, ", ""),
    (r"\b(device|runtime|dtype)='(\w+)'", r"--\1 \2"),
    (r"\bruntime (?='\w)", "--runtime "),
    (r"min_score=0\b", "--min-score 0"),
    (r"\btop_k(?= must| is)", "-k"),
    (r"\bpage_number(?= chooses| must)", "--page"),
)
# Settings of the library that are options of the commands, where a message begins with them.
_SETTINGS = re.compile(
    r"\b(min_score|top_passages|passage_tokens|overlap|ocr_language|media_type|time_limit"
    r"|memory_limit)(?= must| is | cannot)"
)
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
    except OSError as error:
        if not is_of_output(error):
            _report(ctx, error)
            ctx.exit(FAILED)
        drop_output()
        if isinstance(error, BrokenPipeError) and not isinstance(error, OutputError):
            ctx.exit(BROKEN_PIPE)
        report_full_output(error)
        ctx.exit(FAILED)
    except (KeyboardInterrupt, click.Abort):
        leave_at_once()
        ctx.exit(INTERRUPTED)
    except Exception as error:
        _report(ctx, error)
        ctx.exit(FAILED)
    return result


def _report(ctx: click.Context, error: Exception) -> None:
    if debugging(ctx):
        traceback.print_exception(error)
    else:
        report_error(error)


def is_of_output(error: Exception) -> bool:
    """Say whether an error means that output, of any writer, cannot be written."""
    if isinstance(error, BrokenPipeError):
        return True
    full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EIO, errno.EBADF)
    return full and getattr(error, "filename", None) is None


def report_full_output(error: OSError) -> None:
    """Write that the output cannot be written to standard error, as one line."""
    text = f"the output cannot be written: {error.strerror}"
    emit(sys.stderr, f"docqa: error: {one_line(text)}\n")


def report_error(error: Exception) -> None:
    """Write the message of an error to standard error, as one line."""
    emit(sys.stderr, f"docqa: error: {describe(error)}\n")


def describe(error: Exception) -> str:
    r"""Return the message of an error on one line, harmless for terminals.

    >>> describe(ValueError("bad\nvalue"))
    'unexpected ValueError: bad value; rerun with --debug to see where'
    """
    if isinstance(error, DocqaError):
        return one_line(without_python(str(error)))
    if isinstance(error, MemoryError):
        return "out of memory; ask fewer or smaller documents at a time"
    detail = f": {one_line(str(error))}" if str(error) else ""
    return f"unexpected {type(error).__name__}{detail}; rerun with --debug to see where"


def without_python(message: str) -> str:
    """Return a message of the library with advice for the command alone.

    >>> without_python("scan.pdf: no text to answer from; --ocr (ocr=True) reads it")
    'scan.pdf: no text to answer from; --ocr reads it'
    """
    for advice, for_command in _PYTHON_ADVICE:
        message = re.sub(advice, for_command, message)
    return _SETTINGS.sub(lambda found: f"--{found[0].replace('_', '-')}", message)


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


def write_defects(
    *libraries: str, only: Callable[[logging.LogRecord], bool] = lambda record: True
) -> None:
    """Let errors that libraries log, which no caller sees, reach standard error.

    Args:
        libraries: names of the loggers.
        only: says of a record whether it is a defect.
    """
    handler = logging.StreamHandler()
    handler.addFilter(only)
    for name in libraries:
        logger = logging.getLogger(name)
        logger.addHandler(handler)
        logger.setLevel(logging.ERROR)
        logger.propagate = False


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


def drop_output() -> None:
    """Point standard output at nothing, so that the flush at exit does not fail."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
