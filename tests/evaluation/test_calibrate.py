"""Fitting calibrations, judging them, and ``docqa calibrate``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from docqa.calibration import Calibration
from docqa.cli import main
from docqa.datamodel import Evidence, logistic
from docqa.errors import CalibrationError
from docqa.evaluation.calibration import calibrate, cross_validated, fit, trust
from docqa.evaluation.logistic_fit import fit_logistic, gradient
from docqa.evaluation.observations import Observation
from docqa.evaluation.reliability import expected_calibration_error
from docqa.reader import models
from docqa.testing import FakeReader

TRUTH = Calibration(-1.0, {"margin": 0.4, "odds": 0.2})


def observed(count: int, *, documents: int = 20, seed: int = 0) -> list[Observation]:
    """Return observations whose outcomes are drawn by the probabilities of `TRUTH`."""
    random = np.random.default_rng(seed)
    made = []
    for number in range(count):
        features = (*random.normal(2.0, 4.0, 2), *random.uniform(0, 1, 2))
        evidence = Evidence(*map(float, features))
        right = float(random.random() < TRUTH.probability(evidence))
        made.append(Observation(f"document {number % documents}", evidence, True, right, right))
    return made


def test_the_fit_finds_what_made_the_data() -> None:
    """From many outcomes the coefficients come back that they were drawn with."""
    made = fit(observed(20_000), features=("margin", "odds"))
    assert made.bias == pytest.approx(TRUTH.bias, abs=0.1)
    assert dict(made.weights) == pytest.approx(TRUTH.weights, abs=0.03)


def test_one_group_of_rows_has_a_closed_form() -> None:
    """Without a prior, a feature of two values gives the log odds of its two groups."""
    rows = np.array([[0.0]] * 10 + [[1.0]] * 10)
    right = np.array([1.0] * 2 + [0.0] * 8 + [1.0] * 6 + [0.0] * 4)
    bias, (weight,) = fit_logistic(rows, right, rising=[False], prior=0.0)
    assert bias == pytest.approx(np.log(2 / 8))
    assert bias + weight == pytest.approx(np.log(6 / 4))


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_rising_weight_is_the_best_that_is_not_negative(sign: float) -> None:
    """With the weight bound, no value of the bias and of a weight from 0 up does better."""
    random = np.random.default_rng(3)
    rows = random.normal(size=(60, 1))
    right = (random.random(60) < 1 / (1 + np.exp(-sign * rows[:, 0]))).astype(float)
    bias, (weight,) = fit_logistic(rows, right, rising=[True])
    scale = rows.std()

    def loss(b: float, w: float) -> float:
        shares = 1 / (1 + np.exp(-(b + w * rows[:, 0])))
        entropy = -np.sum(right * np.log(shares) + (1 - right) * np.log(1 - shares))
        return float(entropy + 0.5 * (w * scale) ** 2)

    grid = [(b, w) for b in np.linspace(-2, 2, 81) for w in np.linspace(0, 3, 61)]
    assert loss(bias, weight) <= min(loss(*each) for each in grid) + 1e-9
    assert weight >= 0.0


def test_gradient_is_the_slope_of_the_loss() -> None:
    """The slope agrees with differences of the loss on both sides."""
    random = np.random.default_rng(5)
    design = np.column_stack([np.ones(30), random.normal(size=(30, 2))])
    right, at = random.random(30), random.normal(size=3)

    def loss(solved: Any) -> float:
        logits = design @ solved
        entropy = np.sum(np.logaddexp(0.0, logits) - right * logits)
        return float(entropy + 0.5 * 2.0 * np.sum(solved[1:] ** 2))

    steps = 1e-6 * np.eye(3)
    slopes = [(loss(at + step) - loss(at - step)) / 2e-6 for step in steps]
    assert gradient(design, right, at, 2.0) == pytest.approx(slopes, rel=1e-5)


def test_calibration_error_falls() -> None:
    """Scores that promise too much are put right, on documents that the fit has not seen."""
    observations = observed(2_000)
    scores = cross_validated(observations, features=("margin", "odds"))
    right = [each.f1 for each in observations]
    before = [logistic(each.evidence.margin) for each in observations]
    assert expected_calibration_error(before, right) > 0.15
    assert expected_calibration_error(scores, right) < 0.04


def test_no_document_is_on_both_sides() -> None:
    """A document whose answers are all right gets scores that the others alone teach."""
    rest = observed(400, documents=4)
    odd = [Observation("odd", each.evidence, True, 1.0, 1.0) for each in observed(400, seed=1)]
    scores = cross_validated([*rest, *odd], features=("margin",))
    alone = fit(rest, features=("margin",))
    assert scores[400:] == pytest.approx([alone.probability(each.evidence) for each in odd])


def test_a_report_compares_before_and_after() -> None:
    """The report's figures are those of its parts, and the calibration tells of them."""
    observations = observed(600)
    report = calibrate(observations, features=("margin",), revision="r")
    assert report.before == trust(observations)
    assert report.after.ece < report.before.ece
    assert (report.n_questions, report.n_documents) == (600, 20)
    assert report.calibration.revision == "r"
    assert report.calibration.fitted["questions"] == 600
    json.dumps(report.to_dict())


