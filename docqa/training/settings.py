"""The settings of a training run."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from docqa.errors import SettingError

__all__ = ["TrainSettings"]


@dataclass(frozen=True, slots=True)
class TrainSettings:
    """Settings of training; two runs with equal settings and data are the same run.

    Attributes:
        epochs: how often the data is seen; 1.5 is once and a half.
        batch_tokens: tokens of one forward pass, padding included.
        accumulate: forward passes whose gradients make one step.
        learning_rate: the highest, after warm-up; falls linearly to 0.
        warmup: share of the steps in which the rate rises linearly.
        weight_decay: of AdamW (Loshchilov and Hutter 2019); biases and norms have none.
        clip_norm: longest gradient; a longer one is shortened to it.
        dropout: share of dropped activations; None for what the checkpoint's configuration says.
        freeze: the embeddings and this many of the lowest layers stay as they are: they get no
            gradients and drop nothing. 0 is the embeddings alone; None is nothing.
        window_tokens, max_question_tokens: as in `docqa.load_reader`.
        window_overlap: tokens that windows of one long passage share, at most half of what a
            window leaves for the passage.
        hard_negatives: share of the questions that are also paired with a passage that ranks
            high and lacks their answer.
        noise: share of the questions that are written as people type.
        teacher_weight: share of the teacher in the loss, where there is one.
        temperature: softens the teacher's distributions.
        evaluate_every, checkpoint_every: in steps.
        seed: of all random draws.

    Raises:
        SettingError: a setting is out of its range.
    """

    epochs: float = 2.0
    batch_tokens: int = 4096
    accumulate: int = 1
    learning_rate: float = 1e-4
    warmup: float = 0.06
    weight_decay: float = 0.01
    clip_norm: float = 1.0
    dropout: float | None = None
    freeze: int | None = None
    window_tokens: int = 384
    window_overlap: int = 128
    max_question_tokens: int = 64
    hard_negatives: float = 0.2
    noise: float = 0.0
    teacher_weight: float = 0.5
    temperature: float = 2.0
    evaluate_every: int = 500
    checkpoint_every: int = 100
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("epochs", "learning_rate", "clip_norm", "temperature"):
            if not 0 < getattr(self, name) < math.inf:
                raise SettingError(f"{name} must be above 0 and finite, not {getattr(self, name)}")
        for name in ("batch_tokens", "accumulate", "evaluate_every", "checkpoint_every"):
            if getattr(self, name) < 1:
                raise SettingError(f"{name} must be at least 1, not {getattr(self, name)}")
        for name in ("window_overlap", "seed"):
            if getattr(self, name) < 0:
                raise SettingError(f"{name} must not be below 0, it is {getattr(self, name)}")
        for name in ("warmup", "hard_negatives", "noise", "teacher_weight"):
            if not 0 <= getattr(self, name) <= 1:
                raise SettingError(f"{name} must lie in 0 to 1, not {getattr(self, name)}")
        if self.dropout is not None and not 0 <= self.dropout < 1:
            raise SettingError(f"dropout must be at least 0 and below 1, not {self.dropout}")
        if self.freeze is not None and self.freeze < 0:
            raise SettingError(f"freeze must not be below 0, it is {self.freeze}")
        if not self.weight_decay >= 0:
            raise SettingError(f"weight_decay must not be below 0, it is {self.weight_decay}")
        least = self.max_question_tokens + 16
        if self.max_question_tokens < 1 or self.window_tokens < least:
            raise SettingError(
                f"window_tokens must leave room beside a question of {self.max_question_tokens} "
                f"tokens: at least {least}, not {self.window_tokens}"
            )

    def overlap(self, room: int) -> int:
        """Return the overlap of windows that have `room` tokens for the passage."""
        return min(self.window_overlap, room // 2)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self)
