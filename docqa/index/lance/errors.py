"""Translate the errors of Lance, and try again after a lost race."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from docqa.errors import CollectionError

__all__ = ["retried", "translated_errors"]

_ATTEMPTS = 8
_FIRST_WAIT = 0.1  # seconds; doubled with each attempt, half of it by chance
_CONFLICTS = ("conflict", "concurrent", "contention", "attempts", "timed out")

_Result = TypeVar("_Result")


@contextmanager
def translated_errors(address: str, what: str) -> Iterator[None]:
    """Translate the errors of Lance.

    Args:
        address: of the collection.
        what: the failure, such as ``"cannot be read"``.

    Raises:
        CollectionError: Lance reports an error.
    """
    try:
        yield
    except (RuntimeError, ValueError, OSError) as error:
        said = (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
        if "not found" in said.lower():
            advice = "it was replaced and compacted, or is no collection: open it again"
        else:
            advice = "check the address, the AWS_... environment variables and the connection"
        raise CollectionError(f"{address}: {what} ({said}); {advice}") from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # of Rust, which no name imports
            raise
        raise CollectionError(
            f"{address}: {what}: its engine broke off, as it does over damaged files; copy it back "
            "from a backup, or index its sources again: docqa index SOURCE... --to KB"
        ) from error


def retried(address: str, act: Callable[[int], _Result]) -> _Result:
    """Return the result of an act, which is tried again where another process came first.

    Lance tries again by itself where the rows allow it; this goes on where it gives up.

    Args:
        address: of the collection.
        act: takes the number of the attempt, from 0; doing it twice must be the same as once.

    Raises:
        CollectionError: another process came first each time; nothing was changed.
    """
    for attempt in range(_ATTEMPTS):
        try:
            return act(attempt)
        except (RuntimeError, ValueError, OSError) as error:
            if not any(word in str(error).lower() for word in _CONFLICTS):
                raise
            lost = error
        time.sleep(_FIRST_WAIT * 2**attempt * (0.5 + random.random() / 2))
    raise CollectionError(
        f"{address}: other processes changed it each of the {_ATTEMPTS} times that this change was "
        "tried, and nothing of it is written; try again, and let fewer processes write at once"
    ) from lost
