"""Training: fine-tune a reader on questions with gold answers."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from docqa.question_sets import QuestionSet, read_question_set
    from docqa.training.finetune import StepReport
    from docqa.training.settings import TrainSettings
    from docqa.training.training_run import Trained, TrainingData, train

_LAZY = {
    "QuestionSet": "docqa.question_sets",
    "StepReport": "docqa.training.finetune",
    "TrainSettings": "docqa.training.settings",
    "Trained": "docqa.training.training_run",
    "TrainingData": "docqa.training.training_run",
    "read_question_set": "docqa.question_sets",
    "train": "docqa.training.training_run",
}

__all__ = [
    "QuestionSet",
    "StepReport",
    "TrainSettings",
    "Trained",
    "TrainingData",
    "read_question_set",
    "train",
]


def __getattr__(name: str) -> object:
    """Import what is asked for when it is first used: most of it needs torch."""
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
