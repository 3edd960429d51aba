"""The measurement scripts' own arithmetic, and shapes of well-known models."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

import docqa

sys.path.insert(0, str(Path(__file__).parent))

import shapes
from arithmetic import matrix_product_rate, pass_operations
from made_document import make_pdf, page_lines
from shapes import SHAPES, Shape, load_shape, random_module

TINY = Shape("a toy", "distilbert", *(2, 32, 2, 64), 500, positions=512)
NOTES = "The lamp burns 40 litres of oil a week. The bell weighs 900 kilograms."


@pytest.fixture
def tiny_shapes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the names of shapes stand for a tiny one, so that tests need no time."""
    for name in SHAPES:
        monkeypatch.setitem(shapes.SHAPES, name, TINY)


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


def test_a_shape_reads_ids_beyond_its_vocabulary(tiny_shapes: None) -> None:
    """Every token of the shipped tokenizer is read, whatever the shape's vocabulary."""
    reader = load_shape("bert-base", device="cpu")
    passage = docqa.Passage("d", 0, docqa.Span(0, len(NOTES)), NOTES)
    assert reader.read("How much oil?", [passage], top_k=1).spans


def test_stages_script_compares_readers(
    tiny_shapes: None, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each stage and each reader has a line; one that cannot be loaded is named with the reason."""
    import stages

    readers = ["--reader", "minilm", "--reader", "./no-such-folder", "--reader", "bert-base"]
    stages.main(["--pages", "2", "--rounds", "1", "--device", "cpu", *readers])
    written = capsys.readouterr().out
    assert "not measured: ./no-such-folder: " in written
    for words in ("\nload ", "\nsplit ", "\nindex ", "\nrank ", "2 pages", "\nbert-base "):
        assert words in written
    assert "  1.00x" in written
