"""The one line about a GPU that stands idle because torch is not installed."""

from __future__ import annotations

import sys

import click

from docqa.cli.interrupt import emit

__all__ = ["note_unused_gpu"]

_NOTE = (
    "docqa: reading on the CPU, though NVIDIA's driver is here, since torch is not installed; to "
    "use the GPU: pip install 'docqa-exact[torch]'\n"
)


def note_unused_gpu(ctx: click.Context) -> None:
    """Write the line to standard error where a command reads and may choose its device."""
    asked = ctx.params
    settings = "reader" in asked, asked.get("device"), asked.get("runtime", "auto")
    if settings != (True, "auto", "auto") or asked.get("quiet"):
        return
    from docqa.reader.hardware import has_nvidia_driver
    from docqa.reader.requirements import is_installed

    if has_nvidia_driver() and not is_installed("torch"):
        emit(sys.stderr, _NOTE)
