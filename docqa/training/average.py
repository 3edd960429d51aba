"""The mean of the weights of checkpoints: ``docqa train average OUT A B ...``.

Runs that begin with the same weights end in one valley, and the mean of their weights often reads
better than any of them, in the time of one (Wortsman et al. 2022, "Model soups", arXiv 2203.05482).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from docqa.errors import ModelIncompatibleError, ModelNotFoundError
from docqa.reader.requirements import TORCH_PACKAGES, require

if TYPE_CHECKING:
    import torch

__all__ = ["average"]

_WEIGHTS = "model.safetensors"


def average(checkpoints: Sequence[Path], target: Path) -> None:
    """Write the mean of some checkpoints' weights, in float32.

    Packed readers are averaged as the floats that they stand for, and the mean is not packed. A
    calibration, ONNX graphs and a card belong to one of them alone: the target gets none, and loses
    former ones.

    Args:
        checkpoints: folders with ``model.safetensors``, at least one.
        target: folder to write to; made when missing.

    Raises:
        ModelNotFoundError: a folder has no weights.
        ModelIncompatibleError: they are not weights of one architecture.
        MissingDependencyError: the extra ``torch`` is not installed.
    """
    require("averaging weights", *TORCH_PACKAGES)
    from safetensors.torch import save_file

    from docqa.calibration import CALIBRATION_FILE

    mean: dict[str, torch.Tensor] = {}
    for folder in checkpoints:
        weights = _weights(folder)
        if mean and {name: each.shape for name, each in mean.items()} != {
            name: each.shape for name, each in weights.items()
        }:
            raise ModelIncompatibleError(
                f"{folder} has weights of another architecture than {checkpoints[0]}; average "
                "checkpoints that began as the same one"
            )
        for name, each in weights.items():
            share = each.float() / len(checkpoints)
            mean[name] = mean[name] + share if name in mean else share
    shutil.copytree(checkpoints[0], target, dirs_exist_ok=True)
    for former in (target / CALIBRATION_FILE, target / "README.md", *target.glob("*.onnx")):
        former.unlink(missing_ok=True)
    _forget_packing(target / "config.json")
    save_file(mean, target / _WEIGHTS, metadata={"format": "pt"})


def _forget_packing(path: Path) -> None:
    """Take out of a configuration the facts about weights that were packed."""
    if not path.is_file():
        return
    config = json.loads(path.read_text("utf-8"))
    own = config.get("docqa", {})
    if packed := [name for name in ("revision", "layout", "max_tokens") if name in own]:
        for name in packed:
            del own[name]
        path.write_text(json.dumps(config, indent=2) + "\n", "utf-8")


def _weights(folder: Path) -> dict[str, torch.Tensor]:
    from safetensors.torch import load_file

    from docqa.reader.quantized import is_quantized, read_weights

    if not (folder / _WEIGHTS).is_file():
        raise ModelNotFoundError(f"{folder / _WEIGHTS} is missing; name folders of checkpoints")
    if is_quantized(folder / _WEIGHTS):
        return read_weights(folder / _WEIGHTS)
    return load_file(folder / _WEIGHTS)
