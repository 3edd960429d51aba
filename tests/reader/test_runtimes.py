"""Which runtime reads: by device, architecture, number format, and what is installed."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fresh_process import loaded_by

from docqa.errors import MissingDependencyError, ModelIncompatibleError, SettingError
from docqa.reader import hardware, runtimes
from docqa.reader.models import load_reader
from docqa.reader.pack import pack_reader
from docqa.reader.quantized import FORMAT

TEXT = "The lighthouse on Gannet Rock was built in 1887. Its lamp burned 40 litres of oil a week."


@pytest.mark.parametrize(
    ("architecture", "settings", "expected"),
    [
        ("distilbert", {}, "onnx int8"),
        ("bert", {}, "onnx int8"),
        ("mpnet", {}, "onnx int8"),
        ("distilbert", {"dtype": "float32"}, "onnx float32"),
        ("distilbert", {"dtype": "bfloat16"}, "torch bfloat16"),
        ("distilbert", {"runtime": "torch"}, "torch float32"),
        ("roberta", {}, "torch float32"),
    ],
)
def test_what_runs_on_a_cpu(
    packed: Callable[[str], Path], architecture: str, settings: Any, expected: str
) -> None:
    """ONNX Runtime reads what was packed for it; torch the rest, with no fuss."""
    assert load_reader(packed(architecture), device="cpu", **settings).runtime == expected


@pytest.mark.parametrize("architecture", ["distilbert", "bert", "mpnet", "roberta"])
def test_torch_where_nothing_was_packed(
    checkpoint: Callable[[str], Path], architecture: str
) -> None:
    """A plain checkpoint runs on torch."""
    assert load_reader(checkpoint(architecture), device="cpu").runtime == "torch float32"


@pytest.mark.parametrize("content", ["raise OSError('no libgomp.so.1')", ""])
def test_torch_where_onnx_runtime_is_broken(
    packed: Callable[[str], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    content: str,
) -> None:
    """A package that cannot be imported, or is half there, is as good as none."""
    (tmp_path / "onnxruntime").mkdir()
    (tmp_path / "onnxruntime/__init__.py").write_text(content, "utf-8")
    monkeypatch.delitem(sys.modules, "onnxruntime", raising=False)
    monkeypatch.delitem(sys.modules, "docqa.reader.onnx_model", raising=False)
    monkeypatch.syspath_prepend(str(tmp_path))
    folder = str(packed("distilbert"))
    assert load_reader(folder, device="cpu").runtime == "torch float32"
    assert not runtimes.starts_fast(folder, runtime="auto", device="cpu", dtype=None)
    with pytest.raises(MissingDependencyError, match="force-reinstall onnxruntime"):
        load_reader(folder, runtime="onnx")


def test_torch_where_onnx_runtime_refuses(packed: Callable[[str], Path], tmp_path: Path) -> None:
    """An ONNX Runtime that cannot take the graph leaves it to torch, unless it is asked for."""
    folder = Path(shutil.copytree(packed("distilbert"), tmp_path / "refused"))
    (folder / "int8.onnx").write_bytes(b"of a later version")
    assert load_reader(folder, device="cpu").runtime == "torch float32"
    for settings in ({"runtime": "onnx"}, {"dtype": "int8"}):
        with pytest.raises(ModelIncompatibleError, match="refuses"):
            load_reader(folder, device="cpu", **settings)  # type: ignore[arg-type]


@pytest.mark.parametrize("runtime", ["torch", "onnx", "auto"])
def test_scales_of_another_length(
    checkpoint: Callable[[str], Path], tmp_path: Path, runtime: Any
) -> None:
    """A packed matrix without one scale a row is a model error on every runtime."""
    from safetensors.torch import load_file, save_file

    pack_reader(checkpoint("distilbert"), tmp_path, no_answer=True)
    file = tmp_path / "model.safetensors"
    weights = load_file(file)
    name = min(name for name in weights if name.endswith(".scale"))
    save_file(weights | {name: weights[name][:1]}, file, metadata={"format": FORMAT})
    with pytest.raises(ModelIncompatibleError, match="damaged"):
        load_reader(tmp_path, runtime=runtime, device="cpu")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"runtime": "tensorrt"}, "auto, onnx, torch"),
        ({"runtime": "onnx", "device": "cuda"}, "runs on the CPU"),
        ({"runtime": "onnx", "dtype": "bfloat16"}, "int8 or float32"),
        ({"runtime": "torch", "dtype": "int8"}, "ONNX Runtime only"),
    ],
)
def test_settings_that_exclude_each_other(settings: Any, message: str) -> None:
    """A runtime that cannot do what is asked says so, and what can."""
    with pytest.raises(SettingError, match=message):
        load_reader("mini", **settings)


def test_damaged_weights(checkpoint: Callable[[str], Path], tmp_path: Path) -> None:
    """A file that is no safetensors file is a model error on every runtime."""
    for file in checkpoint("distilbert").iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "model.safetensors").write_text("not weights", "utf-8")
    with pytest.raises(ModelIncompatibleError):
        load_reader(tmp_path, device="cpu")


def test_answers_tell_the_runtime() -> None:
    """An answer's record says what computed it."""
    import docqa

    pipeline = docqa.Pipeline(reader=load_reader("mini", runtime="onnx", dtype="int8"))
    [answer] = pipeline.ask(TEXT.encode(), "When was the lighthouse built?", min_score=0)
    assert answer.to_dict()["reader"]["runtime"] == "onnx int8"


