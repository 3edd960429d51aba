"""Fitting calibrations, judging them, and ``docqa calibrate``."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from docqa.asking.pipeline import Pipeline
from docqa.calibration import UNCALIBRATED, Calibration
from docqa.cli import main
from docqa.datamodel import Evidence
from docqa.errors import CalibrationError
from docqa.evaluation.asked_documents import articles_as_documents
from docqa.evaluation.calibration import calibrate, cross_validated, first_answer, fit, trust
from docqa.evaluation.logistic_fit import fit_logistic, fit_ranking, gradient
from docqa.evaluation.observations import Observation, ObservedAnswer, observe
from docqa.question_sets import read_question_set
from docqa.reader import models
from docqa.testing import FakeReader

TRUTH = Calibration(
    0.0,
    {"odds": 1.0},
    ranking={"margin": 0.5, "span_logit": 0.25, "relevance": 2.0, "headings": 3.0},
    ranking_bias=-5.0,
)


def evidence(random: np.random.Generator, *, headings: float | None = None) -> Evidence:
    """Return features drawn at random."""
    margin, span_logit = map(float, random.normal((2.0, 5.0), 3.0))
    relevance, coverage, drawn = map(float, random.uniform(0, 1, 3))
    headings = drawn if headings is None else headings
    return Evidence(margin, 0.0, relevance, coverage, span_logit, headings)


def observed(
    count: int,
    *,
    documents: int = 20,
    seed: int = 0,
    truth: Calibration = TRUTH,
    headings: float | None = None,
) -> list[Observation]:
    """Return observations whose right candidates are drawn by the strengths of `truth`."""
    random = np.random.default_rng(seed)
    made = []
    for number in range(count):
        found = [evidence(random, headings=headings) for _ in range(random.integers(1, 6))]
        powers = np.exp([*map(truth.strength, found), 0.0])
        chosen = random.choice(len(powers), p=powers / powers.sum())
        candidates = tuple(
            ObservedAnswer(each, float(at == chosen), float(at == chosen))
            for at, each in enumerate(found)
        )
        answerable = bool(chosen < len(found))
        made.append(Observation(f"document {number % documents}", answerable, candidates))
    return made


def test_the_fit_finds_what_made_the_data() -> None:
    """From many choices the strengths come back that they were drawn with."""
    observations = observed(5_000)
    candidates = [each for observation in observations for each in observation.candidates]
    rows = [[getattr(each.evidence, name) for name in TRUTH.ranking] for each in candidates]
    numbers = [n for n, each in enumerate(observations) for _ in each.candidates]
    right = np.array([each.exact_match for each in candidates])
    bias, weights = fit_ranking(np.array(rows), right, np.array(numbers), prior=0.0)
    assert (bias, *weights) == pytest.approx((-5.0, 0.5, 0.25, 2.0, 3.0), rel=0.1)


def test_a_calibration_ranks_as_the_data_were_made() -> None:
    """The prior makes weights small, but all alike; the probability makes up for it."""
    observations = observed(5_000)
    made = fit(observations)
    weights = np.array(list(made.ranking.values())) / np.array(list(TRUTH.ranking.values()))
    assert weights / weights.mean() == pytest.approx(np.ones(4), rel=0.1)
    assert 0.5 < weights.mean() < 1.0
    found = trust(observations, [made] * len(observations))
    assert found.mean_score == pytest.approx(found.share_right, abs=0.01)


def choices(seed: int = 0) -> tuple[Any, Any, Any]:
    """Return features, right shares and question numbers of candidates drawn at random."""
    random = np.random.default_rng(seed)
    numbers = np.sort(np.concatenate([np.arange(40), random.integers(0, 40, 80)]))
    right = np.where(random.random(120) < 0.3, random.random(120), 0.0)
    right /= np.maximum(1.0, np.bincount(numbers, weights=right)[numbers])
    return random.normal((1.0, -2.0), (3.0, 0.5), size=(120, 2)), right, numbers


def test_no_other_ranking_is_likelier() -> None:
    """The slope of the loss, written down question by question, is 0 at the fit."""
    rows, right, numbers = choices()
    bias, weights = fit_ranking(rows, right, numbers, prior=0.05)
    scales = rows.std(axis=0)

    def loss(at: Any) -> float:
        losses = []
        for number in range(40):
            own = numbers == number
            strengths = np.append(at[0] + rows[own] @ at[1:], 0.0)
            shares = np.append(right[own], 1.0 - right[own].sum())
            losses.append(-shares @ np.log(np.exp(strengths) / np.exp(strengths).sum()))
        return float(np.mean(losses) + 0.05 * np.sum((at[1:] * scales) ** 2))

    at = np.array([bias, *weights])
    slopes = [(loss(at + step) - loss(at - step)) / 2e-5 for step in 1e-5 * np.eye(3)]
    assert slopes == pytest.approx([0.0] * 3, abs=1e-8)


def test_a_single_candidate_is_a_logistic_regression() -> None:
    """With one candidate to a question, the choice is between it and "not here"."""
    rows, right, _ = choices()
    bias, weights = fit_ranking(rows, right, np.arange(120), prior=0.05)
    usual_bias, usual = fit_logistic(rows, right, rising=[False] * 2, prior=2 * 0.05 * 120)
    assert (bias, *weights) == pytest.approx((usual_bias, *usual))


def test_a_feature_that_never_varies_keeps_its_usual_weight() -> None:
    """Headings that are alike everywhere weigh 24 logits, and change no strength."""
    truth = replace(TRUTH, ranking={**TRUTH.ranking, "headings": 0.0})
    ones, zeros = (observed(300, truth=truth, headings=each) for each in (1.0, 0.0))
    with_ones, with_zeros = fit(ones), fit(zeros)
    logit = with_ones.ranking["margin"] + with_ones.ranking["span_logit"]
    assert with_ones.ranking["headings"] == pytest.approx(24 * logit)
    one, zero = (each[0].candidates[0].evidence for each in (ones, zeros))
    assert with_ones.strength(one) == pytest.approx(with_zeros.strength(zero))


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
    before = trust(observations, [UNCALIBRATED] * 2_000)
    after = trust(observations, cross_validated(observations))
    assert before.ece > 0.15
    assert after.ece < 0.04
    assert after.auc > before.auc + 0.05
    assert after.share_right > before.share_right + 0.05


def test_the_first_answer_has_its_odds_against_the_others() -> None:
    """The strongest candidate, and the softmax over all of the question, by hand."""
    observation = next(each for each in observed(20) if len(each.candidates) == 3)
    strengths = [TRUTH.strength(each.evidence) for each in observation.candidates]
    best = strengths.index(max(strengths))
    found = first_answer(observation, TRUTH)
    assert (
        replace(found, evidence=replace(found.evidence, odds=0.0)) == observation.candidates[best]
    )
    share = np.exp(strengths[best]) / (1.0 + np.exp(strengths).sum())
    assert 1 / (1 + np.exp(-found.evidence.odds)) == pytest.approx(share)


def all_right(observations: list[Observation], document: str) -> list[Observation]:
    """Return the observations with a right candidate first, as those of one document."""
    return [
        Observation(document, True, (replace(each.candidates[0], exact_match=1.0, f1=1.0),))
        for each in observations
    ]


@pytest.mark.parametrize("margin_only", [False, True])
def test_no_document_is_on_both_sides(margin_only: bool) -> None:
    """A document whose answers are all right gets scores that the others alone teach."""
    rest = observed(400, documents=4)
    odd = all_right(observed(400, seed=1), "odd")
    fitted = cross_validated([*rest, *odd], margin_only=margin_only)
    assert fitted[400:] == [fit(rest, margin_only=margin_only)] * 400


def test_margin_only_keeps_the_usual_ranking() -> None:
    """A temperature and a bias of the strength: scores keep its order, whatever the rivals."""
    made = fit(observed(2_000), margin_only=True)
    assert (made.ranking, made.ranking_bias) == (UNCALIBRATED.ranking, UNCALIBRATED.ranking_bias)
    temperature = made.weights["margin"]
    assert temperature > 0
    sample = observed(1)[0].candidates[0].evidence
    logit = np.log(made.probability(sample) / (1 - made.probability(sample)))
    constant = made.bias + 30 * temperature
    assert logit == pytest.approx(temperature * made.strength(sample) + constant)


def test_a_report_compares_before_and_after() -> None:
    """The report's figures are those of its parts, and the calibration tells of them."""
    observations = observed(600)
    report = calibrate(observations, revision="r")
    assert report.before == trust(observations, [UNCALIBRATED] * 600)
    assert report.after == trust(observations, cross_validated(observations))
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
        Observation(f"document {at}", True, (ObservedAnswer(evidence(random), right, right),))
        for at, (n_right, n_wrong) in enumerate(documents)
        for right in [1.0] * n_right + [0.0] * n_wrong
    ]


