"""The parts of an evaluation: types, lengths, intervals, places, samples, page questions."""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import pytest

from docqa.datamodel import Box, Span
from docqa.errors import QuestionSetError
from docqa.evaluation.bootstrap import bootstrap_means, resampling_unit
from docqa.evaluation.groups import answer_length, groups, means, question_type, types
from docqa.evaluation.page_questions import read_page_questions
from docqa.evaluation.places import box_overlap, find_words, place_of, union_area
from docqa.evaluation.predictions import Prediction
from docqa.evaluation.sampling import draw, draw_page_questions
from docqa.evaluation.speed import percentile
from docqa.evaluation.summary import judge
from docqa.question_sets import Article, Gold, Paragraph, Question, QuestionSet


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("What is it?", "what"),
        ("whose house burned?", "who"),
        ("In which year did he die?", "which"),
        ("How Many ships were there?", "how many"),
        ("How old was she?", "how"),
        ("What's the capital?", "what"),
        ("Somewhat older than whom?", "who"),
        ("Name the capital.", "other"),
    ],
)
def test_question_types(question: str, expected: str) -> None:
    """The first question word decides, whole words only."""
    assert question_type(question) == expected


def test_answer_lengths_go_by_the_shortest_gold() -> None:
    """Classes by words; no gold is no answer."""
    lengths = [1, 2, 3, 4, 5, 8, 9, 30]
    named = [answer_length(["w " * n, "w " * 40]) for n in lengths]
    assert named == ["1 word", "2 words", *["3-4 words"] * 2, *["5-8 words"] * 2, *["9+ words"] * 2]
    assert answer_length([]) == "no answer"


def test_intervals_of_single_questions_are_the_binomial_ones() -> None:
    """Against the normal approximation: 400 of 1,000 right, plus and minus 1.96 errors."""
    right = [1.0] * 400 + [0.0] * 600
    [found] = bootstrap_means([right], [str(n) for n in range(1000)])
    error = 1.96 * np.sqrt(0.4 * 0.6 / 1000)
    assert found.value == 0.4
    assert (found.low, found.high) == pytest.approx((0.4 - error, 0.4 + error), abs=0.004)


