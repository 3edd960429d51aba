"""The choice of a runtime: which library runs a forward pass, and on which device."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from docqa.errors import MissingDependencyError, ModelIncompatibleError, SettingError
from docqa.reader.checkpoints import SHIPPED, find_checkpoint
from docqa.reader.hardware import may_have_accelerator
from docqa.reader.loaded_model import LaterModel, LoadedModel
from docqa.reader.requirements import TORCH_PACKAGES, is_installed, require

if TYPE_CHECKING:
    from docqa.reader.checkpoints import Checkpoint

    Runtime = Literal["auto", "onnx", "torch"]

__all__ = ["load_model", "starts_fast"]

_RUNTIMES = "auto", "onnx", "torch"
_ONNX_DTYPES = "int8", "float32"


def load_model(
    checkpoint: Checkpoint,
    *,
    separator_id: int,
    runtime: Runtime = "auto",
    device: str = "auto",
    dtype: str | None = None,
    later: bool = False,
) -> LoadedModel:
    """Return a checkpoint's model on the runtime that is named, or that suits it.

    ``"auto"`` is ONNX Runtime where the model is to run on a CPU, was packed for it, the number
    format is one of its own, and it can be imported and takes the model; else torch. Where torch is
    not installed, a GPU makes no difference.

    Args:
        checkpoint: where its files lie.
        separator_id: first special token between question and passage.
        runtime: see `docqa.load_reader`.
        device: likewise.
        dtype: likewise.
        later: leave what ONNX Runtime is to load to the first forward pass.

    Raises:
        MissingDependencyError: torch is needed and not installed, or ONNX Runtime is broken.
        ModelIncompatibleError: the checkpoint cannot be read, or not by this runtime.
        SettingError: there is no such runtime, device or number format, or they exclude each
            other.
    """
    if runtime not in _RUNTIMES:
        raise SettingError(f"runtime must be one of {', '.join(_RUNTIMES)}, not {runtime!r}")
    if runtime == "onnx":
        _check_onnx(device, dtype)
    if runtime == "onnx" or (runtime == "auto" and _suits_onnx(checkpoint, device, dtype)):
        if later:
            now = partial(load_model, checkpoint, separator_id=separator_id, runtime=runtime)
            return LaterModel(
                partial(now, device="cpu", dtype=dtype),
                number_format=dtype or "int8",
                max_tokens=int(checkpoint.config["docqa"]["max_tokens"]),
            )
        from docqa.reader.onnx_model import load_onnx_model

        if runtime == "onnx" or dtype == "int8" or not is_installed("torch"):
            return load_onnx_model(checkpoint, dtype=dtype)
        with suppress(ModelIncompatibleError):  # torch reads it, or says what is wrong with it
            return load_onnx_model(checkpoint, dtype=dtype)
    if dtype == "int8":
        raise SettingError(
            "dtype 'int8' is computed by ONNX Runtime only: on the CPU, for checkpoints that were "
            "packed for it (docqa train pack SRC DST)"
        )
    require(_need_of_torch(checkpoint, runtime, device, dtype), *TORCH_PACKAGES)
    from docqa.reader.modules import load_module, place

    module = load_module(checkpoint)
    return place(module, checkpoint.config, separator_id=separator_id, device=device, dtype=dtype)


def _need_of_torch(checkpoint: Checkpoint, runtime: str, device: str, dtype: str | None) -> str:
    """Return why a model runs on torch, as the subject of a message."""
    if runtime == "torch":
        return "runtime 'torch'"
    if device not in {"auto", "cpu"}:
        return f"device {device!r}"
    if dtype not in {None, *_ONNX_DTYPES}:
        return f"dtype {dtype!r}"
    return f"the reader {checkpoint.name!r}, which was not packed for ONNX Runtime,"


def starts_fast(name_or_path: str, *, runtime: str, device: str, dtype: str | None) -> bool:
    """Say whether a reader loads within a second: on ONNX Runtime, with its files here.

    False also where only loading it can tell what is wrong.
    """
    known = name_or_path in SHIPPED or Path(name_or_path).expanduser().is_dir()
    may_be_elsewhere = device == "auto" and may_have_accelerator()
    if not known or may_be_elsewhere or runtime == "torch":
        return False
    try:
        checkpoint = find_checkpoint(name_or_path)
        parts = map(find_checkpoint, checkpoint.parts) if checkpoint.parts else (checkpoint,)
        return all(_suits_onnx(part, device, dtype) for part in parts)
    except Exception:  # whatever it is, loading the reader raises it where it can be handled
        return False


def _check_onnx(device: str, dtype: str | None) -> None:
    if device not in {"auto", "cpu"}:
        raise SettingError(
            f"runtime 'onnx' runs on the CPU, not on {device!r}; use device='cpu' or "
            "runtime='torch'"
        )
    if dtype not in {None, *_ONNX_DTYPES}:
        raise SettingError(
            f"runtime 'onnx' computes in {' or '.join(_ONNX_DTYPES)}, not in {dtype!r}; use one "
            "of them or runtime='torch'"
        )
    fault = _onnx_fault()
    if fault is not None:
        raise MissingDependencyError(
            f"runtime 'onnx' cannot be used, since onnxruntime is missing or broken ({fault}): "
            "pip install --force-reinstall onnxruntime, or use runtime='torch'"
        ) from fault


def _suits_onnx(checkpoint: Checkpoint, device: str, dtype: str | None) -> bool:
    if device not in {"auto", "cpu"} or dtype not in {None, *_ONNX_DTYPES}:
        return False
    if device == "auto" and may_have_accelerator() and _torch_has_accelerator():
        return False
    if _onnx_fault() is not None:
        return False
    from docqa.reader.onnx_model import can_run

    return can_run(checkpoint, dtype)


def _onnx_fault() -> Exception | None:
    """Return why ONNX Runtime cannot be imported; None where it can.

    Whether a package is there says little: a file of it may be missing, or a system library.
    """
    try:
        from onnxruntime import InferenceSession  # noqa: F401 - is it there?
    except Exception as error:  # a broken package raises anything while it is imported
        return error
    return None


def _torch_has_accelerator() -> bool:
    if not is_installed("torch"):
        return False
    from docqa.reader.torch_model import choose_device

    return choose_device("auto").type != "cpu"
