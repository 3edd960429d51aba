"""Weights as 8-bit rows with scales, read for torch: a quarter of float32's size on disk.

Every large matrix is stored as int8 with one float32 scale a row, under its own name and
``NAME.scale``; everything else as floats. The safetensors file says so in its metadata. Torch gets
floats, so that rows save disk there, not memory or time; ONNX Runtime computes with the rows.
`docqa.reader.packing.weights` writes such files.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from docqa.errors import ModelIncompatibleError

if TYPE_CHECKING:
    import torch

__all__ = ["FORMAT", "SCALE", "dequantize", "is_quantized", "read_weights"]

FORMAT = "docqa-int8-rows-1"
SCALE = ".scale"


def dequantize(stored: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return float32 weights by their own names.

    Raises:
        ModelIncompatibleError: a matrix has not one scale a row.
    """
    weights: dict[str, torch.Tensor] = {}
    for name, tensor in stored.items():
        scale = stored.get(name + SCALE)
        if scale is not None:
            if scale.shape != tensor.shape[:1]:
                raise ModelIncompatibleError(
                    f"the weights are damaged: {name} has the shape {tuple(tensor.shape)}, and "
                    f"its scales {tuple(scale.shape)}; fetch them again, or pack the checkpoint "
                    "again"
                )
            weights[name] = tensor.float().mul_(scale[:, None])
        elif not (name.endswith(SCALE) and name.removesuffix(SCALE) in stored):
            weights[name] = tensor.float()
    return weights


def is_quantized(path: Path) -> bool:
    """Say whether a safetensors file holds 8-bit rows in this format."""
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        return (file.metadata() or {}).get("format") == FORMAT


def read_weights(path: Path) -> dict[str, torch.Tensor]:
    """Return the float32 weights of a file of 8-bit rows."""
    from safetensors.torch import load_file

    return dequantize(load_file(path))
