"""Training: fine-tune a reader on questions with gold answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from docqa._lazy_exports import lazily

if TYPE_CHECKING:
    from docqa.question_sets import QuestionSet, read_question_set
    from docqa.training.finetune import StepReport
    from docqa.training.settings import TrainSettings
    from docqa.training.training_run import Computing, Trained, TrainingData, train

_LAZY = {
    "Computing": "docqa.training.training_run",
    "QuestionSet": "docqa.question_sets",
    "StepReport": "docqa.training.finetune",
    "TrainSettings": "docqa.training.settings",
    "Trained": "docqa.training.training_run",
    "TrainingData": "docqa.training.training_run",
    "read_question_set": "docqa.question_sets",
    "train": "docqa.training.training_run",
}

__all__ = [
    "Computing",
    "QuestionSet",
    "StepReport",
    "TrainSettings",
    "Trained",
    "TrainingData",
    "read_question_set",
    "train",
]


# Import what is asked for when it is first used: most of it needs torch.
__getattr__ = lazily(__name__, _LAZY)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
