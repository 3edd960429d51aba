"""The contract of hosted question-answering endpoints over HTTP."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.responses import Response

from docqa.errors import DocqaError, ModelError
from docqa.server.contract import parsed
from docqa.server.endpoints import JSON, Call, Endpoint, Reply, json_body
from docqa.server.payloads import ContractRequest
from docqa.server.problems import Problem
from docqa.server.replies import ContractAnswer

__all__ = ["Score", "scoring"]

Score = Callable[[Callable[[Callable[..., Any]], Any], int], Awaitable[Any]]
"""Runs a function of a pipeline of `docqa.compat` where the reader is; counts so many passages."""

_ANSWER = {"$ref": f"#/components/schemas/{ContractAnswer.__name__}"}
_ANSWERS = {
    "oneOf": [
        _ANSWER,
        {"type": "array", "items": _ANSWER},
        {"type": "array", "items": {"type": "array", "items": _ANSWER}},
        {"type": "array", "items": {"type": "string"}},
    ]
}
_FAULT = {
    "type": "object",
    "required": ["error_code", "message"],
    "properties": {"error_code": {"type": "string"}, "message": {"type": "string"}},
}


def scoring(score: Score) -> list[Endpoint]:
    """Return the endpoints of the contract."""

    async def answer(call: Call[Any, Any]) -> Response:
        try:
            asked = parsed(await json_body(call.request))
            return JSON(await score(asked.answer, len(asked.questions)))
        except ModelError:
            raise
        except DocqaError as error:
            return _fault("INVALID_PARAMETER_VALUE", str(error))
        except Problem as problem:
            if problem.status not in {415, 422}:
                raise
            return _fault("BAD_REQUEST", problem.detail)

    replies = {
        200: Reply("The answers, in order of the questions", {"application/json": _ANSWERS}),
        400: Reply("The request is not as described", {"application/json": _FAULT}),
    }
    return [
        Endpoint(
            "POST",
            path,
            f"{path[1:]}_contract",
            f"Answer questions about contexts, as {whose} does",
            answer,
            replies,
            raw=ContractRequest,
        )
        for path, whose in (
            ("/score", "a hosted endpoint"),
            ("/invocations", "MLflow's scoring server"),
        )
    ]


def _fault(code: str, message: str) -> Response:
    return JSON({"error_code": code, "message": message}, 400)
