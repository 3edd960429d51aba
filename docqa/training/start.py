"""Where training starts: a reader, or an encoder that gets a new answer head."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from docqa.errors import ModelIncompatibleError
from docqa.reader.checkpoints import Checkpoint, find_checkpoint
from docqa.reader.models import load_tokenizer
from docqa.reader.modules import load_module, quiet_transformers

if TYPE_CHECKING:
    from docqa.reader.tokenizer import FastTokenizer

__all__ = ["Start", "load_start", "save_reader"]


@dataclass(frozen=True, slots=True)
class Start:
    """Hold a module to be trained, float32 on the CPU, with its tokenizer."""

    checkpoint: Checkpoint
    module: torch.nn.Module
    tokenizer: FastTokenizer


def load_start(name: str, *, dropout: float | None, seed: int) -> Start:
    """Load the checkpoint that training starts from.

    Args:
        name: as in `docqa.load_reader`; also the folder of an encoder without an answer head,
            which gets a new one, drawn by `seed`.
        dropout: overrules the checkpoint's; None keeps it.
        seed: draws a new head.

    Raises:
        ModelNotFoundError: there is no such checkpoint.
        ModelIncompatibleError: it cannot be trained on question answering.
    """
    checkpoint = find_checkpoint(name)
    torch.manual_seed(seed)
    module = load_module(checkpoint, new_head=True)
    if dropout is not None:
        for layer in module.modules():
            if isinstance(layer, torch.nn.Dropout):
                layer.p = dropout
    _set_attention_dropout(module, dropout)
    return Start(checkpoint, module, load_tokenizer(checkpoint))


def _set_attention_dropout(module: torch.nn.Module, dropout: float | None) -> None:
    """Set the dropout inside of scaled dot-product attention, which reads it from its owner."""
    if dropout is None:
        return
    for layer in module.modules():
        for name in ("dropout_prob", "attention_dropout"):
            if isinstance(getattr(layer, name, None), float):
                setattr(layer, name, dropout)


def save_reader(start: Start, folder: Path, *, no_answer: bool) -> None:
    """Write the module as a checkpoint that docqa and transformers load.

    Args:
        start: its module is written, with the files of its tokenizer.
        folder: made when missing; files of the same names are replaced.
        no_answer: it was trained with unanswerable questions.
    """
    folder.mkdir(parents=True, exist_ok=True)
    module: Any = start.module
    module.config.docqa = {"no_answer": no_answer}
    with quiet_transformers():
        module.save_pretrained(folder)
    start.tokenizer.save(folder / "tokenizer.json")
    for path in start.checkpoint.folder.iterdir():
        if path.name in ("tokenizer_config.json", "special_tokens_map.json", "vocab.txt"):
            (folder / path.name).write_bytes(path.read_bytes())
    if not (folder / "config.json").is_file():
        raise ModelIncompatibleError(f"{folder} got no config.json; transformers wrote none")
