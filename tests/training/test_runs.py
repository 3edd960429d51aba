"""Runs of training: their number format, frozen layers, memory, and runs that are cut off."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import load_file
from toy_training import CONTEXTS, QUESTIONS, TINY, asked_of, losses, written

from docqa.cli import main
from docqa.cli.interrupt import request_to_stop
from docqa.errors import ModelIncompatibleError, SettingError, TrainingError
from docqa.question_sets import read_question_set
from docqa.reader import hardware
from docqa.training import training_run
from docqa.training.batches import lay_out
from docqa.training.checkpoint import read_state
from docqa.training.settings import TrainSettings
from docqa.training.start import load_start
from docqa.training.training_run import Computing, Trained, train

pytestmark = pytest.mark.usefixtures("one_thread")

FORMATS = "float32", "bfloat16"
# Mean difference of the losses of two runs of 30 steps that differ in their number format alone.
BFLOAT16_LOSS_TOLERANCE = 0.01


class CutError(Exception):
    """The end of a run in the middle of its steps."""


@pytest.fixture
def run(checkpoint: Callable[[str], Path], tmp_path: Path) -> Callable[..., Trained]:
    """Return a function that trains over the toy questions into a folder of that name."""
    data = written(tmp_path / "toy.json", asked_of(CONTEXTS, QUESTIONS))

    def trained(
        folder: str, *, dtype: str | None = "float32", model: str = "distilbert", **given: Any
    ) -> Trained:
        own = {name: given.pop(name) for name in list(given) if name in TrainSettings.__slots__}
        settings = TrainSettings(**{"checkpoint_every": 4, **TINY, **own})
        return train(
            {data: 1.0},
            tmp_path / folder,
            start=str(checkpoint(model)),
            settings=settings,
            device="cpu",
            dtype=dtype,
            **given,
        )

    return trained


@pytest.fixture
def amx(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Let the processor say that it has AMX."""
    (tmp_path / "cpuinfo").write_text("flags\t\t: fpu amx_bf16 avx512_bf16\n")
    monkeypatch.setattr(hardware, "_CPU_INFO", tmp_path / "cpuinfo")


