"""Weights as 8-bit rows with scales: a quarter of float32's size in one safetensors file.

Every large matrix is stored as int8 with one float32 scale per row (symmetric, ``scale =
max|row| / 127``), under its own name and ``NAME.scale``; everything else is stored as it is. The
file says so in its metadata. Rows are turned back into floats when loaded: it saves disk, not
memory or time.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from docqa.errors import ModelIncompatibleError

if TYPE_CHECKING:
    import torch

__all__ = ["FORMAT", "dequantize", "is_quantized", "quantize", "read_weights"]

FORMAT = "docqa-int8-rows-1"
_SCALE = ".scale"
_LEAST_ELEMENTS = 4096  # smaller matrices (the answer head) weigh nothing and stay exact


def quantize(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return the weights with large matrices as int8 rows and scales; undone by `dequantize`.

    The error of a number is at most half its row's scale.
    """
    stored: dict[str, torch.Tensor] = {}
    for name, tensor in weights.items():
        if tensor.ndim != 2 or tensor.numel() < _LEAST_ELEMENTS:
            stored[name] = tensor.contiguous()
            continue
        rows = tensor.float()
        scale = rows.abs().amax(dim=1).clamp(min=1e-12) / 127
        stored[name] = (rows / scale[:, None]).round().char()
        stored[name + _SCALE] = scale
    return stored


def dequantize(stored: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return float32 weights by their own names.

    Raises:
        ModelIncompatibleError: a matrix has not one scale a row.
    """
    weights: dict[str, torch.Tensor] = {}
    for name, tensor in stored.items():
        scale = stored.get(name + _SCALE)
        if scale is not None:
            if scale.shape != tensor.shape[:1]:
                raise ModelIncompatibleError(
                    f"the weights are damaged: {name} has the shape {tuple(tensor.shape)}, and "
                    f"its scales {tuple(scale.shape)}; fetch them again, or pack the checkpoint "
                    "anew"
                )
            weights[name] = tensor.float().mul_(scale[:, None])
        elif not (name.endswith(_SCALE) and name.removesuffix(_SCALE) in stored):
            weights[name] = tensor.float()
    return weights


def is_quantized(path: Path) -> bool:
    """Say whether a safetensors file holds 8-bit rows as written here."""
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        return (file.metadata() or {}).get("format") == FORMAT


def read_weights(path: Path) -> dict[str, torch.Tensor]:
    """Return the float32 weights of a file of 8-bit rows."""
    from safetensors.torch import load_file

    return dequantize(load_file(path))