@pytest.mark.parametrize(
    ("observations", "reason"),
    [(observed(15), "needs at least 10 of each"), (observed(900, documents=1), "one document")],
)
def test_too_little_is_refused(observations: list[Observation], reason: str) -> None:
    """Few outcomes, or one document, are refused with what would be enough."""
    with pytest.raises(CalibrationError, match=reason):
        calibrate(observations)


def outcomes(*documents: tuple[int, int]) -> list[Observation]:
    """Return observations of documents with so many right and so many wrong answers each."""
    random = np.random.default_rng(7)
    return [
        Observation(f"document {at}", Evidence(*random.uniform(0, 1, 4)), True, right, right)
        for at, (n_right, n_wrong) in enumerate(documents)
        for right in [1.0] * n_right + [0.0] * n_wrong
    ]


def test_as_many_outcomes_as_are_asked_for_suffice() -> None:
    """10 of each are enough, although the fits that judge them see fewer."""
    report = calibrate(outcomes(*[(2, 2)] * 5))
    assert (report.n_questions, report.share_right) == (20, 0.5)


def test_right_answers_of_one_document_alone_are_refused() -> None:
    """Without that document nothing is right, so nothing can be fitted to the others."""
    with pytest.raises(CalibrationError, match="all right answers are of too few documents"):
        calibrate(outcomes((30, 0), (0, 30), (0, 30)))


def write_questions(path: Path, *, articles: int = 16) -> None:
    """Write a set in which every second question has no answer."""
    data = []
    for number in range(articles):
        contexts = [f"Lamp {number}{at} burns {number + at} litres a week." for at in range(3)]
        paragraphs = []
        for at, context in enumerate(contexts):
            gold = {"text": f"{number + at} litres", "answer_start": context.index("burns") + 6}
            rows = [
                {"question": f"What burns lamp {number}{at} a week?", "answers": [gold]},
                {"question": f"Who built lamp {number}{at}?", "answers": [], "is_impossible": True},
            ]
            rows = [{**row, "id": f"{number}-{at}-{n}"} for n, row in enumerate(rows)]
            paragraphs.append({"context": context, "qas": rows})
        data.append({"title": f"article {number}", "paragraphs": paragraphs})
    path.write_text(json.dumps({"version": "v2.0", "data": data}))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a working folder with questions and the folder of a reader that needs no weights."""
    monkeypatch.setattr(models, "load_reader", lambda *_, **__: FakeReader())
    monkeypatch.chdir(tmp_path)
    (tmp_path / "reader").mkdir()
    write_questions(tmp_path / "questions.json")
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["calibrate", *arguments], prog_name="docqa")


@pytest.mark.parametrize("documents", [(), ("--documents",)])
def test_calibrate_writes_beside_the_reader(folder: Path, documents: tuple[str, ...]) -> None:
    """The numbers go to the reader's folder, and the table compares before with after."""
    result = run("questions.json", "--reader", "reader", "--margin-only", *documents)
    assert result.exit_code == 0, result.stderr
    made = Calibration.read(folder / "reader" / "calibration.json")
    assert (set(made.weights), made.revision) == ({"margin"}, "1")
    assert "calibration error (ECE)" in result.stdout
    assert "wrote reader/calibration.json" in result.stderr