@pytest.fixture
def no_bfloat16(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Let the processor say that it multiplies no bfloat16."""
    (tmp_path / "cpuinfo").write_text("flags\t\t: fpu avx512f\n")
    monkeypatch.setattr(hardware, "_CPU_INFO", tmp_path / "cpuinfo")


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "reader" / "model.safetensors")


def cut_at(step: int) -> Callable[[Any], None]:
    def on_step(report: Any) -> None:
        if report.step == step:
            raise CutError

    return on_step


def assert_equal_runs(one: Path, other: Path) -> None:
    """Assert that two runs ended in the same weights, optimizer, generator and log, bit for bit."""
    mine, theirs = read_state(one), read_state(other)
    assert mine is not None
    assert theirs is not None
    assert mine.best == theirs.best
    assert torch.equal(mine.random, theirs.random)
    for name, tensor in mine.weights.items():
        assert torch.equal(tensor, theirs.weights[name]), name
    for key, moments in mine.optimizer["state"].items():
        for name, tensor in moments.items():
            assert torch.equal(tensor, theirs.optimizer["state"][key][name]), (key, name)
    assert losses(one) == losses(other)
    reader = "reader/model.safetensors"
    assert (one / reader).read_bytes() == (other / reader).read_bytes()


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("cuts", [(1,), (4,), (6, 7), (11,)])
def test_cut_run_goes_on_bit_for_bit(
    run: Callable[..., Trained], tmp_path: Path, dtype: str, cuts: tuple[int, ...]
) -> None:
    """Cut off at any step, between checkpoints or after one, a run ends as if it had not been."""
    held_out = read_question_set(
        written(tmp_path / "held.json", asked_of(CONTEXTS[:1], QUESTIONS[:2]))
    )
    same: dict[str, Any] = {
        "dtype": dtype, "epochs": 6, "batch_tokens": 64, "dropout": 0.3, "hard_negatives": 1.0,
        "learning_rate": 1e-2, "warmup": 0.2, "noise": 0.5, "freeze": 0, "accumulate": 2,
        "evaluate_every": 3, "evaluate_on": held_out,
    }  # fmt: skip
    whole = run("whole", **same)
    assert whole.steps == whole.step > 11
    for step in cuts:
        with pytest.raises(CutError):
            run("cut", on_step=cut_at(step), **same)
    assert run("cut", **same).figures == whole.figures
    assert_equal_runs(tmp_path / "cut", tmp_path / "whole")


def test_stopped_run_keeps_its_last_step(run: Callable[..., Trained], tmp_path: Path) -> None:
    """Asked to stop, a run ends with a checkpoint of the very step, and goes on from there."""
    same: dict[str, Any] = {"epochs": 6, "batch_tokens": 64, "checkpoint_every": 100}
    run("whole", **same)
    taken: list[int] = []
    stopped = run(
        "stopped", on_step=lambda report: taken.append(report.step),
        stop=lambda: len(taken) == 5, **same,
    )  # fmt: skip
    assert (stopped.step, taken) == (5, [1, 2, 3, 4, 5])
    assert not stopped.reader.exists()
    began: list[Computing] = []
    run("stopped", on_start=began.append, on_step=lambda r: taken.append(r.step), **same)
    assert began[0].step == 5
    assert taken == list(range(1, stopped.steps + 1))
    assert_equal_runs(tmp_path / "stopped", tmp_path / "whole")


@pytest.mark.parametrize("model", ["distilbert", "mpnet"])
def test_losses_in_bfloat16_are_those_in_float32(
    run: Callable[..., Trained], tmp_path: Path, model: str
) -> None:
    """Over 30 steps that halve the loss, both formats go the same way within the tolerance."""
    same: dict[str, Any] = {
        "model": model, "epochs": 30, "dropout": 0.0, "learning_rate": 2e-3,
        "hard_negatives": 0, "batch_tokens": 4096,
    }  # fmt: skip
    for dtype in FORMATS:
        run(dtype, dtype=dtype, **same)
    exact, rounded = ([loss for _, loss, _ in losses(tmp_path / d)] for d in FORMATS)
    assert len(exact) == 30
    assert exact[-1] < exact[0] / 2
    gaps = [abs(one - other) for one, other in zip(exact, rounded, strict=True)]
    assert 0 < sum(gaps) / len(gaps) < BFLOAT16_LOSS_TOLERANCE


def test_steps_below_bfloat16_are_not_lost(
    run: Callable[..., Trained], checkpoint: Callable[[str], Path], tmp_path: Path
) -> None:
    """Steps of 1e-6 move the float32 weights by their sum, and the reader is written in float32."""
    begun = load_file(checkpoint("distilbert") / "model.safetensors")
    given: dict[str, Any] = {"epochs": 20, "learning_rate": 1e-6, "warmup": 0, "weight_decay": 0.0}
    trained = run("run", dtype="bfloat16", **given)
    name = "distilbert.transformer.layer.1.ffn.lin1.weight"
    moved = (weights(tmp_path / "run")[name] - begun[name]).abs()
    assert moved.dtype == torch.float32
    # One unit of bfloat16 in a weight of 0.1 is 4e-4.
    assert 1e-6 < moved.mean() < trained.steps * 1e-6
    config = (trained.reader / "config.json").read_text()
    assert "bfloat16" not in config


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("model", ["distilbert", "bert", "mpnet", "roberta", "modernbert"])
def test_frozen_layers_stay_as_they_are(
    run: Callable[..., Trained],
    checkpoint: Callable[[str], Path],
    tmp_path: Path,
    model: str,
    dtype: str,
) -> None:
    """Embeddings and the lowest layer keep every bit, all else is trained and has moments."""
    begun = load_file(checkpoint(model) / "model.safetensors")
    head = [name for name in begun if name.endswith(("qa_outputs.bias", "classifier.bias"))]
    del begun[head[0]]  # the loss does not depend on it
    run("run", dtype=dtype, model=model, epochs=1, freeze=1, weight_decay=0.5, warmup=0.0)
    ended = weights(tmp_path / "run")
    frozen = {name for name in begun if torch.equal(begun[name], ended[name])}
    marks = "embeddings", "relative_attention_bias", "layer.0.", "layers.0."
    assert frozen == {name for name in begun if any(mark in name for mark in marks)}
    state = read_state(tmp_path / "run")
    assert state is not None
    assert len(state.optimizer["state"]) == len(begun) + 1 - len(frozen)


def test_frozen_layers_drop_nothing(run: Callable[..., Trained], tmp_path: Path) -> None:
    """With all layers frozen, dropout makes no difference to the loss."""
    for dropout in (0.0, 0.5):
        run(f"{dropout}", model="bert", epochs=2, freeze=2, dropout=dropout)
    assert losses(tmp_path / "0.0") == losses(tmp_path / "0.5")


def test_passes_of_a_step_are_added_up(run: Callable[..., Trained], tmp_path: Path) -> None:
    """Four passes a step, in either format, have the gradient of one pass over all of them."""
    norms = []
    for dtype in FORMATS:
        for tokens, passes in ((4096, 1), (32, 9)):
            run(f"{dtype}{passes}", dtype=dtype, epochs=1, dropout=0.0, hard_negatives=0,
                batch_tokens=tokens, accumulate=passes)  # fmt: skip
            [(_, _, norm)] = losses(tmp_path / f"{dtype}{passes}")
            norms.append(norm)
    assert norms == pytest.approx([norms[0]] * 4, rel=0.02)


def test_freezing_no_layer_freezes_the_embeddings(
    run: Callable[..., Trained], checkpoint: Callable[[str], Path], tmp_path: Path
) -> None:
    """``freeze=0`` keeps the embeddings alone; without it everything is trained."""
    begun = load_file(checkpoint("distilbert") / "model.safetensors")
    for folder, freeze in (("none", None), ("zero", 0)):
        run(folder, epochs=1, freeze=freeze, warmup=0.0)
    kept = {
        folder: {name for name, each in weights(tmp_path / folder).items()
                 if torch.equal(each, begun[name])}
        for folder in ("none", "zero")
    }  # fmt: skip
    assert kept["none"] == set()
    assert kept["zero"] == {name for name in begun if "embeddings" in name}


def test_more_layers_than_there_are_cannot_be_frozen(
    run: Callable[..., Trained], checkpoint: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message says how many there are; a model without a stack of layers is named."""
    with pytest.raises(SettingError, match="freeze must be at most 2"):
        run("run", freeze=3)
    with pytest.raises(SettingError, match="freeze must not be below 0"):
        TrainSettings(freeze=-1)
    start = load_start(str(checkpoint("distilbert")), dropout=None, seed=0)
    start.module.config.num_hidden_layers = 7  # type: ignore[union-attr]
    monkeypatch.setattr("docqa.training.start.load_module", lambda *_, **__: start.module)
    with pytest.raises(ModelIncompatibleError, match="train it without freeze"):
        load_start(str(checkpoint("distilbert")), dropout=None, seed=0, freeze=1)


def kept_for_backward(run: Callable[..., Trained], folder: str, **given: Any) -> int:
    """Return the most bytes that one step kept for its backward pass, weights included."""
    kept: dict[int, int] = {}
    most = 0

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    def on_step(report: Any) -> None:
        nonlocal most
        most = max(most, sum(kept.values()))
        kept.clear()

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        run(folder, on_step=on_step, **given)
    return most


def test_memory_is_bounded_by_padded_tokens(
    run: Callable[..., Trained], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No pass exceeds the tokens; bfloat16 keeps half for going back, frozen layers nothing."""
    sizes: list[int] = []

    def watched(*given: Any, **named: Any) -> Any:
        batch = lay_out(*given, **named)
        sizes.append(batch.input_ids.size)
        return batch

    monkeypatch.setattr("docqa.training.finetune.lay_out", watched)
    same: dict[str, Any] = {"epochs": 2, "batch_tokens": 64, "hard_negatives": 1.0}
    base = kept_for_backward(run, "base", **same)
    assert 32 < max(sizes) <= 64
    assert kept_for_backward(run, "bfloat16", **same, dtype="bfloat16") < 0.7 * base
    assert kept_for_backward(run, "frozen", **same, freeze=2) < 0.1 * base


def test_number_format_suits_the_processor(
    run: Callable[..., Trained], amx: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With AMX a new run is in bfloat16, its teacher too; a run goes on in its own format."""
    began: list[Computing] = []
    teachers: list[Any] = []
    monkeypatch.setattr(
        training_run, "load_span_reader", lambda *_, **given: teachers.append(given["dtype"])
    )
    monkeypatch.setattr(training_run, "ask_teacher", lambda *_, **__: None)
    same: dict[str, Any] = {"epochs": 1, "on_start": began.append, "teacher": "none"}
    run("new", dtype=None, **same)
    run("old", dtype="float32", **same)
    run("old", dtype=None, **same)
    assert began == [
        Computing("bfloat16", "AMX", "cpu", 0),
        Computing("float32", "AMX", "cpu", 0),
        Computing("float32", "AMX", "cpu", began[2].step),
    ]
    assert began[2].step > 0
    assert teachers == ["bfloat16", "float32", None]


def test_number_format_of_another_run_is_refused(
    run: Callable[..., Trained], no_bfloat16: None
) -> None:
    """Without such hardware it is float32; a run in it does not go on in bfloat16."""
    began: list[Computing] = []
    run("run", dtype=None, epochs=1, on_start=began.append)
    assert began == [Computing("float32", None, "cpu", 0)]
    with pytest.raises(TrainingError, match="holds a run in float32; leave dtype out"):
        run("run", dtype="bfloat16", epochs=1)
    with pytest.raises(SettingError, match="float32, bfloat16 for training, not 'float16'"):
        run("run", dtype="float16", epochs=1)


@pytest.fixture
def arguments(checkpoint: Callable[[str], Path], tmp_path: Path) -> list[str]:
    """Return a command line that trains a tiny model."""
    data = written(tmp_path / "toy data.json", asked_of(CONTEXTS, QUESTIONS))
    sizes = ["--window-tokens", "64", "--max-question-tokens", "16", "--batch-tokens", "64"]
    start = ["--start", str(checkpoint("distilbert")), "--device", "cpu"]
    return ["train", str(data), "--out", str(tmp_path / "run"), *sizes, *start]


def test_first_line_names_the_number_format(
    arguments: list[str], amx: None, tmp_path: Path
) -> None:
    """It is the first line; with bfloat16 in hardware there is no warning."""
    result = CliRunner().invoke(main, [*arguments, "--epochs", "1", "--freeze", "1"])
    assert result.exit_code == 0, result.output
    assert result.stderr.startswith(
        "docqa: training in bfloat16 with float32 master weights on cpu, where AMX multiplies "
        "bfloat16\n"
    )
    assert "warning" not in result.stderr
    assert result.stdout == f"{tmp_path / 'run' / 'reader'}\n"


def test_slow_number_format_is_warned_of(arguments: list[str], no_bfloat16: None) -> None:
    """Where nothing multiplies it, bfloat16 is allowed and the user knows; evaluation as well."""
    result = CliRunner().invoke(main, [*arguments, "--epochs", "1", "--dtype", "bfloat16"])
    assert result.exit_code == 0, result.output
    first, second, *_ = result.stderr.splitlines()
    assert first.endswith("on cpu, which is not known to multiply bfloat16 in hardware")
    assert second.startswith("docqa: warning: nothing on the device cpu is known to multiply")
    options = ["--reader", result.stdout.strip(), "--device", "cpu", "--timed", "0"]
    measured = CliRunner().invoke(main, ["evaluate", arguments[1], *options, "--dtype", "bfloat16"])
    assert measured.exit_code == 0, measured.output
    assert "is known to multiply bfloat16 in hardware: it will be slower" in measured.stderr


def interrupted(arguments: list[str], *, times: int) -> tuple[int, str]:
    """Run a command, press Ctrl-C so often after its first report of steps; return its end."""
    command = [sys.executable, "-m", "docqa", *arguments, "--epochs", "1000"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True
    ) as process:
        assert process.stderr is not None
        said = ""
        while " tokens/s" not in said:
            said += process.stderr.readline()
        for _ in range(times):
            process.send_signal(signal.SIGINT)
        said += process.stderr.read()
        return process.wait(timeout=120), said


@pytest.mark.skipif(os.name == "nt", reason="sends SIGINT as a terminal does")
def test_ctrl_c_ends_a_run_with_a_checkpoint(arguments: list[str], tmp_path: Path) -> None:
    """It ends after the step with 130, and says where it is and which command goes on."""
    code, said = interrupted([*arguments, "--checkpoint-every", "1000000"], times=1)
    assert code == 130
    assert "stopping after this step, with a checkpoint; Ctrl-C again ends it at once" in said
    last = said.splitlines()[-1]
    state = read_state(tmp_path / "run")
    assert state is not None
    assert f"stopped after step {state.step:,} of" in last
    assert f"with a checkpoint in {tmp_path / 'run' / 'state.pt'}. To go on: docqa train" in last
    program, *words = shlex.split(last.partition("To go on: ")[2])
    assert program == "docqa"
    assert words == [*arguments, "--checkpoint-every", "1000000", "--epochs", "1000"]
    again, more = interrupted([*arguments, "--checkpoint-every", "1000000"], times=1)
    assert again == 130
    assert f"; going on after step {state.step:,}\n" in more


def test_a_second_ctrl_c_is_not_waited_for(tmp_path: Path) -> None:
    """Before the first question Ctrl-C does as ever; then once it asks; then it does as ever."""
    acts: list[int] = []
    with request_to_stop(lambda: acts.append(1)) as stop:
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        assert not stop()
        signal.raise_signal(signal.SIGINT)
        assert stop()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        assert acts == [1]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
