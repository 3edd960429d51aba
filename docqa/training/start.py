"""Where training starts: a reader, or an encoder that gets a new answer head."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from docqa.errors import ModelIncompatibleError, SettingError, TrainingError
from docqa.reader.checkpoints import Checkpoint, find_checkpoint, weights_revision
from docqa.reader.modules import load_module, n_positions, quiet_transformers
from docqa.reader.tokenizer_files import load_tokenizer

if TYPE_CHECKING:
    from docqa.reader.tokenizer import FastTokenizer

__all__ = ["Start", "clear_way", "load_start", "save_reader"]


@dataclass(frozen=True, slots=True)
class Start:
    """A module to be trained, float32 on the CPU, with its tokenizer.

    Attributes:
        checkpoint: its origin.
        module: its frozen parameters require no gradient.
        tokenizer: of the checkpoint.
        frozen: names of the submodules that stay as they are.
    """

    checkpoint: Checkpoint
    module: torch.nn.Module
    tokenizer: FastTokenizer
    frozen: tuple[str, ...] = ()

    @property
    def max_tokens(self) -> int:
        """Return the longest window that the module has positions for."""
        return n_positions(self.module, self.checkpoint.config)


def load_start(name: str, *, dropout: float | None, seed: int, freeze: int | None = None) -> Start:
    """Load the checkpoint that training starts from.

    Args:
        name: as in `docqa.load_reader`; also the folder of an encoder without an answer head,
            which gets a new one, drawn by `seed`.
        dropout: overrules the checkpoint's; None keeps it.
        seed: draws a new head.
        freeze: see `TrainSettings`.

    Raises:
        ModelNotFoundError: there is no such checkpoint.
        ModelIncompatibleError: it cannot be trained on question answering, or its stack of
            layers is not found.
        SettingError: it has fewer layers than `freeze` says.
    """
    checkpoint = find_checkpoint(name)
    torch.manual_seed(seed)
    module = load_module(checkpoint, new_head=True)
    if dropout is not None:
        for layer in module.modules():
            if isinstance(layer, torch.nn.Dropout):
                layer.p = dropout
    _set_attention_dropout(module, dropout)
    frozen = () if freeze is None else _freeze(module, freeze, name)
    return Start(checkpoint, module, load_tokenizer(checkpoint), frozen)


def _set_attention_dropout(module: torch.nn.Module, dropout: float | None) -> None:
    """Set the dropout inside of scaled dot-product attention, which reads it from its owner."""
    if dropout is None:
        return
    for layer in module.modules():
        for name in ("dropout_prob", "attention_dropout"):
            if isinstance(getattr(layer, name, None), float):
                setattr(layer, name, dropout)


def _freeze(module: torch.nn.Module, lowest: int, name: str) -> tuple[str, ...]:
    """Freeze the embeddings and the lowest layers; return the names of these submodules.

    What every layer adds from one table, such as MPNet's relative positions, is an embedding too:
    nothing below the lowest layer in training then needs a gradient, and torch keeps no
    activations of it.
    """
    parts = dict(module.named_modules())
    n_layers = getattr(getattr(module, "config", None), "num_hidden_layers", 0)
    stacks = [
        path
        for path, part in parts.items()
        if isinstance(part, torch.nn.ModuleList) and len(part) == n_layers
    ]
    if not stacks:
        raise ModelIncompatibleError(
            f"{name!r} is a {type(module).__name__}, in which docqa finds no stack of layers; "
            "train it without freeze"
        )
    if lowest > n_layers:
        raise SettingError(
            f"freeze must be at most {n_layers}, the layers of {name!r}; it is {lowest}"
        )
    embeddings = [
        path
        for path, part in parts.items()
        if isinstance(part, torch.nn.Embedding) or path.rpartition(".")[2].startswith("embeddings")
    ]
    frozen = *embeddings, *(f"{stacks[0]}.{number}" for number in range(lowest))
    for path in frozen:
        parts[path].requires_grad_(False)
    return frozen


def clear_way(folder: Path) -> None:
    """Make sure that `save_reader` may replace a folder; undo a replacement that was cut off.

    Raises:
        TrainingError: it holds something else than a reader.
    """
    old = _beside(folder, "old")
    if old.is_dir() and not folder.exists():
        old.rename(folder)
    if folder.exists() and not (folder / "config.json").is_file():
        raise TrainingError(
            f"{folder} would be replaced by the trained reader and is none (it has no "
            "config.json); move it away, or train into another folder"
        )


def save_reader(start: Start, folder: Path, *, no_answer: bool) -> None:
    """Write the module as a checkpoint that docqa and transformers load.

    The folder is written beside its place and renamed: a kill at any moment leaves the old reader
    or the new one whole (between two renames the old one as ``NAME.old``; see `clear_way`). What
    belonged to the old weights, such as their calibration, goes with them.

    Args:
        start: its module is written, with the files of its tokenizer.
        folder: a reader that is there is replaced.
        no_answer: it was trained with unanswerable questions.

    Raises:
        ModelIncompatibleError: transformers cannot write it.
    """
    new, old = _beside(folder, "new"), _beside(folder, "old")
    for left_over in (new, old):
        shutil.rmtree(left_over, ignore_errors=True)
    new.mkdir(parents=True)
    _write(start, new, no_answer=no_answer)
    if folder.exists():
        folder.rename(old)
    new.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def _beside(folder: Path, ending: str) -> Path:
    return folder.with_name(f"{folder.name}.{ending}")


def _write(start: Start, folder: Path, *, no_answer: bool) -> None:
    module: Any = start.module
    with quiet_transformers():
        module.save_pretrained(folder)
    config_file, weights = folder / "config.json", folder / "model.safetensors"
    if not config_file.is_file():
        raise ModelIncompatibleError(f"{folder} got no config.json; transformers wrote none")
    config = json.loads(config_file.read_text("utf-8"))
    config["docqa"] = {"no_answer": no_answer}
    if weights.is_file():  # else it is in parts
        config["docqa"]["revision"] = weights_revision(weights)
    config_file.write_text(json.dumps(config, indent=2) + "\n", "utf-8")
    start.tokenizer.save(folder / "tokenizer.json")
    for path in start.checkpoint.folder.iterdir():
        if path.name in ("tokenizer_config.json", "special_tokens_map.json", "vocab.txt"):
            (folder / path.name).write_bytes(path.read_bytes())
