"""Translate the errors of tantivy and the file system."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from docqa.errors import CollectionError

__all__ = ["DamageError", "damaged", "translated_errors"]

_LITTLE = 1 << 20  # bytes of room, in which a segment does not fit
# Words of tantivy and Rust for failures that are not of the content of files.
_NOT_DAMAGE = re.compile(r"os error|lock|permission|killed|too many|memory", re.I)
_READING = "cannot be read"


class DamageError(ValueError):
    """A file of an index is damaged; the message has its path."""


@contextmanager
def translated_errors(address: str, what: str) -> Iterator[None]:
    """Translate the errors of tantivy and the file system.

    tantivy raises `ValueError` for everything. A damaged index may also make it panic, which comes
    through Python as a `BaseException` of a class that cannot be imported.

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
        where = f" ({error.filename})" if error.filename else ""
        reason = f"{error.strerror or error}{where}"
        raise CollectionError(_message(address, what, reason)) from error
    except DamageError as error:
        raise damaged(address, str(error)) from error
    except (ValueError, SystemError) as error:
        if what == _READING and not _NOT_DAMAGE.search(str(error)):
            raise damaged(address, "its engine cannot read its files") from error
        raise CollectionError(_message(address, what, str(error))) from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise damaged(address, "its engine broke off while it read its files") from error


def damaged(address: str, detail: str) -> CollectionError:
    """Return the error for a collection whose index is damaged.

    Args:
        address: of the collection.
        detail: the file, and what is wrong with it.
    """
    return CollectionError(
        f"{address}: the index is damaged ({detail}). Copy it back from a backup, or index its "
        f"sources again into a new folder: docqa index SOURCE... --to KB; docqa kb check {address} "
        "names every damaged file"
    )


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
