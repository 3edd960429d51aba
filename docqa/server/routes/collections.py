"""Collections that the server was started with, and jobs."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from docqa.server.backend import Backend
from docqa.server.endpoints import JSON, Call, Endpoint, Reply
from docqa.server.jobs import Job, Jobs
from docqa.server.payloads import Digits
from docqa.server.problems import Problem
from docqa.server.replies import CollectedList, CollectionList, CollectionModel, JobModel
from docqa.server.routes.asking import unless_gone
from docqa.server.routes.documents import accepted, job_links

__all__ = ["collection_endpoints", "job_endpoints"]

_NAME = {"name": {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"}}
_ID = {"job_id": {"type": "string", "pattern": "^[A-Za-z0-9_-]{16}$"}}
_LONGEST_WAIT = 60


class _Paged(BaseModel):
    model_config = ConfigDict(extra="forbid")

    offset: Digits = Field(default=0, ge=0, le=10**9)
    limit: Digits = Field(default=1000, ge=1, le=10_000)


class _Wait(BaseModel):
    model_config = ConfigDict(extra="forbid")

    wait: Digits = Field(
        default=0, ge=0, le=_LONGEST_WAIT, description="seconds to wait for the job's end"
    )


def collection_endpoints(backend: Backend, jobs: Jobs) -> list[Endpoint]:
    """Return the endpoints of collections."""

    async def listed(call: Call[Any, Any]) -> Response:
        return JSON({"collections": await backend.collections()})

    async def one(call: Call[Any, Any]) -> Response:
        return JSON(await backend.collection(call.path["name"]))

    async def documents(call: Call[_Paged, Any]) -> Response:
        first = call.query.offset
        found = await backend.collected(call.path["name"])
        shown = found[first : first + call.query.limit]
        return JSON({"documents": shown, "total": len(found)})

    async def sync(call: Call[Any, Any]) -> Response:
        name = call.path["name"]
        backend.require_writable(name)
        if jobs.under_way("sync", name):
            raise Problem(409, "being-written", f"the collection {name} is being brought up to date")

        async def work(job: Job) -> str:
            await backend.sync(name, job)
            return f"collections/{name}"

        return accepted(jobs.start("sync", name, work), call.request)

    json_of, at = "application/json", "/v1/collections"
    return [
        Endpoint(
            "GET",
            at,
            "list_collections",
            "List the collections that the server was started with",
            listed,
            {200: Reply("The collections", {json_of: CollectionList})},
        ),
        Endpoint(
            "GET",
            f"{at}/{{name}}",
            "get_collection",
            "Describe a collection",
            one,
            {200: Reply("The collection", {json_of: CollectionModel})},
            _NAME,
            problems=(404, 409),
        ),
        Endpoint(
            "GET",
            f"{at}/{{name}}/documents",
            "collected_documents",
            "List the documents of a collection",
            documents,
            {200: Reply("The documents", {json_of: CollectedList})},
            _NAME,
            _Paged,
            problems=(404, 409),
        ),
        Endpoint(
            "POST",
            f"{at}/{{name}}/sync",
            "sync_collection",
            "Bring a collection up to date with its folders",
            sync,
            {202: Reply("A job does it", {json_of: JobModel}, links=job_links())},
            _NAME,
            problems=(404, 409),
        ),
    ]


def job_endpoints(jobs: Jobs) -> list[Endpoint]:
    """Return the endpoints of jobs."""

    async def one(call: Call[_Wait, Any]) -> Response:
        job = jobs.get(call.path["job_id"])
        if call.query.wait and not job.is_over:
            await unless_gone(call.request, jobs.wait(job, call.query.wait))
        return JSON(job.record())

    async def cancel(call: Call[Any, Any]) -> Response:
        job = jobs.get(call.path["job_id"])
        jobs.cancel(job)
        return JSON(job.record())

    said = {200: Reply("The job", {"application/json": JobModel})}
    at = "/v1/jobs/{job_id}"
    return [
        Endpoint(
            "GET", at, "get_job", "Say how far a job is", one, said, _ID, _Wait, problems=(404,)
        ),
        Endpoint("DELETE", at, "cancel_job", "Stop a job", cancel, said, _ID, problems=(404,)),
    ]
