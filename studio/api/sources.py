"""/api/v1/sources: pictures, masks and sounds, handed over once and named by their hash."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from fastapi.responses import FileResponse
from pydantic import BaseModel

from studio.api.inputs import PictureBody, TheStudio, Visitor, content, json_body
from studio.errors import InvalidRequest
from studio.sentences import say

_UNCHANGING = {"Cache-Control": "private, max-age=31536000, immutable"}

router = APIRouter(prefix="/api/v1/sources", tags=["pictures"])

_GIVEN: dict[str, Any] = {
    "type": "object",
    "properties": {
        "image": {
            "type": "string",
            "description": "A picture's file in base64, or the id of a picture here.",
        },
        "over": {
            "type": "string",
            "description": "A picture of the same size in base64 that is laid on it, as far as it "
            "is opaque; where it is transparent, nothing changes.",
        },
        "sound": {
            "type": "string",
            "description": "In place of a picture: a sound's file in base64, for an animation.",
        },
    },
}


class SourceAnswer(BaseModel):
    """A kept picture: what ``init_image`` and ``mask_image`` take, and its size in pixels.

    Of a sound, what an animation's ``sound`` takes, and its length where its file says it.
    """

    hash: str
    width: int | None = None
    height: int | None = None
    seconds: float | None = None


@router.post(
    "",
    status_code=201,
    summary="Keep a picture to start from, or a sound; the same one is kept once",
    response_model_exclude_none=True,
    openapi_extra=json_body(_GIVEN),
)
def keep(studio: TheStudio, visitor: Visitor, values: PictureBody) -> SourceAnswer:
    """The hash. The picture is upright and in 8 bits from here on, whatever its file was."""
    if values.keys() == {"sound"}:
        digest, seconds = studio.incoming.kept_sound(values["sound"])
        return SourceAnswer(hash=digest, seconds=seconds)
    if not {"image"} <= values.keys() <= {"image", "over"}:
        sentence = say("Give “image”, a picture's file in base64, and nothing but “over” with it.")
        raise InvalidRequest.of("image", sentence)
    image, over = values["image"], values.get("over")
    if over is None:
        digest, (width, height) = studio.incoming.kept(image, visitor)
    else:
        digest, (width, height) = studio.incoming.covered(image, over, visitor)
    return SourceAnswer(hash=digest, width=width, height=height)


@router.get(
    "/{digest}",
    summary="A kept picture's PNG",
    response_class=FileResponse,
    responses=content("image/png"),
)
def get_source(studio: TheStudio, digest: str) -> FileResponse:
    """The picture as jobs see it; 404 when it is not kept here. Whoever looks at it uses it."""
    studio.sources.renew(digest)
    return FileResponse(studio.sources.file(digest), media_type="image/png", headers=_UNCHANGING)
