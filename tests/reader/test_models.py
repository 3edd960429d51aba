"""Loading readers by name and path, and what is said when that fails."""

from __future__ import annotations

import json
import logging
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from docqa.calibration import Calibration
from docqa.datamodel import Passage, Span
from docqa.errors import ModelIncompatibleError, ModelNotFoundError, SettingError
from docqa.protocols import Reader
from docqa.reader.models import load_reader
from docqa.reader.pack import pack_reader

TEXT = "my name is john and i live in seattle ."
PASSAGE = Passage("d", 0, Span(0, len(TEXT)), TEXT)
ARCHITECTURES = ("distilbert", "bert", "mpnet", "roberta", "modernbert")


@pytest.fixture
def copy(checkpoint: Callable[[str], Path], tmp_path: Path) -> Callable[[str], Path]:
    """Return a function that copies a tiny checkpoint, to be spoiled."""

    def copied(architecture: str, name: str = "model") -> Path:
        return Path(shutil.copytree(checkpoint(architecture), tmp_path / name))

    return copied


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep every test off the network and out of the user's cache."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_architecture_reads(checkpoint: Callable[[str], Path], architecture: str) -> None:
    """A checkpoint's folder gives a reader that proposes spans of the passage."""
    reader = load_reader(checkpoint(architecture), device="cpu")
    assert isinstance(reader, Reader)
    assert reader.window_tokens == reader.model.max_tokens  # type: ignore[attr-defined]
    spans = reader.read("who ?", [PASSAGE], top_k=2).spans
    assert spans
    assert all(span.span.of(TEXT) for span in spans)


@pytest.mark.parametrize("architecture", ["distilbert", "bert", "mpnet"])
def test_packed_reads_alike(
    checkpoint: Callable[[str], Path], tmp_path: Path, architecture: str
) -> None:
    """8-bit rows are a quarter of the size and give nearly the same logits."""
    source, target = checkpoint(architecture), tmp_path / "packed"
    pack_reader(source, target, no_answer=True)
    exact, packed = (load_reader(folder, device="cpu") for folder in (source, target))
    wanted, found = (each.read("who ?", [PASSAGE], top_k=1).spans[0] for each in (exact, packed))
    assert found.span_logit == pytest.approx(wanted.span_logit, abs=0.2)
    assert (exact.no_answer, packed.no_answer) == (False, True)


def test_pack_names_what_is_missing(tmp_path: Path) -> None:
    """Packing an empty folder is an error that names the file."""
    with pytest.raises(ModelNotFoundError, match=r"model\.safetensors"):
        pack_reader(tmp_path, tmp_path / "packed", no_answer=False)


def test_unknown_name() -> None:
    """A name that is no folder and no repository lists what there is, without the network."""
    with pytest.raises(ModelNotFoundError, match="'cascade' and 'distilbert'"):
        load_reader("mimi")


@pytest.mark.parametrize("name", ["owner/model", "distilbert"])
def test_hub_offline(name: str) -> None:
    """A hub model that is not in the cache is a clear error when the hub is out of reach."""
    with pytest.raises(ModelNotFoundError, match="not all in the local cache"):
        load_reader(name)


@pytest.mark.parametrize("level", [logging.WARNING, logging.INFO])
def test_hub_client_is_quiet(
    level: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The client's lines on retries show only where logs are wanted; its level is put back."""
    client = logging.getLogger("huggingface_hub")

    def unreachable(*_: object, **__: object) -> str:
        client.getChild("utils").warning("Retrying in 1s")
        raise OSError("unreachable")

    handler = logging.StreamHandler(sys.stderr)
    monkeypatch.setattr("huggingface_hub.snapshot_download", unreachable)
    monkeypatch.setattr(client, "handlers", [handler])
    monkeypatch.setattr(logging.getLogger(), "level", level)
    before = client.level
    with pytest.raises(ModelNotFoundError, match="hub cannot be reached"):
        load_reader("owner/model")
    assert client.level == before
    assert ("Retrying" in capsys.readouterr().err) == (level == logging.INFO)


def test_pinned_revision_is_read_from_the_cache(
    checkpoint: Callable[[str], Path], tmp_path: Path
) -> None:
    """`distilbert` comes from the cache at its pinned commit, which is the reader's revision."""
    commit = "564e9b582944a57a3e586bbb98fd6f0a4118db7f"
    repository = "models--distilbert--distilbert-base-cased-distilled-squad"
    shutil.copytree(
        checkpoint("distilbert"), tmp_path / "cache" / repository / "snapshots" / commit
    )
    reader = load_reader("distilbert", device="cpu")
    assert (reader.name, reader.revision, reader.no_answer) == ("distilbert", commit, False)


@pytest.mark.parametrize("missing", ["config.json", "model.safetensors", "tokenizer.json"])
def test_missing_file_is_named(copy: Callable[[str], Path], missing: str) -> None:
    """A folder that lacks a file names it and says what to do."""
    folder = copy("distilbert")
    (folder / missing).unlink()
    with pytest.raises(ModelNotFoundError, match=missing):
        load_reader(folder)


def test_pickled_weights_are_refused(copy: Callable[[str], Path]) -> None:
    """A folder with pickled weights only says how to convert them."""
    folder = copy("bert")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(ModelIncompatibleError, match="save_pretrained"):
        load_reader(folder)


@pytest.mark.parametrize("architecture", ["distilbert", "bert"])
def test_missing_head_is_refused(copy: Callable[[str], Path], architecture: str) -> None:
    """A checkpoint without an answer head would answer at random, and is refused."""
    from safetensors.torch import load_file, save_file

    weights = copy(architecture) / "model.safetensors"
    kept = {name: t for name, t in load_file(weights).items() if not name.startswith("qa_")}
    save_file(kept, weights, metadata={"format": "pt"})
    with pytest.raises(ModelIncompatibleError, match="qa_outputs"):
        load_reader(weights.parent)


def test_other_task_is_refused(copy: Callable[[str], Path]) -> None:
    """A classifier whose head has the right shape is still no reader."""
    folder = copy("modernbert")
    config = json.loads((folder / "config.json").read_text("utf-8"))
    config["architectures"] = ["ModernBertForSequenceClassification"]
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    with pytest.raises(ModelIncompatibleError, match="not an extractive"):
        load_reader(folder)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("config.json", "{"),
        ("config.json", "[]"),
        ("config.json", '{"model_type": "no-such-model"}'),
        ("tokenizer.json", "{}"),
        ("model.safetensors", "not weights"),
    ],
)
@pytest.mark.parametrize("architecture", ["distilbert", "roberta"])
def test_damaged_file_is_an_error(
    copy: Callable[[str], Path], architecture: str, name: str, content: str
) -> None:
    """Files that are not what their name says are model errors, not tracebacks of libraries."""
    folder = copy(architecture)
    (folder / name).write_text(content, "utf-8")
    with pytest.raises(ModelIncompatibleError):
        load_reader(folder)


