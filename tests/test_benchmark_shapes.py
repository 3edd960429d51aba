"""What `docqa bench` measures, and how it says so."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from torch.utils.flop_counter import FlopCounterMode

import docqa
from docqa.benchmark import cold_start, shapes
from docqa.benchmark.arithmetic import matrix_product_rate, pass_operations
from docqa.benchmark.cold_start import cold_seconds
from docqa.benchmark.contenders import Choice, open_contender
from docqa.benchmark.made_document import make_pdf, page_lines
from docqa.benchmark.memory import memory_growth
from docqa.benchmark.run import run_benchmark
from docqa.benchmark.shapes import SHAPES, Shape, random_module
from docqa.cli import main
from docqa.errors import ModelError, SettingError
from docqa.loaders.limits import Limits
from docqa.loaders.settings import LoadSettings

TINY = Shape("a toy", "distilbert", *(2, 32, 2, 64), 500, positions=512)
RUNTIMES: tuple[Literal["auto", "torch"], ...] = ("auto", "torch")
NOTES = b"The lamp burns 40 litres of oil a week. The bell weighs 900 kilograms."


@pytest.fixture
def tiny_shapes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the names of shapes stand for a tiny one, so that tests need no time."""
    for name in SHAPES:
        monkeypatch.setitem(shapes.SHAPES, name, TINY)


def bench(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["bench", "--no-isolate", *arguments], prog_name="docqa")


def test_made_document_reads_as_it_was_written() -> None:
    """The PDF's pages hold their lines, and the same call makes the same bytes."""
    data = make_pdf(3)
    assert data == make_pdf(3)
    with docqa.load(data) as document:
        assert len(document.pages) == 3
        words = document.pages[1].span.of(document.text).split()
        assert words == " ".join(page_lines(2)).split()


@pytest.mark.parametrize(
    ("name", "millions"), [("bert-base", 107.7), ("distilbert-base", 65.2), ("minilm", 22.6)]
)
def test_shapes_have_the_published_sizes(name: str, millions: float) -> None:
    """The shapes hold as many parameters as the checkpoints they stand for."""
    with torch.device("meta"):
        module = random_module(SHAPES[name])
    counted = sum(parameter.numel() for parameter in module.parameters())
    assert counted / 1e6 == pytest.approx(millions, abs=0.1)


@pytest.mark.parametrize("kind", ["bert", "distilbert"])
def test_operations_are_what_torch_counts(kind: str) -> None:
    """The formula gives what torch's own counter sees in a pass, head included."""
    shape = replace(TINY, model_type=kind)
    module = random_module(shape)
    module.config._attn_implementation = "eager"  # the counter does not see into fused kernels
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        module(input_ids=torch.full((3, 40), 7))
    assert pass_operations(shape.config, [40] * 3) == counter.get_total_flops()


def test_matrix_product_rate_is_a_rate() -> None:
    """A product of twice the rows takes no more than four times as long for each operation."""
    rates = [
        matrix_product_rate(torch.device("cpu"), torch.float32, sizes=(n, 64, 64), seconds=0.01)
        for n in (256, 512)
    ]
    assert 0.25 < rates[1] / rates[0] < 4


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="needs Linux's proc files")
def test_memory_growth_sees_what_is_freed_again() -> None:
    """What a step held for a moment counts, and what was there before does not."""
    with memory_growth() as growth:
        np.ones(8_000_000).sum()  # 64 MB
    with memory_growth() as nothing:
        pass
    assert growth.in_memory is not None
    assert 60e6 < growth.in_memory < 90e6
    assert nothing.in_memory is not None
    assert nothing.in_memory < 20e6


def test_a_shape_reads_ids_beyond_its_vocabulary(tiny_shapes: None) -> None:
    """Every token of the shipped tokenizer is read, whatever the shape's vocabulary."""
    contender = open_contender(Choice("bert-base", device="cpu"))
    assert contender.random_weights
    passage = docqa.Passage("d", 0, docqa.Span(0, len(NOTES)), NOTES.decode())
    assert contender.reader.read("How much oil?", [passage], top_k=1).spans


def test_readers_read_the_same_windows(tiny_shapes: None) -> None:
    """Ratios are to the first reader; work and windows are the same for all."""
    choices = [Choice(name, device="cpu") for name in ("bert-base", "distilbert-base")]
    result = run_benchmark(NOTES, ["How much oil?"], choices=choices, rounds=2)
    first, second = result.readings
    assert (first.times_as_fast, len(first.seconds), first.work) == (1.0, 2, second.work)
    assert (first.windows, first.tokens) == (second.windows, second.tokens)
    assert [stage.name for stage in result.stages] == ["load", "split", "index", "rank"]
    ratios = [one / other for one, other in zip(first.seconds, second.seconds, strict=True)]
    assert second.times_as_fast == pytest.approx(sum(ratios) / 2)


def test_parameters_are_counted_in_the_files(checkpoint: Callable[[str], Path]) -> None:
    """A checkpoint's count is its module's, scales of 8-bit rows aside."""
    folder = checkpoint("distilbert")
    contender = open_contender(Choice(str(folder), runtime="torch", device="cpu"))
    module = contender.reader.model.module  # type: ignore[attr-defined]
    assert contender.parameters == sum(each.numel() for each in module.parameters())
    assert contender.disk == (folder / "model.safetensors").stat().st_size
    shipped = open_contender(Choice("mini", device="cpu")).parameters
    assert shipped is not None
    assert 22e6 < shipped < 23e6


