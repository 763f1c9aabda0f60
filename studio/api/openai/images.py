"""/v1/images/generations and /v1/images/edits: jobs as everyone's, whose end is waited for."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Annotated, Any, Final, cast

from fastapi import APIRouter, Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from PIL import Image, ImageOps
from pydantic import BaseModel, ValidationError
from starlette.concurrency import run_in_threadpool

from studio import images
from studio.api.foreign import Refused, written
from studio.api.inputs import Body, TheStudio, Visitor, json_body
from studio.api.openai.errors import OpenAIRoute
from studio.api.openai.fields import Generation, taken
from studio.api.openai.forms import Form, form_of
from studio.bootstrap import Studio
from studio.gallery import Picture
from studio.images.reading import read_picture
from studio.jobs.waiting import ended
from studio.recipes.encode import QUALITY, Format, encode
from studio.sentences import say
from studio.storage import storage_errors

_OPAQUE: Final = (255, 255)
_PICTURE = {"type": "string", "format": "binary"}

router = APIRouter(route_class=OpenAIRoute)


class ImageAnswer(BaseModel):
    """One picture: its address here, or its file in base64; the words it was drawn from."""

    url: str | None = None
    b64_json: str | None = None
    revised_prompt: str | None = None


class ImagesAnswer(BaseModel):
    """``created`` in seconds since 1970."""

    created: int
    data: list[ImageAnswer]
    output_format: str


@router.post(
    "/images/generations",
    summary="Pictures from words",
    response_model=ImagesAnswer,
    openapi_extra=json_body(Generation.model_json_schema()),
)
async def generations(
    studio: TheStudio, visitor: Visitor, values: Body, request: Request
) -> Response:
    """Answers when the job has ended; its pictures are in the gallery as well."""
    given = _checked(values)
    return await _painted(studio, visitor, taken(given), given, request)


@router.post(
    "/images/edits",
    summary="A picture drawn anew, as a whole or where its mask is transparent",
    response_model=ImagesAnswer,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "multipart/form-data": {
                    "schema": {
                        "type": "object",
                        "required": ["image", "prompt"],
                        "properties": {
                            **Generation.model_json_schema()["properties"],
                            "image": _PICTURE,
                            "mask": _PICTURE,
                        },
                    }
                }
            },
        }
    },
)
async def edits(
    studio: TheStudio, visitor: Visitor, form: Annotated[Form, Depends(form_of)], request: Request
) -> Response:
    """Without a mask, transparent parts of the picture are drawn; without those, all of it."""
    given = _checked(form.texts)
    values = taken(given)
    start = await run_in_threadpool(_start, form)
    fitted = {"resize_mode": "crop"} if "width" in values else {}
    return await _painted(studio, visitor, {**values, **start, **fitted}, given, request)


def _checked(values: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return Generation.model_validate(values).model_dump()
    except ValidationError as error:
        raise RequestValidationError(error.errors(include_url=False)) from None


async def _painted(
    studio: Studio, visitor: str, values: Mapping[str, Any], given: Mapping[str, Any],
    request: Request,
) -> Response:  # fmt: skip
    job = await run_in_threadpool(studio.submit, values, visitor)
    end = await ended(studio.jobs, job)
    if end.state != "done":
        raise Refused(500, end.error or say("The job was cancelled."))
    base = str(request.base_url)
    return await written(lambda: _answer(studio, end.id, given, base), nulls=False)


def _answer(studio: Studio, job_id: str, given: Mapping[str, Any], base: str) -> ImagesAnswer:
    made = studio.gallery.of_job(job_id)
    kind = cast("Format", given["output_format"] or "png")
    quality = min(max(given["output_compression"] or QUALITY, 1), 100)
    inside = given["response_format"] or _usual_response(given["model"])
    data = []
    for picture in made:
        one = ImageAnswer(revised_prompt=picture.request.prompt)
        if inside == "b64_json":
            one.b64_json = base64.b64encode(_file(picture, kind, quality)).decode()
        else:
            chosen = "" if kind == "png" else f"?format={kind}&quality={quality}"
            one.url = f"{base}api/v1/pictures/{picture.id}{chosen}"
        data.append(one)
    return ImagesAnswer(created=int(made[0].created), data=data, output_format=kind)


def _usual_response(model: str | None) -> str:
    """What is sent when nothing is said: OpenAI's later models send the file itself."""
    return "b64_json" if model and model.startswith(("gpt-image", "chatgpt-image")) else "url"


def _file(picture: Picture, kind: Format, quality: int) -> bytes:
    with storage_errors(picture.path):
        if kind == "png":
            return picture.path.read_bytes()
        with Image.open(picture.path) as image:
            return encode(image, kind, quality, picture.request, picture.model_hash)


def _start(form: Form) -> dict[str, Any]:
    """The start picture, and its mask: what is transparent is drawn, from noise alone."""
    starts, masks = form.files.get("image", []), form.files.get("mask", [])
    if len(starts) != 1:
        raise Refused(400, say("Give one picture in “image”, as a file."), "image")
    start = read_picture(starts[0], "init_image")
    values = {"init_image": _sent(start)}
    mask = read_picture(masks[0], "mask_image") if masks else start
    if mask.mode == "RGBA" and mask.getextrema()[-1] != _OPAQUE:
        anew = ImageOps.invert(mask.getchannel("A"))
        return {**values, "mask_image": _sent(anew), "strength": 1.0}
    if masks:
        sentence = say("The mask has no transparent part: that is what is drawn anew.")
        raise Refused(400, sentence, "mask")
    return dict(values)


def _sent(image: Image.Image) -> str:
    return base64.b64encode(images.encode_png(image)).decode()
