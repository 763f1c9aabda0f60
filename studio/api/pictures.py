"""/api/v1/pictures and /api/v1/bin: find, fetch, mark, delete and bring back."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query
from fastapi.responses import FileResponse, Response
from PIL import Image

from studio.api.answers import EmptiedAnswer, ParametersAnswer, PictureAnswer, PicturesAnswer
from studio.api.inputs import Body, TheStudio, content, json_body
from studio.errors import InvalidRequest, NotFound
from studio.gallery import Picture
from studio.recipes.encode import MEDIA_TYPES, QUALITY, Format, encode
from studio.sentences import say
from studio.storage import storage_errors

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
    summary="The picture's file: the PNG, or a JPEG or WebP made of it",
    response_class=FileResponse,
    responses=content(*MEDIA_TYPES.values()),
)
def get_picture(
    studio: TheStudio,
    picture_id: str,
    download: bool = False,
    kind: Annotated[Format, Query(alias="format")] = "png",
    quality: Annotated[int, Query(ge=1, le=100)] = QUALITY,
) -> Response:
    """The recipe is inside in every format; download=1 offers the file for saving.

    The PNG is the file as it was saved. ``quality`` is for the others.
    """
    picture = _on_disk(studio.gallery.get(picture_id))
    how = "attachment" if download else "inline"
    if kind == "png":
        return FileResponse(
            picture.path, media_type="image/png", filename=picture.path.name,
            content_disposition_type=how, headers=_UNCHANGING,
        )  # fmt: skip
    with storage_errors(picture.path), Image.open(picture.path) as image:
        made = encode(image, kind, quality, picture.request, picture.model_hash)
    name = quote(f"{picture.path.stem}.{'jpg' if kind == 'jpeg' else kind}")
    named = {"Content-Disposition": f"{how}; filename*=utf-8''{name}"}
    return Response(made, media_type=MEDIA_TYPES[kind], headers={**_UNCHANGING, **named})


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


@router.get("/pictures/{picture_id}/entry", summary="The picture as a search lists it")
def entry(studio: TheStudio, picture_id: str) -> PictureAnswer:
    """Everything known about it but its pixels."""
    return PictureAnswer.of(studio.gallery.get(picture_id))


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
