"""Steps of a reader on the page of the server, in a browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def ask(page: Any, questions: str) -> None:
    """Type questions, ask them, and wait until they are answered."""
    page.fill("#question", questions)
    page.press("#question", "Enter")
    page.wait_for_selector(".asked")
    page.wait_for_selector(".said progress", state="detached")


def until(page: Any, holds: Callable[[], Any]) -> None:
    """Let the page go on until something holds; Playwright's own wait needs eval, which is barred.

    Raises:
        AssertionError: it does not hold after twenty seconds.
    """
    for _ in range(400):
        if holds():
            return
        page.wait_for_timeout(50)
    raise AssertionError("it does not come true")
