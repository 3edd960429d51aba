"""The whole API under Schemathesis, which draws requests from the description and checks answers.

https://schemathesis.readthedocs.io
"""

from __future__ import annotations

import os
from typing import Any

import pytest

schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed")

# ruff: noqa: E402 - what follows needs it
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.stateful import run_state_machine_as_test
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from docqa.server.app import create_app
from docqa.server.settings import ServerSettings

pytestmark = pytest.mark.slow

EXAMPLES = int(os.environ.get("DOCQA_EXAMPLES", "12"))  # of each operation


@pytest.fixture(scope="module")
def schema(service: Any) -> Any:
    """Return the description as Schemathesis has it, with a document to be asked."""
    service.add_file(b"The lamp burns 40 litres of oil a week.\n", "lamp.txt")
    app = create_app(ServerSettings(metrics=True), service)
    return schemathesis.openapi.from_asgi("/openapi.json", app, headers={"Host": "localhost"})


def drawn(examples: int) -> Any:
    """Return settings that draw the same requests each time, quickly."""
    return settings(
        max_examples=examples,
        stateful_step_count=6,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.generate],
    )


# Operations with conditions that no schema says: lists of equal length, start before end, a PDF.
CONDITIONAL = {
    *("score_contract", "invocations_contract", "ask", "search", "export", "locate", "verify"),
    *("document_text", "process"),
}


def called(case: Any) -> None:
    """Send a request as the server's own page would, and check the response."""
    case.headers["Host"] = "localhost"
    case.headers["X-Docqa"] = "1"
    name = case.operation.definition.raw["operationId"]
    left_out = [positive_data_acceptance] if name in CONDITIONAL else []
    case.call_and_validate(excluded_checks=left_out)


@pytest.mark.parametrize("mode", list(GenerationMode), ids=str)
def test_every_operation_keeps_to_its_description(schema: Any, mode: Any) -> None:
    """No server error, no undescribed status, type or shape; wrong requests are refused."""
    faults = []
    for found in schema.get_all_operations():
        operation = found.ok()
        try:
            strategy = operation.as_strategy(generation_mode=mode)
            drawn(EXAMPLES)(given(case=strategy)(called))()
        except BaseException as error:
            if "Impossible to generate" in str(error) or type(error).__name__ == "Unsatisfiable":
                continue  # an operation without parameters has no wrong request
            faults.append(f"{operation.label}: {type(error).__name__}: {error}")
    assert not faults, "\n\n".join(faults)


def test_links_lead_from_one_operation_to_the_next(schema: Any) -> None:
    """Documents are sent, described, drawn, read and dropped in any order that the links allow."""

    class Machine(schema.as_state_machine()):  # type: ignore[misc]
        def get_call_kwargs(self, case: Any) -> dict[str, Any]:
            return {"headers": {"Host": "localhost", "X-Docqa": "1"}}

        def validate_response(self, response: Any, case: Any, *rest: Any, **more: Any) -> None:
            case.validate_response(response, excluded_checks=[positive_data_acceptance])

    run_state_machine_as_test(Machine, settings=drawn(EXAMPLES))
