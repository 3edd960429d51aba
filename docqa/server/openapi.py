"""The description of the server in OpenAPI 3.1, made from the table of its endpoints."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from docqa._version import __version__
from docqa.server.endpoints import BINARY, Endpoint, Reply
from docqa.server.problems import MEDIA_TYPE
from docqa.server.replies import ProblemDetails

__all__ = ["described"]

_REF = "#/components/schemas/{model}"
_ALWAYS = (400, 401, 403, 408, 413, 421, 422, 500, 503)  # of any request
_DESCRIPTION = (
    "Ask documents: the exact words of the answer and the exact place where they stand. "
    "Documents are sent as raw bytes and named by the SHA-256 of their content."
)


def described(endpoints: Iterable[Endpoint], *, with_token: bool) -> dict[str, Any]:
    """Return the description of endpoints as the members of an OpenAPI document."""
    table = list(endpoints)
    models = {model for endpoint in table for model in _models(endpoint)} | {ProblemDetails}
    ordered = sorted(models, key=lambda model: model.__name__)
    # Of a reply every member is written, also one with a default, so it is required.
    _, schemas = models_json_schema(
        [(model, "serialization" if _is_reply(model) else "validation") for model in ordered],
        ref_template=_REF,
    )
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in table:
        paths.setdefault(_bare(endpoint.path), {})[endpoint.method.lower()] = _operation(
            endpoint, with_token=with_token
        )
    record: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {"title": "docqa", "version": __version__, "description": _DESCRIPTION},
        "servers": [{"url": "."}],
        "paths": paths,
        "components": {"schemas": schemas.get("$defs", {})},
    }
    if with_token:
        record["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    return record


def _models(endpoint: Endpoint) -> Iterable[type[BaseModel]]:
    yield from (
        body for body in (endpoint.body, endpoint.raw, endpoint.shows) if isinstance(body, type)
    )
    for reply in endpoint.replies.values():
        yield from (each for each in reply.content.values() if isinstance(each, type))


def _is_reply(model: type[BaseModel]) -> bool:
    return bool(model.model_config.get("json_schema_serialization_defaults_required"))


def _operation(endpoint: Endpoint, *, with_token: bool) -> dict[str, Any]:
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": schema}
        for name, schema in endpoint.path_schemas.items()
    ]
    if endpoint.query is not None:
        parameters += _query_parameters(endpoint.query)
    parameters += [
        {"name": name, "in": "header", "required": False, "schema": schema}
        for name, schema in endpoint.headers.items()
    ]
    operation: dict[str, Any] = {
        "operationId": endpoint.name,
        "summary": endpoint.summary,
        "parameters": parameters,
        "responses": _responses(endpoint),
    }
    body = endpoint.body or endpoint.raw
    if body is not None:
        operation["requestBody"] = {"required": True, "content": _body(body)}
    if with_token:
        operation["security"] = [] if endpoint.is_open else [{"token": []}]
    return operation


def _query_parameters(model: type[BaseModel]) -> list[dict[str, Any]]:
    schema = model.model_json_schema(ref_template=_REF)
    required = set(schema.get("required", ()))
    return [
        {"name": name, "in": "query", "required": name in required, "schema": _plain(field)}
        for name, field in schema.get("properties", {}).items()
    ]


def _plain(field: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema of a parameter: an absent one is left out, never null."""
    chosen = {key: value for key, value in field.items() if key not in {"default", "title"}}
    kinds = [kind for kind in chosen.pop("anyOf", ()) if kind != {"type": "null"}]
    if kinds:
        chosen |= kinds[0]
    if field.get("default") is not None:
        chosen["default"] = field["default"]
    return chosen


def _body(body: type[BaseModel] | str) -> dict[str, Any]:
    if isinstance(body, str):
        kinds = (BINARY, "application/pdf", "text/plain; charset=utf-8", "text/html")
        return {kind: {"schema": {"type": "string", "minLength": 1}} for kind in kinds[:1]}
    return {"application/json": {"schema": {"$ref": _REF.format(model=body.__name__)}}}


def _responses(endpoint: Endpoint) -> dict[str, Any]:
    found = {str(status): _response(reply) for status, reply in endpoint.replies.items()}
    problem = {MEDIA_TYPE: {"schema": {"$ref": _REF.format(model=ProblemDetails.__name__)}}}
    for status in sorted({*_ALWAYS, *endpoint.problems}):
        words = HTTPStatus(status).phrase
        found.setdefault(str(status), {"description": words, "content": problem})
    return found


def _response(reply: Reply) -> dict[str, Any]:
    response: dict[str, Any] = {"description": reply.words}
    content = {
        kind: {
            "schema": {"$ref": _REF.format(model=each.__name__)} if isinstance(each, type) else each
        }
        for kind, each in reply.content.items()
    }
    if content:
        response["content"] = content
    if reply.links:
        response["links"] = dict(reply.links)
    return response


def _bare(path: str) -> str:
    """Return a path of a route as OpenAPI writes it, without convertors.

    >>> _bare("/v1/documents/{document_id}/pages/{number:int}.jpg")
    '/v1/documents/{document_id}/pages/{number}.jpg'
    """
    return re.sub(r":\w+}", "}", path)
