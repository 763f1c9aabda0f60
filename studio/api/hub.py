"""/api/v1/hub and /api/v1/downloads: models from Hugging Face."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel

from studio.api.inputs import Body, TheStudio, json_body
from studio.api.language import Said
from studio.models.hub.download import Download, DownloadState
from studio.models.hub.hub import Look

router = APIRouter(prefix="/api/v1", tags=["hub"])

_ADDRESS = json_body(
    {
        "type": "object",
        "required": ["repo_id"],
        "properties": {
            "repo_id": {
                "type": "string",
                "description": "owner/name, owner/name/file.safetensors, or a page's address",
            },
            "file": {"type": "string", "description": "one file of the repository"},
        },
    }
)


class OfferAnswer(BaseModel):
    """A model of the curated list; ``size`` is in bytes, roughly; ``words`` are by language."""

    repo_id: str
    title: str
    family: str
    size: int
    licence: str
    words: Mapping[str, str]
    page: str
    installed: bool
    kind: str
    revision: str | None
    names: Mapping[str, str]


class FileAnswer(BaseModel):
    """A file and its size in bytes."""

    path: str
    size: int


class PlanAnswer(BaseModel):
    """What an install would fetch; ``problem`` says why it cannot be, ``choices`` of what."""

    repo_id: str
    revision: str
    page: str
    name: str
    kind: str
    where: str
    total: int
    kept: int
    free: int
    files: list[FileAnswer]
    choices: list[FileAnswer]
    licence: str | None
    gated: bool
    allowed: bool
    installed: bool
    problem: Said | None

    @classmethod
    def of(cls, look: Look) -> PlanAnswer:
        """The answer for a plan and what it meets here."""
        plan = look.plan
        return cls(
            repo_id=plan.repo_id, revision=plan.revision, page=plan.page, name=plan.name,
            kind=plan.kind, where=str(look.where), total=plan.total, kept=look.kept,
            free=look.free, licence=plan.licence, gated=plan.gated, allowed=plan.allowed,
            installed=look.installed, problem=plan.problem,
            files=[FileAnswer(path=each.path, size=each.size) for each in plan.files],
            choices=[FileAnswer(path=each.path, size=each.size) for each in plan.choices],
        )  # fmt: skip


class DownloadAnswer(BaseModel):
    """An install; sizes in bytes, ``speed`` in bytes per second."""

    id: str
    repo_id: str
    file: str | None
    name: str | None
    kind: str | None
    state: DownloadState
    done: int
    total: int
    speed: float | None
    seconds_left: float | None
    error: Said | None
    where: str | None

    @classmethod
    def of(cls, download: Download) -> DownloadAnswer:
        """The answer for an install as it was at one moment."""
        return cls(**asdict(download))


class DownloadsAnswer(BaseModel):
    """Every install that is known."""

    downloads: list[DownloadAnswer]


@router.get("/hub", summary="The curated list of models to install; the hub is not asked")
def offers(studio: TheStudio) -> list[OfferAnswer]:
    """In the order of the page."""
    return [OfferAnswer(**asdict(offer)) for offer in studio.hub.offers()]


@router.post("/hub/plan", summary="What an install would fetch", openapi_extra=_ADDRESS)
def plan(studio: TheStudio, body: Body) -> PlanAnswer:
    """Asks the hub now; 404 when it has no such model, 502 when it cannot be reached."""
    return PlanAnswer.of(studio.hub.plan(body.get("repo_id"), body.get("file")))


@router.post(
    "/downloads",
    status_code=202,
    summary="Install a model, or go on with an install",
    openapi_extra=_ADDRESS,
)
def install(studio: TheStudio, body: Body) -> DownloadAnswer:
    """Answers at once; watch it with GET /api/v1/downloads."""
    return DownloadAnswer.of(studio.hub.install(body.get("repo_id"), body.get("file")))


@router.get("/downloads", summary="Installs: running, ended, left half done")
def downloads(studio: TheStudio) -> DownloadsAnswer:
    """Oldest first."""
    return _all(studio)


@router.delete("/downloads/{identifier}", summary="Stop an install, or forget a stopped one")
def cancel(studio: TheStudio, identifier: str) -> DownloadsAnswer:
    """What came is kept when it is stopped, and deleted when it is then forgotten."""
    studio.hub.cancel(identifier)
    return _all(studio)


def _all(studio: Any) -> DownloadsAnswer:
    return DownloadsAnswer(downloads=[DownloadAnswer.of(each) for each in studio.hub.downloads()])