def test_as_many_outcomes_as_are_asked_for_suffice() -> None:
    """10 of each are enough, although the fits that judge them see fewer."""
    report = calibrate(outcomes(*[(2, 2)] * 5))
    assert (report.n_questions, report.after.share_right) == (20, 0.5)


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
    assert (set(made.weights), made.revision) == ({"margin", "relevance", "headings"}, "1")
    assert "calibration error (ECE)" in result.stdout
    assert "wrote reader/calibration.json" in result.stderr


def test_calibrate_fits_a_ranking(folder: Path) -> None:
    """Both sums are written, and shown with what they are good for."""
    result = run("questions.json", "--reader", "reader", "--documents")
    assert result.exit_code == 0, result.stderr
    made = Calibration.read(folder / "reader" / "calibration.json")
    assert set(made.ranking) == {"margin", "span_logit", "relevance", "headings"}
    assert made.ranking != UNCALIBRATED.ranking
    assert set(made.weights) == {"odds"}
    for row in ("right over wrong (AUC)", "unanswerable stopped, 15% lost", "span_logit"):
        assert row in result.stdout


def test_observations_hold_all_candidates(folder: Path) -> None:
    """Each wording that asking proposes without a threshold, with its own evidence and quality."""
    pipeline = Pipeline(reader=FakeReader(), passage_tokens=6, overlap=0, min_score=0.9)
    documents = articles_as_documents(read_question_set(folder / "questions.json"))
    first, *_ = observe(pipeline, documents)
    text = "\n\n".join(f"Lamp 0{at} burns {at} litres a week." for at in range(3))
    answers = pipeline.ask(text.encode(), "What burns lamp 00 a week?", top_k=9, min_score=0.0)
    assert len(answers) == 3
    assert [each.evidence for each in first.candidates] == [each.evidence for each in answers]
    assert [each.exact_match for each in first.candidates] == [
        float(each.text == "0 litres") for each in answers
    ]


def test_observations_of_best_answers_alone_are_refused(folder: Path) -> None:
    """Files that an earlier version kept lack the other candidates."""
    settings = ("--reader", "reader", "--margin-only", "--observations", "asked.jsonl")
    assert run("questions.json", *settings).exit_code == 0
    head, *rows = map(json.loads, Path("asked.jsonl").read_text().splitlines())
    del head["format"]
    for row in rows:
        row.update(row.pop("candidates")[0])
    Path("asked.jsonl").write_text("".join(json.dumps(each) + "\n" for each in (head, *rows)))
    result = run("questions.json", *settings)
    assert result.exit_code == 2
    assert "asked.jsonl holds observations of another reader" in result.stderr


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
