"""/api/v1/samplers and /api/v1/models: what there is to choose from."""

from __future__ import annotations

from fastapi import APIRouter

from studio.api.answers import ModelAnswer, SamplerAnswer
from studio.api.inputs import TheStudio
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


@router.get("/models", summary="Every model, whether it is loaded, and its defaults")
def models(studio: TheStudio) -> list[ModelAnswer]:
    """Models that cannot be used are listed too, with their problem."""
    resident = studio.resident
    return [
        ModelAnswer(
            name=info.name,
            kind=info.kind,
            family=info.family,
            size=info.size,
            resident=info.name in resident,
            problem=info.problem,
            native_size=info.native_size,
            known_words=info.known_words,
            defaults=info.defaults.as_values(),
        )
        for info in studio.catalog.list()
    ]
