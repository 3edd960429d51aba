"""Pack a checkpoint for ONNX Runtime: ``docqa train pack SRC DST``.

SRC is a folder with ``model.safetensors``, ``config.json`` and ``tokenizer.json``. DST gets the
same three, the weights as 8-bit rows (`docqa.reader.quantized`) or, with ``--bits 4``, as 4-bit
blocks (`docqa.reader.blocks`), and for DistilBERT, BERT and MPNet two ONNX graphs that refer to
those weights: ``int8.onnx``, which `load_reader(DST)` runs on a CPU, and ``float32.onnx``. A
checkpoint that is packed already can be packed again. A calibration of former weights in DST is
removed: ``docqa calibrate`` makes one for the new ones. The shipped readers were made by this
module.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docqa.calibration import CALIBRATION_FILE
from docqa.errors import ModelIncompatibleError, ModelNotFoundError, SettingError
from docqa.reader.blocks import BLOCK
from docqa.reader.checkpoints import find_checkpoint, weights_layout, weights_revision
from docqa.reader.models import knows_no_answer
from docqa.reader.requirements import TORCH_PACKAGES, require
from docqa.reader.tokenizer_files import load_tokenizer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from docqa.reader.packing.architectures import Architecture

    Weights = dict[str, NDArray[Any]]

__all__ = ["pack_reader"]

_CONFIG_LEFT_OUT = ("dtype", "torch_dtype", "transformers_version", "_name_or_path")
_BITS = 8, 4
_LEAST_ELEMENTS = 4096  # smaller matrices of unknown architectures weigh little and stay exact


def pack_reader(source: Path, target: Path, *, no_answer: bool | None = None, bits: int = 8) -> int:
    """Write the checkpoint in `source` to the folder `target`, for ONNX Runtime and for torch.

    Args:
        source: folder with ``model.safetensors``, ``config.json`` and ``tokenizer.json``.
        target: folder to write to; made when missing.
        no_answer: the model was trained with unanswerable questions; written to the config. None
            for what `docqa.load_reader` takes `source` for.
        bits: of the numbers in large matrices. 8 or 4; the latter for DistilBERT, BERT and MPNet
            whose sizes are multiples of 32.

    Returns:
        Bytes written.

    Raises:
        ModelNotFoundError: a file of `source` is missing.
        ModelIncompatibleError: `source` is no whole question-answering checkpoint, or cannot be
            packed in 4 bits.
        SettingError: `bits` is neither 8 nor 4.
        MissingDependencyError: torch, safetensors or onnx is missing.
    """
    require("packing a reader", *TORCH_PACKAGES)
    require("packing a reader", "onnx", extra="onnx")
    from docqa.reader.packing.architectures import architecture_of
    from docqa.reader.packing.weights import write_weights

    if bits not in _BITS:
        raise SettingError(f"bits must be 8 or 4, not {bits}")

    checkpoint = find_checkpoint(str(source))
    for name in ("model.safetensors", "tokenizer.json"):
        if not (source / name).is_file():
            raise ModelNotFoundError(f"{source / name} is missing; packing needs it")
    separator_id = load_tokenizer(checkpoint).template.between[0]
    tokenizer = json.loads((source / "tokenizer.json").read_text("utf-8"))
    architecture = architecture_of(checkpoint.config)
    weights = _weights(checkpoint.weights, floats=bits == 4)
    blocks = _blocks(checkpoint.name, architecture) if bits == 4 else set()
    target.mkdir(parents=True, exist_ok=True)
    for former in (target / CALIBRATION_FILE, *target.glob("*.onnx")):
        former.unlink(missing_ok=True)
    stored = target / "model.safetensors"
    if architecture is None:
        write_weights(weights, stored, matrices=_large_matrices(weights), multiplied=())
    else:
        _check(architecture, weights)
        linear = {f"{name}.weight" for name in architecture.linear()}
        write_weights(
            weights,
            stored,
            matrices=linear | architecture.tables().keys(),
            multiplied=linear,
            blocks=blocks,
        )
        _write_graphs(architecture, stored, separator_id=separator_id)
    config = {k: v for k, v in checkpoint.config.items() if k not in _CONFIG_LEFT_OUT}
    config["docqa"] = {
        "no_answer": knows_no_answer(checkpoint) if no_answer is None else no_answer,
        "revision": weights_revision(stored),
    }
    if architecture is not None:
        config["docqa"] |= {
            "layout": weights_layout(stored),
            "max_tokens": architecture.max_tokens,
            "bits": bits,
        }
    (target / "config.json").write_text(json.dumps(config, indent=2) + "\n", "utf-8")
    text = json.dumps(tokenizer, ensure_ascii=False, separators=(",", ":"))
    (target / "tokenizer.json").write_text(text + "\n", "utf-8")
    written = stored, target / "config.json", target / "tokenizer.json", *target.glob("*.onnx")
    return sum(path.stat().st_size for path in written)


def _weights(path: Path, *, floats: bool) -> Weights:
    """Return weights as arrays: 8-bit rows as they are stored unless floats are wanted."""
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    from docqa.reader.quantized import dequantize

    try:
        loaded = load_file(path)
    except SafetensorError as error:
        raise ModelIncompatibleError(
            f"{path} is not a whole safetensors file ({error}); fetch it again"
        ) from error
    if floats or any(each.dtype == torch.uint8 for each in loaded.values()):  # 4-bit codes
        loaded = dequantize(loaded)
    return {
        name: (each if each.dtype == torch.int8 else each.float()).numpy()
        for name, each in loaded.items()
    }


def _blocks(name: str, architecture: Architecture | None) -> set[str]:
    """Return the names of the matrices that become 4-bit blocks: all but the few positions."""
    if architecture is None:
        raise ModelIncompatibleError(
            f"{name!r} is none of DistilBERT, BERT and MPNet, the architectures that "
            "are packed in 4 bits; pack it in 8"
        )
    if architecture.width % BLOCK or architecture.inner_width % BLOCK:
        raise ModelIncompatibleError(
            f"the layers of {name!r} have {architecture.width} and {architecture.inner_width} "
            f"inputs, which are no multiples of {BLOCK}; pack it in 8 bits"
        )
    linear = {f"{layer}.weight" for layer in architecture.linear()}
    return linear | {architecture.token_table}


def _large_matrices(weights: Weights) -> set[str]:
    return {n for n, each in weights.items() if each.ndim == 2 and each.size >= _LEAST_ELEMENTS}


def _check(architecture: Architecture, weights: Weights) -> None:
    wanted = architecture.weights()
    shapes = {name: each.shape for name, each in weights.items()}
    spoiled = sorted(name for name, shape in wanted.items() if shapes.get(name) != shape)
    if spoiled:
        raise ModelIncompatibleError(
            f"the checkpoint lacks {len(spoiled)} weights of an extractive question-answering "
            f"model ({', '.join(spoiled[:3])}), or has them in another shape; was it trained on "
            "question answering? Its answers would be random"
        )


def _write_graphs(architecture: Architecture, stored: Path, *, separator_id: int) -> None:
    from docqa.reader.packing.encoder import encoder_graph
    from docqa.reader.packing.linear import float_linear, integer_linear
    from docqa.reader.weights_file import WeightsFile

    weights = WeightsFile(stored)
    for name, linear in (("int8", integer_linear), ("float32", float_linear)):
        model = encoder_graph(architecture, weights, linear, separator_id=separator_id)
        stored.with_name(f"{name}.onnx").write_bytes(model)
