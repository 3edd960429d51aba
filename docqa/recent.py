"""A bounded cache of the values that were used last."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

__all__ = ["Recent"]

_Value = TypeVar("_Value")


class Recent(Generic[_Value]):
    """A cache of at most `size` values, the last used; threads may share it.

    Args:
        size: how many values to keep.
        on_drop: called with each value that makes room for another.

    >>> recent = Recent(1)
    >>> [recent.get_or_make(key, lambda value=value: value) for value, key in enumerate("aaba")]
    [0, 0, 2, 3]
    """

    def __init__(self, size: int, *, on_drop: Callable[[_Value], None] | None = None) -> None:
        self._size = size
        self._on_drop = on_drop
        self._values: OrderedDict[object, _Value] = OrderedDict()
        self._lock = threading.Lock()

    def get_or_make(self, key: object, make: Callable[[], _Value]) -> _Value:
        """Return the value of `key`; make it where it is not kept.

        Two threads that miss at once both make it, so that neither waits for other keys; the one
        kept first is returned to both.
        """
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
        value = make()
        with self._lock:
            kept = self._values.setdefault(key, value)
            self._values.move_to_end(key)
            dropped = [
                self._values.popitem(last=False)[1] for _ in range(len(self._values) - self._size)
            ]
        if self._on_drop is not None:
            for one in dropped:
                self._on_drop(one)
        return kept
