"""Collections that the server was started with, and jobs."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from docqa.server.endpoints import JSON, Endpoint, Exchange, Reply
from docqa.server.lanes import Lane
from docqa.server.payloads import Digits
from docqa.server.problems import Problem
from docqa.server.replies import CollectedList, CollectionList, CollectionModel, JobList, JobModel
from docqa.server.routes.documents import accepted, job_links
from docqa.server.wire import collection_record, job_record
from docqa.service.service import Service

__all__ = ["collection_endpoints", "job_endpoints"]

_NAME = {"name": {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"}}
_ID = {"job_id": {"type": "string", "pattern": "^[0-9a-f]{32}$"}}
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


def collection_endpoints(service: Service, looks: Lane) -> list[Endpoint]:
    """Return the endpoints of collections.

    Args:
        service: has them.
        looks: threads that look into them.
    """

    async def listed(call: Exchange[Any, Any]) -> Response:
        found = [await looks.run(service.collection, name) for name in service.collections()]
        return JSON({"collections": [collection_record(each) for each in found]})

    async def one(call: Exchange[Any, Any]) -> Response:
        return JSON(collection_record(await looks.run(service.collection, call.path["name"])))

    async def documents(call: Exchange[_Paged, Any]) -> Response:
        first = call.query.offset
        found = await looks.run(service.collection_documents, call.path["name"])
        shown = [each.to_dict() for each in found[first : first + call.query.limit]]
        return JSON({"documents": shown, "total": len(found)})

    async def sync(call: Exchange[Any, Any]) -> Response:
        name = call.path["name"]
        for job in service.jobs():
            if (job.kind, job.subject) == ("sync", name) and not job.ended.is_set():
                raise Problem(409, "being-written", f"the collection {name} is being updated")
        return accepted(service.sync(name), call.request)

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


def job_endpoints(service: Service, waits: Lane) -> list[Endpoint]:
    """Return the endpoints of jobs.

    Args:
        service: has them.
        waits: threads that wait for their ends.
    """

    async def listed(call: Exchange[Any, Any]) -> Response:
        return JSON({"jobs": [job_record(each) for each in service.jobs()]})

    async def one(call: Exchange[_Wait, Any]) -> Response:
        job = service.job(call.path["job_id"])
        if call.query.wait and not job.ended.is_set():
            job = await waits.run(service.wait, job.id, call.query.wait)
        return JSON(job_record(job))

    async def cancel(call: Exchange[Any, Any]) -> Response:
        return JSON(job_record(service.cancel(call.path["job_id"])))

    said = {200: Reply("The job", {"application/json": JobModel})}
    at = "/v1/jobs/{job_id}"
    all_jobs = {200: Reply("The jobs", {"application/json": JobList})}
    return [
        Endpoint(
            "GET", "/v1/jobs", "list_jobs", "List the jobs, the oldest first", listed, all_jobs
        ),
        Endpoint(
            "GET", at, "get_job", "Say how far a job is", one, said, _ID, _Wait, problems=(404,)
        ),
        Endpoint("DELETE", at, "cancel_job", "Stop a job", cancel, said, _ID, problems=(404,)),
    ]
