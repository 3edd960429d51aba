"""``docqa train`` and the tools beside it: the first argument alone chooses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner, Result
from fresh_process import loaded_by
from safetensors.torch import load_file, save_file

import docqa
from docqa.cli import main


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments, prog_name="docqa")


def weights(folder: Path, *numbers: float) -> str:
    folder.mkdir()
    save_file({"w": torch.tensor(numbers)}, folder / "model.safetensors")
    return str(folder)


def test_average_is_a_tool_and_no_data_file(tmp_path: Path) -> None:
    """Even where a file of that name is there, the word is the tool."""
    folders = [weights(tmp_path / "a", 1, 2), weights(tmp_path / "b", 2, 5)]
    result = run("train", "average", str(tmp_path / "out"), *folders)
    assert result.exit_code == 0, result.output
    assert load_file(tmp_path / "out" / "model.safetensors")["w"].tolist() == [1.5, 3.5]


@pytest.mark.parametrize("arguments", [("./average",), ("--out", "run", "average")])
def test_other_first_arguments_are_for_training(
    arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A data file called like a tool is named by its path, or stands behind an option."""
    monkeypatch.chdir(tmp_path)
    Path("average").write_text("no JSON")
    result = run("train", *arguments, *(() if "--out" in arguments else ("--out", "run")))
    assert result.exit_code == 2
    assert "average" in result.stderr


def test_training_needs_data_and_a_folder() -> None:
    """What is missing is named, and without any argument the help is shown."""
    assert "Missing option '--out'" in run("train", "questions.json").stderr
    assert "Missing argument 'DATA...'" in run("train", "--out", "run").stderr
    assert "Missing argument 'CHECKPOINT...'" in run("train", "average", "out").stderr
    shown = run("train").output + run("train", "--help").output
    assert shown.count("Usage: docqa train [OPTIONS] DATA...") == 2
    assert "Usage: docqa train pack [OPTIONS] SRC DST" in run("train", "pack", "--help").output


def test_pack_makes_a_reader(checkpoint: Callable[[str], Path], tmp_path: Path) -> None:
    """The packed folder is a reader, with what was said of unanswerable questions."""
    result = run("train", "pack", str(checkpoint("distilbert")), str(tmp_path / "p"), "--no-answer")
    assert (result.exit_code, result.stdout) == (0, ""), result.output
    assert docqa.load_reader(tmp_path / "p", device="cpu").no_answer


def test_tools_name_what_is_missing(tmp_path: Path) -> None:
    """An empty folder is one line and exit code 2."""
    for tool in ("pack", "convert"):
        result = run("train", tool, str(tmp_path), str(tmp_path / "out"))
        assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
        assert "is missing" in result.stderr


@pytest.mark.parametrize("arguments", ["train", "train', 'pack", "kb", "kb', 'rebuild", "ask"])
def test_help_of_commands_stays_light(arguments: str, tmp_path: Path) -> None:
    """The help of a command loads no library that reads or trains."""
    code = (
        f"import runpy\nsys.argv = ['docqa', '{arguments}', '--help']\n"
        "try: runpy.run_module('docqa', run_name='__main__')\n"
        "except SystemExit as stop: assert not stop.code, stop.code"
    )
    assert not {"torch", "transformers", "tantivy", "ray"} & loaded_by(code, tmp_path)
