"""Packed weights read for torch: 8-bit rows, or 4-bit blocks, as float32.

Every large matrix is stored as int8 with one float32 scale a row, under its own name and
``NAME.scale``, or as the 4-bit blocks of `docqa.reader.blocks`, with ``NAME.multiple`` beside them;
everything else as floats. The safetensors file says so in its metadata. Torch gets floats, so that
packing saves disk there, not memory or time; ONNX Runtime computes with 8-bit rows.
`docqa.reader.packing.weights` writes such files.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from docqa.errors import ModelIncompatibleError
from docqa.reader.blocks import expanded_columns, expanded_rows
from docqa.reader.weights_file import MULTIPLE, SCALE

if TYPE_CHECKING:
    import torch

__all__ = ["BLOCKS_FORMAT", "FORMAT", "dequantize", "is_quantized", "read_weights"]

FORMAT = "docqa-int8-rows-1"
BLOCKS_FORMAT = "docqa-int4-blocks-1"


def dequantize(stored: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return float32 weights by their own names.

    Raises:
        ModelIncompatibleError: a matrix has not one scale a row, or not one multiple a block.
    """
    weights: dict[str, torch.Tensor] = {}
    for name, tensor in stored.items():
        matrix, suffix = name.rpartition(".")[::2]
        if f".{suffix}" in (SCALE, MULTIPLE) and matrix in stored:
            continue
        scale, multiples = stored.get(name + SCALE), stored.get(name + MULTIPLE)
        rows = tensor if multiples is None else _expanded(name, tensor, multiples)
        if scale is None:
            weights[name] = rows.float()
        elif scale.shape == rows.shape[:1]:
            weights[name] = rows.float().mul_(scale[:, None])
        else:
            raise _damaged(name, tensor, "scales", scale)
    return weights


def _expanded(name: str, codes: torch.Tensor, multiples: torch.Tensor) -> torch.Tensor:
    """Return the 8-bit rows of a matrix in 4-bit blocks."""
    import torch

    if (codes.shape[0], codes.shape[1]) == (multiples.shape[0] * 16, multiples.shape[1]):
        return torch.from_numpy(expanded_columns(codes.numpy(), multiples.numpy()).T)
    if (codes.shape[0], codes.shape[1]) == (multiples.shape[0], multiples.shape[1] * 16):
        return torch.from_numpy(expanded_rows(codes.numpy(), multiples.numpy()))
    raise _damaged(name, codes, "multiples", multiples)


def _damaged(
    name: str, matrix: torch.Tensor, kind: str, beside: torch.Tensor
) -> ModelIncompatibleError:
    return ModelIncompatibleError(
        f"the weights are damaged: {name} has the shape {tuple(matrix.shape)}, and its {kind} "
        f"{tuple(beside.shape)}; fetch them again, or pack the checkpoint again"
    )


def is_quantized(path: Path) -> bool:
    """Say whether a safetensors file holds packed weights."""
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        return (file.metadata() or {}).get("format") in (FORMAT, BLOCKS_FORMAT)


def read_weights(path: Path) -> dict[str, torch.Tensor]:
    """Return the float32 weights of a file of packed weights."""
    from safetensors.torch import load_file

    return dequantize(load_file(path))
