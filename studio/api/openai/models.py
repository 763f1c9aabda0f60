"""/v1/models: the checkpoints, by OpenAI's list."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel

from studio.api.inputs import TheStudio
from studio.api.openai.errors import OpenAIRoute
from studio.models.base import ModelInfo

router = APIRouter(route_class=OpenAIRoute)


class OpenAIModel(BaseModel):
    """A checkpoint. ``created``: when its file last changed, in seconds since 1970."""

    id: str
    object: str = "model"
    created: int
    owned_by: str = "studio"

    @classmethod
    def of(cls, info: ModelInfo) -> OpenAIModel:
        """The answer for a checkpoint of the catalog."""
        there = info.path.exists()
        return cls(id=info.name, created=int(info.path.stat().st_mtime) if there else 0)


class OpenAIModels(BaseModel):
    """All of them."""

    object: str = "list"
    data: list[OpenAIModel]


@router.get("/models", summary="Checkpoints")
def models(studio: TheStudio) -> OpenAIModels:
    """Those that can be used."""
    found = studio.catalog.of_kind("checkpoint")
    return OpenAIModels(data=[OpenAIModel.of(info) for info in found])


@router.get("/models/{name:path}", summary="A checkpoint")
def model(studio: TheStudio, name: str) -> OpenAIModel:
    """404 when there is none of this name."""
    return OpenAIModel.of(studio.catalog.find(name))
