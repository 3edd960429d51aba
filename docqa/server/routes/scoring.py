"""The contract of hosted question-answering endpoints over HTTP."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from docqa.errors import DocqaError, ModelError, ServiceError
from docqa.server.contract import parsed
from docqa.server.endpoints import JSON, Endpoint, Exchange, Reply, json_body, unless_gone
from docqa.server.lanes import Lane
from docqa.server.payloads import ContractRequest
from docqa.server.problems import Problem
from docqa.server.replies import ContractAnswer
from docqa.service.service import Service

__all__ = ["scoring"]

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


def scoring(service: Service, asks: Lane) -> list[Endpoint]:
    """Return the endpoints of the contract.

    Args:
        service: answers.
        asks: threads that wait for answers.
    """

    async def answer(call: Exchange[Any, Any]) -> Response:
        try:
            asked = parsed(await json_body(call.request))
            found = asks.run(asked.answer, service.answer_pairs)
            return JSON(await unless_gone(call.request, found))
        except (ModelError, ServiceError):
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
            shows=ContractAnswer,
        )
        for path, whose in (
            ("/score", "a hosted endpoint"),
            ("/invocations", "MLflow's scoring server"),
        )
    ]


def _fault(code: str, message: str) -> Response:
    return JSON({"error_code": code, "message": message}, 400)
