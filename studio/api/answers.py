"""What goes out: the shapes of the answers, which are also the API's description."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from studio import infotext
from studio.api.language import Said
from studio.complete import PartialRequest
from studio.gallery import Picture
from studio.jobs import JobSnapshot, Kind, State
from studio.keeper import MemoryReport
from studio.models.base import ModelInfo
from studio.request import MAX_MODEL, GenerationRequest


class Problem(BaseModel):
    """One field that is wrong, and one sentence about it."""

    field: str
    message: Said


class ErrorAnswer(BaseModel):
    """Every error: one sentence, and one problem for each field that is wrong."""

    detail: Said
    problems: list[Problem]


class JobAnswer(BaseModel):
    """A job. ``version`` grows with every change; ``preview_version`` with every new preview.

    ``kind``: whether it makes pictures or an animation with the same id, of which ``frames_done``
    frames are there.
    """

    id: str
    state: State
    step: int
    steps: int
    seconds_left: float | None
    steps_per_second: float | None
    note: Said
    queue_position: int | None
    picture_ids: list[str]
    error: Said | None
    preview_version: int
    version: int
    created: float
    started: float | None
    finished: float | None
    request: GenerationRequest
    kind: Kind
    frames_done: int

    @classmethod
    def of(cls, job: JobSnapshot) -> JobAnswer:
        """The answer for a job as it was at one moment."""
        return cls.model_construct(
            **{name: getattr(job, name) for name in cls.model_fields if name != "picture_ids"},
            picture_ids=list(job.picture_ids),
        )


class JobsAnswer(BaseModel):
    """Several jobs."""

    jobs: list[JobAnswer]


class PictureAnswer(BaseModel):
    """A picture. ``parameters`` is its recipe as A1111 writes it, ``request`` as we do.

    ``parents``: the ids of the pictures it was made from, as far as they are still here.
    """

    id: str
    url: str
    thumbnail: str
    width: int
    height: int
    favourite: bool
    trashed: float | None
    created: float
    parameters: str
    request: GenerationRequest
    job_id: str
    index: int
    parents: list[str]

    @classmethod
    def of(cls, picture: Picture) -> PictureAnswer:
        """The answer for a picture of the gallery."""
        url = f"/api/v1/pictures/{picture.id}"
        return cls.model_construct(
            id=picture.id,
            url=url,
            thumbnail=f"{url}/thumbnail",
            width=picture.width,
            height=picture.height,
            favourite=picture.favourite,
            trashed=picture.trashed,
            created=picture.created,
            parameters=infotext.write(picture.request, picture.model_hash),
            request=picture.request,
            job_id=picture.job_id,
            index=picture.index,
            parents=[picture.parent] if picture.parent else [],
        )


class PicturesAnswer(BaseModel):
    """One page of a search; ``next`` goes into ``before`` for the following one."""

    pictures: list[PictureAnswer]
    next: str | None
    total: int


class ParametersAnswer(BaseModel):
    """A picture's recipe, as text and as a request that can be handed in again."""

    parameters: str
    request: GenerationRequest


class MissingAnswer(BaseModel):
    """A model, LoRA or VAE that a recipe names and that is not installed here."""

    kind: str
    name: str
    message: Said


class ReadAnswer(BaseModel):
    """A recipe from elsewhere. ``source``: the program that wrote it; ``request``: what it says.

    ``unrecognised``: what this studio does not do or understand, as it stands in the recipe.
    ``animation``: of a film, what makes it again when it is handed in as an animation.
    """

    source: str
    request: PartialRequest
    unrecognised: list[str]
    missing: list[MissingAnswer]
    animation: dict[str, Any] | None = None


class EmptiedAnswer(BaseModel):
    """How many pictures were deleted."""

    deleted: int


class SamplerAnswer(BaseModel):
    """A sampler and the sigma schedules it can use."""

    name: str
    label: str
    aliases: list[str]
    sigma_schedules: list[str]
    min_steps: int


class ModelAnswer(BaseModel):
    """A model, or what goes with one: ``kind`` says what it is, and names are unique within a kind.

    ``problem`` says why it cannot be used, ``defaults`` what a job leaves out. ``sha256`` is null
    until it was computed; ``hash`` is its beginning, as A1111 writes it. ``where`` is its path.
    ``languages``: what its prompts may be written in, or what a translator reads and writes.
    """

    name: str
    kind: str
    family: str
    sha256: str | None
    hash: str | None
    size: int
    resident: bool
    problem: Said | None
    native_size: int
    known_words: bool
    layout: str
    where: str
    prediction_type: str
    inpainting: bool
    variety: str
    languages: list[str]
    defaults: dict[str, str | int | float]

    @classmethod
    def of(cls, info: ModelInfo, resident: bool) -> ModelAnswer:
        """The answer for a model of the catalog."""
        return cls.model_construct(
            name=info.name,
            kind=info.kind,
            family=info.family,
            sha256=info.sha256,
            hash=info.short_hash,
            size=info.size,
            resident=resident,
            problem=info.problem,
            native_size=info.native_size,
            known_words=info.known_words,
            layout=info.layout,
            where=info.where,
            prediction_type=info.prediction_type,
            inpainting=info.inpainting,
            variety=info.variety,
            languages=[*info.languages],
            defaults=info.defaults.as_values(),
        )


class NamedModel(BaseModel):
    """A model by its name."""

    name: str = Field(max_length=MAX_MODEL)


class MaybeModel(BaseModel):
    """A model by its name, or none in particular."""

    name: str | None = Field(None, max_length=MAX_MODEL)


class ResidentAnswer(BaseModel):
    """A model in memory: bytes of weights, where they lie, how it is kept, and in words why.

    ``mode``: full, text_encoder_off, model_offload or sequential_offload; null while it is parked
    in RAM beside a GPU, as are ``tile_vae`` and ``plan``.
    """

    name: str
    bytes: int
    where: str
    mode: str | None
    tile_vae: bool | None
    plan: Said | None


class MemoryAnswer(BaseModel):
    """In bytes: the device's memory, what models may take of it and of RAM, what is resident."""

    device: str | None
    total: int | None
    free: int | None
    used: int | None
    budget: int | None
    ram_budget: int | None
    plan: Said | None
    attention: Said | None
    resident: list[ResidentAnswer]

    @classmethod
    def of(cls, report: MemoryReport) -> MemoryAnswer:
        """The answer for a report."""
        resident = [
            ResidentAnswer(
                name=one.name,
                bytes=one.bytes,
                where=one.where,
                mode=one.plan.mode if one.plan else None,
                tile_vae=one.plan.tile_vae if one.plan else None,
                plan=one.plan.reason if one.plan else None,
            )
            for one in report.resident
        ]
        return cls.model_construct(**{**vars(report), "resident": resident})
