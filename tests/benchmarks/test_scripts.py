"""The measurement scripts import, stand in the index, and run on sizes that need no GPU."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
import torch

SCRIPTS = Path(__file__).parent
NAMES = sorted(path.stem for path in SCRIPTS.glob("*.py") if not path.match("test_*"))
NOT_EVERYWHERE = {"lancedb", "playwright"}
sys.path.insert(0, str(SCRIPTS))  # scripts import one another
CONTEXT = "john live in seattle . and the company"
ASKED = {"where do i live": "seattle", "who audits ?": "the company"}


def script(name: str) -> ModuleType:
    """Return a measurement script as a module."""
    spec = importlib.util.spec_from_file_location(name, SCRIPTS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)  # dataclasses look it up
    spec.loader.exec_module(module)
    return module


def test_index_names_every_script() -> None:
    """The table of README.md has a row for each file, and no other; commands run a listed one."""
    index = (SCRIPTS / "README.md").read_text("utf-8")
    assert sorted(re.findall(r"^\| `(\w+)\.py` \|", index, re.MULTILINE)) == NAMES
    assert set(re.findall(r"python tests/benchmarks/(\w+)\.py", index)) <= set(NAMES)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_script_imports(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a script uses of docqa and of the tests' helpers is there."""
    monkeypatch.setattr(sys, "path", [str(SCRIPTS), *sys.path])
    try:
        assert script(name).__doc__
    except ModuleNotFoundError as error:
        if error.name not in NOT_EVERYWHERE:
            raise
        pytest.skip(f"{error.name} is not installed")


@pytest.mark.slow
def test_gpu_script_runs_on_a_cpu(capsys: pytest.CaptureFixture[str]) -> None:
    """Both figures come out: the share of a plain product, and seconds a question."""
    script("gpu").main(["--tiny", "--device", "cpu"])
    written = capsys.readouterr().out
    assert re.search(r"2 x 176 torch.float32: .* tokens/s, .* share \d+%", written)
    assert re.search(r"2 pages, \d+ passages read whole with mini: \d\.\d+ s a question", written)


@pytest.fixture
def toy(checkpoint: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Return the DeFormer script with positions that the toy checkpoint has."""
    module = script("deformer")
    monkeypatch.setattr(module, "_PASSAGE_POSITION", 20)
    monkeypatch.setattr(module, "_WINDOW", 60)
    monkeypatch.setattr(module, "_OVERLAP", 5)
    return module


def split_reader(toy: ModuleType, folder: Path, lower: int) -> torch.nn.Module:
    from docqa.reader.checkpoints import find_checkpoint
    from docqa.reader.modules import load_module

    module = load_module(find_checkpoint(str(folder)))
    reader: torch.nn.Module = toy.SplitReader(module, lower=lower, separator_id=2).eval()
    return reader


def test_split_reader_with_nothing_apart_is_the_joint_one(
    toy: ModuleType, checkpoint: Callable[[str], Path]
) -> None:
    """With no lower layer apart the logits are the module's own."""
    reader = split_reader(toy, checkpoint("distilbert"), lower=0)
    ids, mask = toy.padded([[1, 5, 6, 2, 7, 8, 9, 2], [1, 5, 2, 7, 2]])
    with torch.inference_mode():
        expected = reader.module(input_ids=ids, attention_mask=mask)  # type: ignore[operator]
        found = reader(ids, mask)
    torch.testing.assert_close(found[..., 0][mask == 1], expected.start_logits[mask == 1])


def test_kept_states_give_what_the_masked_pass_gives(
    toy: ModuleType, checkpoint: Callable[[str], Path]
) -> None:
    """A passage's kept states serve questions of any length: the block mask is what they mean."""
    reader = split_reader(toy, checkpoint("distilbert"), lower=1)
    passages = torch.tensor([[7, 8, 9, 2], [9, 9, 5, 2]])
    with torch.inference_mode():
        kept = reader.kept(passages)  # type: ignore[operator]
        for question in ([1, 5, 6, 2], [1, 8, 2]):
            asked = torch.tensor([question])
            whole = torch.cat([asked.expand(2, -1), passages], dim=1)
            found = reader.with_kept(asked, kept)  # type: ignore[operator]
            torch.testing.assert_close(found, reader(whole, torch.ones_like(whole)))


@pytest.mark.slow
@pytest.mark.usefixtures("one_thread")
def test_deformer_script_learns(
    toy: ModuleType, checkpoint: Callable[[str], Path], tmp_path: Path
) -> None:
    """After some steps on two questions the split reader's loss has fallen."""
    path = tmp_path / "train.json"
    rows = [
        {"id": text, "question": text, "answers": [{"text": g, "answer_start": CONTEXT.index(g)}]}
        for text, g in ASKED.items()
    ]
    paragraph = {"context": CONTEXT, "qas": rows}
    path.write_text(json.dumps({"data": [{"title": "t", "paragraphs": [paragraph]}]}))
    from docqa.reader.models import load_reader

    tokenizer = load_reader(checkpoint("distilbert"), device="cpu").tokenizer
    batches = list(toy.training_batches(tokenizer, [path], 40, 200, seed=0))
    reader = split_reader(toy, checkpoint("distilbert"), lower=1)
    before = toy.fine_tune(reader, batches[:1], rate=0.0, seed=0)
    after = toy.fine_tune(reader, batches, rate=3e-3, seed=0)
    assert after < before / 2
    assert toy.score(reader, tokenizer, toy.sample(path, 2, seed=0)) == (100.0, 100.0)
