"""Keep a folder of mixed files in step, and answer questions about all of them.

`KnowledgeBase` is what an application takes over: it synchronises the folder every so many seconds
in a thread of its own, and answers meanwhile from what was committed last.

Run: python examples/knowledge_base.py FOLDER [INDEX]     asks for questions until an empty line
     python examples/knowledge_base.py                    shows it with copies of these examples

A question may begin with filters: "type:application/pdf When was the lamp first lit?"
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import docqa

HERE = Path(__file__).parent
STATES = {
    "moved": "the file has moved",
    "changed": "the file has changed since",
    "missing": "the file is gone",
    "unreadable": "the file cannot be read",
}


class KnowledgeBase:
    """Answer from the files of a folder.

    Args:
        folder: its files.
        index: where the collection is kept; made when it is not there.
        tell: gets a line when something has changed or went wrong; called in the thread too.
    """

    def __init__(self, folder: Path, index: Path, *, tell: Callable[[str], None] = print) -> None:
        self._folder, self._tell = folder, tell
        self._collection = docqa.Collection(index, pipeline=docqa.Pipeline(isolate=True))
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def sync(self) -> None:
        """Read what is new or has changed; say so."""
        try:
            changes = self._collection.sync(self._folder)
        except docqa.DocqaError as error:  # another process is writing, the disk is full ...
            self._tell(str(error))
            return
        if changes:
            self._tell(str(changes))
        for failure in changes.failed:
            self._tell(failure.message)

    def watch(self, *, seconds: float) -> None:
        """Synchronise every so many seconds from now on."""
        self._thread = threading.Thread(target=self._watch, args=(seconds,), daemon=True)
        self._thread.start()

    def ask(self, question: str, where: docqa.Where | None = None) -> str:
        """Return the best answer with its place, or that there is none."""
        answers = self._collection.ask(question, where=where)
        if not answers:
            return f"no answer ({answers.coverage})"
        answer = answers[0]
        document = answer.document
        state = STATES.get(document.source_state or "")
        told = [Path(document.source).name, place(answer), *([state] if state else [])]
        return f"{answer.text} ({', '.join(filter(None, told))})"

    def close(self) -> None:
        """Stop watching; a file that is being read is finished first."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()
        self._collection.close()

    def _watch(self, seconds: float) -> None:
        while not self._stopped.wait(seconds):
            self.sync()


def place(answer: docqa.Answer) -> str:
    """Return where an answer stands, for people."""
    if answer.page_number is not None:
        return f"page {answer.page_number}"
    return f"line {answer.line}" if answer.line else ""


def with_filters(text: str) -> tuple[str, docqa.Where]:
    """Split what was typed into a question and its filters."""
    where, words = docqa.Where(), text.split()
    while words and ":" in words[0]:
        name, _, value = words.pop(0).partition(":")
        if name == "type":
            where = replace(where, media_type=value)
        elif name == "folder":
            where = replace(where, folder=value)
        else:
            where = replace(where, metadata={**where.metadata, name: value})
    return " ".join(words), where


def converse(folder: Path, index: Path) -> None:
    """Answer what is typed until an empty line."""
    base = KnowledgeBase(folder, index)
    base.sync()
    base.watch(seconds=10)
    for line in iter(sys.stdin.readline, ""):
        if not line.strip():
            break
        question, where = with_filters(line)
        print(base.ask(question, where))
    base.close()


def show() -> None:
    """Show what happens to files that come, change and go."""
    question = "How many horsepower has the new engine?"
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / "files"
        folder.mkdir()
        for name in ("handbook.pdf", "handbook.html", "notes.md"):
            shutil.copy(HERE / name, folder)
        base = KnowledgeBase(folder, Path(made) / "index")
        base.sync()
        print(base.ask("When was the lamp first lit?", docqa.Where(media_type="application/pdf")))
        print(base.ask(question))
        notes = folder / "notes.md"
        notes.write_text(notes.read_text("utf-8").replace("has 54 horse", "has 60 horse"), "utf-8")
        print(base.ask(question))
        base.sync()
        print(base.ask(question))
        notes.unlink()
        shutil.copy(HERE / "logbook.txt", folder)
        base.sync()
        print(base.ask("What was the lowest pressure of the storm?"))
        base.close()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        chosen = Path(sys.argv[1])
        converse(chosen, Path(sys.argv[2]) if len(sys.argv) > 2 else chosen / ".docqa")
    else:
        show()
