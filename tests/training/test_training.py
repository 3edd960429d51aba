"""Training: what is learned from, the loss, and runs that are killed and go on."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from toy_training import CONTEXTS, QUESTIONS, TINY, asked_of, losses, written

from docqa.cli import main
from docqa.errors import (
    ModelIncompatibleError,
    ModelNotFoundError,
    QuestionSetError,
    SettingError,
    TrainingError,
)
from docqa.question_sets import Article, Gold, Paragraph, Question, QuestionSet, read_question_set
from docqa.reader.checkpoints import find_checkpoint, weights_revision
from docqa.reader.models import load_reader
from docqa.reader.tokenizer_files import load_tokenizer
from docqa.training.batches import epoch_batches, lay_out
from docqa.training.checkpoint import device_random, set_device_random
from docqa.training.convert import convert
from docqa.training.distil import ask_teacher
from docqa.training.examples import Example, ExampleMaker
from docqa.training.loss import distillation_loss, span_loss
from docqa.training.negatives import Negative, hard_negatives
from docqa.training.settings import TrainSettings
from docqa.training.start import clear_way, load_start, save_reader
from docqa.training.training_run import prepare_data, train

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def tokenizer(checkpoint: Callable[[str], Path]) -> Any:
    return load_tokenizer(find_checkpoint(str(checkpoint("distilbert"))))


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    return written(tmp_path / "toy.json", asked_of(CONTEXTS, QUESTIONS))


def shown_answer(example: Example, place: tuple[int, int]) -> str:
    """Return the characters between a gold place's tokens."""
    first, last = (column - example.passage[0] for column in place)
    origin = int(example.starts[0])
    return example.shown[int(example.starts[first]) - origin : int(example.ends[last]) - origin]


def test_places_are_the_gold_words(tokenizer: Any) -> None:
    """The characters of the tokens at an example's places are the gold answer."""
    asked = asked_of(CONTEXTS, QUESTIONS)
    examples = ExampleMaker(tokenizer, TrainSettings(**TINY)).from_set(asked)
    golds = [question.golds[0].text for _, question in asked.rows()]
    assert [shown_answer(one, one.places[0]) for one in examples] == golds


@given(st.lists(st.sampled_from(["john", "seattle", "the", "company", ",", "of"]), min_size=30),
       st.integers(0, 29), st.integers(1, 5))  # fmt: skip
def test_windows_of_long_contexts_hold_the_whole_answer(
    words: list[str], first: int, length: int
) -> None:
    """Every window that is kept for an answer shows all of it; at most one shows none."""
    context = " ".join(words)
    start = sum(len(word) + 1 for word in words[:first])
    text = " ".join(words[first : first + length])
    question = Question("q", "who?", (Gold(text, start),))
    asked = QuestionSet("long", (Article("", (Paragraph(context, (question,)),)),))
    maker = ExampleMaker(
        load_tokenizer(find_checkpoint("mini")),
        TrainSettings(window_tokens=40, window_overlap=12, max_question_tokens=8),
    )
    examples = maker.from_set(asked)
    assert any(example.answerable for example in examples)
    assert sum(not example.answerable for example in examples) <= 1
    for example in examples:
        assert len(example) <= 40
        for place in example.places if example.answerable else ():
            assert shown_answer(example, place) == text


def test_rows_that_do_not_fit_are_named(tokenizer: Any) -> None:
    """A question that is too long, and an answer longer than a window, are left out by name."""
    context = "the company of " * 40 + "john"
    long_question = Question("long", "who is " * 20, (Gold("john", len(context) - 4),))
    long_answer = Question("wide", "who?", (Gold(context, 0),))
    paragraph = Paragraph(context, (long_question, long_answer))
    maker = ExampleMaker(tokenizer, TrainSettings(**TINY))
    asked = QuestionSet("set", (Article("", (paragraph,)),), path="data/set.json")
    assert maker.from_set(asked) == []
    assert maker.from_negatives(asked, [Negative(long_question, "the company")]) == []
    assert [row.id for row in maker.bad_rows] == ["long", "wide"]  # the negative is not told again
    assert {row.file for row in maker.bad_rows} == {"data/set.json"}


