"""/sdapi/v1: what there is to choose from, in A1111's lists."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from studio.api.a1111 import names, scripts
from studio.api.a1111.errors import A1111Route
from studio.api.inputs import TheStudio
from studio.models.base import ModelInfo
from studio.samplers import SAMPLERS, SIGMA_SCHEDULES
from studio.upscaling import LATENT, PIXEL

List = list[dict[str, Any]]

router = APIRouter(route_class=A1111Route)


@router.get("/samplers", summary="Samplers")
def samplers() -> List:
    """In the order of the page; A1111's other names for them are understood too."""
    return [
        {"name": row.label, "aliases": [row.name, *row.aliases], "options": {}}
        for row in SAMPLERS.values()
    ]


@router.get("/schedulers", summary="Sigma schedules")
def schedulers() -> List:
    """Not every sampler takes every one; /api/v1/samplers tells which."""
    return [
        {
            "name": name,
            "label": label,
            "aliases": [],
            "default_rho": 7.0 if name == "karras" else -1.0,
            "need_inner_model": False,
        }
        for name, label in SIGMA_SCHEDULES.items()
    ]


@router.get("/upscalers", summary="What makes a picture larger")
def upscalers(studio: TheStudio) -> List:
    """None, what is built in, and the upscalers' files."""

    def row(name: str, path: str | None = None) -> dict[str, Any]:
        return {
            "name": name, "model_name": None, "model_path": path, "model_url": None, "scale": 4,
        }  # fmt: skip

    files = [row(info.name, info.where) for info in studio.catalog.of_kind("upscaler")]
    return [row("None"), *map(row, PIXEL.values()), *files]


@router.get("/latent-upscale-modes", summary="What makes latents larger in a hires fix")
def latent_upscale_modes() -> List:
    """By A1111's names."""
    return [{"name": way.label} for way in LATENT.values()]


@router.get("/sd-models", summary="Checkpoints")
def sd_models(studio: TheStudio) -> List:
    """``hash`` and ``sha256`` are null until they were computed."""
    return [
        {
            "title": names.title(info), "model_name": info.name, "hash": info.short_hash,
            "sha256": info.sha256, "filename": info.where, "config": None,
        }
        for info in studio.catalog.of_kind("checkpoint")
    ]  # fmt: skip


@router.get("/sd-vae", summary="VAEs")
def sd_vae(studio: TheStudio) -> List:
    """Those beside the models' own; tiny ones, which only preview, are none of them."""
    found = [info for info in studio.catalog.of_kind("vae") if info.variety != "tiny"]
    return [{"model_name": names.filename(info), "filename": info.where} for info in found]


@router.get("/loras", summary="LoRAs")
def loras(studio: TheStudio) -> List:
    """As they stand in a prompt: ``<lora:name:0.8>``."""
    return [
        {"name": info.name, "alias": info.name, "path": info.where, "metadata": {}}
        for info in studio.catalog.of_kind("lora")
    ]


@router.get("/embeddings", summary="Learnt embeddings")
def embeddings(studio: TheStudio) -> dict[str, dict[str, Any]]:
    """``skipped`` are those that do not fit the default model."""
    family = studio.catalog.find(studio.keeper.default).family
    found: dict[str, dict[str, Any]] = {"loaded": {}, "skipped": {}}
    for info in studio.catalog.of_kind("embedding"):
        found["loaded" if info.family in ("", family) else "skipped"][info.name] = _embedding()
    return found


def _embedding() -> dict[str, Any]:
    """What is told of an embedding: its file is opened only when it is used."""
    return {
        "step": None, "sd_checkpoint": None, "sd_checkpoint_name": None, "shape": None,
        "vectors": None,
    }  # fmt: skip


@router.get("/hypernetworks", summary="Hypernetworks: there are none")
@router.get("/face-restorers", summary="Face restorers: there are none")
@router.get("/extensions", summary="Extensions: there are none")
def none_of_these() -> List:
    """An empty list: this studio has no such thing."""
    return []


@router.get("/realesrgan-models", summary="Upscalers of ESRGAN's kind")
def realesrgan_models(studio: TheStudio) -> List:
    """The upscalers' files."""
    return [
        {"name": info.name, "path": info.where, "scale": 4} for info in _esrgan(studio)
    ]  # fmt: skip


def _esrgan(studio: TheStudio) -> list[ModelInfo]:
    kinds = ("rrdbnet", "srvgg")
    return [info for info in studio.catalog.of_kind("upscaler") if info.variety in kinds]


@router.get("/prompt-styles", summary="Styles")
def prompt_styles(studio: TheStudio) -> List:
    """One's own first, then those that ship."""
    return [
        {
            "name": each.style.name, "prompt": each.style.prompt,
            "negative_prompt": each.style.negative_prompt,
        }
        for each in studio.wordbook.styles.list()
    ]  # fmt: skip


@router.get("/scripts", summary="Scripts")
def script_names() -> dict[str, list[str]]:
    """By A1111's names."""
    return {kind: [*known] for kind, known in scripts.SCRIPTS.items()}


@router.get("/script-info", summary="Scripts and their arguments")
def script_info() -> List:
    """Labels, usual values and bounds."""
    return scripts.script_infos()
