"""The removed pipeline's forms of input, and the settings of a call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from docqa.errors import QuestionError, SettingError

__all__ = ["Settings", "device_name", "examples_of"]

_IGNORED = frozenset(
    ("framework", "batch_size", "num_workers", "padding", "use_fast", "max_question_len", "task")
)


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of a call, with the removed pipeline's names and defaults."""

    top_k: int = 1
    doc_stride: int | None = None
    max_answer_len: int = 15
    max_seq_len: int | None = None
    handle_impossible_answer: bool = False
    align_to_words: bool = True

    def updated(self, given: Mapping[str, Any]) -> Settings:
        """Return these settings with others on top; None leaves one as it is."""
        named = {"top_k" if key == "topk" else key: value for key, value in given.items()}
        wanted = {
            key: value for key, value in named.items() if key not in _IGNORED and value is not None
        }
        unknown = sorted(wanted.keys() - set(Settings.__dataclass_fields__))
        if unknown:
            raise SettingError(f"the question-answering pipeline has no setting {unknown[0]!r}")
        settings = replace(self, **wanted)
        if min(settings.top_k, settings.max_answer_len) < 1:
            raise SettingError("top_k and max_answer_len must be at least 1")
        return settings


def examples_of(inputs: tuple[Any, ...], named: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield (question, context) from any of the removed pipeline's forms of input."""
    if inputs and all(isinstance(each, str) for each in inputs):
        if len(inputs) > 2:
            raise SettingError("give a question and a context, or mappings that hold both")
        named = {**named, **dict(zip(("question", "context"), inputs, strict=False))}
        inputs = ()
    if inputs or "question" not in named:
        given = inputs if len(inputs) > 1 else (inputs or [named.get("data", named.get("X"))])[0]
        for each in [given] if isinstance(given, Mapping) or given is None else given:
            if not isinstance(each, Mapping) or not {"question", "context"} <= each.keys():
                raise SettingError("each input needs a question and a context")
            yield _checked(each["question"], each["context"])
        return
    questions, contexts = named["question"], named.get("context")
    if isinstance(questions, str):
        questions = [questions]
        contexts = [contexts]
    elif isinstance(contexts, str):
        contexts = [contexts] * len(questions)
    if not isinstance(contexts, Sequence) or len(questions) != len(contexts):
        raise SettingError("there must be one context, or one for each question")
    for question, context in zip(questions, contexts, strict=True):
        yield _checked(question, context)


def _checked(question: Any, context: Any) -> tuple[str, str]:
    if not isinstance(question, str) or not question.strip():
        raise QuestionError("a question must be a string that is not empty")
    if not isinstance(context, str) or not context.strip():
        raise SettingError("a context must be a string that is not empty")
    return question, context


def device_name(device: Any) -> str:
    """Return the name of a device given in any of the removed pipeline's forms.

    >>> device_name(None), device_name(-1), device_name(1), device_name("mps")
    ('auto', 'cpu', 'cuda:1', 'mps')
    """
    if device is None:
        return "auto"
    if isinstance(device, int):
        return "cpu" if device < 0 else f"cuda:{device}"
    return str(device)
