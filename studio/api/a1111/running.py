"""/sdapi/v1: progress, interrupt and skip, of the caller's own jobs; memory, options, models."""

from __future__ import annotations

import time
from typing import Any

import psutil
from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool

from studio.api.a1111 import names, options, pictures
from studio.api.a1111.errors import A1111Route
from studio.api.foreign import Refused
from studio.api.inputs import Body, TheStudio, Visitor, json_body
from studio.api.waiting import done
from studio.bootstrap import Studio
from studio.jobs import JobSnapshot
from studio.sentences import say

router = APIRouter(route_class=A1111Route)


@router.get("/progress", summary="How far the caller's running job is")
def progress(
    studio: TheStudio, visitor: Visitor, skip_current_image: bool = False
) -> dict[str, Any]:
    """``progress`` is 0 to 1 and ``eta_relative`` in seconds; when idle, both and job_count are 0.

    A job that waits in the queue has a job_count and no progress yet.
    """
    job = _current(studio, visitor)
    if job is None or job.state == "queued":
        return _progress(0.0, 0.0, _state(job), None, str(job.note) if job else None)
    share = min(max(job.step / job.steps if job.steps else 0.0, 0.01), 1.0)
    preview = None if skip_current_image else studio.jobs.get(job.id).preview
    shown = pictures.sent(preview) if preview else None
    return _progress(share, job.seconds_left or 0.0, _state(job), shown, str(job.note) or None)


def _progress(
    share: float, eta: float, state: dict[str, Any], picture: str | None, text: str | None
) -> dict[str, Any]:
    return {
        "progress": share, "eta_relative": eta, "state": state, "current_image": picture,
        "textinfo": text,
    }  # fmt: skip


def _state(job: JobSnapshot | None) -> dict[str, Any]:
    count = job.request.num_images if job else 0
    each = max(job.steps // count, 1) if job and count else 0
    stamp = time.strftime("%Y%m%d%H%M%S", time.localtime(job.created if job else 0))
    return {
        "skipped": False, "interrupted": False, "stopping_generation": False,
        "job": job.id if job else "", "job_count": count,
        "job_timestamp": stamp if job else "0", "job_no": len(job.picture_ids) if job else 0,
        "sampling_step": job.step % each if job and each else 0, "sampling_steps": each,
    }  # fmt: skip


def _current(studio: Studio, visitor: str) -> JobSnapshot | None:
    """The caller's running job, else the first that waits."""
    return next(iter(studio.jobs.list(visitor, active=True)), None)


@router.post("/interrupt", summary="End the caller's running job; finished pictures are kept")
def interrupt(studio: TheStudio, visitor: Visitor) -> dict[str, str]:
    """Its request is answered with the pictures that were finished. Nothing when idle."""
    if job := _current(studio, visitor):
        studio.jobs.cancel(job.id)
    return {}


@router.post("/skip", summary="Give up the picture that is drawn now, the last one of its job")
def skip(studio: TheStudio, visitor: Visitor) -> None:
    """422 while others of the same job would still follow. Nothing when idle."""
    job = _current(studio, visitor)
    if job is None or job.state == "queued":
        return
    if job.request.num_images - len(job.picture_ids) > 1:
        sentence = say("One picture of several cannot be skipped here; interrupt ends them all.")
        raise Refused(422, sentence)
    studio.jobs.cancel(job.id)


@router.get("/options", summary="Every option")
def get_options(studio: TheStudio) -> dict[str, Any]:
    """Those that a request may override for itself in override_settings."""
    return options.options(studio)


@router.post("/options", summary="Set options for every request of a program from now on",
             openapi_extra=json_body({"type": "object"}))  # fmt: skip
async def set_options(studio: TheStudio, values: Body) -> None:
    """All that are given, or none; kept over a restart. A new checkpoint is loaded at once."""
    checked = await run_in_threadpool(options.checked, studio, values)
    await run_in_threadpool(options.keep, studio, checked)
    if chosen := checked.get(options.CHECKPOINT):
        info = await run_in_threadpool(names.checkpoint_named, studio.catalog, chosen)
        if info.name not in studio.keeper.resident:
            await done(await run_in_threadpool(studio.load, info.name))


@router.get("/cmd-flags", summary="How the studio was started")
def cmd_flags(studio: TheStudio) -> dict[str, Any]:
    """Our own flags, and those of A1111 that programs look at."""
    own = studio.settings.model_dump(mode="json")
    ours = {name: value for name, value in own.items() if not name.endswith("token")}
    return {
        **ours, "api": True, "api_auth": None, "listen": own["host"] not in ("127.0.0.1", "::1"),
        "ckpt_dir": str(studio.settings.models), "lowvram": own["memory"] == "minimal",
        "medvram": own["memory"] == "low", "nowebui": False,
    }  # fmt: skip


@router.get("/memory", summary="How full the memory is, in bytes")
def memory(studio: TheStudio) -> dict[str, Any]:
    """``cuda`` is what is known of a GPU, or says that there is none."""
    ram, held = psutil.virtual_memory(), studio.keeper.report()
    mine = psutil.Process().memory_info().rss
    cuda: dict[str, Any] = {"error": "unavailable"}
    if held.device and held.device.startswith("cuda") and held.total is not None:
        cuda = {"system": {"free": held.free, "used": held.used, "total": held.total}}
    return {"ram": {"free": ram.available, "used": mine, "total": ram.total}, "cuda": cuda}


@router.post("/refresh-checkpoints", summary="Look at every model's file anew")
@router.post("/refresh-vae", summary="Look at every VAE's file anew")
@router.post("/refresh-embeddings", summary="Look at every embedding's file anew")
@router.post("/refresh-loras", summary="Look at every LoRA's file anew")
def refresh(studio: TheStudio) -> None:
    """New files are there at once anyhow."""
    studio.catalog.rescan()


@router.post("/unload-checkpoint", summary="Let the models in memory go")
async def unload_checkpoint(studio: TheStudio) -> dict[str, str]:
    """Waits for the running job, if there is one."""
    await done(studio.unload(None))
    return {}


@router.post("/reload-checkpoint", summary="Bring the chosen checkpoint into memory")
async def reload_checkpoint(studio: TheStudio) -> dict[str, str]:
    """Waits for the running job, if there is one."""
    now = await run_in_threadpool(options.options, studio)
    info = await run_in_threadpool(
        names.checkpoint_named, studio.catalog, now[options.CHECKPOINT]
    )  # fmt: skip
    await done(await run_in_threadpool(studio.load, info.name))
    return {}
