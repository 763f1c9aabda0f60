"""/api/v1/pictures and /api/v1/bin: find, fetch, mark, delete and bring back."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import FileResponse

from studio.api.answers import EmptiedAnswer, ParametersAnswer, PictureAnswer, PicturesAnswer
from studio.api.inputs import Body, TheStudio, content, json_body
from studio.errors import InvalidRequest, NotFound
from studio.gallery import Picture
from studio.sentences import say

_UNCHANGING = {"Cache-Control": "private, max-age=31536000, immutable"}

router = APIRouter(prefix="/api/v1", tags=["pictures"])


@router.get("/pictures", summary="Search: newest first, every word of the query in the prompt")
def search(
    studio: TheStudio,
    query: Annotated[str, Query(max_length=1000)] = "",
    favourites: bool = False,
    trashed: bool = False,
    limit: Annotated[int, Query(ge=1, le=500)] = 60,
    before: str | None = None,
) -> PicturesAnswer:
    """A page of pictures; ``trashed`` looks into the bin instead."""
    found = studio.gallery.search(
        query, favourites=favourites, trashed=trashed, limit=limit + 1, before=before or None
    )
    page, more = found[:limit], len(found) > limit
    return PicturesAnswer.model_construct(
        pictures=[PictureAnswer.of(picture) for picture in page],
        next=page[-1].cursor if more else None,
        total=studio.gallery.count(query, favourites=favourites, trashed=trashed),
    )


@router.get(
    "/pictures/{picture_id}",
    summary="The PNG",
    response_class=FileResponse,
    responses=content("image/png"),
)
def get_picture(studio: TheStudio, picture_id: str, download: bool = False) -> FileResponse:
    """The file as it was saved, its recipe inside; download=1 offers it for saving."""
    picture = _on_disk(studio.gallery.get(picture_id))
    kind = "attachment" if download else "inline"
    return FileResponse(
        picture.path, media_type="image/png", filename=picture.path.name,
        content_disposition_type=kind, headers=_UNCHANGING,
    )  # fmt: skip


@router.get(
    "/pictures/{picture_id}/thumbnail",
    summary="A small WebP",
    response_class=FileResponse,
    responses=content("image/webp"),
)
def thumbnail(studio: TheStudio, picture_id: str) -> FileResponse:
    """At most 320 pixels on the longer side."""
    _on_disk(studio.gallery.get(picture_id))
    path = studio.gallery.thumbnail(picture_id)
    return FileResponse(path, media_type="image/webp", headers=_UNCHANGING)


@router.get("/pictures/{picture_id}/parameters", summary="The recipe")
def parameters(studio: TheStudio, picture_id: str) -> ParametersAnswer:
    """As A1111's text, and as a request that can be handed in again.

    The request names the model that is here by the picture's hash of it, else by its name.
    """
    picture = studio.gallery.get(picture_id)
    return ParametersAnswer.model_construct(
        parameters=PictureAnswer.of(picture).parameters, request=studio.recipe_of(picture)
    )


@router.patch(
    "/pictures/{picture_id}",
    summary="Mark as a favourite, or not",
    openapi_extra=json_body(
        {
            "type": "object",
            "properties": {"favourite": {"type": "boolean"}},
            "required": ["favourite"],
        }
    ),
)
def mark(studio: TheStudio, picture_id: str, values: Body) -> PictureAnswer:
    """The picture with its new mark."""
    favourite = values.get("favourite")
    if set(values) != {"favourite"} or not isinstance(favourite, bool):
        raise InvalidRequest.of(
            "favourite", say("Give “favourite” as true or false, nothing else.")
        )
    return PictureAnswer.of(studio.gallery.set_favourite(picture_id, favourite))


@router.delete("/pictures/{picture_id}", summary="Put into the bin")
def trash(studio: TheStudio, picture_id: str) -> PictureAnswer:
    """The picture, which can be restored until the bin is emptied."""
    studio.gallery.trash([picture_id])
    return PictureAnswer.of(studio.gallery.get(picture_id))


@router.post("/pictures/{picture_id}/restore", summary="Take out of the bin")
def restore(studio: TheStudio, picture_id: str) -> PictureAnswer:
    """The picture, back in its place."""
    studio.gallery.restore([picture_id])
    return PictureAnswer.of(studio.gallery.get(picture_id))


@router.delete("/bin", summary="Delete what is in the bin, for good")
def empty_bin(studio: TheStudio) -> EmptiedAnswer:
    """How many pictures were deleted."""
    return EmptiedAnswer(deleted=studio.gallery.empty_bin())


def _on_disk(picture: Picture) -> Picture:
    """The picture, when nobody has removed its file meanwhile."""
    if not picture.path.is_file():
        sentence = say("The file of picture “{picture}” is no longer on disk.", picture=picture.id)
        raise NotFound(sentence)
    return picture
