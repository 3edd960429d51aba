"""The rules of prose that a machine can check; `docs/contributing.md` has them all."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

import docqa

PACKAGE = Path(docqa.__file__).parent
Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef

# Words that have a plainer one: again, reported, the number itself, a name.
BANNED = re.compile(r"\b(anew|told|so many|nobody|somebody)\b", re.IGNORECASE)
# Clauses without a noun, of which a first line leaves open what they mean.
NOUNLESS = re.compile(r"\bwhat\b|\bthose (that|which|who)\b", re.IGNORECASE)
# A class is a thing; these words tell it to act.
VERBS = re.compile(
    r"(Add|Arrange|Ask|Be|Bring|Collect|Compare|Do|Find|Follow|Gather|Give|Hold|Keep|Know|Lend|Let"
    r"|Load|Make|Put|Read|Say|Show|Split|Stand|Take|Tell|Turn|Unpack|Watch|Write)\b"
    r"|[A-Z]\w+ (an?|the)\b"
)


class Line(NamedTuple):
    """A line of prose in the source: the first of a docstring, or a message."""

    kind: str
    place: str
    text: str
    rest: str = ""  # of the docstring; only the banned words are looked for there


def room(path: Path) -> str:
    """Return the first name of a module's path below the package."""
    return path.relative_to(PACKAGE).parts[0]


def lines(path: Path) -> Iterator[Line]:
    """Yield the first lines of a module's docstrings, and its other strings as messages."""
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    docstrings = set()
    for node in ast.walk(tree):
        if isinstance(node, Documented) and (docstring := ast.get_docstring(node)):
            docstrings.add(id(node.body[0].value))  # type: ignore[attr-defined]
            place = f"{path.relative_to(PACKAGE)}:{node.body[0].lineno}"
            first, _, rest = docstring.partition("\n")
            yield Line(type(node).__name__, place, first, rest)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) not in docstrings and is_message(node.value):
            yield Line("message", f"{path.relative_to(PACKAGE)}:{node.lineno}", str(node.value))


def is_message(value: object) -> bool:
    """Say whether a constant of the source has words in it."""
    return isinstance(value, str) and " " in value


def faults(line: Line) -> Iterator[str]:
    """Yield the rules that a line breaks."""
    if found := BANNED.search(f"{line.text}\n{line.rest}"):
        yield f"banned: {found[0]}"
    if line.kind == "message":
        return
    if found := NOUNLESS.search(line.text):
        yield f"a clause without a noun: {found[0]}"
    if line.kind == "ClassDef" and (found := VERBS.match(line.text)):
        yield f"a class is a noun phrase: {found[0]}"


ROOMS = sorted({room(path) for path in PACKAGE.rglob("*.py")})


@pytest.mark.parametrize("name", ROOMS)
def test_prose_is_plain(name: str) -> None:
    """Docstrings and messages keep to the words and the form that contributing.md asks for."""
    found = [
        f"{line.place}: {fault}: {line.text}"
        for path in sorted(PACKAGE.rglob("*.py"))
        if room(path) == name
        for line in lines(path)
        for fault in faults(line)
    ]
    assert not found, "\n" + "\n".join(found)


@pytest.mark.parametrize(
    ("kind", "text", "n_faults"),
    [
        ("ClassDef", "A passage with its rank and BM25 score.", 0),
        ("ClassDef", "Hold a passage.", 1),
        ("ClassDef", "Name the reader that found an answer.", 1),
        ("ClassDef", "Name of a reader.", 0),
        ("FunctionDef", "Return the passage counter of a reader.", 0),
        ("FunctionDef", "Return what tells into how many passages a document is split.", 1),
        ("FunctionDef", "Return those that were made anew.", 2),
        ("message", "the collection is made anew", 1),
        ("message", "what to do", 0),
    ],
)
def test_rules_find_faults(kind: str, text: str, n_faults: int) -> None:
    """Each rule finds what it is for, and leaves plain prose alone."""
    assert len(list(faults(Line(kind, "", text)))) == n_faults
