"""The ONNX runtime: torch as the oracle, integers that do not overflow, windows one by one."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from docqa.errors import ModelError, ModelIncompatibleError
from docqa.reader.checkpoints import find_checkpoint
from docqa.reader.models import load_reader
from docqa.reader.pack import pack
from docqa.reader.quantized import quantize
from docqa.reader.packing.weights import StoredWeights, quantized_rows

pytest.importorskip("onnxruntime", reason="needs the extra onnx")
pytest.importorskip("onnx", reason="needs the extra onnx")

from docqa.reader.onnx_model import OnnxModel, load_onnx_model


def windows(lengths: list[int], n_ids: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return random ids and the mask of windows of these lengths."""
    mask = (np.arange(max(lengths)) < np.array(lengths)[:, None]).astype(np.int64)
    return np.random.default_rng(0).integers(4, n_ids, mask.shape) * mask, mask


def both(name: str | Path, n_ids: int, **onnx: Any) -> tuple[Any, Any, Any]:
    """Return the logits of torch and of ONNX Runtime for the same windows, and their mask."""
    ids, mask = windows([90, 7, 33, 128, 90, 1], n_ids)
    expected = load_reader(name, runtime="torch", device="cpu", dtype="float32").model(ids, mask)
    found = load_reader(name, runtime="onnx", **onnx).model(ids, mask)
    return np.stack(expected), np.stack(found), mask == 1


@pytest.fixture
def changed(checkpoint: Callable[[str], Path], tmp_path: Path) -> Callable[..., Path]:
    """Return a function that copies the tiny DistilBERT with another configuration."""

    def copied(**settings: object) -> Path:
        folder = Path(shutil.copytree(checkpoint("distilbert"), tmp_path / "changed"))
        config = json.loads((folder / "config.json").read_text("utf-8"))
        (folder / "config.json").write_text(json.dumps(config | settings), "utf-8")
        return folder

    return copied


def test_float32_equals_torch(checkpoint: Callable[[str], Path]) -> None:
    """A random DistilBERT gives torch's logits, whatever the lengths of the windows."""
    expected, found, shown = both(checkpoint("distilbert"), 40)
    np.testing.assert_allclose(found[:, shown], expected[:, shown], atol=1e-5)


@pytest.mark.parametrize("settings", [{"activation": "relu"}, {"n_heads": 4}])
def test_shape_follows_the_configuration(changed: Callable[..., Path], settings: Any) -> None:
    """Activation and number of heads are those of config.json."""
    expected, found, shown = both(changed(**settings), 40)
    np.testing.assert_allclose(found[:, shown], expected[:, shown], atol=1e-5)


def test_mini_in_float32_equals_torch() -> None:
    """The shipped weights, stored as 8-bit rows, give torch's logits in float32."""
    expected, found, shown = both("mini", 30_000, dtype="float32")
    np.testing.assert_allclose(found[:, shown], expected[:, shown], atol=2e-4)


def test_mini_in_int8_stays_near() -> None:
    """In 8 bits the logits of random words move by a fraction of their spread."""
    expected, found, shown = both("mini", 30_000, dtype="int8")
    off = np.abs(found[:, shown] - expected[:, shown])
    assert 0 < off.mean() < 0.05 * expected[:, shown].std()


def test_packed_and_plain_defaults(checkpoint: Callable[[str], Path], tmp_path: Path) -> None:
    """Weights stored as 8-bit rows are computed in 8 bits, plain ones in float32."""
    plain = checkpoint("distilbert")
    pack(plain, tmp_path / "packed", no_answer=False)
    loaded = [load_onnx_model(find_checkpoint(str(f))) for f in (plain, tmp_path / "packed")]
    assert [model.number_format for model in loaded] == ["float32", "int8"]


@pytest.mark.parametrize("dtype", ["float32", "int8"])
def test_logits_do_not_depend_on_the_batch(checkpoint: Callable[[str], Path], dtype: str) -> None:
    """A window's logits are the same, bit for bit, alone and among others."""
    model = load_onnx_model(find_checkpoint(str(checkpoint("distilbert"))), dtype=dtype)
    ids, mask = windows([50, 20, 50], 40)
    together = model(ids, mask)[0]
    alone = model(ids[1:2, :20], mask[1:2, :20])[0]
    assert np.array_equal(together[1, :20], alone[0])
    assert not together[1, 20:].any()


@pytest.mark.parametrize("dtype", ["float32", "int8"])
def test_threads_share_a_model(checkpoint: Callable[[str], Path], dtype: str) -> None:
    """Several threads that ask at once get what each would get alone."""
    model = load_onnx_model(find_checkpoint(str(checkpoint("distilbert"))), dtype=dtype)
    asked = [windows([10 + n, 5], 40) for n in range(24)]
    expected = [model(*each)[0] for each in asked]
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda each: model(*each)[0], asked))
    assert all(np.array_equal(*pair) for pair in zip(expected, found, strict=True))


@pytest.mark.parametrize("architecture", ["bert", "roberta", "modernbert"])
def test_other_architectures_are_refused(
    checkpoint: Callable[[str], Path], architecture: str
) -> None:
    """What is no DistilBERT is refused by name, with the runtime that reads it."""
    with pytest.raises(ModelIncompatibleError, match="runtime='torch'"):
        load_reader(checkpoint(architecture), runtime="onnx")


def test_missing_weights_are_named(changed: Callable[..., Path]) -> None:
    """Layers that the configuration tells of and the file lacks are an error that names them."""
    with pytest.raises(ModelIncompatibleError, match=r"layer\.2\.attention"):
        load_reader(changed(n_layers=3), runtime="onnx")


def test_weights_of_another_shape_are_named(changed: Callable[..., Path]) -> None:
    """A layer of another width is an error that names it."""
    with pytest.raises(ModelIncompatibleError, match=r"ffn\.lin1"):
        load_reader(changed(hidden_dim=64), runtime="onnx")


def test_unknown_token_is_an_error(checkpoint: Callable[[str], Path]) -> None:
    """What ONNX Runtime refuses is a model error, not one of its own."""
    model = load_onnx_model(find_checkpoint(str(checkpoint("distilbert"))))
    ids = np.full((1, 4), 10**6)
    with pytest.raises(ModelError, match="window of 4 tokens"):
        model(ids, np.ones_like(ids))


def test_refused_graph_is_an_error() -> None:
    """A graph that ONNX Runtime cannot load is a model error."""
    from docqa.reader.packing.graph import OnnxGraph

    with pytest.raises(ModelIncompatibleError, match="refuses"):
        OnnxModel(OnnxGraph(b"no model", {}), number_format="float32", max_tokens=8)


def test_rows_are_those_that_torch_packs(tmp_path: Path) -> None:
    """Floats become the same 8-bit rows here as in the packed file."""
    import torch

    matrix = np.random.default_rng(0).normal(size=(64, 96)).astype(np.float32)
    packed = quantize({"m": torch.from_numpy(matrix)})
    rows, scales = quantized_rows(matrix)
    assert np.array_equal(rows, packed["m"].numpy())
    np.testing.assert_allclose(scales, packed["m.scale"].numpy(), rtol=1e-6)


def test_bfloat16_weights_are_left_to_torch(changed: Callable[..., Path]) -> None:
    """Numpy has no bfloat16, so such a file is read by torch."""
    import torch
    from safetensors.torch import load_file, save_file

    file = changed() / "model.safetensors"
    save_file({name: t.to(torch.bfloat16) for name, t in load_file(file).items()}, file)
    assert not StoredWeights(file).readable
    assert load_reader(file.parent, device="cpu").runtime == "torch float32"
