"""4-bit blocks: exact expansion, products that cannot overflow, and torch as the oracle."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from docqa.datamodel import Passage, Span
from docqa.errors import ModelIncompatibleError, SettingError
from docqa.reader.blocks import expanded_columns, expanded_rows
from docqa.reader.models import load_reader
from docqa.reader.pack import pack_reader
from docqa.reader.packing.block_codes import block_codes

ARCHITECTURES = ("distilbert", "bert", "mpnet")
TEXT = "john and the company of seattle."
PASSAGE = Passage("d", 0, Span(0, len(TEXT)), TEXT)


@pytest.fixture
def wide(checkpoint: Callable[[str], Path], tmp_path: Path) -> Callable[[str], Path]:
    """Return a function from an architecture to a tiny checkpoint of sizes that 32 divides."""

    def made(architecture: str) -> Path:
        import torch
        import transformers

        folder = Path(shutil.copytree(checkpoint(architecture), tmp_path / architecture))
        config = transformers.AutoConfig.from_pretrained(folder)
        setattr(config, "hidden_dim" if architecture == "distilbert" else "intermediate_size", 64)
        torch.manual_seed(0)
        model = transformers.AutoModelForQuestionAnswering.from_config(config)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(torch.randn_like(parameter), alpha=0.1)
        model.save_pretrained(folder)
        return folder

    return made


matrices = arrays.arrays(
    np.float32,
    st.tuples(st.integers(1, 5), st.sampled_from([32, 64, 96])),
    elements=st.floats(-100, 100, width=32),
)


@given(matrices, st.booleans())
def test_expansion_is_code_times_multiple(matrix: np.ndarray, multiplied: bool) -> None:
    """Both layouts expand to the products of codes and multiples, one by one."""
    made = block_codes(matrix, multiplied=multiplied)
    wanted = [
        [int(code) * int(made.multiples[row, at // 32]) for at, code in enumerate(codes)]
        for row, codes in enumerate(made.codes.reshape(len(matrix), -1))
    ]
    by_input, by_row = made.by_input(), made.by_row()
    assert expanded_columns(*by_input[:2]).T.tolist() == wanted
    assert expanded_rows(*by_row[:2]).tolist() == wanted


@given(matrices)
def test_no_pair_can_overflow(matrix: np.ndarray) -> None:
    """No two neighbours sum to more than 128, whatever their signs; nothing leaves 8 bits."""
    made = block_codes(matrix, multiplied=True)
    weights = (made.codes.astype(int) * made.multiples[..., None]).reshape(len(matrix), -1)
    assert abs(weights).max() <= 127
    assert abs(weights[:, ::2] + weights[:, 1::2]).max() <= 128


def test_error_is_near_that_of_free_scales() -> None:
    """Of normal weights the squared error is 1%: 4 bits of the largest of 32 leave that much."""
    matrix = np.random.default_rng(0).normal(size=(64, 768)).astype(np.float32)
    made = block_codes(matrix, multiplied=True)
    weights = made.codes * made.multiples[..., None] * made.scales[:, None, None]
    error = ((weights.reshape(matrix.shape) - matrix) ** 2).sum() / (matrix**2).sum()
    assert error < 0.011


def test_zeros_stay_zeros() -> None:
    """A row of zeros has a scale that is a number, and stays zero."""
    made = block_codes(np.zeros((2, 64), dtype=np.float32), multiplied=True)
    assert not made.codes.any()
    assert np.isfinite(made.scales).all()


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_runtime_reads_the_same_weights(
    wide: Callable[[str], Path], tmp_path: Path, architecture: str
) -> None:
    """ONNX Runtime in float32 equals torch; in 8 bits it stays near; the file is smaller."""
    source, four, eight = wide(architecture), tmp_path / "four", tmp_path / "eight"
    pack_reader(source, four, bits=4)
    pack_reader(source, eight)
    sizes = [(folder / "model.safetensors").stat().st_size for folder in (four, eight)]
    assert sizes[0] < sizes[1]
    request = [("who audits the company ?", [PASSAGE])]
    logits = []
    for settings in ({"runtime": "torch"}, {"runtime": "onnx"}):
        reader = load_reader(four, device="cpu", dtype="float32", **settings)
        [read] = reader.logits(request)
        logits.append(np.stack([read.start_logits, read.end_logits]))
    np.testing.assert_allclose(logits[1], logits[0], atol=1e-5)
    [read] = load_reader(four, runtime="onnx").logits(request)
    off = np.abs(np.stack([read.start_logits, read.end_logits]) - logits[0])
    assert 0 < off.mean() < 0.05 * logits[0].std()


def test_packed_blocks_can_be_packed_again(wide: Callable[[str], Path], tmp_path: Path) -> None:
    """8-bit rows made of 4-bit blocks give nearly the same logits."""
    four, eight = tmp_path / "four", tmp_path / "eight"
    pack_reader(wide("mpnet"), four, bits=4)
    pack_reader(four, eight)
    found = [
        load_reader(folder, device="cpu", runtime="torch").read("who ?", [PASSAGE], top_k=1)
        for folder in (four, eight)
    ]
    logits = [each.spans[0].span_logit for each in found]
    assert logits[1] == pytest.approx(logits[0], abs=0.2)


def test_sizes_that_blocks_do_not_fit(checkpoint: Callable[[str], Path], tmp_path: Path) -> None:
    """Layers of 48 inputs are refused before anything is written."""
    with pytest.raises(ModelIncompatibleError, match="no multiples of 32"):
        pack_reader(checkpoint("bert"), tmp_path / "packed", bits=4)
    with pytest.raises(ModelIncompatibleError, match="pack it in 8"):
        pack_reader(checkpoint("roberta"), tmp_path / "packed", bits=4)
    with pytest.raises(SettingError, match="8 or 4"):
        pack_reader(checkpoint("bert"), tmp_path / "packed", bits=5)
    assert not (tmp_path / "packed").exists()


def test_damaged_multiples_are_refused(wide: Callable[[str], Path], tmp_path: Path) -> None:
    """Multiples of another shape than the codes' are an error, not other weights."""
    from safetensors.numpy import load_file, save_file

    pack_reader(wide("bert"), tmp_path / "packed", bits=4)
    file = tmp_path / "packed" / "model.safetensors"
    name = next(each for each in load_file(file) if each.endswith(".multiple"))
    stored = load_file(file)
    stored[name] = np.concatenate([stored[name], stored[name]])
    save_file(stored, file, metadata={"format": "docqa-int4-blocks-1"})
    with pytest.raises(ModelIncompatibleError, match="damaged"):
        load_reader(tmp_path / "packed", runtime="torch", device="cpu")
    with pytest.raises(ModelIncompatibleError, match="damaged"):
        load_reader(tmp_path / "packed", runtime="onnx")
    config = json.loads((tmp_path / "packed" / "config.json").read_text("utf-8"))
    assert config["docqa"]["bits"] == 4
