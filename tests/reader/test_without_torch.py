"""What an install without the extra torch does, and what it says of the rest."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

TEXT = "The lighthouse on Gannet Rock was built in 1887."
HIDDEN = ("torch", "transformers", "safetensors", "onnx")
# A fresh process in which the packages cannot be found.
HIDE = """
import sys

class Hidden:
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] in {hidden}:
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Hidden)
"""


def run(
    code: str, folder: Path, *, hidden: tuple[str, ...] = HIDDEN
) -> subprocess.CompletedProcess[str]:
    """Run code in a process where packages are missing."""
    return subprocess.run(
        [sys.executable, "-c", HIDE.format(hidden=hidden) + code],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def command(*arguments: str) -> str:
    """Return code that runs a command of docqa."""
    return f"from docqa.cli import main\nsys.argv = {['docqa', *arguments]}\nsys.exit(main())"


def test_mini_answers(tmp_path: Path) -> None:
    """The shipped reader answers without torch, transformers, safetensors and onnx."""
    (tmp_path / "a.txt").write_text(TEXT, "utf-8")
    done = run(command("ask", "a.txt", "When was it built?", "--device", "cpu"), tmp_path)
    assert (done.returncode, done.stdout.splitlines()[:1]) == (0, ["1887"]), done.stderr


def test_mini_in_float32_answers(tmp_path: Path) -> None:
    """So it does in float32, and behind the pipeline that transformers had."""
    code = (
        "from docqa.compat import pipeline\n"
        "ask = pipeline('question-answering', dtype='float32')\n"
        f"print(ask(question='When was it built?', context={TEXT!r})['answer'])"
    )
    done = run(code, tmp_path)
    assert done.stdout.strip() == "1887", done.stderr


LOAD = "from docqa.reader.models import load_reader\n"
NEEDS_TORCH = {
    "plain checkpoint": LOAD + "load_reader({plain!r})",
    "runtime": LOAD + "load_reader(runtime='torch')",
    "device": LOAD + "load_reader(device='cuda')",
    "dtype": LOAD + "load_reader(dtype='bfloat16')",
    "training": "from docqa.training import train\ntrain({{}}, 'out')",
    "averaging": "from docqa.training.average import average\naverage([], None)",
    "packing": "from docqa.reader.pack import pack_reader\npack_reader({plain!r}, 'out')",
    "tokenizer by name": (
        "from docqa.compat import pipeline\npipeline('question-answering', tokenizer='name')"
    ),
}


@pytest.mark.parametrize("code", NEEDS_TORCH.values(), ids=NEEDS_TORCH)
def test_torch_is_named(code: str, checkpoint: Callable[[str], Path], tmp_path: Path) -> None:
    """Whatever needs torch says so, with the line that installs it."""
    done = run(code.format(plain=str(checkpoint("distilbert"))), tmp_path)
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("docqa.errors.MissingDependencyError: ")
    assert last.endswith("pip install 'docqa-exact[torch]'")


def test_packing_needs_onnx(checkpoint: Callable[[str], Path], tmp_path: Path) -> None:
    """Packing alone needs onnx, and says how to get it."""
    code = NEEDS_TORCH["packing"].format(plain=str(checkpoint("distilbert")))
    done = run(code, tmp_path, hidden=("onnx",))
    assert done.stderr.strip().endswith("needs onnx: pip install 'docqa-exact[onnx]'")


def test_vocabulary_files_need_transformers(
    checkpoint: Callable[[str], Path], tmp_path: Path
) -> None:
    """A checkpoint without tokenizer.json cannot be read without transformers."""
    for file in checkpoint("distilbert").glob("[cm]*"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "vocab.txt").write_text("[PAD]\n", "utf-8")
    done = run(LOAD + "load_reader('.')", tmp_path)
    assert done.stderr.strip().endswith("needs transformers: pip install 'docqa-exact[torch]'")


@pytest.mark.parametrize("hidden", [HIDDEN, ()])
def test_unused_gpu_is_noted_once(hidden: tuple[str, ...], tmp_path: Path) -> None:
    """Where NVIDIA's driver is, the command says in one line that the GPU stands idle."""
    (tmp_path / "a.txt").write_text(TEXT, "utf-8")
    driver = "import docqa.reader.hardware as h\nh._NVIDIA_DEVICES = ('a.txt',)\n"
    asked = ("ask", "a.txt", "a.txt", "When was it built?")
    said = run(driver + command(*asked), tmp_path, hidden=hidden).stderr
    assert said.count("docqa-exact[torch]") == bool(hidden)
    for settings in (["--quiet"], ["--device", "cpu"], ["--runtime", "onnx"]):
        assert "torch" not in run(driver + command(*asked, *settings), tmp_path).stderr
