"""A bounded cache of the values that were used last."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

__all__ = ["Recent"]

_Value = TypeVar("_Value")


class Recent(Generic[_Value]):
    """A cache of at most `size` values, or of that weight, the last used; threads may share it.

    Args:
        size: how many values to keep, or how heavy they may be together.
        weigh: returns the weight of a value; None counts them.
        on_drop: called with each value that makes room for another.

    >>> recent = Recent(1)
    >>> [recent.get_or_make(key, lambda value=value: value) for value, key in enumerate("aaba")]
    [0, 0, 2, 3]
    >>> heavy = Recent(5, weigh=len)
    >>> [heavy.get_or_make(key, lambda key=key: key * 2) for key in ("a", "b", "a", "cc", "d")]
    ['aa', 'bb', 'aa', 'cccc', 'dd']
    >>> [heavy.get_or_make(key, str) for key in ("cc", "d", "a")]
    ['', 'dd', '']
    """

    def __init__(
        self,
        size: int,
        *,
        weigh: Callable[[_Value], int] | None = None,
        on_drop: Callable[[_Value], None] | None = None,
    ) -> None:
        self._size, self._weigh, self._on_drop = size, weigh, on_drop
        self._weight = 0
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
            if key not in self._values:
                self._values[key] = value
                self._weight += self._weight_of(value)
            kept = self._values[key]
            self._values.move_to_end(key)
            dropped = []
            while self._weight > self._size:
                dropped.append(self._values.popitem(last=False)[1])
                self._weight -= self._weight_of(dropped[-1])
        if self._on_drop is not None:
            for one in dropped:
                self._on_drop(one)
        return kept

    def _weight_of(self, value: _Value) -> int:
        return 1 if self._weigh is None else self._weigh(value)
