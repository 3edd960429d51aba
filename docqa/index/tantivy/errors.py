"""Translate the errors of tantivy and the file system."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from docqa.errors import CollectionError

__all__ = ["translated_errors"]

_LITTLE = 1 << 20  # bytes of room, in which a segment does not fit


@contextmanager
def translated_errors(address: str, what: str) -> Iterator[None]:
    """Translate the errors of tantivy and the file system.

    Args:
        address: of the collection.
        what: the failure, such as ``"cannot be read"``.

    Raises:
        CollectionError: tantivy or the file system reports an error.
    """
    try:
        yield
    except CollectionError:
        raise
    except OSError as error:
        raise CollectionError(_message(address, what, error.strerror or str(error))) from error
    except (ValueError, SystemError) as error:  # tantivy raises the first for everything
        raise CollectionError(_message(address, what, str(error))) from error


def _message(address: str, what: str, reason: str) -> str:
    if _is_full(address, reason.lower()):
        return (
            f"{address} {what}: the disk is full. What was committed before is intact; free some "
            "room and go on"
        )
    return f"{address} {what}: {reason}"


def _is_full(address: str, reason: str) -> bool:
    if "no space left" in reason or "os error 28" in reason or "quota" in reason:
        return True
    if "killed" not in reason:
        return False
    with suppress(OSError):  # tantivy's thread died, and the reason with it
        return shutil.disk_usage(address).free < _LITTLE
    return False
