"""/api/v1/animations: hand in keyframes, watch frames appear, stop, resume, fetch the film."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import FileResponse
from pydantic import BaseModel, Field

from studio.animating import Shown, is_whole
from studio.animation.film import MEDIA_TYPES
from studio.animation.request import MAX_KEYFRAMES, Film, Leg
from studio.api.answers import JobAnswer
from studio.api.inputs import PictureBody, TheStudio, Visitor, content, json_body
from studio.api.language import Said
from studio.errors import NotFound
from studio.jobs import State
from studio.sentences import say
from studio.sides import request_schema

_UNCHANGING = {"Cache-Control": "private, max-age=31536000, immutable"}

router = APIRouter(prefix="/api/v1/animations", tags=["animations"])


def _description() -> dict[str, Any]:
    """What is asked for: the one list of a request's fields, and what an animation adds."""
    request, leg = request_schema()["properties"], Leg.model_json_schema()["properties"]
    picture = {
        "type": "string",
        "description": "what the keyframe shows: a file in base64, the id or hash of a picture "
        "here; for the method walk",
    }
    keyframe = {"type": "object", "properties": {**request, **leg, "picture": picture}}
    return {
        "type": "object",
        "required": ["keyframes"],
        "properties": {
            "keyframes": {
                "type": "array", "minItems": 2, "maxItems": MAX_KEYFRAMES, "items": keyframe,
            },
            **Film.model_json_schema()["properties"],
            **leg,
            **request,
        },
    }  # fmt: skip


class AnimationAnswer(BaseModel):
    """An animation. Its job is found under the same id, with events, preview and time left.

    ``recipe`` makes it again when it is handed in. ``film``: the file's address; null until there
    is one. ``whole``: all frames and the film of them are there. ``played``: how many frames the
    film has, with those that are held or come back.
    """

    id: str
    state: State
    note: Said
    error: Said | None
    step: int
    steps: int
    seconds_left: float | None
    frames_done: int
    frames_total: int
    played: int
    width: int
    height: int
    whole: bool
    film: str | None
    created: float
    recipe: dict[str, Any] = Field(description="what was asked for, with every default")

    @classmethod
    def of(cls, shown: Shown) -> AnimationAnswer:
        """The answer for an animation as it is now."""
        reel, job, whole = shown.reel, shown.job, is_whole(shown.reel)
        common = reel.animation.common
        forgotten: State = "done" if whole else "cancelled"
        return cls(
            id=reel.id,
            state=job.state if job else forgotten,
            note=job.note if job else "",
            error=job.error if job else None,
            step=job.step if job else 0,
            steps=job.steps if job else 0,
            seconds_left=job.seconds_left if job else None,
            frames_done=len(reel.there()),
            frames_total=reel.frames_total,
            played=len(reel.plan.played()),
            width=common.width,
            height=common.height,
            whole=whole,
            film=f"/api/v1/animations/{reel.id}/file" if reel.film.is_file() else None,
            created=reel.created,
            recipe=reel.animation.recipe(),
        )


class AnimationsAnswer(BaseModel):
    """Several animations."""

    animations: list[AnimationAnswer]


@router.post(
    "",
    status_code=202,
    summary="Hand in an animation; fields of a request are the default for all keyframes",
    openapi_extra=json_body(_description()),
)
def submit(
    studio: TheStudio, visitor: Visitor, values: PictureBody, response: Response
) -> JobAnswer:
    """The job, as for pictures; the animation has the same id and is on disk by then."""
    job = studio.animate(values, visitor)
    response.headers["Location"] = f"/api/v1/animations/{job.id}"
    return JobAnswer.of(job.snapshot())


@router.get("", summary="The animations of this visitor, newest first")
def list_animations(studio: TheStudio, visitor: Visitor) -> AnimationsAnswer:
    """All that were not deleted."""
    shown = studio.animations.list(visitor)
    return AnimationsAnswer(animations=[AnimationAnswer.of(each) for each in shown])


@router.get("/{animation_id}", summary="An animation as it is now")
def get_animation(studio: TheStudio, animation_id: str) -> AnimationAnswer:
    """State, progress, how many frames are there, and the film if there is one."""
    return AnimationAnswer.of(studio.animations.get(animation_id))


@router.get(
    "/{animation_id}/frames/{frame}",
    summary="A frame's PNG, counted from 0",
    response_class=FileResponse,
    responses=content("image/png"),
)
def get_frame(studio: TheStudio, animation_id: str, frame: int) -> FileResponse:
    """404 while it is not painted; once there, it never changes."""
    path = studio.animations.get(animation_id).reel.frame(frame)
    return FileResponse(path, media_type="image/png", headers=_UNCHANGING)


@router.get(
    "/{animation_id}/file",
    summary="The film, in the format that was asked for",
    response_class=FileResponse,
    responses=content(*MEDIA_TYPES.values()),
)
def get_film(studio: TheStudio, animation_id: str, download: bool = False) -> FileResponse:
    """Of all frames, or, where it was stopped, of those that were made; the recipe is inside.

    It answers ranges, so that players can jump. download=1 offers the file for saving.
    """
    reel = studio.animations.get(animation_id).reel
    if not reel.film.is_file():
        sentence = say("This animation has no film yet: wait until it is done, or stop it.")
        raise NotFound(sentence)
    return FileResponse(
        reel.film, media_type=MEDIA_TYPES[reel.animation.format],
        filename=f"animation-{reel.id}{reel.film.suffix}", headers={"Cache-Control": "no-cache"},
        content_disposition_type="attachment" if download else "inline",
    )  # fmt: skip


@router.post(
    "/{animation_id}/resume", status_code=202, summary="Go on at the first frame that is missing"
)
def resume(studio: TheStudio, animation_id: str) -> AnimationAnswer:
    """The frames come out as if it had never stopped. What waits, runs or is whole stays as is."""
    return AnimationAnswer.of(studio.animations.resume(animation_id))


@router.post(
    "/{animation_id}/stop", summary="Stop within one step; a film is made of what is there"
)
def stop(studio: TheStudio, animation_id: str) -> AnimationAnswer:
    """The same as cancelling its job. Stopping one that has ended changes nothing."""
    return AnimationAnswer.of(studio.animations.stop(animation_id))


@router.delete("/{animation_id}", status_code=204, summary="Delete it with its frames, for good")
def remove(studio: TheStudio, animation_id: str) -> Response:
    """409 while it is being made."""
    studio.animations.remove(animation_id)
    return Response(status_code=204)
