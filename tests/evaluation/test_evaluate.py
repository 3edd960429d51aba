"""Evaluation from question sets to reports: the reader alone, documents, pages, files written."""

from __future__ import annotations

import gzip
import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from reportlab.pdfgen.canvas import Canvas

import docqa
from docqa.cli import main
from docqa.errors import (
    HighlightError,
    MissingDependencyError,
    QuestionSetError,
    SettingError,
)
from docqa.evaluation.evaluate import evaluate_documents, evaluate_pages, evaluate_reader
from docqa.evaluation.page_questions import read_page_questions
from docqa.evaluation.plot import plot_calibration
from docqa.question_sets import QuestionSet, read_question_set
from docqa.reader import models
from docqa.testing import FakeReader

LAMP = "The lamp burns oil. Bo Rask lit it. The keeper sleeps."
FIRM = "The firm is old. Ada Quill audits it. The firm is in Oslo."


def qa(name: str, question: str, context: str, *golds: str) -> dict[str, Any]:
    """Return a question in SQuAD form; without golds it has no answer."""
    answers = [{"text": gold, "answer_start": context.index(gold)} for gold in golds]
    return {"id": name, "question": question, "answers": answers, "is_impossible": not golds}


def written(path: Path, *rows: dict[str, Any]) -> Path:
    """Write a set of one article: the first row is asked of LAMP, the others of FIRM."""
    paragraphs = [{"context": LAMP, "qas": rows[:1]}, {"context": FIRM, "qas": rows[1:]}]
    content = json.dumps({"data": [{"title": "Lamps", "paragraphs": paragraphs}]}).encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


LIT = qa("lit", "Who lit it?", LAMP, "Bo Rask")
AUDITS = qa("audits", "Who audits it?", FIRM, "Ada Quill", "Quill")
NOWHERE = qa("zebra", "Which zebra?", FIRM)


@pytest.fixture
def version_1(tmp_path: Path) -> QuestionSet:
    return read_question_set(written(tmp_path / "one.json", LIT, AUDITS))


@pytest.fixture
def version_2(tmp_path: Path) -> QuestionSet:
    return read_question_set(written(tmp_path / "two.json.gz", LIT, AUDITS, NOWHERE))


def test_the_reader_alone(version_1: QuestionSet) -> None:
    """Both answers are right, at their gold places."""
    report = evaluate_reader(FakeReader(), version_1)
    assert (report.mode, report.questions, report.documents) == ("paragraphs", 2, None)
    assert report.exact_match.value == report.f1.value == report.places.at_gold_span == 1.0
    assert report.calibration.risk_at_100 == 0.0
    assert report.resampled == "questions"  # two of anything are too few to draw from


def test_unanswerable_questions_count_by_version_2(version_2: QuestionSet) -> None:
    """Nothing found for the third question is right there, and wrong as an answer."""
    report = evaluate_reader(FakeReader(), version_2)
    assert report.summary.no_answer is not None
    assert report.summary.no_answer.exact_match == 1.0
    assert report.exact_match.value == 1.0
    assert report.calibration.right == pytest.approx(2 / 3)
    assert {group.name: group.questions for group in report.by_type} == {"who": 2, "which": 1}


def test_a_document_is_asked_as_the_pipeline_asks_it(version_2: QuestionSet) -> None:
    """Every prediction is what `Pipeline.ask` gives for the joined text."""
    report = evaluate_documents(FakeReader(), version_2, min_score=0.0)
    document = docqa.load(f"{LAMP}\n\n{FIRM}".encode(), name="Lamps.txt")
    pipeline = docqa.Pipeline(reader=FakeReader())
    for (_, question), said in zip(version_2.rows(), report.predictions, strict=True):
        asked = pipeline.ask(document, question.text, min_score=0.0)
        assert said.text == (asked[0].text if asked else "")
    assert report.documents == 1
    assert report.places.exact == 1.0


def test_gold_places_move_with_the_paragraph(version_1: QuestionSet) -> None:
    """The second paragraph's golds are found after the first paragraph."""
    report = evaluate_documents(FakeReader(), version_1)
    assert report.places.at_gold_span == 1.0
    assert report.retrieval is not None
    assert (report.retrieval.gold_read, report.retrieval.proposed) == (1.0, 1.0)
    assert report.retrieval.page_at_1 is None


