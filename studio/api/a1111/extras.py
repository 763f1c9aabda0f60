"""/sdapi/v1/extra-single-image and /extra-batch-images: pictures made larger, without a model."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from studio import images
from studio.api.a1111 import options, pictures
from studio.api.a1111.answers import content
from studio.api.a1111.asking import upscaler_names
from studio.api.a1111.errors import A1111Route
from studio.api.a1111.generate import body_of, finished
from studio.api.foreign import Refused, written
from studio.api.inputs import TheStudio, Visitor, json_body
from studio.bootstrap import Studio
from studio.errors import StudioError
from studio.jobs import Job
from studio.sentences import say
from studio.upscaling import upscaler_labelled

router = APIRouter(route_class=A1111Route)


class _Extras(BaseModel):
    """How pictures are made larger: by a factor (resize_mode 0) or to a size (1)."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)

    resize_mode: int = Field(0, ge=0, le=1)
    show_extras_results: bool = True
    gfpgan_visibility: float = 0
    codeformer_visibility: float = 0
    codeformer_weight: float = 0
    upscaling_resize: float = 2
    upscaling_resize_w: int = 512
    upscaling_resize_h: int = 512
    upscaling_crop: bool = True
    upscaler_1: str = "None"
    upscaler_2: str = "None"
    extras_upscaler_2_visibility: float = 0
    upscale_first: bool = False


class ExtraSingle(_Extras):
    """One picture, in base64."""

    image: str = ""


class NamedFile(BaseModel):
    """A picture's file in base64, and its name."""

    data: str
    name: str = ""


class ExtraBatch(_Extras):
    """Several pictures."""

    imageList: list[NamedFile]  # noqa: N815 - A1111's word


class ExtraSingleAnswer(BaseModel):
    """``image`` in base64."""

    html_info: str
    image: str


class ExtraBatchAnswer(BaseModel):
    """``images`` in base64, in their order."""

    html_info: str
    images: list[str]


@router.post(
    "/extra-single-image",
    response_model=ExtraSingleAnswer,
    summary="A picture made larger",
    openapi_extra=json_body(ExtraSingle.model_json_schema()),
)
async def extra_single_image(
    studio: TheStudio, visitor: Visitor, body: Annotated[Any, body_of(ExtraSingle)]
) -> Response:
    """Without an upscaler the picture comes back as it was."""
    made = await _enlarged(studio, visitor, body, [body.image])
    return await written(lambda: ExtraSingleAnswer(html_info="", image=made[0]))


@router.post(
    "/extra-batch-images",
    response_model=ExtraBatchAnswer,
    summary="Several pictures made larger",
    openapi_extra=json_body(ExtraBatch.model_json_schema()),
)
async def extra_batch_images(
    studio: TheStudio, visitor: Visitor, body: Annotated[Any, body_of(ExtraBatch)]
) -> Response:
    """A job for each; all of them are accepted, or none."""
    given = [each.data for each in body.imageList]
    made = await _enlarged(studio, visitor, body, given)
    return await written(lambda: ExtraBatchAnswer(html_info="", images=made))


async def _enlarged(studio: Studio, visitor: str, body: _Extras, given: list[str]) -> list[str]:
    way = await run_in_threadpool(_upscaler, studio, body)
    if way is None:
        return [await run_in_threadpool(_as_it_was, each) for each in given]
    jobs = await run_in_threadpool(_submitted, studio, visitor, body, way, given)
    for job in jobs:
        await finished(studio, job)
    return await run_in_threadpool(_contents, studio, jobs)


def _upscaler(studio: Studio, body: _Extras) -> str | None:
    """Our name of the way to enlarge; None for none. Raises Refused."""
    second = body.upscaler_2 not in ("None", "") and body.extras_upscaler_2_visibility
    for name, wanted in (
        ("gfpgan_visibility", body.gfpgan_visibility),
        ("codeformer_visibility", body.codeformer_visibility),
        ("extras_upscaler_2_visibility", second),
    ):
        if wanted:
            sentence = say("“{name}” is not part of this studio: leave it out.", name=name)
            raise Refused(422, sentence, name)
    known = upscaler_names(studio)
    if body.upscaler_1 not in known:
        sentence = say(
            "There is no upscaler called “{name}”; there are: {known}.",
            name=body.upscaler_1[:60], known=tuple(known),
        )  # fmt: skip
        raise Refused(422, sentence, "upscaler_1")
    return None if body.upscaler_1 == "None" else upscaler_labelled(body.upscaler_1)


def _as_it_was(given: str) -> str:
    return pictures.sent(images.encode_png(pictures.given(given, "image")))


def _submitted(
    studio: Studio, visitor: str, body: _Extras, way: str, given: list[str]
) -> list[Job]:
    """A job for each picture: all of them, or none."""
    jobs: list[Job] = []
    try:
        for each in given:
            jobs.append(studio.submit(_values(studio, visitor, body, way, each), visitor))
    except StudioError:
        for job in jobs:
            studio.jobs.cancel(job.id)
        raise
    return jobs


def _values(studio: Studio, visitor: str, body: _Extras, way: str, given: str) -> dict[str, Any]:
    digest, (width, height) = studio.incoming.kept(pictures.at_hand(given), visitor)
    values: dict[str, Any] = {
        "init_image": digest, "strength": 0, "upscaler": way, "tile_size": 0,
        "upscale_scale": body.upscaling_resize,
    }  # fmt: skip
    if body.resize_mode == 1:
        wanted = (body.upscaling_resize_w, body.upscaling_resize_h)
        values["upscale_scale"] = max(wanted[0] / width, wanted[1] / height)
        if body.upscaling_crop:
            values |= {"resize_mode": "crop", "width": wanted[0], "height": wanted[1]}
    return values


def _contents(studio: Studio, jobs: list[Job]) -> list[str]:
    now = options.options(studio)
    return [content(made, now) for job in jobs for made in studio.gallery.of_job(job.id)]