def test_context_without_tokens_is_named(tokenizer: Any) -> None:
    """A context of characters that the tokenizer drops is left out by name."""
    paragraph = Paragraph("\u200b\u200b", (Question("blank", "who?", ()),))
    maker = ExampleMaker(tokenizer, TrainSettings(**TINY))
    assert maker.from_set(QuestionSet("set", (Article("", (paragraph,)),))) == []
    assert [str(row) for row in maker.bad_rows] == [
        "set: blank: its context holds nothing that the tokenizer knows"
    ]


def test_hard_negatives_rank_high_and_lack_the_answer() -> None:
    """The passage shares words with the question and holds none of its answers."""
    asked = asked_of(
        ["The bell rings in fog.", "The bell is of bronze.", "Bronze is heavy.", "Oil burns."],
        [("When does the bell ring?", "in fog", 0), ("What is the bell of?", "bronze", 1)],
    )
    negatives = {one.question.id: one.context for one in hard_negatives(asked, share=1.0)}
    assert negatives == {"q0": "The bell is of bronze.", "q1": "The bell rings in fog."}


def test_share_of_hard_negatives_is_kept() -> None:
    """A share of 0.3 takes about 0.3 of the questions, and the same seed the same ones."""
    rows = [("When does the bell ring?", "fog", 0)] * 400
    asked = asked_of(["The bell rings in fog.", "The bell is of bronze."], rows)
    chosen = hard_negatives(asked, share=0.3, seed=1)
    assert 90 <= len(chosen) <= 150
    assert chosen == hard_negatives(asked, share=0.3, seed=1)


@given(st.lists(st.integers(4, 60), min_size=1, max_size=200), st.integers(0, 5))
def test_batches_hold_each_example_by_its_weight(lengths: list[int], epoch: int) -> None:
    """Whole weights are exact, and no batch of several rows exceeds its tokens."""
    weights = [float(number % 3) for number in range(len(lengths))]
    batches = epoch_batches(lengths, weights, batch_tokens=128, seed=5, epoch=epoch)
    seen = np.bincount([row for batch in batches for row in batch], minlength=len(lengths))
    assert seen.tolist() == weights
    assert all(len(batch) * max(lengths[row] for row in batch) <= 128 for batch in batches)


def test_weights_below_one_are_shares() -> None:
    """A weight of 0.25 is a random quarter of the rows, another one each epoch."""
    epochs = [
        {row for batch in epoch_batches([9] * 2000, [0.25] * 2000, batch_tokens=90, seed=0,
                                        epoch=epoch) for row in batch}
        for epoch in (0, 1)
    ]  # fmt: skip
    assert all(430 <= len(rows) <= 570 for rows in epochs)
    assert epochs[0] != epochs[1]


def test_loss_is_cross_entropy_over_what_is_allowed() -> None:
    """With one gold answer and everything allowed it is torch's own cross-entropy."""
    torch.manual_seed(0)
    starts, ends = torch.randn(2, 3, 7)
    gold = torch.tensor([2, 0, 6])
    one_hot = torch.nn.functional.one_hot(gold, 7).bool()
    everywhere = torch.ones(3, 7, dtype=torch.bool)
    entropy = torch.nn.functional.cross_entropy
    wanted = (entropy(starts, gold, reduction="none") + entropy(ends, gold, reduction="none")) / 2
    assert torch.allclose(span_loss(starts, ends, one_hot, one_hot, everywhere), wanted)


def test_loss_of_several_golds_is_that_of_hitting_any() -> None:
    """Two golds of probabilities 1/2 and 1/4 cost -log(3/4); what is not allowed counts nothing."""
    logits = torch.log(torch.tensor([[2.0, 1.0, 1.0, 50.0]]))
    gold = torch.tensor([[True, True, False, False]])
    allowed = torch.tensor([[True, True, True, False]])
    loss = span_loss(logits, logits, gold, gold, allowed)
    assert loss.item() == pytest.approx(-np.log(0.75))