def test_json_report(folder: Path) -> None:
    """With --json the report is one object."""
    result = run(
        "questions.json", "--reader", "reader", "--margin-only", "--json", "--output", "mine.json"
    )
    record = json.loads(result.stdout)
    assert record["n_questions"] == 96
    assert record["calibration"] == json.loads(Path("mine.json").read_text())
    assert set(record["before"]) == set(record["after"])


def test_kept_observations_are_not_asked_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second fit reads what the first one kept, and other questions are not mixed up with it."""
    settings = ("--reader", "reader", "--margin-only", "--observations", "asked.jsonl")
    assert run("questions.json", *settings).exit_code == 0
    monkeypatch.setattr(FakeReader, "read_all", None)
    assert run("questions.json", *settings).exit_code == 0
    other = run("questions.json", "--documents", *settings)
    assert other.exit_code == 2
    assert "asked.jsonl holds observations of another reader" in other.stderr


def test_other_questions_of_the_same_size_are_asked(folder: Path) -> None:
    """What is kept goes by the content of the files, not by their names."""
    settings = ("--reader", "reader", "--margin-only", "--observations", "asked.jsonl")
    assert run("questions.json", *settings).exit_code == 0
    changed = Path("questions.json").read_text().replace("What burns", "Whom burns")
    Path("questions.json").write_text(changed)
    assert (
        "holds observations of another reader, other questions"
        in run("questions.json", *settings).stderr
    )


def test_a_file_that_cannot_be_read_costs_its_own_questions(folder: Path) -> None:
    """The others are asked; the reader of the notes knows which file, how many and why."""
    Path("broken.pdf").write_bytes(b"%PDF-1.7 nothing")
    Path("lamps.txt").write_text("Ada lit it. ")
    row = {"question": "Who lit it?", "answer": "Ada", "page_number": 1}
    rows = [{"pdf": "broken.pdf"}, {"pdf": "broken.pdf"}, {"pdf": "lamps.txt"}]
    rows.append({"pdf": "lamps.txt", "verbatim_on_page": False})
    lines = (json.dumps({**row, **each}) + "\n" for each in rows)
    Path("pages.jsonl").write_text("".join(lines))
    result = run("questions.json", "pages.jsonl", "--reader", "reader", "--margin-only")
    assert result.exit_code == 0, result.stderr
    assert "warning: 2 questions not asked: broken.pdf" in result.stderr
    assert "pages: 1 question left out, since the answer is not on its page" in result.stderr
    assert "97 questions to" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--output", "questions.json"), "--output would replace the questions"),
        (("--output", "none/mine.json"), "there is no folder none"),
        (("--observations", "questions.json"), "--observations would replace the questions"),
        (("--output", "a.json", "--observations", "a.json"), "name one file"),
    ],
)
def test_files_are_checked_before_any_work(
    folder: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], reason: str
) -> None:
    """Nobody waits for answers that cannot be written, and no questions are lost."""
    monkeypatch.setattr(models, "load_reader", None)
    before = Path("questions.json").read_bytes()
    result = run("questions.json", "--reader", "reader", *arguments)
    assert (result.exit_code, Path("questions.json").read_bytes()) == (2, before)
    assert reason in result.stderr


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("questions.json", "--reader", "mini"), "--output FILE"),
        (("none.json", "--reader", "reader"), "there is no file none.json"),
        (("questions.json", "--reader", "reader", "--sample", "15"), "at least 10 of each"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    folder: Path, arguments: tuple[str, ...], reason: str
) -> None:
    """No folder for the file, no questions, too few outcomes: exit 2 and what to do."""
    result = run(*arguments)
    assert result.exit_code == 2
    assert reason in result.stderr
    assert "Traceback" not in result.stderr