def test_the_threshold_holds_answers_back(version_1: QuestionSet) -> None:
    """The best answers stay what they are; at the threshold nothing is answered."""
    report = evaluate_documents(FakeReader(), version_1, min_score=1.0)
    assert report.exact_match.value == 1.0
    assert report.at_threshold is not None
    assert (report.answered, report.at_threshold.f1) == (0.0, 0.0)


def test_a_question_too_long_is_counted_and_named(tmp_path: Path) -> None:
    """It is wrong, not gone; of its score nothing is said, since there is none."""
    long = qa("long", "Who is it that audits it?", FIRM, "Ada Quill")
    questions = read_question_set(written(tmp_path / "long.json", LIT, long))
    for evaluate in (evaluate_reader, evaluate_documents):
        report = evaluate(FakeReader(max_question_tokens=3), questions)
        assert report.exact_match.value == 0.5
        assert sum(report.unread.values()) == 1
        assert (report.calibration.right, sum(b.count for b in report.calibration.table)) == (1, 1)


def test_a_run_that_asked_nothing_is_an_error(version_1: QuestionSet) -> None:
    """Figures of nothing would look perfectly calibrated."""
    for evaluate in (evaluate_reader, evaluate_documents):
        with pytest.raises(QuestionSetError, match=r"no question could be asked; .*at most 2"):
            evaluate(FakeReader(max_question_tokens=2), version_1)


def test_speed_counts_what_was_read(version_1: QuestionSet) -> None:
    """Each question's paragraph once, and the tokens of both."""
    report = evaluate_reader(FakeReader(), version_1, timed_questions=1)
    words = sum(len(f"{paragraph.context} {q.text}".split()) for paragraph, q in version_1.rows())
    assert (report.speed.passages, report.speed.tokens) == (2, words)
    assert report.speed.latency_questions == 1
    assert report.speed.latency_p50 == report.speed.latency_p95


def pages(folder: Path) -> Path:
    """Write a PDF of two pages and questions about it."""
    data = io.BytesIO()
    canvas = Canvas(data)
    for line in (LAMP, FIRM):
        canvas.drawString(72, 700, line)
        canvas.showPage()
    canvas.save()
    (folder / "lamp.pdf").write_bytes(data.getvalue())
    rows = (
        {"question": "Who lit it?", "answer": "Bo Rask", "page_number": 1},
        {"question": "Who audits it?", "answer": "Ada Quill", "page_number": 2},
        {"question": "Who is old?", "answer": "Bo Rask", "page_number": 9},
    )
    path = folder / "asked.jsonl"
    path.write_text("".join(json.dumps({"pdf": "lamp.pdf", **row}) + "\n" for row in rows))
    return path


def test_pages_and_boxes_are_compared(tmp_path: Path) -> None:
    """Two answers on their pages with the gold boxes; a page that does not exist is missed."""
    report = evaluate_pages(FakeReader(), read_page_questions(pages(tmp_path)))
    assert report.retrieval is not None
    assert report.retrieval.page_at_1 == report.retrieval.page_at_5 == pytest.approx(2 / 3)
    assert report.retrieval.gold_read == pytest.approx(2 / 3)
    assert (report.places.boxed, report.places.box_overlap) == (2, pytest.approx(1.0))


def test_a_broken_file_costs_its_own_questions(tmp_path: Path) -> None:
    """They are wrong, with the reason; the others are asked."""
    path = pages(tmp_path)
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.7 nothing")
    line = {"pdf": "broken.pdf", "question": "Who?", "answer": "Bo", "page_number": 1, "id": "b"}
    path.write_text(path.read_text() + json.dumps(line) + "\n")
    report = evaluate_pages(FakeReader(), read_page_questions(path))
    assert report.questions == 4
    assert report.retrieval is not None
    assert (
        report.retrieval.gold_read == report.retrieval.proposed == 0.5
    )  # of 4, lost ones included
    assert sum(each.count for each in report.calibration.table) == 2
    reasons = sorted(report.unread.items())
    assert [("broken.pdf" in reason, count) for reason, count in reasons] == [(True, 1), (False, 1)]
    assert "line 3: its page_number is 9, of 2 pages" in reasons[1][0]