def test_a_reader_that_cannot_be_loaded_spoils_no_other(tiny_shapes: None) -> None:
    """What is missing is named with the reason; without any reader the reason is the error."""
    choices = [Choice("./no-such-folder"), Choice("minilm", device="cpu")]
    result = run_benchmark(NOTES, choices=choices, rounds=1)
    assert [reading.reader for reading in result.readings] == ["minilm"]
    assert "no-such-folder" in result.failed["./no-such-folder"]
    with pytest.raises(ModelError, match="no-such-folder"):
        run_benchmark(NOTES, choices=choices[:1], rounds=1)


def test_the_same_reader_is_measured_once(checkpoint: Callable[[str], Path]) -> None:
    """A runtime that is named and also what the reader takes by itself is one row."""
    choices = [Choice(str(checkpoint("bert")), runtime, device="cpu") for runtime in RUNTIMES]
    result = run_benchmark(NOTES, ["Who lives in Seattle?"], choices=choices, rounds=1)
    assert [reading.runtime for reading in result.readings] == ["torch"]  # nothing else runs BERT


def test_shapes_run_on_torch_alone() -> None:
    """A shape on another runtime is an error that says so."""
    with pytest.raises(SettingError, match="runs on torch alone"):
        open_contender(Choice("minilm", runtime="onnx"))


def test_cold_start_is_a_whole_command(checkpoint: Callable[[str], Path], tmp_path: Path) -> None:
    """A fresh process takes at least as long as importing torch in this one was spared."""
    path = tmp_path / "notes.txt"
    path.write_bytes(NOTES)
    choice = Choice(str(checkpoint("bert")), device="cpu")
    assert cold_seconds(choice, path, "who lives in seattle ?") > 0.5
    with pytest.raises(ModelError, match=r"a cold start with \./missing failed: .*missing"):
        cold_seconds(Choice("./missing"), path, "who ?")


def test_a_cold_start_that_fails_spoils_no_figure(
    checkpoint: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is named with its reason, and what was measured before stays."""
    monkeypatch.setattr(cold_start, "_LONGEST", 0.01)
    folder = str(checkpoint("bert"))
    result = run_benchmark(NOTES, choices=[Choice(folder, device="cpu")], rounds=1, cold=True)
    assert "took more than 0.01 seconds" in result.failed[f"cold start of {folder}"]
    assert [reading.cold_seconds for reading in result.readings] == [()]


def test_a_cold_start_loads_as_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Options of loading are handed on; the password by the environment, where no one sees it."""
    ran: list[tuple[list[str], dict[str, str]]] = []

    def note(command: list[str], *, env: dict[str, str], **_: object) -> Any:
        ran.append((command, env))
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(subprocess, "run", note)
    loading = LoadSettings(password="oil", isolate=True, limits=Limits(wall_seconds=9), ocr=True)
    cold_seconds(Choice("mini"), Path("a.pdf"), "Who?", loading)
    [(command, env)] = ran
    assert command[-6:] == ["--isolate", "--ocr", "--ocr-language", "eng", "--time-limit", "9"]
    assert (env["DOCQA_PASSWORD"], "oil" in command) == ("oil", False)


def test_command_writes_tables(tiny_shapes: None) -> None:
    """The tables name the machine, the stages, the readers, and mark random weights."""
    ran = bench("--reader", "bert-base", "--pages", "2", "--rounds", "1", "--device", "cpu")
    assert ran.exit_code == 0, ran.output
    for words in ("cores", "a PDF made for it: 2 pages", "\nload ", "\nbert-base* ", " 1.00x\n"):
        assert words in ran.stdout
    assert max(map(len, ran.stdout.splitlines()[4:])) <= 110


def test_command_writes_json(tiny_shapes: None, tmp_path: Path) -> None:
    """One object holds everything measured, of the user's file as well."""
    path = tmp_path / "notes.txt"
    path.write_bytes(NOTES)
    ran = bench(str(path), "How much oil?", "--reader", "minilm", "--device", "cpu", "--json")
    record = json.loads(ran.stdout)
    assert record["source"] == str(path)
    assert record["machine"]["versions"]["docqa"] == docqa.__version__
    (reading,) = record["readings"]
    assert reading["tokens_per_second"] == reading["tokens"] / reading["median_seconds"]
    assert len(reading["seconds"]) == 3


def test_command_names_what_it_could_not_measure(tiny_shapes: None) -> None:
    """One reader that is missing is a note on standard error; the other is in the table."""
    readers = ("--reader", "./no-such-folder", "--reader", "minilm")
    ran = bench(*readers, "--pages", "1", "--rounds", "1", "--device", "cpu")
    assert ran.exit_code == 0
    assert "not measured: ./no-such-folder: " in ran.stderr
    assert "\nminilm* " in ran.stdout


def test_bad_input_is_one_line(tmp_path: Path) -> None:
    """A file that is not there ends with exit code 2 and one line, before a reader is loaded."""
    ran = bench(str(tmp_path / "missing.pdf"))
    assert ran.exit_code == 2
    assert ran.stderr.startswith("docqa: error: ")
    assert ran.stderr.count("\n") == 1