def test_distillation_is_scaled_divergence() -> None:
    """It is T² KL(teacher || student) of torch's own, and 0 for the teacher itself."""
    torch.manual_seed(1)
    student, teacher = torch.randn(2, 4, 9)
    allowed = torch.ones(4, 9, dtype=torch.bool)
    soft = (teacher / 3).softmax(dim=1)
    wanted = torch.nn.functional.kl_div((student / 3).log_softmax(1), soft, reduction="none")
    made = distillation_loss(student, student, soft, soft, allowed, temperature=3.0)
    assert torch.allclose(made, 9 * wanted.sum(dim=1), atol=1e-6)
    same = distillation_loss(teacher, teacher, soft, soft, allowed, temperature=3.0)
    assert torch.allclose(same, torch.zeros(4), atol=1e-5)


def test_teacher_of_the_same_tokens_gives_its_softmax(
    checkpoint: Callable[[str], Path], tokenizer: Any, tmp_path: Path
) -> None:
    """Soft targets at temperature 1 are the softmax of the teacher's logits over the passage."""
    examples = ExampleMaker(tokenizer, TrainSettings(**TINY)).from_set(
        asked_of(CONTEXTS, QUESTIONS)
    )
    teacher = load_reader(checkpoint("distilbert"), device="cpu")
    teacher.no_answer = True
    soft = ask_teacher(teacher, examples, tmp_path)
    batch = lay_out(examples, pad_id=0)
    starts, _ = soft.lay_out(range(len(examples)), batch, temperature=1.0)
    logits, _ = teacher.model(batch.input_ids, batch.attention_mask)
    wanted = torch.tensor(np.where(batch.allowed, logits, -np.inf)).softmax(dim=1).numpy()
    assert np.abs(starts - wanted).max() < 2e-3  # kept in 16 bits


def test_teacher_of_other_tokens_is_carried_over_by_characters(
    checkpoint: Callable[[str], Path], tokenizer: Any, tmp_path: Path
) -> None:
    """A byte-level teacher's best start lands on the student's token that holds its character."""
    examples = ExampleMaker(tokenizer, TrainSettings(**TINY)).from_set(
        asked_of(CONTEXTS, QUESTIONS)
    )
    teacher = load_reader(checkpoint("roberta"), device="cpu", no_answer=True)
    soft = ask_teacher(teacher, examples, tmp_path)
    batch = lay_out(examples, pad_id=0)
    starts, ends = soft.lay_out(range(len(examples)), batch, temperature=1.0)
    assert np.allclose(starts.sum(axis=1), 1)
    assert (starts[~batch.allowed] == 0).all()
    assert (ends[~batch.allowed] == 0).all()
    from docqa.datamodel import Passage, Span

    for row, example in enumerate(examples):
        passage = Passage("x", 0, Span(0, len(example.shown)), example.shown)
        [read] = teacher.logits([(example.question, [passage])])
        begin = int(read.batch.passage_starts[0])
        best = int(np.where(read.batch.answerable[0], read.start_logits[0], -np.inf).argmax())
        character = int(read.windows[0].tokens.starts[best - begin]) + int(example.starts[0])
        column = int(starts[row, 1:].argmax()) + 1 - example.passage[0]
        assert example.starts[column] <= character < example.ends[column]


def test_teacher_without_no_answer_makes_nothing_up(
    checkpoint: Callable[[str], Path], tokenizer: Any, tmp_path: Path
) -> None:
    """It says nothing of "not here" on rows with an answer, and all of it on the others."""
    paragraph = Paragraph(CONTEXTS[0], (Question("none", "Where is it?", ()),))
    asked = asked_of(CONTEXTS, QUESTIONS)
    asked = QuestionSet("toy", (*asked.articles, Article("", (paragraph,))))
    examples = ExampleMaker(tokenizer, TrainSettings(**TINY)).from_set(asked)
    teacher = load_reader(checkpoint("distilbert"), device="cpu", no_answer=False)
    soft = ask_teacher(teacher, examples, tmp_path)
    batch = lay_out(examples, pad_id=0)
    for side in soft.lay_out(range(len(examples)), batch, temperature=2.0):
        assert np.allclose(side.sum(axis=1), 1)
        assert side[:, 0].tolist() == [0, 0, 0, 0, 0, 1]


