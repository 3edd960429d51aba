"""The quirks of pypdf in one place: its exceptions and its log."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["translated"]


@contextmanager
def translated(error_type: type[Exception]) -> Iterator[None]:
    """Turn every exception into an `error_type`, and keep pypdf's log records off the terminal.

    pypdf raises nearly anything on broken files (ValueError, KeyError, RecursionError). A record
    without any handler goes to standard error; the handler that discards lets those of an
    application see the records all the same.
    """
    handler, logger = logging.NullHandler(), logging.getLogger("pypdf")
    logger.addHandler(handler)
    try:
        yield
    except error_type:
        raise
    except Exception as error:
        detail = str(error) or type(error).__name__
        if type(error).__name__ == "DeprecationError":  # advice to programmers, not to readers
            detail = "an outdated name of a compression filter"
        raise error_type(f"pypdf: {detail}") from error
    finally:
        logger.removeHandler(handler)
