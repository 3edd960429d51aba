"""Put docqa's reader behind a search engine of your own.

The engine keeps the text of each passage, its file and its number. It returns candidates for a
question; the reader finds the answer in them, and the file gives its exact place. Here the engine
is SQLite's FTS5, which comes with Python. Any other takes the place of `SearchEngine`.

Run: python examples/behind_a_search_engine.py
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable
from pathlib import Path

import docqa

FOLDER = Path(__file__).parent
FILES = [FOLDER / name for name in ("handbook.pdf", "handbook.html", "notes.md", "logbook.txt")]
QUESTIONS = (
    "When was the lamp first lit?",
    "How many horsepower has the new engine?",
    "What was the lowest pressure of the storm?",
)


class SearchEngine:
    """A full-text index of passages; it knows nothing of docqa."""

    def __init__(self) -> None:
        self._connection = sqlite3.connect(":memory:")
        self._connection.execute(
            "CREATE VIRTUAL TABLE passages USING fts5"
            "(text, file UNINDEXED, sha256 UNINDEXED, number UNINDEXED, tokenize='porter')"
        )

    def add(self, rows: Iterable[tuple[str, str, str, int]]) -> None:
        """Add passages: the text, the file, the file's SHA-256, the passage's number."""
        self._connection.executemany("INSERT INTO passages VALUES (?, ?, ?, ?)", rows)

    def search(self, question: str, *, limit: int) -> list[tuple[str, str, int]]:
        """Return the best passages: file, SHA-256 and number."""
        words = " OR ".join(f'"{word}"' for word in re.findall(r"\w+", question))
        found = self._connection.execute(
            "SELECT file, sha256, number FROM passages(?) ORDER BY rank LIMIT ?", (words, limit)
        )
        return found.fetchall()


def index(engine: SearchEngine, pipeline: docqa.Pipeline, files: Iterable[Path]) -> None:
    """Split files into passages as the reader takes them, and give these to the engine."""
    for file in files:
        document = pipeline.load(file)
        passages = pipeline.passages(document)
        engine.add((each.text, str(file), document.id, each.number) for each in passages)


def ask(engine: SearchEngine, pipeline: docqa.Pipeline, question: str) -> docqa.Answer | None:
    """Return the best answer in the passages that the engine finds, None where there is none."""
    documents, candidates = {}, []
    for file, sha256, number in engine.search(question, limit=10):
        document = pipeline.load(file)
        if document.id != sha256:
            continue  # the file has changed since: index it again
        documents[document.id] = document
        candidates.append(pipeline.passages(document)[number])
    found = pipeline.reader.read(question, candidates, top_k=1)
    best = next(iter(found.spans), None)
    if best is None:
        return None
    span = best.span.shift(best.passage.span.start)  # of the passage's text, then of the document's
    document = documents[best.passage.document_id]
    return docqa.cite(document, span, question=question, score=best.score, passage=best.passage)


def main() -> None:
    """Print the answer to each question, with its place."""
    engine, pipeline = SearchEngine(), docqa.Pipeline()
    index(engine, pipeline, FILES)
    for question in QUESTIONS:
        answer = ask(engine, pipeline, question)
        if answer is None:
            print(f"{question} no answer")
            continue
        where = f"page {answer.page_number}" if answer.page_number else f"line {answer.line}"
        print(f"{question} {answer.text} ({Path(answer.document.source).name}, {where})")


if __name__ == "__main__":
    main()
