"""/sdapi/v1/png-info: what a picture's file tells; /interrogate, which this studio cannot."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel

from studio import infotext
from studio.api.a1111 import pictures
from studio.api.a1111.errors import A1111Route
from studio.api.a1111.generate import body_of
from studio.api.foreign import Refused
from studio.api.inputs import json_body
from studio.images.reading import from_base64
from studio.recipes.files import texts_in
from studio.sentences import say

_TEXTS = ("parameters", "UserComment")
_SIZES = ("Size", "Seed resize from", "Hires resize", "First pass size")

router = APIRouter(route_class=A1111Route)


class GivenPicture(BaseModel):
    """A picture's file in base64."""

    image: str = ""
    model: str = "clip"


class PngInfoAnswer(BaseModel):
    """``info`` as it stands in the file, its other texts, and the pairs that ``info`` ends with."""

    info: str
    items: dict[str, str]
    parameters: dict[str, Any]


@router.post(
    "/png-info",
    summary="The parameters in a picture's file",
    openapi_extra=json_body(GivenPicture.model_json_schema()),
)
def png_info(body: Annotated[GivenPicture, body_of(GivenPicture)]) -> PngInfoAnswer:
    """Of a PNG, JPEG or WebP, as A1111 or this studio writes them. Pixels are not looked at."""
    file = from_base64(pictures.at_hand(body.image), "image") if body.image.strip() else b""
    if not file:
        raise Refused(404, say("Image not found: give one in “image”."))
    texts = texts_in(file)
    key = next((each for each in _TEXTS if each in texts), None)
    text = texts.pop(key) if key else ""
    return PngInfoAnswer(info=text, items=texts, parameters=parsed(text) if text else {})


@router.post(
    "/interrogate",
    summary="What a picture shows: refused",
    openapi_extra=json_body(GivenPicture.model_json_schema()),
)
def interrogate(body: Annotated[GivenPicture, body_of(GivenPicture)]) -> None:
    """404: this studio has no model that puts a picture into words."""
    sentence = say(
        "Model “{name}” not found: this studio has none that puts a picture into words.",
        name=body.model[:60],
    )
    raise Refused(404, sentence)


def parsed(text: str) -> dict[str, str]:
    """The pairs, with both prompts and with sizes as two numbers, as A1111 reads them."""
    values = infotext.read(text)
    found = {"Prompt": values["prompt"], "Negative prompt": values["negative_prompt"]}
    for key, value in infotext.parameters(text).items():
        sides = value.split("x")
        if key in _SIZES and len(sides) == 2:
            found |= {f"{key}-1": sides[0], f"{key}-2": sides[1]}
        else:
            found[key] = value
    return found
