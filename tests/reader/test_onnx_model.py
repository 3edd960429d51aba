"""The ONNX runtime: torch as the oracle, windows one by one, graphs that fit their weights."""

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
from docqa.reader.onnx_model import OnnxModel, load_onnx_model
from docqa.reader.pack import pack_reader
from docqa.reader.packing.encoder import relative_buckets

ARCHITECTURES = ("distilbert", "bert", "mpnet")


def windows(lengths: list[int], n_ids: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return random ids with a separator in each window, and the mask of windows so long."""
    mask = (np.arange(max(lengths)) < np.array(lengths)[:, None]).astype(np.int64)
    ids = np.random.default_rng(0).integers(4, n_ids, mask.shape)
    ids[:, 5::9] = 2
    return np.where(mask, ids, 1), mask


def both(name: str | Path, n_ids: int, **onnx: Any) -> tuple[Any, Any, Any]:
    """Return the logits of torch and of ONNX Runtime for the same windows, and their mask."""
    ids, mask = windows([90, 7, 33, 128, 90, 1], n_ids)
    expected = load_reader(name, runtime="torch", device="cpu", dtype="float32").model(ids, mask)
    found = load_reader(name, runtime="onnx", **onnx).model(ids, mask)
    return np.stack(expected), np.stack(found), mask == 1


@pytest.fixture
def changed(checkpoint: Callable[[str], Path], tmp_path: Path) -> Callable[..., Path]:
    """Return a function that copies a tiny checkpoint with another configuration."""

    def copied(architecture: str = "distilbert", **settings: object) -> Path:
        folder = Path(shutil.copytree(checkpoint(architecture), tmp_path / "changed"))
        config = json.loads((folder / "config.json").read_text("utf-8"))
        (folder / "config.json").write_text(json.dumps(config | settings), "utf-8")
        return folder

    return copied


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_float32_equals_torch(packed: Callable[[str], Path], architecture: str) -> None:
    """A random model gives torch's logits, whatever the lengths of the windows."""
    expected, found, shown = both(packed(architecture), 40, dtype="float32")
    np.testing.assert_allclose(found[:, shown], expected[:, shown], atol=1e-5)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_int8_stays_near(packed: Callable[[str], Path], architecture: str) -> None:
    """In 8 bits the logits move by a fraction of their spread."""
    expected, found, shown = both(packed(architecture), 40)
    off = np.abs(found[:, shown] - expected[:, shown])
    assert 0 < off.mean() < 0.05 * expected[:, shown].std()


@pytest.mark.parametrize(
    ("architecture", "settings"),
    [
        ("distilbert", {"activation": "relu"}),
        ("distilbert", {"n_heads": 4}),
        ("bert", {"hidden_act": "relu", "layer_norm_eps": 0.1}),
        ("mpnet", {"num_attention_heads": 2, "layer_norm_eps": 0.1}),
    ],
)
def test_shape_follows_the_configuration(
    changed: Callable[..., Path], tmp_path: Path, architecture: str, settings: Any
) -> None:
    """Activation, heads and the layer norms' epsilon are those of config.json."""
    pack_reader(changed(architecture, **settings), tmp_path / "packed")
    expected, found, shown = both(tmp_path / "packed", 40, dtype="float32")
    np.testing.assert_allclose(found[:, shown], expected[:, shown], atol=1e-5)


def test_buckets_are_those_of_transformers() -> None:
    """Every distance has the row that MPNet was trained with."""
    import torch
    from transformers.models.mpnet.modeling_mpnet import MPNetEncoder

    distances = np.arange(-600, 601)
    expected = MPNetEncoder.relative_position_bucket(torch.from_numpy(distances)).numpy()
    assert np.array_equal(relative_buckets(distances), expected)


def test_mini_in_float32_equals_torch() -> None:
    """The shipped weights, stored as 8-bit rows, give torch's logits in float32."""
    expected, found, shown = both("mini", 30_000, dtype="float32")
    np.testing.assert_allclose(found[:, shown], expected[:, shown], atol=2e-4)


def test_mini_in_int8_stays_near() -> None:
    """In 8 bits the logits of random words move by a fraction of their spread."""
    expected, found, shown = both("mini", 30_000, dtype="int8")
    off = np.abs(found[:, shown] - expected[:, shown])
    assert 0 < off.mean() < 0.05 * expected[:, shown].std()


@pytest.mark.parametrize("dtype", ["float32", "int8"])
def test_logits_do_not_depend_on_the_batch(packed: Callable[[str], Path], dtype: str) -> None:
    """A window's logits are the same, bit for bit, alone and among others."""
    model = load_onnx_model(find_checkpoint(str(packed("distilbert"))), dtype=dtype)
    ids, mask = windows([50, 20, 50], 40)
    together = model(ids, mask)[0]
    alone = model(ids[1:2, :20], mask[1:2, :20])[0]
    assert np.array_equal(together[1, :20], alone[0])
    assert not together[1, 20:].any()


@pytest.mark.parametrize("dtype", ["float32", "int8"])
def test_threads_share_a_model(packed: Callable[[str], Path], dtype: str) -> None:
    """Several threads that ask at once get what each would get alone."""
    model = load_onnx_model(find_checkpoint(str(packed("distilbert"))), dtype=dtype)
    asked = [windows([10 + n, 5], 40) for n in range(24)]
    expected = [model(*each)[0] for each in asked]
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda each: model(*each)[0], asked))
    assert all(np.array_equal(*pair) for pair in zip(expected, found, strict=True))


