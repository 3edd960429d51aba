"""Build a checkpoint's torch module with the model classes of transformers."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError

from docqa.errors import ModelIncompatibleError
from docqa.reader.quantized import is_quantized, read_weights
from docqa.reader.torch_model import TorchModel, choose_device, choose_dtype

if TYPE_CHECKING:
    from docqa.reader.checkpoints import Checkpoint

__all__ = ["load_module", "n_positions", "place", "quiet_transformers"]

_HEADS = ("qa_outputs", "classifier")  # the second is ModernBERT's


def load_module(checkpoint: Checkpoint, *, new_head: bool = False) -> torch.nn.Module:
    """Return the module with its weights in float32, on the CPU.

    Args:
        checkpoint: where its files lie.
        new_head: an encoder without an answer head is taken too; its head is drawn at random.

    Raises:
        ModelIncompatibleError: the checkpoint is of another task, its architecture is unknown, or
            weights are missing or of another shape.
    """
    if not new_head:
        _check_task(checkpoint)
    return _transformers_module(checkpoint, _weights(checkpoint), new_head=new_head)


def _weights(checkpoint: Checkpoint) -> dict[str, torch.Tensor] | None:
    """Return the weights of a file of 8-bit rows, else None: transformers reads the others."""
    if not checkpoint.weights.is_file():
        return None
    try:
        if is_quantized(checkpoint.weights):
            return read_weights(checkpoint.weights)
    except SafetensorError as error:
        raise ModelIncompatibleError(
            f"{checkpoint.weights} is not a whole safetensors file ({error}); fetch it again"
        ) from error
    return None


def _transformers_module(
    checkpoint: Checkpoint, weights: dict[str, torch.Tensor] | None, *, new_head: bool
) -> torch.nn.Module:
    source: dict[str, Any] = {"state_dict": weights}
    if weights is None:
        source = {"use_safetensors": True, "local_files_only": True}
    try:
        model_class, config = _model_class(checkpoint)
        with quiet_transformers():
            module, info = model_class.from_pretrained(
                checkpoint.folder if weights is None else None,
                config=config,
                dtype=torch.float32,
                attn_implementation=_attention(model_class),
                output_loading_info=True,
                **source,
            )
    except Exception as error:  # transformers and safetensors raise many kinds; all mean the same
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise ModelIncompatibleError(
            f"the checkpoint {checkpoint.name!r} cannot be loaded as an extractive "
            f"question-answering model ({reason})"
        ) from error
    missing = sorted({*map(str, info["missing_keys"]), *map(str, info["mismatched_keys"])})
    if new_head:
        missing = [name for name in missing if not name.startswith(_HEADS)]
    if missing:
        raise ModelIncompatibleError(
            f"the checkpoint {checkpoint.name!r} lacks {len(missing)} weights of an extractive "
            f"question-answering model ({', '.join(missing[:3])}); was it trained on question "
            "answering? Its answers would be random"
        )
    return module  # type: ignore[no-any-return]


def place(
    module: torch.nn.Module,
    config: dict[str, Any],
    *,
    separator_id: int,
    device: str = "auto",
    dtype: str | None = None,
) -> TorchModel:
    """Return a module on its device, as a `SpanModel`.

    Args:
        module: a question-answering module of transformers.
        config: the checkpoint's ``config.json``.
        separator_id: first special token between question and passage.
        device: see `choose_device`.
        dtype: see `choose_dtype`.

    Raises:
        ModelIncompatibleError: the module has no answer head that is known.
        SettingError: there is no such device or dtype.
    """
    chosen = choose_device(device)
    return TorchModel(
        module,
        device=chosen,
        dtype=choose_dtype(dtype, chosen),
        head=_head(module),
        separator_id=separator_id if _reads_token_types(module, config) else None,
        max_tokens=n_positions(module, config),
    )


def _head(module: torch.nn.Module) -> str:
    for name in _HEADS:
        if isinstance(getattr(module, name, None), torch.nn.Module):
            return name
    raise ModelIncompatibleError(
        f"{type(module).__name__} has no answer head that docqa knows ({' or '.join(_HEADS)})"
    )


def n_positions(module: torch.nn.Module, config: dict[str, Any]) -> int:
    """Return the longest window the module has positions for.

    RoBERTa counts positions from its padding index plus one, so that 514 positions hold 512 tokens.
    """
    most = int(config.get("max_position_embeddings", 512))
    for name, layer in module.named_modules():
        if name.endswith("position_embeddings") and isinstance(layer, torch.nn.Embedding):
            skipped = 0 if layer.padding_idx is None else layer.padding_idx + 1
            return layer.num_embeddings - skipped
    return most


def _reads_token_types(module: torch.nn.Module, config: dict[str, Any]) -> bool:
    """Say whether the module tells question from passage by token types (BERT does)."""
    takes = "token_type_ids" in inspect.signature(module.forward).parameters
    return takes and int(config.get("type_vocab_size", 0)) > 1


def _check_task(checkpoint: Checkpoint) -> None:
    declared = checkpoint.config.get("architectures") or []
    if declared and not any("QuestionAnswering" in str(name) for name in declared):
        raise ModelIncompatibleError(
            f"the checkpoint {checkpoint.name!r} is a {declared[0]}, not an extractive "
            "question-answering model; name one that was fine-tuned on question answering"
        )


def _model_class(checkpoint: Checkpoint) -> tuple[Any, Any]:
    from transformers import MODEL_FOR_QUESTION_ANSWERING_MAPPING, AutoConfig

    config = AutoConfig.from_pretrained(
        checkpoint.folder, local_files_only=True, trust_remote_code=False
    )
    return MODEL_FOR_QUESTION_ANSWERING_MAPPING[type(config)], config


def _attention(model_class: Any) -> str:
    """Return torch's fused attention where a class has it; MPNet, for one, has only the plain."""
    return "sdpa" if model_class._supports_sdpa else "eager"


@contextmanager
def quiet_transformers() -> Iterator[None]:
    """Keep transformers' progress bar and its report of weights off the terminal."""
    from transformers.utils import logging

    bar, level = logging.is_progress_bar_enabled(), logging.get_verbosity()
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bar:
            logging.enable_progress_bar()
