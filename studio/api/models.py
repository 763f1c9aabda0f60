"""/api/v1/samplers and /api/v1/models: what there is to choose from."""

from __future__ import annotations

from fastapi import APIRouter

from studio.api.answers import MaybeModel, MemoryAnswer, ModelAnswer, NamedModel, SamplerAnswer
from studio.api.inputs import TheStudio
from studio.api.waiting import done
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


@router.post("/models/load", summary="Bring a model into memory")
async def load(studio: TheStudio, model: NamedModel) -> MemoryAnswer:
    """Waits for the running job, if there is one. What is in memory comes back."""
    await done(studio.load(model.name))
    return MemoryAnswer.of(studio.keeper.report())


@router.post("/models/unload", summary="Let a model go, or all of them")
async def unload(studio: TheStudio, model: MaybeModel) -> MemoryAnswer:
    """Without a name, all models. Waits for the running job, if there is one."""
    await done(studio.unload(model.name))
    return MemoryAnswer.of(studio.keeper.report())


@router.post("/models/default", summary="Start new pages with a model from now on")
def make_default(studio: TheStudio, model: NamedModel) -> NamedModel:
    """Kept over a restart. ``--model`` on the command line goes before it."""
    return NamedModel(name=studio.keeper.make_default(model.name))


@router.get("/memory", summary="How full the device's memory is, and with which models")
def memory(studio: TheStudio) -> MemoryAnswer:
    """``device`` is null until PyTorch has started."""
    return MemoryAnswer.of(studio.keeper.report())


def _answers(studio: Studio, models: list[ModelInfo]) -> list[ModelAnswer]:
    resident = studio.keeper.resident
    return [
        ModelAnswer.of(info, info.kind == "checkpoint" and info.name in resident) for info in models
    ]
