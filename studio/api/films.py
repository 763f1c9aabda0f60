"""/api/v1/animations/recipe: what a film that was made here says about how it was made."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from studio.animation.film import MEDIA_TYPES
from studio.animation.inscription import recipe_in
from studio.errors import InvalidRequest
from studio.sentences import say

MAX_FILM = 512_000_000

router = APIRouter(prefix="/api/v1/animations", tags=["animations"])


class FilmRecipe(BaseModel):
    """A film's recipe: it makes the film again when it is handed in as an animation."""

    recipe: dict[str, Any] = Field(description="keyframes, and what holds for all of them")


async def _film(request: Request) -> AsyncIterator[Path]:
    """The body in a file that is gone with the request; it never lies in memory as a whole."""
    with TemporaryDirectory(prefix="studio-film-") as folder:
        path, size = Path(folder) / "film", 0
        with path.open("wb") as file:
            async for chunk in request.stream():
                size += len(chunk)
                if size > MAX_FILM:
                    sentence = say("The body may have at most {most:,} bytes.", most=MAX_FILM)
                    raise HTTPException(413, sentence)
                await run_in_threadpool(file.write, chunk)
        yield path


_BODY = {kind: {"schema": {"type": "string", "format": "binary"}} for kind in MEDIA_TYPES.values()}


@router.post(
    "/recipe",
    summary="Read the recipe out of a film: the body is the file",
    openapi_extra={"requestBody": {"required": True, "content": _BODY}},
)
def read_film(film: Annotated[Path, Depends(_film)]) -> FilmRecipe:
    """As it was handed in, with every default. No frame is decoded."""
    recipe = recipe_in(film)
    if recipe is None:
        raise InvalidRequest.of("body", say("This film carries no recipe that can be read."))
    return FilmRecipe(recipe=recipe)
