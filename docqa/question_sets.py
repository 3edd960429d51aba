"""Question sets in SQuAD form: questions over paragraphs, with gold answers and their places.

SQuAD v1.1 (Rajpurkar et al. 2016) and v2.0 (Rajpurkar et al. 2018, with questions that have no
answer), plain or gzipped. Every row is checked: one that is broken is named with its reason and
left out, never guessed at.
"""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from docqa.errors import QuestionSetError

__all__ = ["Article", "BadRow", "Gold", "Paragraph", "Question", "QuestionSet", "read_question_set"]


@dataclass(frozen=True, slots=True)
class Gold:
    """A gold answer: ``context[start:start + len(text)] == text``."""

    text: str
    start: int


@dataclass(frozen=True, slots=True)
class Question:
    """A question with its gold answers; none means that its paragraph has no answer."""

    id: str
    text: str
    golds: tuple[Gold, ...]

    @property
    def answerable(self) -> bool:
        """Say whether the paragraph answers the question."""
        return bool(self.golds)


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A text with the questions asked of it."""

    context: str
    questions: tuple[Question, ...]


@dataclass(frozen=True, slots=True)
class Article:
    """The paragraphs of one document, in order."""

    title: str
    paragraphs: tuple[Paragraph, ...]


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that was left out.

    Attributes:
        file: path of the question set.
        id: the question's id, or the place of the row (``article 3, paragraph 2``).
        reason: what is wrong with it.
    """

    file: str
    id: str
    reason: str

    def __str__(self) -> str:
        return f"{self.file}: {self.id}: {self.reason}"


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """The whole content of one file.

    Attributes:
        name: the file's name without its suffixes.
        articles: with the rows that are sound.
        bad_rows: the others.
        path: of the file; ``""`` where there is none. It makes no set another one.
    """

    name: str
    articles: tuple[Article, ...]
    bad_rows: tuple[BadRow, ...] = ()
    path: str = field(default="", compare=False)

    def rows(self) -> Iterator[tuple[Paragraph, Question]]:
        """Yield every question with its paragraph, in the file's order."""
        for article in self.articles:
            for paragraph in article.paragraphs:
                for question in paragraph.questions:
                    yield paragraph, question

    def __len__(self) -> int:
        """Return the number of questions."""
        return sum(1 for _ in self.rows())


def read_question_set(path: str | Path) -> QuestionSet:
    """Read a file in SQuAD form, ``.json`` or ``.json.gz``.

    Raises:
        QuestionSetError: there is no such file, it is not JSON or not in SQuAD form, or not one
            question of it is sound.
    """
    file = Path(path).expanduser()
    content = _content(file)
    if not isinstance(content, dict) or not isinstance(content.get("data"), list):
        raise QuestionSetError(
            f"{file} is not in SQuAD form: it needs an object with a list named 'data', of "
            "articles with paragraphs; see the guide on evaluation"
        )
    reading = _Reading(str(file))
    articles = tuple(reading.article(*pair) for pair in enumerate(content["data"], start=1))
    name = file.name.removesuffix(".gz").removesuffix(".json")
    made = QuestionSet(name, articles, tuple(reading.bad_rows), str(file))
    if not len(made):
        faults = made.bad_rows
        reason = (
            f"the first of {len(faults)} faults: {faults[0]}"
            if faults
            else "give it articles with paragraphs and questions ('qas')"
        )
        raise QuestionSetError(f"{file} holds no question that can be used; {reason}")
    return made


def _content(file: Path) -> Any:
    try:
        data = file.read_bytes()
        if data[:2] == b"\x1f\x8b":
            data = gzip.decompress(data)
        return json.loads(data.decode("utf-8-sig"))
    except FileNotFoundError as error:
        raise QuestionSetError(f"there is no file {file}; name a question set") from error
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise QuestionSetError(
            f"{file} is a damaged gzip file ({error}); fetch it again"
        ) from error
    except OSError as error:
        raise QuestionSetError(f"{file} cannot be read ({error.strerror or error})") from error
    except (ValueError, RecursionError) as error:
        raise QuestionSetError(f"{file} is not JSON in UTF-8 ({error})") from error


@dataclass(slots=True)
class _Reading:
    """A parser of SQuAD's JSON into records that notes every broken row."""

    file: str
    bad_rows: list[BadRow] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)

    def bad(self, row: str, reason: str) -> None:
        self.bad_rows.append(BadRow(self.file, row, reason))

    def article(self, number: int, row: Any) -> Article:
        if not isinstance(row, dict) or not isinstance(row.get("paragraphs"), list):
            self.bad(f"article {number}", "it has no list of paragraphs")
            return Article("", ())
        places = (
            f"article {number}, paragraph {at}" for at in range(1, len(row["paragraphs"]) + 1)
        )
        made = (self.paragraph(*pair) for pair in zip(places, row["paragraphs"], strict=True))
        return Article(
            str(row.get("title") or ""), tuple(each for each in made if each is not None)
        )

    def paragraph(self, place: str, row: Any) -> Paragraph | None:
        context = row.get("context") if isinstance(row, dict) else None
        if not isinstance(context, str) or not context.strip():
            self.bad(place, "its context is empty or no text")
            return None
        if (fault := _unloadable(context)) is not None:
            self.bad(place, fault)
            return None
        if not isinstance(row.get("qas"), list):
            self.bad(place, "it has no list of questions ('qas')")
            return None
        made = (
            self.question(f"{place}, question {at}", context, each)
            for at, each in enumerate(row["qas"], start=1)
        )
        return Paragraph(context, tuple(each for each in made if each is not None))

    def question(self, place: str, context: str, row: Any) -> Question | None:
        if not isinstance(row, dict):
            self.bad(place, "it is no object")
            return None
        name = str(row.get("id") or place)
        text, answers = row.get("question"), row.get("answers")
        if not isinstance(text, str) or not text.strip():
            self.bad(name, "its question is empty or no text")
        elif _SURROGATE.search(text):
            self.bad(name, "its question holds half a character (a lone surrogate)")
        elif name in self.ids:
            self.bad(name, "its id occurs before in this file")
        elif row.get("is_impossible") is True and answers:
            self.bad(name, "it is marked is_impossible and has answers")
        elif row.get("is_impossible") is True:
            self.ids.add(name)
            return Question(name, text, ())
        elif not isinstance(answers, list) or not answers:
            self.bad(name, "it has no answers and is not marked is_impossible")
        else:
            golds = [self.gold(name, context, answer) for answer in answers]
            if all(golds):
                self.ids.add(name)
                return Question(name, text, tuple(gold for gold in golds if gold))
        return None

    def gold(self, name: str, context: str, row: Any) -> Gold | None:
        fields = row if isinstance(row, dict) else {}
        text, start = fields.get("text"), fields.get("answer_start")
        if not isinstance(text, str) or not text.strip():
            self.bad(name, "an answer is empty or no text")
        elif type(start) is not int or start < 0:
            self.bad(name, f"the answer {text[:40]!r} has no answer_start")
        elif context[start : start + len(text)] != text:
            found = context[start : start + len(text)]
            self.bad(
                name, f"the answer {text[:40]!r} is not at {start}: {found[:40]!r} stands there"
            )
        else:
            return Gold(text, start)
        return None


_SURROGATE = re.compile("[\ud800-\udfff]")


def _unloadable(context: str) -> str | None:
    """Return why a context does not come back as it is when it is loaded as a text, or None."""
    if _SURROGATE.search(context):
        return "its context holds half a character (a lone surrogate)"
    if context.startswith("\ufeff"):
        return "its context begins with a byte order mark, which is no part of a text"
    return None
