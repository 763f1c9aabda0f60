"""/sdapi/v1/txt2img and /img2img: jobs as everyone's, whose end is waited for."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.concurrency import run_in_threadpool

from studio.api.a1111.answers import GeneratedAnswer, generated
from studio.api.a1111.asking import asked
from studio.api.a1111.errors import A1111Route
from studio.api.a1111.fields import ImageToImage, TextToImage
from studio.api.foreign import Refused, written
from studio.api.inputs import PictureBody, TheStudio, Visitor, json_body
from studio.bootstrap import Studio
from studio.jobs import Job, JobSnapshot
from studio.jobs.waiting import ended
from studio.sentences import say

router = APIRouter(route_class=A1111Route)


def body_of(kind: type[BaseModel]) -> Any:
    """A dependency: the body as ``kind``, whose bounded size is as large as a picture may be."""

    def read(values: PictureBody) -> BaseModel:
        try:
            return kind.model_validate(values)
        except ValidationError as error:
            found = error.errors(include_url=False, include_context=False)
            raise RequestValidationError(
                [{**one, "loc": ("body", *one["loc"])} for one in found]
            ) from None

    return Depends(read)


@router.post(
    "/txt2img",
    response_model=GeneratedAnswer,
    summary="A picture from words",
    openapi_extra=json_body(TextToImage.model_json_schema()),
)
async def text_to_image(
    studio: TheStudio, visitor: Visitor, body: Annotated[BaseModel, body_of(TextToImage)]
) -> Response:
    """Answers when the job has ended; its pictures are in the gallery as well."""
    return await _painted(studio, visitor, body)


@router.post(
    "/img2img",
    response_model=GeneratedAnswer,
    summary="A picture from a picture, as a whole or where a mask is white",
    openapi_extra=json_body(ImageToImage.model_json_schema()),
)
async def image_to_image(
    studio: TheStudio, visitor: Visitor, body: Annotated[BaseModel, body_of(ImageToImage)]
) -> Response:
    """Answers when the job has ended; its pictures are in the gallery as well."""
    return await _painted(studio, visitor, body)


async def _painted(studio: Studio, visitor: str, body: BaseModel) -> Response:
    given = await run_in_threadpool(asked, studio, body, visitor)
    job = await run_in_threadpool(studio.submit, given.values, visitor)
    end = await finished(studio, job)
    return await written(lambda: generated(studio, end, body, given.options))


async def finished(studio: Studio, job: Job) -> JobSnapshot:
    """The job once it has ended. Raises Refused with the reason when it failed."""
    end = await ended(studio.jobs, job)
    if end.state == "failed":
        raise Refused(500, end.error or say("The job failed; the log has the details."))
    return end
