"""Ask a PDF one question and print the answers with their pages.

Run: python examples/ask_pdf.py [FILE QUESTION]
"""

from __future__ import annotations

import sys
from pathlib import Path

import docqa

HANDBOOK = Path(__file__).parent / "handbook.pdf"


def main() -> None:
    """Print at most three answers, best first."""
    source, question = sys.argv[1:] or (HANDBOOK, "When was the lamp first lit?")
    answers = docqa.ask(source, question, top_k=3)
    for answer in answers:
        printed = f", printed {answer.page_label}" if answer.page_label else ""
        print(f"{answer.text}  (page {answer.page_number}{printed}, score {answer.score:.2f})")
        print(f"    {' '.join(answer.context.split())}")
    print(answers.coverage)


if __name__ == "__main__":
    main()
