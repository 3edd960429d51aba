"""The contract of hosted question-answering endpoints: questions and contexts in, spans out.

MLflow's scoring server (``POST /invocations``), the endpoints of Azure's model catalogue
(``POST /score``) and Hugging Face's inference client send the same words. `docqa.compat` answers,
so every float is its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from docqa.errors import SettingError

__all__ = ["ContractCall", "parsed"]

_NOTHING = {"score": 0.0, "start": 0, "end": 0, "answer": ""}
_TOP_K = 100
_WINDOWS = 4096  # tokens; larger settings of windows and answers mean nothing to any reader


@dataclass(frozen=True, slots=True)
class ContractCall:
    """One request: the pairs, the settings, and the shape of its answer.

    Attributes:
        questions, contexts: of equal length.
        settings: of the call of `docqa.compat`.
        shape: ``"one"`` for strings, ``"list"`` for lists, ``"words"`` for the newer form, whose
            answers are words alone.
    """

    questions: list[str]
    contexts: list[str]
    settings: Mapping[str, Any]
    shape: Literal["one", "list", "words"]

    def answer(self, answer_pairs: Callable[..., list[Any]]) -> Any:
        """Return the answers in the shape of the request.

        Args:
            answer_pairs: gives those of `docqa.compat`; see `docqa.service.service.Service`.

        Raises:
            QuestionError: a question is empty or too long.
            SettingError: a setting that does not exist, or a context without words.
        """
        if not self.questions:
            return []
        if not all(isinstance(each, str) for each in (*self.questions, *self.contexts)):
            raise SettingError("question and context are strings, or lists of strings")
        found = answer_pairs(self.questions, self.contexts, **self.settings)
        many = self.settings.get("top_k", 1) > 1
        each = [_several(one) if many else _one(one) for one in found]
        if self.shape == "words":
            return [_one(one)["answer"] for one in found]
        return each[0] if self.shape == "one" else each


def parsed(record: object) -> ContractCall:
    """Return the request that a body of JSON says.

    >>> parsed({"inputs": {"question": "Who?", "context": "Ada."}}).shape
    'one'

    Raises:
        SettingError: it says none; the message names the form.
    """
    if not isinstance(record, Mapping):
        raise SettingError('the body is an object with "inputs" or "input_data"')
    unknown = sorted(record.keys() - {"inputs", "input_data", "params", "parameters"})
    if unknown:
        raise SettingError(f'the body has no member {unknown[0]!r}; it has "inputs" and "params"')
    if ("inputs" in record) == ("input_data" in record):
        raise SettingError('the body has either "inputs" or "input_data"')
    given = record.get("inputs", record.get("input_data"))
    if not isinstance(given, Mapping) or given.keys() != {"question", "context"}:
        raise SettingError('the inputs are an object with "question" and "context", no more')
    questions, contexts = given["question"], given["context"]
    is_one = isinstance(questions, str) and isinstance(contexts, str)
    if is_one:
        questions, contexts = [questions], [contexts]
    if not isinstance(questions, list) or not isinstance(contexts, list):
        raise SettingError("question and context are both strings, or both lists of strings")
    if len(questions) != len(contexts):
        raise SettingError(
            f"there are {len(questions):,} questions and {len(contexts):,} contexts; each question "
            "has its own context, so the lists are of the same length"
        )
    shape: Literal["one", "list", "words"] = "one" if is_one else "list"
    return ContractCall(
        questions, contexts, _settings(record), "words" if "input_data" in record else shape
    )


def _settings(record: Mapping[str, Any]) -> dict[str, Any]:
    if "params" in record and "parameters" in record:
        raise SettingError('the body has "params" or "parameters", not both')
    given = record.get("params", record.get("parameters"))
    given = {} if given is None else given
    if not isinstance(given, Mapping):
        raise SettingError('"params" is an object')
    settings = {key: value for key, value in given.items() if value is not None}
    for name, value in settings.items():
        if name in {"handle_impossible_answer", "align_to_words"}:
            is_right, kind = isinstance(value, bool), "true or false"
        else:
            most = _TOP_K if name in {"top_k", "topk"} else _WINDOWS
            is_number = isinstance(value, int) and not isinstance(value, bool)
            is_right, kind = is_number and 0 <= value <= most, f"a whole number up to {most:,}"
        if not is_right:
            raise SettingError(f"{name} is {kind}")
    if "topk" in settings:
        settings["top_k"] = settings.pop("topk")
    return settings


def _one(found: Any) -> dict[str, Any]:
    return (found[0] if found else dict(_NOTHING)) if isinstance(found, list) else found


def _several(found: Any) -> list[dict[str, Any]]:
    return found if isinstance(found, list) else [found]