def test_asking_loads_no_torch(tmp_path: Path) -> None:
    """A cold `docqa ask` on a CPU loads neither torch nor transformers, and answers."""
    (tmp_path / "a.txt").write_text(TEXT, "utf-8")
    code = (
        "import runpy\n"
        "sys.argv = ['docqa', 'ask', 'a.txt', 'When was it built?', '--device', 'cpu']\n"
        "try: runpy.run_module('docqa', run_name='__main__')\n"
        "except SystemExit as stop: assert not stop.code, stop.code"
    )
    loaded = loaded_by(code, tmp_path)
    assert "onnxruntime" in loaded
    assert not {"torch", "transformers", "scipy", "sklearn"} & loaded


def test_threads_follow_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """OMP_NUM_THREADS is obeyed; nonsense in it is not."""
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert hardware.cpu_threads() == 3
    monkeypatch.setenv("OMP_NUM_THREADS", "many")
    assert 1 <= hardware.cpu_threads() <= (os.cpu_count() or 1)


@pytest.mark.parametrize(
    ("said", "expected"), [("max 100000", 8), ("150000 100000", 2), ("50000 100000", 1)]
)
def test_threads_follow_the_quota(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, said: str, expected: int
) -> None:
    """A container's quota of processor time counts as so many cores."""
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    (tmp_path / "cpu.max").write_text(said, "utf-8")
    monkeypatch.setattr(hardware, "_QUOTA", tmp_path / "cpu.max")
    monkeypatch.setattr(hardware, "_cores", lambda: 8)
    assert hardware.cpu_threads() == expected


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="needs Linux")
def test_threads_of_one_core_count_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Two hardware threads of a core are one."""
    for number in range(4):
        (tmp_path / f"cpu{number}/topology").mkdir(parents=True)
        siblings = tmp_path / f"cpu{number}/topology/thread_siblings_list"
        siblings.write_text(f"{number % 2},{number % 2 + 2}\n")
    monkeypatch.setattr(hardware, "_TOPOLOGY", tmp_path)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2, 3})
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(hardware, "_quota", lambda: 64)
    assert hardware.cpu_threads() == 2


def test_hidden_gpus_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """A driver's device means that a GPU may be there, unless it is hidden from the process."""
    monkeypatch.setattr(hardware.sys, "platform", "linux")
    monkeypatch.setattr(hardware.Path, "exists", lambda path: str(path) == "/dev/nvidiactl")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert hardware.may_have_accelerator()
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert not hardware.may_have_accelerator()


@pytest.mark.parametrize(
    ("flags", "unit"),
    [
        ("fpu avx512_bf16 amx_bf16 amx_tile", "AMX"),
        ("fpu avx512f avx512_bf16", "AVX-512 BF16"),
        ("fpu avx512f avx512_vnni amx_int8", None),
    ],
)
def test_units_for_bfloat16_are_known_by_the_flags_of_linux(
    flags: str, unit: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fastest unit is named; reading stays in float32 by default on every CPU."""
    import torch

    from docqa.reader.torch_model import bfloat16_unit, choose_dtype

    info = tmp_path / "cpuinfo"
    info.write_text(f"processor\t: 0\nmodel name\t: amx_bf16\nflags\t\t: {flags}\nbugs\t:\n")
    monkeypatch.setattr(hardware, "_CPU_INFO", info)
    assert hardware.cpu_bfloat16_unit() == bfloat16_unit(torch.device("cpu")) == unit
    assert choose_dtype(None, torch.device("cpu")) == torch.float32
    monkeypatch.setattr(hardware, "_CPU_INFO", tmp_path / "none")
    assert hardware.cpu_bfloat16_unit() is None
