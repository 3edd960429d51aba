"""The mean of the weights of checkpoints: ``docqa train average OUT A B ...``.

Runs that begin with the same weights end in one valley, and the mean of their weights often reads
better than any of them, in the time of one (Wortsman et al. 2022, "Model soups", arXiv 2203.05482).
"""

from __future__ import annotations

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
    save_file(mean, target / _WEIGHTS, metadata={"format": "pt"})


def _weights(folder: Path) -> dict[str, torch.Tensor]:
    from safetensors.torch import load_file

    if not (folder / _WEIGHTS).is_file():
        raise ModelNotFoundError(f"{folder / _WEIGHTS} is missing; name folders of checkpoints")
    return load_file(folder / _WEIGHTS)
