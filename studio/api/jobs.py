"""/api/v1/jobs: hand in, look, watch, cancel."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response
from fastapi.responses import StreamingResponse

from studio.api.answers import JobAnswer, JobsAnswer
from studio.api.inputs import PictureBody, TheStudio, Visitor, content, json_body
from studio.jobs import Job, Jobs
from studio.jobs.waiting import wake
from studio.sides import request_schema

HEARTBEAT_SECONDS = 5.0
EVENT_SECONDS = 0.1  # events come at most this often; what happens in between is in the next one

router = APIRouter(prefix="/api/v1/jobs", tags=["jobs"])


def _job(studio: TheStudio, job_id: str) -> Job:
    return studio.jobs.get(job_id)


TheJob = Annotated[Job, Depends(_job)]


@router.post(
    "",
    status_code=202,
    summary="Hand in a request; what is left out takes the model's default",
    openapi_extra=json_body(request_schema()),
)
def submit(
    studio: TheStudio, visitor: Visitor, values: PictureBody, response: Response
) -> JobAnswer:
    """The job, which is on disk when this is answered: it will be finished or reported."""
    job = studio.submit(values, visitor)
    response.headers["Location"] = f"/api/v1/jobs/{job.id}"
    return JobAnswer.of(job.snapshot())


@router.get("", summary="The jobs of this visitor; active=1 for those that have not ended")
def list_jobs(studio: TheStudio, visitor: Visitor, active: bool = False) -> JobsAnswer:
    """Jobs, newest first; active ones in the order they will be done."""
    return JobsAnswer(jobs=[JobAnswer.of(job) for job in studio.jobs.list(visitor, active)])


@router.get("/{job_id}", summary="A job as it is now")
def get_job(job: TheJob) -> JobAnswer:
    """State, progress, position in the queue, pictures so far, and the error if there is one."""
    return JobAnswer.of(job.snapshot())


@router.delete("/{job_id}", summary="Cancel: at once while it waits, within one step while it runs")
def cancel(studio: TheStudio, job_id: str) -> JobAnswer:
    """The job; finished pictures are kept. Cancelling a job that has ended changes nothing."""
    return JobAnswer.of(studio.jobs.cancel(job_id).snapshot())


@router.get(
    "/{job_id}/preview",
    summary="A running job's preview",
    response_class=Response,
    responses=content("image/png"),
)
def preview(job: TheJob) -> Response:
    """A small PNG; 204 when there is none (yet, or any more): a page may ask a moment too late."""
    latest, fresh = job.preview, {"Cache-Control": "no-store"}
    if latest is None:
        return Response(status_code=204, headers=fresh)
    return Response(latest, media_type="image/png", headers=fresh)


@router.get(
    "/{job_id}/events",
    summary="A job's changes as server-sent events, until it ends",
    response_class=StreamingResponse,
    responses=content("text/event-stream"),
)
async def events(studio: TheStudio, job: TheJob) -> StreamingResponse:
    """One event a change, named by the state, with the same data as the job itself."""
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    stream = _events(studio.jobs, job)
    return StreamingResponse(stream, media_type="text/event-stream", headers=headers)


async def _events(jobs: Jobs, job: Job) -> AsyncIterator[str]:
    loop, changed, version = asyncio.get_running_loop(), asyncio.Event(), -1
    with jobs.listening(lambda: wake(loop, changed)):
        while True:
            changed.clear()
            now = job.snapshot()
            if now.version > version:
                version = now.version
                yield _event(now.state, version, JobAnswer.of(now).model_dump_json())
            if now.ended or jobs.closed:
                return
            await asyncio.sleep(EVENT_SECONDS)
            try:
                await asyncio.wait_for(changed.wait(), HEARTBEAT_SECONDS)
            except TimeoutError:
                yield ": still here\n\n"


def _event(name: str, number: int, data: Any) -> str:
    return f"id: {number}\nevent: {name}\ndata: {data}\n\n"
