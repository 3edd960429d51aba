"""Function words of English, which are no terms: a list written for this package."""

from __future__ import annotations

__all__ = ["STOP_WORDS"]

_WORDS = """
    a an the this that these those
    i me my we our ours you your yours he him his she her hers it its they them their theirs
    am is are was were be been being do does did doing have has had having
    can could might must shall should will would
    who whom whose which what when where why how
    and or but if nor so than then as because while although though
    of at by for with about against between into through during before after above below to from up
    down in out on off over under again further once upon
    there here all any both each few more most other some such no not only own same too very just
    also s t
"""

STOP_WORDS = frozenset(_WORDS.split())
"""Folded words, before stemming; not "us" and "may", which are also a country and a month."""