def test_gold_stands_in_where_the_teacher_has_no_tokens(
    checkpoint: Callable[[str], Path], tokenizer: Any, tmp_path: Path
) -> None:
    """Where no token of the teacher is carried over, the gold places are taught, not NaN."""
    examples = ExampleMaker(tokenizer, TrainSettings(**TINY)).from_set(
        asked_of(CONTEXTS, QUESTIONS)
    )
    blank = [replace(example, shown="") for example in examples]
    teacher = load_reader(checkpoint("distilbert"), device="cpu", no_answer=True)
    batch = lay_out(blank, pad_id=0)
    soft = ask_teacher(teacher, blank, tmp_path)
    starts, ends = soft.lay_out(range(len(blank)), batch, temperature=2.0)
    assert np.array_equal(starts, batch.starts)
    assert np.array_equal(ends, batch.ends)


def test_teacher_is_asked_once(
    checkpoint: Callable[[str], Path], tokenizer: Any, tmp_path: Path
) -> None:
    """Logits on disk are taken as they are, unless they are of other examples."""
    examples = ExampleMaker(tokenizer, TrainSettings(**TINY)).from_set(
        asked_of(CONTEXTS, QUESTIONS)
    )
    teacher = load_reader(checkpoint("distilbert"), device="cpu")
    calls = 0

    class Counted:
        def __call__(self, *arrays: Any) -> Any:
            nonlocal calls
            calls += 1
            return model(*arrays)

    model, teacher.model = teacher.model, Counted()
    ask_teacher(teacher, examples, tmp_path)
    first = calls
    ask_teacher(teacher, examples, tmp_path)
    assert calls == first > 0
    ask_teacher(teacher, examples[1:], tmp_path)
    assert calls > first
    first = calls
    teacher.no_answer = not teacher.no_answer
    ask_teacher(teacher, examples[1:], tmp_path)
    assert calls > first


