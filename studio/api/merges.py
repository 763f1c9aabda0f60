"""/api/v1/merges: checkpoints mixed into a new one."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel

from studio.api.inputs import Body, TheStudio, json_body
from studio.api.language import Said
from studio.models.merging.merges import Merge, MergeState
from studio.models.merging.recipe import MOST_LORAS, MOST_MODELS, Method, Precision

router = APIRouter(prefix="/api/v1", tags=["merges"])

_RECIPE = json_body(
    {
        "type": "object",
        "required": ["name", "models"],
        "properties": {
            "name": {"type": "string", "description": "what the result is called"},
            "models": {
                "type": "array",
                "items": {"type": "string"},
                "maxItems": MOST_MODELS,
                "description": "checkpoints of one family; the first gives layout and defaults",
            },
            "method": {
                "enum": ["weighted_sum", "add_difference"],
                "description": "a mixture by weights, or A + weight × (B − C)",
            },
            "weights": {
                "type": "array",
                "items": {"type": "number"},
                "description": "one for each model, of which the proportions count; or only one",
            },
            "vae": {"type": ["string", "null"], "description": "an installed VAE to bake in"},
            "loras": {
                "type": "array",
                "maxItems": MOST_LORAS,
                "items": {
                    "type": "object",
                    "required": ["name"],
                    "properties": {"name": {"type": "string"}, "weight": {"type": "number"}},
                },
                "description": "installed LoRAs to bake in",
            },
            "dtype": {"enum": ["float16", "bfloat16", "float32"]},
        },
    }
)


class LoraAnswer(BaseModel):
    """A LoRA that is baked in, and how strongly."""

    name: str
    weight: float


class MergeAnswer(BaseModel):
    """A merge. ``progress``: 0 to 1; ``where``: the result's path, null until it is done."""

    id: str
    state: MergeState
    progress: float
    error: Said | None
    where: str | None
    name: str
    models: list[str]
    method: Method
    weights: list[float]
    vae: str | None
    loras: list[LoraAnswer]
    dtype: Precision

    @classmethod
    def of(cls, merge: Merge) -> MergeAnswer:
        """The answer for a merge as it was at one moment."""
        recipe = merge.recipe
        loras = [LoraAnswer(name=each.name, weight=each.weight) for each in recipe.loras]
        return cls(
            id=merge.id, state=merge.state, progress=merge.progress, error=merge.error,
            where=merge.where, name=recipe.name, models=list(recipe.models), method=recipe.method,
            weights=list(recipe.weights), vae=recipe.vae, loras=loras, dtype=recipe.dtype,
        )  # fmt: skip


class MergesAnswer(BaseModel):
    """Every merge since the studio was started."""

    merges: list[MergeAnswer]


@router.post("/merges", status_code=202, summary="Merge checkpoints", openapi_extra=_RECIPE)
def start(studio: TheStudio, body: Body) -> MergeAnswer:
    """Answers at once; watch it with GET /api/v1/merges/{identifier}."""
    return MergeAnswer.of(studio.merges.start(body))


@router.get("/merges", summary="Merges: waiting, running, ended")
def merges(studio: TheStudio) -> MergesAnswer:
    """Oldest first."""
    return _all(studio)


@router.get("/merges/{identifier}", summary="One merge")
def merge(studio: TheStudio, identifier: str) -> MergeAnswer:
    """Its state and how far it is."""
    return MergeAnswer.of(studio.merges.get(identifier))


@router.delete("/merges/{identifier}", summary="Stop a merge, or forget one that has ended")
def cancel(studio: TheStudio, identifier: str) -> MergesAnswer:
    """Nothing stays of a merge that is stopped."""
    studio.merges.cancel(identifier)
    return _all(studio)


def _all(studio: Any) -> MergesAnswer:
    return MergesAnswer(merges=[MergeAnswer.of(each) for each in studio.merges.list()])
