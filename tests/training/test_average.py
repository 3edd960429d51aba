"""The mean of checkpoints."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

import docqa
from docqa.datamodel import Passage, Span
from docqa.errors import ModelIncompatibleError, ModelNotFoundError
from docqa.training.average import average


def checkpoint(folder: Path, *numbers: float) -> Path:
    folder.mkdir()
    save_file({"w": torch.tensor(numbers, dtype=torch.float16)}, folder / "model.safetensors")
    (folder / "config.json").write_text(f'{{"from": "{folder.name}"}}')
    return folder


def test_mean_of_weights_and_the_files_of_the_first(tmp_path: Path) -> None:
    """Every number is the mean, in float32; the rest comes from the first checkpoint."""
    folders = [checkpoint(tmp_path / "a", 1, 2), checkpoint(tmp_path / "b", 2, 5)]
    average(folders, tmp_path / "out")
    made = load_file(tmp_path / "out" / "model.safetensors")["w"]
    assert (made.dtype, made.tolist()) == (torch.float32, [1.5, 3.5])
    assert (tmp_path / "out" / "config.json").read_text() == '{"from": "a"}'


def test_other_architectures_are_refused(tmp_path: Path) -> None:
    """Weights of other shapes have no mean, and a folder without weights is named."""
    one, other = checkpoint(tmp_path / "a", 1, 2), checkpoint(tmp_path / "b", 1)
    with pytest.raises(ModelIncompatibleError, match="another architecture"):
        average([one, other], tmp_path / "out")
    with pytest.raises(ModelNotFoundError, match="is missing"):
        average([one, tmp_path / "none"], tmp_path / "out")


def test_packed_readers_are_averaged_as_their_floats(
    packed: Callable[[str], Path], tmp_path: Path
) -> None:
    """The mean of a packed reader with itself proposes its spans; nothing in it is packed."""
    reader = packed("distilbert")
    average([reader, reader], tmp_path / "out")
    assert not list((tmp_path / "out").glob("*.onnx"))
    passage = Passage("id", 0, Span(0, 22), "john live in seattle .")
    both = [
        docqa.load_reader(folder, runtime="torch", device="cpu").read(
            "where do i live", [passage], top_k=3
        )
        for folder in (reader, tmp_path / "out")
    ]
    assert [one.span for one in both[0].spans] == [one.span for one in both[1].spans]
    assert docqa.load_reader(tmp_path / "out", device="cpu").revision == ""
