"""/api/v1/samplers and /api/v1/models: what there is to choose from."""

from __future__ import annotations

from fastapi import APIRouter

from studio.api.answers import ModelAnswer, SamplerAnswer
from studio.api.inputs import TheStudio
from studio.bootstrap import Studio
from studio.models.base import ModelInfo
from studio.samplers import SAMPLERS

router = APIRouter(prefix="/api/v1", tags=["choices"])


@router.get("/samplers", summary="Every sampler, and the sigma schedules it can use")
def samplers() -> list[SamplerAnswer]:
    """In the order of the page."""
    return [
        SamplerAnswer(
            name=row.name,
            label=row.label,
            aliases=list(row.aliases),
            sigma_schedules=list(row.schedules),
            min_steps=row.min_steps,
        )
        for row in SAMPLERS.values()
    ]


@router.get("/models", summary="Every model and add-on, and whether it is loaded")
def models(studio: TheStudio) -> list[ModelAnswer]:
    """What cannot be used is listed too, with its problem. New files are there at once."""
    return _answers(studio, studio.catalog.list())


@router.post("/models/rescan", summary="Look at every file anew")
def rescan(studio: TheStudio) -> list[ModelAnswer]:
    """As the list; only needed where a file changed and its time of change did not."""
    return _answers(studio, studio.catalog.rescan())


def _answers(studio: Studio, models: list[ModelInfo]) -> list[ModelAnswer]:
    resident = studio.resident
    return [
        ModelAnswer.of(info, info.kind == "checkpoint" and info.name in resident) for info in models
    ]