@pytest.mark.parametrize("architecture", ["distilbert", "roberta", "modernbert"])
def test_unpacked_is_refused(checkpoint: Callable[[str], Path], architecture: str) -> None:
    """A checkpoint without graphs is refused, with the command that packs and the other runtime."""
    with pytest.raises(ModelIncompatibleError, match=r"pack.*runtime='torch'"):
        load_reader(checkpoint(architecture), runtime="onnx")


@pytest.mark.parametrize("architecture", ["roberta", "modernbert"])
def test_other_architectures_are_packed_for_torch(
    packed: Callable[[str], Path], architecture: str
) -> None:
    """What there is no graph for gets its weights as 8-bit rows, which torch reads."""
    assert not list(packed(architecture).glob("*.onnx"))
    assert load_reader(packed(architecture), device="cpu").runtime == "torch float32"


def test_missing_weights_are_named(changed: Callable[..., Path], tmp_path: Path) -> None:
    """Layers that the configuration names and the file lacks are an error that names them."""
    with pytest.raises(ModelIncompatibleError, match=r"layer\.2\.attention"):
        pack_reader(changed(n_layers=3), tmp_path / "packed")


def test_weights_of_another_shape_are_named(changed: Callable[..., Path], tmp_path: Path) -> None:
    """A layer of another width is an error that names it."""
    with pytest.raises(ModelIncompatibleError, match=r"ffn\.lin1"):
        pack_reader(changed(hidden_dim=64), tmp_path / "packed")


@pytest.mark.parametrize("cut", [0, 5, 100, 2000])
def test_truncated_weights_are_refused(
    packed: Callable[[str], Path], tmp_path: Path, cut: int
) -> None:
    """A file of weights that lacks its end is an error, not a model of what lies there."""
    folder = Path(shutil.copytree(packed("distilbert"), tmp_path / "cut"))
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:cut])
    with pytest.raises(ModelIncompatibleError, match="damaged"):
        load_reader(folder, runtime="onnx")


def test_other_weights_are_refused(
    packed: Callable[[str], Path], checkpoint: Callable[[str], Path], tmp_path: Path
) -> None:
    """A graph is not run over weights that came into its folder later."""
    folder = Path(shutil.copytree(packed("distilbert"), tmp_path / "other"))
    shutil.copy(checkpoint("distilbert") / "model.safetensors", folder)
    with pytest.raises(ModelIncompatibleError, match="replaced"):
        load_reader(folder, runtime="onnx")
    assert load_reader(folder, device="cpu").runtime == "torch float32"


def test_packing_again_changes_nothing(packed: Callable[[str], Path], tmp_path: Path) -> None:
    """A packed checkpoint that is packed, also in its place, is the same to the byte."""
    folder = Path(shutil.copytree(packed("mpnet"), tmp_path / "again"))
    pack_reader(folder, folder)
    for file in packed("mpnet").iterdir():
        assert (folder / file.name).read_bytes() == file.read_bytes()


def test_links_are_followed(packed: Callable[[str], Path], tmp_path: Path) -> None:
    """Files may be links into other folders, as in the hub's cache."""
    for number, file in enumerate(packed("bert").iterdir()):
        blob = tmp_path / f"blobs/{number}"
        blob.parent.mkdir(exist_ok=True)
        shutil.copy(file, blob)
        (tmp_path / "snapshot").mkdir(exist_ok=True)
        (tmp_path / "snapshot" / file.name).symlink_to(blob)
    assert load_reader(tmp_path / "snapshot", runtime="onnx").runtime == "onnx int8"


def test_unknown_token_is_an_error(packed: Callable[[str], Path]) -> None:
    """What ONNX Runtime refuses is a model error, not one of its own."""
    model = load_onnx_model(find_checkpoint(str(packed("distilbert"))))
    ids = np.full((1, 4), 10**6)
    with pytest.raises(ModelError, match="window of 4 tokens"):
        model(ids, np.ones_like(ids))


def test_refused_graph_is_an_error(tmp_path: Path) -> None:
    """A graph that ONNX Runtime cannot load is a model error."""
    (tmp_path / "int8.onnx").write_bytes(b"no model")
    with pytest.raises(ModelIncompatibleError, match="refuses"):
        OnnxModel(tmp_path / "int8.onnx", number_format="float32", max_tokens=8)


def test_bfloat16_weights_are_packed(changed: Callable[..., Path], tmp_path: Path) -> None:
    """Numpy has no bfloat16; weights in it are packed all the same."""
    import torch
    from safetensors.torch import load_file, save_file

    file = changed() / "model.safetensors"
    save_file({name: t.to(torch.bfloat16) for name, t in load_file(file).items()}, file)
    pack_reader(file.parent, tmp_path / "packed")
    assert load_reader(tmp_path / "packed", device="cpu").runtime == "onnx int8"