RUN = """
import os, signal, sys
from docqa.training.settings import TrainSettings
from docqa.training.training_run import train
data, folder, start, kill_at = sys.argv[1:]
def on_step(report):
    if report.step == int(kill_at):
        os.kill(os.getpid(), signal.SIGKILL)
settings = TrainSettings(epochs=6, batch_tokens=64, dropout=0.3, checkpoint_every=4, warmup=0.2,
    window_tokens=64, window_overlap=16, max_question_tokens=16, hard_negatives=1.0)
train({data: 1.0}, folder, start=start, settings=settings, device="cpu", on_step=on_step)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL on Windows")
def test_killed_run_goes_on_with_the_same_losses(
    checkpoint: Callable[[str], Path], toy: Path, tmp_path: Path
) -> None:
    """Killed between two checkpoints and called again, a run takes the very same steps."""

    def run(folder: str, kill_at: int) -> int:
        start = str(checkpoint("distilbert"))
        arguments = [str(toy), str(tmp_path / folder), start, str(kill_at)]
        return subprocess.run([sys.executable, "-c", RUN, *arguments], check=False).returncode

    assert run("whole", 0) == 0
    assert run("killed", 11) == -signal.SIGKILL
    assert run("killed", 0) == 0
    assert len(losses(tmp_path / "whole")) > 12
    assert losses(tmp_path / "killed") == losses(tmp_path / "whole")
    reader = "reader/model.safetensors"
    whole, killed = (tmp_path / name / reader for name in ("whole", "killed"))
    assert whole.read_bytes() == killed.read_bytes()


def test_another_run_is_not_taken_up(
    checkpoint: Callable[[str], Path], toy: Path, tmp_path: Path
) -> None:
    """A folder with a checkpoint of other settings is refused, and says what to do."""
    start, once = str(checkpoint("distilbert")), TrainSettings(epochs=1, **TINY)
    train({toy: 1.0}, tmp_path / "run", start=start, settings=once, device="cpu")
    with pytest.raises(TrainingError, match="other settings or other data"):
        train({toy: 0.5}, tmp_path / "run", start=start, settings=once, device="cpu")
    held_out = read_question_set(toy)
    with pytest.raises(TrainingError, match="other settings or other data"):
        train({toy: 1.0}, tmp_path / "run", start=start, settings=once, device="cpu",
              evaluate_on=held_out)  # fmt: skip


def test_finished_run_changes_nothing(
    checkpoint: Callable[[str], Path], toy: Path, tmp_path: Path
) -> None:
    """Called again, with checkpoints as often as it likes, it leaves the reader as it is."""
    start, run = str(checkpoint("distilbert")), tmp_path / "run"
    for every in (1, 7):
        settings = TrainSettings(epochs=1, checkpoint_every=every, **TINY)
        trained = train({toy: 1.0}, run, start=start, settings=settings, device="cpu")
        (trained.reader / "calibration.json").touch()
    with (run / "log.jsonl").open("a") as log:
        log.write('{"step": 9')  # as a kill leaves it
    train({toy: 1.0}, run, start=start, settings=settings, device="cpu")
    assert (trained.reader / "calibration.json").is_file()
    assert losses(run)


def test_saved_reader_replaces_the_old_one_whole(
    checkpoint: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new reader has its own revision and no former calibration; half a one replaces none."""
    start = load_start(str(checkpoint("distilbert")), dropout=None, seed=0)
    folder = tmp_path / "reader"
    save_reader(start, folder, no_answer=True)
    (folder / "calibration.json").write_text("of former weights", "utf-8")
    monkeypatch.setattr(type(start.tokenizer), "save", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        save_reader(start, folder, no_answer=True)
    assert (folder / "calibration.json").is_file()
    monkeypatch.undo()
    save_reader(start, folder, no_answer=True)
    assert [path.name for path in tmp_path.iterdir()] == ["reader"]
    revision = load_reader(folder, device="cpu").revision
    assert revision == weights_revision(folder / "model.safetensors")


def test_reader_cut_off_between_two_renames_is_put_back(tmp_path: Path) -> None:
    """What was moved aside comes back; a folder that is no reader is never replaced."""
    (tmp_path / "reader.old").mkdir()
    (tmp_path / "reader.old/config.json").touch()
    clear_way(tmp_path / "reader")
    assert (tmp_path / "reader/config.json").is_file()
    (tmp_path / "reader/config.json").rename(tmp_path / "reader/notes.txt")
    with pytest.raises(TrainingError, match="move it away"):
        clear_way(tmp_path / "reader")


def test_generator_of_a_device_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """The state of MPS's generator is taken and put back; the CPU has none beside torch's."""
    kept: list[Any] = []
    monkeypatch.setattr(torch.mps, "get_rng_state", lambda: torch.tensor([7]))
    monkeypatch.setattr(torch.mps, "set_rng_state", kept.append)
    state = device_random(torch.device("mps"))
    set_device_random(torch.device("mps"), state)
    assert kept == [torch.tensor([7])]
    assert device_random(torch.device("cpu")) is None


@pytest.mark.slow
def test_training_teaches(checkpoint: Callable[[str], Path], toy: Path, tmp_path: Path) -> None:
    """A random model learns five questions by heart; the folder loads with transformers too."""
    trained = train(
        {toy: 1.0},
        tmp_path / "run",
        start=str(checkpoint("distilbert")),
        settings=TrainSettings(epochs=150, learning_rate=5e-3, dropout=0.0, hard_negatives=0,
                               evaluate_every=150, checkpoint_every=1000, **TINY),
        evaluate_on=read_question_set(toy),
        device="cpu",
    )  # fmt: skip
    assert trained.figures["exact_match"] == 100
    assert losses(tmp_path / "run")[-1][1] < losses(tmp_path / "run")[0][1] / 10
    from transformers import AutoModelForQuestionAnswering

    module = AutoModelForQuestionAnswering.from_pretrained(trained.reader).eval()
    ids = np.array([[1, 4, 5, 2, 12, 13, 2]])
    ours, _ = load_reader(trained.reader, device="cpu").model(ids, np.ones_like(ids))
    theirs = module(torch.from_numpy(ids)).start_logits.detach().numpy()
    assert np.allclose(ours, theirs, atol=1e-5)


def test_a_set_without_answers_is_refused_before_training(
    checkpoint: Callable[[str], Path], toy: Path, tmp_path: Path
) -> None:
    """It could choose no version; one is not told so after hours."""
    questions = (Question("n", "Who is it?", ()),)
    nothing = QuestionSet("none", (Article("", (Paragraph(CONTEXTS[0], questions),)),))
    start, settings = str(checkpoint("distilbert")), TrainSettings(epochs=1, **TINY)
    with pytest.raises(QuestionSetError, match="none: no question has an answer"):
        train({toy: 1.0}, tmp_path / "run", start=start, settings=settings, evaluate_on=nothing)
    assert not (tmp_path / "run").exists()


def test_a_question_too_long_counts_as_wrong(
    checkpoint: Callable[[str], Path], toy: Path, tmp_path: Path
) -> None:
    """A held-out question over the limit ends no run."""
    gold = (Gold("John", CONTEXTS[0].index("John")),)
    long = Question("long", "What is my name? " * 9, gold)
    asked = QuestionSet("long", (Article("", (Paragraph(CONTEXTS[0], (long,)),)),))
    start, settings = str(checkpoint("distilbert")), TrainSettings(epochs=1, **TINY)
    trained = train(
        {toy: 1.0},
        tmp_path / "run",
        start=start,
        settings=settings,
        evaluate_on=asked,
        device="cpu",
    )
    assert trained.figures["f1"] == 0.0


@pytest.mark.slow
def test_teacher_is_learned_from(
    checkpoint: Callable[[str], Path], toy: Path, tmp_path: Path
) -> None:
    """With the whole weight on the teacher, the student's loss falls to nearly nothing."""
    train(
        {toy: 1.0},
        tmp_path / "run",
        start=str(checkpoint("distilbert")),
        teacher=str(checkpoint("bert")),
        settings=TrainSettings(epochs=150, learning_rate=5e-3, dropout=0.0, hard_negatives=0,
                               teacher_weight=1.0, checkpoint_every=1000, **TINY),
        device="cpu",
    )  # fmt: skip
    curve = [loss for _, loss, _ in losses(tmp_path / "run")]
    assert curve[-1] < 0.1 * curve[0]


def test_encoder_gets_a_new_head(
    checkpoint: Callable[[str], Path], toy: Path, tmp_path: Path
) -> None:
    """The folder of an encoder without an answer head can be trained."""
    from transformers import AutoModel

    encoder = tmp_path / "encoder"
    AutoModel.from_pretrained(checkpoint("distilbert")).save_pretrained(encoder)
    tokenizer = (checkpoint("distilbert") / "tokenizer.json").read_bytes()
    (encoder / "tokenizer.json").write_bytes(tokenizer)
    settings = TrainSettings(epochs=1, **TINY)
    trained = train(
        {toy: 1.0}, tmp_path / "run", start=str(encoder), settings=settings, device="cpu"
    )
    assert load_reader(trained.reader, device="cpu").no_answer


@pytest.mark.parametrize(
    "setting",
    [{"epochs": 0}, {"batch_tokens": 0}, {"warmup": 1.5}, {"dropout": 1.0}, {"window_tokens": 70},
     {"learning_rate": float("nan")}, {"weight_decay": -1}, {"epochs": float("inf")},
     {"seed": -1}, {"window_overlap": -1}],
)  # fmt: skip
def test_settings_out_of_range_are_refused(setting: dict[str, float]) -> None:
    """The message names the setting."""
    with pytest.raises(SettingError, match=next(iter(setting))):
        TrainSettings(**setting)  # type: ignore[arg-type]


@pytest.mark.parametrize("weight", [-1.0, float("nan"), float("inf")])
def test_weights_out_of_range_are_refused(tokenizer: Any, toy: Path, weight: float) -> None:
    """The message names the file."""
    with pytest.raises(SettingError, match=r"toy\.json"):
        prepare_data({toy: weight}, tokenizer, TrainSettings(**TINY))


def test_windows_longer_than_the_model_are_refused_at_once(
    checkpoint: Callable[[str], Path], tmp_path: Path
) -> None:
    """Before a file of questions is looked for, the message tells how many positions there are."""
    start = str(checkpoint("distilbert"))
    with pytest.raises(SettingError, match="at most 128"):
        train({"none.json": 1.0}, tmp_path / "run", start=start, device="cpu")


def test_command_trains_and_names_bad_rows(
    checkpoint: Callable[[str], Path], tmp_path: Path
) -> None:
    """``docqa train`` leaves out what is broken, says which rows, and prints the folder."""
    broken = {"id": "b", "question": "who?", "answers": [{"text": "Ann", "answer_start": 3}]}
    data = written(tmp_path / "toy.json", asked_of(CONTEXTS, QUESTIONS), broken)
    out, bad = tmp_path / "run", tmp_path / "bad.txt"
    sizes = ["--window-tokens", "64", "--max-question-tokens", "16", "--epochs", "1"]
    start = ["--start", str(checkpoint("distilbert")), "--device", "cpu"]
    files = ["--out", str(out), "--bad-rows", str(bad), "--evaluate-on", str(data)]
    result = CliRunner().invoke(main, ["train", str(data), *files, *sizes, *start])
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith(f"{out / 'reader'}: EM ")
    assert "left out" in result.stderr
    assert bad.read_text().startswith(f"{data}: b: the answer 'Ann' is not at 3")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["none.json"], "there is no file none.json"),
        (["toy.json", "--epochs", "0"], "epochs must be above 0"),
        (["toy.json", "--weight", "other.json", "2"], "not one of DATA"),
        (["toy.json", "--weight", "toy.json", "0"], "nothing to train on"),
        (["toy.json", "--start", "nobody"], "no reader 'nobody'"),
        (["toy.json", "--evaluate-on", "none.json"], "there is no file none.json"),
    ],
)
def test_command_says_what_is_wrong(
    arguments: list[str],
    reason: str,
    checkpoint: Callable[[str], Path],
    toy: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Bad input is one line on standard error and exit code 2."""
    monkeypatch.chdir(toy.parent)
    start = [] if "--start" in arguments else ["--start", str(checkpoint("distilbert"))]
    sizes = ["--window-tokens", "64", "--max-question-tokens", "16"]
    result = CliRunner().invoke(main, ["train", *arguments, "--out", "run", *start, *sizes])
    assert result.exit_code == 2
    assert reason in result.stderr
    assert "Traceback" not in result.stderr


def test_bert_encoder_becomes_distilbert(tmp_path: Path) -> None:
    """The converted encoder gives the hidden states of transformers' BERT with token type 0."""
    from transformers import BertConfig, BertModel, DistilBertModel

    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=50, hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=48, max_position_embeddings=40,
    )  # fmt: skip
    bert = BertModel(config).eval()
    bert.save_pretrained(tmp_path / "bert")
    convert(tmp_path / "bert", tmp_path / "distilbert")
    distilbert = DistilBertModel.from_pretrained(tmp_path / "distilbert").eval()
    ids = torch.randint(5, 50, (3, 17))
    theirs, ours = bert(ids).last_hidden_state, distilbert(ids).last_hidden_state
    assert torch.allclose(theirs, ours, atol=1e-5)


def test_only_bert_is_converted(checkpoint: Callable[[str], Path], tmp_path: Path) -> None:
    """Another architecture, and a folder without weights, are refused by name."""
    with pytest.raises(ModelIncompatibleError, match="'roberta'"):
        convert(checkpoint("roberta"), tmp_path / "out")
    with pytest.raises(ModelNotFoundError, match=r"config\.json is missing"):
        convert(tmp_path, tmp_path / "out")
