"""Make the question sets on which the shipped reader is calibrated, out of held-out training data.

    python tests/benchmarks/calibration_sets.py HELD_OUT OUT [--questions squad_recovered=250 ...]

HELD_OUT is a folder of sets in SQuAD form that the reader was not trained on; OUT gets one set of
the same name each. An article of it is a document to be asked: the paragraphs of an article, or,
where a set has no articles of several paragraphs, 12, 24, 48 or 96 paragraphs in turn. Half of the
questions have no answer there, as in SQuAD v2.0, in the shares of `SHARES`:

* the paragraph of the answer is left out of the document;
* the sentences that hold the answer are cut from its paragraph;
* the question is altered as the people who wrote SQuAD v2.0 did (Rajpurkar et al. 2018, table 1):
  another name, another number, or the opposite of a word. These are the hardest, since the
  document says much of what they ask, and the only ones that are used now.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docqa.datamodel import Span
from docqa.passages.sentences import sentence_spans
from docqa.question_sets import Gold, Paragraph, Question, QuestionSet, read_question_set

SIZES = (12, 24, 48, 96)  # paragraphs of a document
SHARES = {"answerable": 0.5, "paragraph": 0.0, "sentence": 0.0, "altered": 0.5}
DROPPED, CUT, ALTERED = 0.15, 0.2, 0.6  # of paragraphs, of paragraphs, of questions
DEFAULT_QUESTIONS = 150
_ASKING = {"what", "who", "whom", "whose", "when", "where", "which", "how", "why"}
_ASKING |= {"in", "on", "at", "the", "a", "is", "was", "did"}
_NAME = re.compile(r"[A-Z][\w'’-]+(?: (?:of |the |de )?[A-Z][\w'’-]+)*|\b\d[\d,.]*\b")
_PAIRS = (
    ("first", "last"),
    ("most", "least"),
    ("largest", "smallest"),
    ("highest", "lowest"),
    ("more", "fewer"),
    ("before", "after"),
    ("best", "worst"),
    ("increase", "decrease"),
    ("increased", "decreased"),
    ("north", "south"),
    ("east", "west"),
    ("northern", "southern"),
    ("eastern", "western"),
    ("oldest", "newest"),
    ("longest", "shortest"),
    ("early", "late"),
    ("earliest", "latest"),
    ("start", "end"),
    ("began", "ended"),
    ("won", "lost"),
    ("win", "lose"),
    ("maximum", "minimum"),
    ("above", "below"),
    ("male", "female"),
    ("left", "right"),
    ("day", "night"),
    ("allow", "forbid"),
    ("allowed", "forbidden"),
    ("support", "oppose"),
    ("supported", "opposed"),
    ("buy", "sell"),
    ("bought", "sold"),
    ("major", "minor"),
    ("cause", "prevent"),
    ("causes", "prevents"),
    ("good", "bad"),
)
_OPPOSITES = dict((*_PAIRS, *((other, one) for one, other in _PAIRS)))


@dataclass(frozen=True)
class Row:
    """A question with its kind and the paragraph (of the document as made) it stands at."""

    paragraph: int
    question: Question
    kind: str


def documents(questions: QuestionSet) -> list[list[Paragraph]]:
    """Return the paragraphs of each document."""
    articles = [list(article.paragraphs) for article in questions.articles]
    if len(articles) > 1 and min(map(len, articles)) >= SIZES[0]:
        return articles
    paragraphs = [paragraph for article in articles for paragraph in article]
    made: list[list[Paragraph]] = []
    while paragraphs:
        size = SIZES[len(made) % len(SIZES)]
        made.append(paragraphs[:size])
        paragraphs = paragraphs[size:]
    if len(made) > 1 and len(made[-1]) < SIZES[0]:
        made[-2] += made.pop()
    return made


def altered(question: str, names: Sequence[str], context: str, rng: random.Random) -> str | None:
    """Return the question with one name, number or word made another; None where that fails."""
    ways = []
    for found in _NAME.finditer(question):
        word = found.group().rstrip(".,")
        is_number = word[0].isdigit()
        if found.start() == 0 or word.lower() in _ASKING:
            continue
        others = [
            name
            for name in names
            if name[0].isdigit() == is_number
            and (len(name) == len(word) if is_number else name.count(" ") == word.count(" "))
            and name.lower() not in context.lower()
            and name.lower() not in question.lower()
        ]
        if others:
            end = found.start() + len(word)
            ways.append(question[: found.start()] + rng.choice(others) + question[end:])
    for found in re.finditer(r"\w+", question):
        other = _OPPOSITES.get(found.group().lower())
        if other and other not in question.lower():
            ways.append(question[: found.start()] + other + question[found.end() :])
    return rng.choice(ways) if ways else None


def without_sentences(paragraph: Paragraph, question: Question) -> Paragraph | None:
    """Return the paragraph without the sentences that say an answer; None if nothing is left."""
    words = {gold.text.lower() for gold in question.golds}
    context = paragraph.context
    sentences = sentence_spans(context)
    gone = [
        span
        for span in sentences
        if any(word in span.of(context).lower() for word in words)
        or any(span.overlaps(Span(g.start, g.start + len(g.text))) for g in question.golds)
    ]
    if not gone or len(gone) == len(sentences):
        return None
    kept = context
    for span in reversed(gone):
        kept = kept[: span.start] + kept[span.end :]
    return Paragraph(kept, tuple(_moved(each, gone, kept) for each in paragraph.questions))


def _moved(question: Question, gone: Sequence[Span], kept: str) -> Question:
    """Return the question with the golds that are left, at their places in what is kept."""
    golds = []
    for gold in question.golds:
        place = Span(gold.start, gold.start + len(gold.text))
        start = gold.start - sum(len(span) for span in gone if span.end <= gold.start)
        if not any(span.overlaps(place) for span in gone) and kept.startswith(gold.text, start):
            golds.append(Gold(gold.text, start))
    return Question(question.id, question.text, tuple(golds))


def rows_of(paragraphs: list[Paragraph], rng: random.Random) -> tuple[list[str], list[Row]]:
    """Return the contexts of a document and every question that can be asked of it."""
    asked = [question.text for paragraph in paragraphs for question in paragraph.questions]
    names = sorted(
        {
            found.group().rstrip(".,")
            for text in asked
            for found in _NAME.finditer(text)
            if found.start() and found.group().lower() not in _ASKING
        }
    )
    contexts: list[str] = []
    rows: list[Row] = []
    for paragraph in paragraphs:
        drawn = rng.random()
        sound = [question for question in paragraph.questions if question.golds]
        if drawn < DROPPED:
            rows += [Row(0, question, "paragraph") for question in sound]
            continue
        here = len(contexts)
        made = without_sentences(paragraph, rng.choice(sound)) if drawn < DROPPED + CUT else None
        contexts.append((made or paragraph).context)
        for question in made.questions if made else sound:
            said = any(
                gold.text.lower() in contexts[-1].lower() for gold in _golds(question, sound)
            )
            if question.golds:
                rows.append(Row(here, question, "answerable"))
            elif not said:
                rows.append(Row(here, question, "sentence"))
            if made is None and rng.random() < ALTERED:
                other = altered(question.text, names, paragraph.context, rng)
                if other and other not in asked:
                    rows.append(Row(here, Question(question.id, other, ()), "altered"))
    return contexts, rows


def _golds(question: Question, sound: Sequence[Question]) -> tuple[Gold, ...]:
    return next((each.golds for each in sound if each.id == question.id), ())


def balanced(rows: list[Row], count: int, rng: random.Random) -> list[Row]:
    """Return at most `count` rows, the kinds in their shares as far as there are enough."""
    chosen: list[Row] = []
    for kind, share in SHARES.items():
        of_kind = [row for row in rows if row.kind == kind]
        chosen += rng.sample(of_kind, min(len(of_kind), round(share * count)))
    lacking = round(count * (1 - SHARES["answerable"])) - sum(
        r.kind != "answerable" for r in chosen
    )
    taken = set(map(id, chosen))
    spare = [row for row in rows if row.kind != "answerable" and id(row) not in taken]
    return chosen + rng.sample(spare, min(len(spare), max(0, lacking)))


def made_set(questions: QuestionSet, count: int) -> tuple[dict[str, Any], dict[str, int]]:
    """Return a set in SQuAD form, and how many questions of each kind it has."""
    rng = random.Random(zlib.crc32(questions.name.encode()))
    parts = [rows_of(paragraphs, rng) for paragraphs in documents(questions)]
    chosen = {id(row) for row in balanced([row for _, rows in parts for row in rows], count, rng)}
    data = []
    for number, (contexts, rows) in enumerate(parts):
        paragraphs: list[dict[str, Any]] = [{"context": text, "qas": []} for text in contexts]
        for row in (row for row in rows if id(row) in chosen):
            known = row.question.golds if row.kind == "answerable" else ()
            golds = [{"text": gold.text, "answer_start": gold.start} for gold in known]
            paragraphs[row.paragraph]["qas"].append(
                {
                    "id": f"{row.question.id}-{row.kind}",
                    "question": row.question.text,
                    "answers": golds,
                    "is_impossible": not golds,
                }
            )
        data.append({"title": f"{questions.name} {number}", "paragraphs": paragraphs})
    kinds = [row.kind for _, rows in parts for row in rows if id(row) in chosen]
    return {"version": "v2.0", "data": data}, {kind: kinds.count(kind) for kind in SHARES}


def main() -> None:
    """Write a set for each one held out."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("held_out", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--questions", nargs="*", default=[], metavar="NAME=N")
    options = parser.parse_args()
    counts = {name: int(n) for name, _, n in (each.partition("=") for each in options.questions)}
    options.out.mkdir(parents=True, exist_ok=True)
    for path in sorted(options.held_out.glob("*.json")):
        questions = read_question_set(path)
        made, kinds = made_set(questions, counts.get(questions.name, DEFAULT_QUESTIONS))
        (options.out / path.name).write_text(json.dumps(made), "utf-8")
        print(f"{questions.name}: {len(made['data'])} documents, {kinds}")


if __name__ == "__main__":
    main()
