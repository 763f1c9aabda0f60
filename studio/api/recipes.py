"""/api/v1/parameters: what a picture or a text from anywhere says about how it was made."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter

from studio.api.answers import MissingAnswer, ReadAnswer
from studio.api.inputs import PictureBody, TheStudio, json_body
from studio.complete import PartialRequest
from studio.errors import InvalidRequest
from studio.models.meant import meant_here
from studio.recipes import Recipe, is_picture, read_picture, read_text
from studio.sentences import say

router = APIRouter(prefix="/api/v1", tags=["pictures"])

_GIVEN = {"image": "A picture's file in base64.", "text": "A1111's lines, or a JSON recipe."}


@router.post(
    "/parameters",
    summary="Read a recipe out of a picture or a text",
    response_model_exclude_unset=True,
    openapi_extra=json_body(
        {
            "type": "object",
            "properties": {
                name: {"type": "string", "description": about} for name, about in _GIVEN.items()
            },
            "minProperties": 1,
            "maxProperties": 1,
        }
    ),
)
def read_parameters(studio: TheStudio, values: PictureBody) -> ReadAnswer:
    """The recipe that another studio, or this one, has left in a PNG, JPEG or WebP, or in a text.

    What is set can be handed in as a job; models are meant by their hash, then by their name.
    Pixels are not looked at.
    """
    recipe = _recipe(values)
    given, missing = meant_here(recipe, studio.catalog)
    return ReadAnswer(
        source=recipe.source,
        request=PartialRequest.model_construct(**given),
        unrecognised=[*recipe.unrecognised],
        missing=[MissingAnswer(kind=m.kind, name=m.name, message=m.sentence) for m in missing],
    )


def _recipe(values: Mapping[str, Any]) -> Recipe:
    """The recipe of the body's picture or text. Raises InvalidRequest with one sentence."""
    (field, given), *more = values.items() if values else [("image", None)]
    if more or field not in _GIVEN or not isinstance(given, str):
        raise InvalidRequest.of(
            field,
            say("Give either “image”, a picture's file in base64, or “text”, and nothing else."),
        )
    if field == "text":
        recipe, nothing = read_text(given), say("There are no parameters in this text.")
    else:
        content = _content(given)
        if not is_picture(content):
            raise InvalidRequest.of("image", say("This is no PNG, JPEG or WebP picture."))
        recipe = read_picture(content)
        nothing = say("This picture carries no recipe that can be read.")
    if recipe is None:
        raise InvalidRequest.of(field, nothing)
    return recipe


def _content(text: str) -> bytes:
    """The file that base64 stands for, with or without ``data:image/…;base64,`` before it."""
    if text.startswith("data:"):
        text = text.partition(",")[2]
    try:
        return base64.b64decode(text)
    except (binascii.Error, ValueError):
        raise InvalidRequest.of("image", say("“image” is not in base64.")) from None
