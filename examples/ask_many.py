"""Ask every question of every file and print the best answer to each question.

Scores compare across files, so the file that knows best wins.

Run: python examples/ask_many.py
"""

from __future__ import annotations

from pathlib import Path

import docqa

FOLDER = Path(__file__).parent
SOURCES = [FOLDER / name for name in ("handbook.pdf", "notes.md", "logbook.txt", "missing.pdf")]
QUESTIONS = (
    "How many steps lead to the lantern?",
    "How many horsepower has the new engine?",
    "What was the lowest pressure of the storm?",
)


def main() -> None:
    """Print one line for each question, and one for each file that failed."""
    best: dict[str, docqa.Answer] = {}
    failed: dict[str, Exception] = {}
    for item in docqa.Pipeline().ask_all(SOURCES, QUESTIONS):
        if item.error is not None:
            failed[item.source] = item.error
        for answer in item.answers:
            if item.question not in best or answer.score > best[item.question].score:
                best[item.question] = answer
    for question in QUESTIONS:
        answer = best[question]
        where = f"line {answer.line}" if answer.line else f"page {answer.page_number}"
        print(f"{question} {answer.text} ({Path(answer.document.source).name}, {where})")
    for source in failed:
        print(f"not asked: {Path(source).name}")


if __name__ == "__main__":
    main()