@pytest.mark.parametrize("suffix", [".svg", ".png"])
def test_curves_are_drawn(version_2: QuestionSet, tmp_path: Path, suffix: str) -> None:
    """The same report gives the same picture."""
    pytest.importorskip("matplotlib")
    report = evaluate_reader(FakeReader(), version_2)
    first, second = (plot_calibration(report, tmp_path / f"{n}{suffix}").read_bytes() for n in "12")
    assert first == second
    assert first.startswith(b"<?xml" if suffix == ".svg" else b"\x89PNG")


def test_what_cannot_be_drawn_says_why(
    version_1: QuestionSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong suffix, no folder, no matplotlib."""
    report = evaluate_reader(FakeReader(), version_1)
    with pytest.raises(SettingError, match=r"as \.svg or \.png"):
        plot_calibration(report, tmp_path / "curves.pdf")
    with pytest.raises(HighlightError, match="no folder"):
        plot_calibration(report, tmp_path / "none" / "curves.svg")
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingDependencyError, match=r"docqa-exact\[plot\]"):
        plot_calibration(report, tmp_path / "curves.svg")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run ``docqa evaluate`` with a stand-in for the reader."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(models, "load_reader", lambda *_, **__: FakeReader())

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(main, ["evaluate", *arguments], prog_name="docqa")

    return invoke


def test_tables_are_written(run: Any, version_2: QuestionSet) -> None:
    """The set, the reader and the figures; files that were asked for are named."""
    result = run("two.json.gz", "--predictions", "said.json")
    assert result.exit_code == 0, result.stderr
    assert result.stdout.startswith("two: 3 questions, reader fake\n")
    assert "all, from score 0.5" in result.stdout
    assert json.loads(Path("said.json").read_text())["lit"] == "Bo Rask"
    assert result.stderr == "docqa: wrote said.json and said.odds.json\n"


def test_json_is_one_line_for_each_set(run: Any, version_1: QuestionSet, tmp_path: Path) -> None:
    """Rows that are broken are in it, and on standard error."""
    broken = {**AUDITS, "id": "off", "answers": [{"text": "Ada", "answer_start": 1}]}
    written(tmp_path / "three.json", LIT, AUDITS, broken)
    result = run("one.json", "three.json", "--documents", "--json")
    one, three = map(json.loads, result.stdout.splitlines())
    assert (one["data"], one["exact_match"]["value"], one["bad_rows"]) == ("one", 1.0, [])
    assert [row["id"] for row in three["bad_rows"]] == ["off"]
    assert "three.json: off: the answer 'Ada' is not at 1" in result.stderr


def test_a_sample_is_drawn(run: Any, version_2: QuestionSet) -> None:
    """Fewer questions of the same set."""
    result = run("two.json.gz", "--sample", "1", "--json")
    assert json.loads(result.stdout)["questions"] == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("none.json",), "there is no file none.json"),
        (("none.jsonl",), "there is no file none.jsonl"),
        (("one.json", "--plot", "curves.gif"), "as .svg or .png"),
        (("one.json", "--plot", "none/curves.svg"), "there is no folder none"),
        (("one.json", "--predictions", "one.json"), "choose another name"),
        (("one.odds.json", "--predictions", "one.json"), "the odds beside --predictions would"),
        (("one.json", "--plot", "a.svg", "--predictions", "a.svg"), "name one file"),
        (("one.json", "one.json", "--plot", "curves.svg"), "results of one DATA"),
        (("one.json", "--exhaustive"), "Add --documents"),
        (("one.json", "--root", "."), "--root is for questions over files"),
    ],
)
def test_bad_input_is_one_line(
    run: Any, version_1: QuestionSet, arguments: tuple[str, ...], message: str
) -> None:
    """Exit code 2 before any work, and what to do."""
    result = run(*arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
