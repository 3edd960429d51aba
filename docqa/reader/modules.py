"""Build a checkpoint's torch module with the classes of transformers."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch

from docqa.errors import ModelIncompatibleError
from docqa.reader.quantized import is_quantized, read_weights

if TYPE_CHECKING:
    from docqa.reader.checkpoints import Checkpoint

__all__ = ["head_of", "load_module", "n_positions", "reads_token_types"]

_HEADS = ("qa_outputs", "classifier")  # the second is ModernBERT's


def load_module(checkpoint: Checkpoint) -> torch.nn.Module:
    """Return the module with its weights in float32, on the CPU.

    Raises:
        ModelIncompatibleError: the checkpoint is of another task, its architecture is unknown, or
            weights are missing, left over in the answer head, or of another shape.
    """
    _check_task(checkpoint)
    weights = {}
    if checkpoint.weights.is_file() and is_quantized(checkpoint.weights):
        weights = {"state_dict": read_weights(checkpoint.weights)}
    try:
        model_class, config = _model_class(checkpoint)
        with _quiet():
            module, info = model_class.from_pretrained(
                None if weights else checkpoint.folder,
                config=config,
                dtype=torch.float32,
                attn_implementation="sdpa",
                output_loading_info=True,
                **({**weights} if weights else {"use_safetensors": True, "local_files_only": True}),
            )
    except (ValueError, KeyError, RuntimeError, OSError, TypeError) as error:
        raise ModelIncompatibleError(
            f"the checkpoint {checkpoint.name!r} cannot be loaded as an extractive "
            f"question-answering model ({str(error).strip().splitlines()[0]})"
        ) from error
    missing = sorted({*info["missing_keys"], *map(str, info["mismatched_keys"])})
    if missing:
        raise ModelIncompatibleError(
            f"the checkpoint {checkpoint.name!r} lacks {len(missing)} weights of an extractive "
            f"question-answering model ({', '.join(missing[:3])}); was it trained on question "
            "answering? Its answers would be random"
        )
    return module  # type: ignore[no-any-return]


def head_of(module: torch.nn.Module) -> str:
    """Return the name of the layer that gives start and end logits.

    Raises:
        ModelIncompatibleError: there is none under a known name.
    """
    for name in _HEADS:
        if isinstance(getattr(module, name, None), torch.nn.Linear):
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
            return layer.num_embeddings - (layer.padding_idx or -1) - 1
    return most


def reads_token_types(module: torch.nn.Module, config: dict[str, Any]) -> bool:
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
    if checkpoint.model_type == "distilbert":  # imported from its own modules, which is faster
        from transformers.models.distilbert.configuration_distilbert import DistilBertConfig
        from transformers.models.distilbert.modeling_distilbert import (
            DistilBertForQuestionAnswering,
        )

        folder = checkpoint.folder
        return DistilBertForQuestionAnswering, DistilBertConfig.from_pretrained(folder)
    from transformers import MODEL_FOR_QUESTION_ANSWERING_MAPPING, AutoConfig

    config = AutoConfig.from_pretrained(checkpoint.folder, local_files_only=True)
    return MODEL_FOR_QUESTION_ANSWERING_MAPPING[type(config)], config


@contextmanager
def _quiet() -> Iterator[None]:
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
