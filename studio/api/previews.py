"""/api/v1/models/preview: the pictures that lie with models, and nothing else that does."""

from __future__ import annotations

from fastapi import APIRouter, Response
from pydantic import BaseModel

from studio.api.inputs import TheStudio, content
from studio.errors import NotFound
from studio.models.base import Kind
from studio.models.previews import preview, preview_version
from studio.sentences import say

router = APIRouter(prefix="/api/v1/models", tags=["choices"])


class PreviewAnswer(BaseModel):
    """A model that has a picture; ``version`` changes with the picture."""

    name: str
    kind: Kind
    version: int


@router.get("/previews", summary="Which models have a picture")
def previews(studio: TheStudio) -> list[PreviewAnswer]:
    """Put the version into the picture's address, so that it may be kept."""
    return [
        PreviewAnswer(name=info.name, kind=info.kind, version=version)
        for info in studio.catalog.list()
        if (version := preview_version(info)) is not None
    ]


@router.get(
    "/preview",
    summary="A model's picture, small, as WebP",
    response_class=Response,
    responses=content("image/webp"),
)
def picture(studio: TheStudio, name: str, kind: Kind | None = None) -> Response:
    """404 when there is no such model, or no picture of it."""
    for info in studio.catalog.list():
        if info.name == name and kind in (None, info.kind):
            image = preview(info)
            if image is not None:
                kept = {"cache-control": "private, max-age=86400"}
                return Response(image, media_type="image/webp", headers=kept)
    raise NotFound(say("“{name}” has no picture.", name=name))