def test_questions_alike_widen_the_interval() -> None:
    """Ten equal questions in each article tell as much as one."""
    articles = [float(n % 2) for n in range(100)]
    [of_articles] = bootstrap_means([articles], [str(n) for n in range(100)])
    repeated = [value for value in articles for _ in range(10)]
    [clustered] = bootstrap_means([repeated], [str(n // 10) for n in range(1000)])
    assert (clustered.low, clustered.high) == (of_articles.low, of_articles.high)


def test_the_largest_unit_that_is_frequent_enough_is_drawn() -> None:
    """Nineteen articles are too few, and the questions always serve."""
    few, many = [str(n % 19) for n in range(60)], [str(n % 20) for n in range(60)]
    assert resampling_unit({"articles": few, "paragraphs": many})[0] == "paragraphs"
    assert resampling_unit({"articles": few, "questions": few[:5]})[0] == "questions"


def test_a_part_of_one_article_has_an_interval() -> None:
    """Of 20 articles the totals draw articles; a part from one of them draws its questions."""
    asked = [Question(f"q{n}", "Who?" if n < 4 else "When?", (Gold("x", 0),)) for n in range(40)]
    said = [Prediction(each.id, "x" if n % 2 else "y", 0, 0.5) for n, each in enumerate(asked)]
    rows = judge(asked, said, min_score=0.0)
    units = {
        "articles": [str(max(0, n - 20)) for n in range(40)],
        "questions": [q.id for q in asked],
    }
    who = groups(rows, types(rows), units)[0]
    assert means(rows, units)[2] == "articles"
    assert (who.name, who.questions) == ("who", 4)
    assert who.exact_match.low < 0.5 < who.exact_match.high


def test_places_compare_with_every_gold() -> None:
    """Start and span against any gold; offsets against the text."""
    golds = [Span(0, 3), Span(8, 14)]
    found = place_of("one bornX London", "London", 10, [*golds, Span(10, 13)])
    assert (found.exact, found.at_gold_start, found.at_gold_span) == (True, True, False)
    assert place_of("London", "Paris", 0, golds).exact is False
    assert place_of("London", "", None, golds).at_gold_start is False
    assert place_of("London", "London", 0, []).at_gold_start is None


def test_words_are_found_whole_and_over_line_ends() -> None:
    """A number is not found inside another one; case counts before it is given up."""
    text = "Total 1842\n842 Net\nIncome net income"
    assert [span.start for span in find_words(text, "842", Span(0, len(text)))] == [11]
    assert [span.start for span in find_words(text, "net income", Span(0, len(text)))] == [26]
    assert [span.start for span in find_words(text, "NET INCOME", Span(0, len(text)))] == [15, 26]
    assert find_words(text, "842", Span(0, 10)) == []


def test_overlap_against_counted_points() -> None:
    """Area of unions and overlaps of random boxes against a grid of unit squares."""
    chance = random.Random(0)

    def boxes() -> list[Box]:
        corners = [[sorted(chance.sample(range(9), 2)) for _ in "xy"] for _ in range(3)]
        return [Box(x[0], y[0], x[1], y[1]) for x, y in corners]

    def squares(made: list[Box]) -> set[tuple[int, int]]:
        return {
            (x, y)
            for box in made
            for x in range(int(box.x0), int(box.x1))
            for y in range(int(box.top), int(box.bottom))
        }

    for _ in range(50):
        one, other = boxes(), boxes()
        assert union_area(one) == len(squares(one))
        shared, both = squares(one) & squares(other), squares(one) | squares(other)
        assert box_overlap(one, other) == pytest.approx(len(shared) / len(both))


def test_percentiles_are_numpys() -> None:
    """Between neighbours by proportion."""
    values = [random.Random(1).random() for _ in range(37)]
    for share in (0.5, 0.95):
        assert percentile(values, share) == pytest.approx(np.quantile(values, share))


def set_of(n_articles: int, n_questions: int) -> QuestionSet:
    """Return articles of one paragraph each."""
    return QuestionSet(
        "made",
        tuple(
            Article(
                f"a{at}",
                (
                    Paragraph(
                        "Ada.",
                        tuple(
                            Question(f"{at}-{n}", "Who?", (Gold("Ada", 0),))
                            for n in range(n_questions)
                        ),
                    ),
                ),
            )
            for at in range(n_articles)
        ),
    )


def test_a_sample_keeps_every_paragraph() -> None:
    """Documents stay whole; the same seed draws the same questions."""
    drawn = draw(set_of(5, 4), 6, seed=3)
    assert len(drawn) == 6
    assert len(drawn.articles) == 5
    assert all(article.paragraphs for article in drawn.articles)
    assert drawn == draw(set_of(5, 4), 6, seed=3) != draw(set_of(5, 4), 6, seed=4)
    assert draw(set_of(2, 2), 99) == set_of(2, 2)


def row(**changes: object) -> dict[str, object]:
    """Return a sound line of page questions, with changes."""
    made = {"id": "q", "pdf": "a.pdf", "question": "Who?", "answer": "Ada", "page_number": 2}
    return {**made, **changes}


def page_questions(folder: Path, *rows: object) -> Path:
    """Write lines beside a file named a.pdf."""
    (folder / "a.pdf").write_bytes(b"%PDF")
    path = folder / "asked.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)) + "\n\n", "utf-8")
    return path


def test_page_questions_are_read(tmp_path: Path) -> None:
    """Several golds, a form of answer, and what is not on its page left out."""
    path = page_questions(
        tmp_path,
        row(id="q1", answers=["Ada", "Ada Quill"], answer_form="Name"),
        row(id="q2", verbatim_on_page=False),
    )
    found = read_page_questions(path)
    [asked] = found.files[tmp_path / "a.pdf"]
    assert [gold.text for gold in asked.question.golds] == ["Ada", "Ada Quill"]
    assert (asked.page_number, asked.form, found.not_verbatim) == (2, "Name", ("q2",))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"page_number": 0}, "page_number is not a whole number from 1: 0"),
        ({"page_number": True}, "page_number is not a whole number"),
        ({"answer": " "}, "it has no answer with words"),
        ({"question": None}, "its 'question' is missing"),
        ({"pdf": "b.pdf"}, "there is no file b.pdf in"),
        ({"pdf": "b" * 300}, "there is no file bbb"),
        ({"id": "sound"}, "its id occurs before"),
    ],
)
def test_a_broken_line_is_named(tmp_path: Path, changes: dict[str, object], reason: str) -> None:
    """With its id and what is wrong; the others are read."""
    found = read_page_questions(page_questions(tmp_path, row(id="sound"), row(**changes)))
    [bad] = found.bad_rows
    assert reason in bad.reason
    assert len(found) == 1


@pytest.mark.parametrize("content", ["", "[]\n", "no json\n"])
def test_a_file_without_page_questions_is_refused(tmp_path: Path, content: str) -> None:
    """One line says what is wrong with it."""
    path = tmp_path / "asked.jsonl"
    path.write_text(content, "utf-8")
    with pytest.raises(QuestionSetError, match="holds no question that can be used"):
        read_page_questions(path)


def test_a_sample_of_page_questions_drops_files_without_any(tmp_path: Path) -> None:
    """So that no file is opened for nothing."""
    (tmp_path / "b.pdf").write_bytes(b"%PDF")
    path = page_questions(tmp_path, row(id="1"), row(id="2", pdf="b.pdf"))
    assert len(draw_page_questions(read_page_questions(path), 1).files) == 1
