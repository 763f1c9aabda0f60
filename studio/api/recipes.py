"""/api/v1/parameters: what a picture or a text from anywhere says about how it was made."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping
from typing import Any

from fastapi import APIRouter

from studio.animation.recalled import Recalled, read_film
from studio.api.answers import MissingAnswer, ReadAnswer
from studio.api.inputs import PictureBody, TheStudio, json_body
from studio.bootstrap import Studio
from studio.complete import PartialRequest
from studio.errors import InvalidRequest
from studio.infotext import STUDIO
from studio.models.meant import Missing, meant_here
from studio.recipes import Recipe, is_picture, read_picture, read_text
from studio.sentences import say

router = APIRouter(prefix="/api/v1", tags=["pictures"])

_GIVEN = {
    "image": "The file of a picture, or of a film made here, in base64.",
    "text": "A1111's lines, or a JSON recipe.",
}


@router.post(
    "/parameters",
    summary="Read a recipe out of a picture, a film or a text",
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

    What is set can be handed in as a job; models are meant by their hash, then by their name. A
    film that was made here (MP4, WebM, WebP, GIF, or a zip of PNGs) has an ``animation`` in place
    of a request, which can be handed in as one. Pixels are not looked at.
    """
    film = _film(values)
    if film is not None:
        return _animation(studio, film)
    recipe = _recipe(values)
    given, missing = meant_here(recipe, studio.catalog)
    return ReadAnswer(
        source=recipe.source,
        request=PartialRequest.model_construct(**given),
        unrecognised=[*recipe.unrecognised],
        missing=_answers(missing),
    )


def _film(values: Mapping[str, Any]) -> Recalled | None:
    """The recipe of the body's film; None when it is no film, or holds none."""
    given = values.get("image")
    if len(values) != 1 or not isinstance(given, str):
        return None
    return read_film(_content(given))


def _animation(studio: Studio, film: Recalled) -> ReadAnswer:
    """The film's recipe with the names that things have here, in what is shared and in each."""
    missing: dict[Missing, None] = {}

    def here(values: Mapping[str, Any]) -> dict[str, Any]:
        meant, more = meant_here(Recipe(STUDIO, values), studio.catalog)
        missing.update(dict.fromkeys(more))
        return meant

    animation = here(film.values)
    animation["keyframes"] = [here(each) for each in film.values["keyframes"]]
    return ReadAnswer(
        source=STUDIO, request=PartialRequest(), animation=animation,
        unrecognised=[*film.unrecognised], missing=_answers(missing),
    )  # fmt: skip


def _answers(missing: Iterable[Missing]) -> list[MissingAnswer]:
    return [MissingAnswer(kind=m.kind, name=m.name, message=m.sentence) for m in missing]


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
            raise InvalidRequest.of(
                "image", say("This is no PNG, JPEG or WebP picture, and no film made here.")
            )
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
