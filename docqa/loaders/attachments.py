"""Words for the files that a document carries and that are not read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

__all__ = ["attached_files", "short_name"]

_NAMES_SHOWN = 5
_LONGEST_NAME = 60


def attached_files(names: Sequence[str], program: str) -> Iterator[str]:
    """Yield a sentence that says how many files are attached, if any are, and names some.

    Args:
        names: of the files; ``""`` for one without.
        program: that can save them, such as ``"a PDF program"``.

    >>> list(attached_files(["terms.txt"], "a PDF program"))
    ['an attached file (terms.txt) is not read; save it with a PDF program and ask it']
    """
    if not names:
        return
    shown = [short_name(name) for name in names[:_NAMES_SHOWN]]
    if len(names) > len(shown):
        shown.append(f"and {len(names) - len(shown):,} more")
    listed = ", ".join(shown)
    if len(names) == 1:
        yield f"an attached file ({listed}) is not read; save it with {program} and ask it"
    else:
        yield (
            f"{len(names):,} attached files ({listed}) are not read; save them with {program} and "
            "ask them"
        )


def short_name(name: str) -> str:
    """Return a name from a file as part of a sentence: printable, and not too long."""
    name = "".join(one if one.isprintable() else "\ufffd" for one in name) or "without a name"
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"