def test_foreign_tokenizer_is_refused(copy: Callable[[str], Path]) -> None:
    """A tokenizer that knows more tokens than the model has rows does not belong to it."""
    folder = copy("distilbert")
    shutil.copy(copy("roberta", "other") / "tokenizer.json", folder)
    with pytest.raises(ModelIncompatibleError, match="do not belong together"):
        load_reader(folder)


def test_vocabulary_files_are_converted(copy: Callable[[str], Path]) -> None:
    """A checkpoint with vocab.txt instead of tokenizer.json is read."""
    folder = copy("bert")
    vocabulary = json.loads((folder / "tokenizer.json").read_text("utf-8"))["model"]["vocab"]
    (folder / "tokenizer.json").unlink()
    (folder / "vocab.txt").write_text("\n".join(vocabulary) + "\n", "utf-8")
    assert load_reader(folder, device="cpu").read("who ?", [PASSAGE], top_k=1).spans


def test_vocabulary_that_cannot_be_converted(copy: Callable[[str], Path]) -> None:
    """Where no whole fast tokenizer can be made, the error says how to save one."""
    folder = copy("bert")
    (folder / "tokenizer.json").rename(folder / "vocab.model")
    with pytest.raises(ModelIncompatibleError, match="save_pretrained"):
        load_reader(folder)


def test_no_answer_by_name_and_by_hand(copy: Callable[[str], Path]) -> None:
    """Names in the hub's manner say whether unanswerable questions were seen; the caller wins."""
    folder = copy("distilbert", "tiny-squad2")
    assert load_reader(folder, device="cpu").no_answer
    assert not load_reader(folder, device="cpu", no_answer=False).no_answer


def test_sizes_follow_the_model(checkpoint: Callable[[str], Path]) -> None:
    """A small model gets smaller defaults; more than it has positions for is an error."""
    reader = load_reader(checkpoint("distilbert"), device="cpu")
    assert (reader.window_tokens, reader.max_question_tokens) == (128, 62)
    with pytest.raises(SettingError, match="at most 128"):
        load_reader(checkpoint("distilbert"), device="cpu", window_tokens=129)


def test_loading_is_quiet(
    checkpoint: Callable[[str], Path], capfd: pytest.CaptureFixture[str]
) -> None:
    """Nothing is written to the terminal, not even by the libraries underneath."""
    folder = checkpoint("roberta")
    capfd.readouterr()
    load_reader(folder, device="cpu")
    assert capfd.readouterr() == ("", "")


def calibrated(folder: Path, *, revision: str) -> Calibration:
    """Put a calibration beside the weights of a folder."""
    made = Calibration(0.5, {"margin": 0.25}, revision)
    made.write(folder / "calibration.json")
    return made


def test_a_calibration_beside_the_weights_is_read(copy: Callable[[str], Path]) -> None:
    """It is there without asking, can be left out, and another file can be named."""
    folder = copy("distilbert")
    assert load_reader(folder, device="cpu").calibration is None
    made = calibrated(folder, revision="")
    assert load_reader(folder, device="cpu").calibration == made
    assert load_reader(folder, device="cpu", calibration=False).calibration is None
    moved = (folder / "calibration.json").rename(folder.parent / "mine.json")
    assert load_reader(folder, device="cpu", calibration=moved).calibration == made


def test_a_calibration_of_other_weights_is_refused(copy: Callable[[str], Path]) -> None:
    """Probabilities of former weights would be wrong without a sign of it; packing drops them."""
    source = copy("distilbert")
    target = source.parent / "packed"
    pack_reader(source, target, no_answer=True)
    calibrated(target, revision="sha256:0123")
    with pytest.raises(ModelIncompatibleError, match="run docqa calibrate again"):
        load_reader(target, device="cpu")
    pack_reader(source, target, no_answer=True)
    assert load_reader(target, device="cpu").calibration is None
