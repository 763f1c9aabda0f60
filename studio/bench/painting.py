"""The chapter on painting: the studio against its bare parts and against plain diffusers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import torch

from studio.bench.options import AGAINST, Against, Options
from studio.bench.pairs import Cost, Pair, compare
from studio.bench.rate import matmul_rate, unet_flops
from studio.bench.report import Figure
from studio.bench.subject import Subject
from studio.bench.ways import DiffusersWay, PartsWay, StudioWay, Way, embeddings_of
from studio.complete import complete
from studio.models.freeing import free_memory
from studio.models.placement import Placement
from studio.models.sd import LoadedStableDiffusion
from studio.models.store import ModelStore
from studio.request import GenerationRequest

PROMPT = "a red sailboat on the sea at sunset, watercolour"
_NAMES: dict[Against, str] = {
    "parts": "the bare UNet calls and decoding",
    "fp32": "plain diffusers fp32",
    "half": "plain diffusers half",
}
# What is promised for a model of full size, as (device, way, family) -> words.
_AIMS: dict[tuple[str, Against, str], str] = {
    ("cpu", "fp32", "sd1"): "at most 0.45 with bf16",
    ("cuda", "half", "sd1"): "at most 0.5",
    ("cuda", "half", "sdxl"): "at most 0.62",
}


def measure_painting(
    subject: Subject, options: Options, say: Callable[[str], None]
) -> Iterator[Figure]:
    """The figures, as they come. ``say`` takes what is being measured, in words."""
    store = ModelStore(subject.catalog, options.device)
    model = store.acquire(subject.info.name)
    if not isinstance(model, LoadedStableDiffusion):
        raise TypeError("the bench knows models of the Stable Diffusion family")
    kind = store.placement.device.type
    say("the machine's matrix products")
    rate = matmul_rate(store.placement)
    yield Figure(f"matrix products ({store.device_label})", rate / 1e12, "TFLOP/s")
    half = store.placement.dtype != torch.float32
    for against in options.against:
        if against == "half" and not half:
            say(f"{_NAMES['half']}: skipped, for this device is slower in half precision")
            continue
        for steps, batch in product(*_settings(subject, options, kind)):
            request = _request(subject, options, steps, batch)
            what = f"{request.width}×{request.height}, {steps} steps, batch {batch}"
            say(f"{what}: the studio and {_NAMES[against]}")
            told = embeddings_of(model, request)
            theirs = _way(against, subject, store, model, told)
            pair = compare(
                StudioWay(store, model), theirs, request, _rounds(options, subject, kind),
                store.placement.device,
            )  # fmt: skip
            aim = _aim(kind, against, subject)
            yield from _figures(what, against, pair, aim, _share(model, request, pair.ours, rate))
            del theirs
            free_memory(store.placement.device)
    store.release()


def _aim(kind: str, against: Against, subject: Subject) -> str:
    if against == "parts":
        return "at most 1.15"
    full = _AIMS.get((kind, against, subject.info.family), "") if subject.random else ""
    return full or ("below 1" if against == "fp32" else "")


def _settings(
    subject: Subject, options: Options, kind: str
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Steps and batches. On a CPU a step of a model of full size takes seconds."""
    steps = options.steps
    if steps is None and subject.random:
        on_gpu = (30,) if subject.info.family == "sdxl" else (20, 50)
        steps = (4,) if kind == "cpu" else on_gpu
    many = subject.random and kind != "cpu" and subject.info.family != "sdxl"
    return steps or (20,), options.batch or ((1, 4) if many else (1,))


def _rounds(options: Options, subject: Subject, kind: str) -> int:
    return options.rounds or (2 if subject.random and kind == "cpu" else 7)


def _request(subject: Subject, options: Options, steps: int, batch: int) -> GenerationRequest:
    given: dict[str, Any] = {
        "prompt": PROMPT, "seed": 1, "model": subject.info.name, "num_inference_steps": steps,
        "num_images": batch, "batch_size": batch,
    }  # fmt: skip
    if options.size is not None:
        given |= {"width": options.size, "height": options.size}
    return complete(given, subject.info.defaults.as_values())


def _way(
    against: Against, subject: Subject, store: ModelStore, model: LoadedStableDiffusion, told: Any
) -> Way:
    if against == "parts":
        return PartsWay(store, model)
    placement = store.placement
    dtype = torch.float32 if against == "fp32" else placement.dtype
    label = f"{placement.device.type} · {dtype}"
    return DiffusersWay(subject.info, Placement(placement.device, dtype, label), told)


def _share(
    model: LoadedStableDiffusion, request: GenerationRequest, ours: Cost, rate: float
) -> float:
    """The share of the matrix-product rate that the studio's steps sustain."""
    cell = model.vae_scale_factor
    rows = 1 if request.guidance_scale == 1 or model.guides_itself else 2
    flops = unet_flops(model.unet.config, rows, request.height // cell, request.width // cell)
    return flops / ours.step_seconds / rate


def _figures(what: str, against: Against, pair: Pair, aim: str, share: float) -> Iterator[Figure]:
    name = _NAMES[against]
    if against == AGAINST[0]:
        yield Figure(f"{what}: the studio", pair.ours.seconds, "s")
        yield Figure(f"{what}: share of the matrix products' rate", share, "")
    yield Figure(f"{what}: {name}", pair.theirs.seconds, "s")
    yield Figure(f"{what}: studio / {name}", pair.ratio, "×", aim)
    if against == "parts":
        return
    yield Figure(f"{what}: steps, studio", 1 / pair.ours.step_seconds, "/s")
    yield Figure(f"{what}: steps, {name}", 1 / pair.theirs.step_seconds, "/s")
    for whose, cost in (("studio", pair.ours), (name, pair.theirs)):
        if cost.peak is not None:
            yield Figure(f"{what}: weights and work at the peak, {whose}", cost.peak / 2**20, "MiB")
    if pair.alike is not None:
        yield Figure(f"{what}: pictures alike (SSIM), studio and {name}", pair.alike, "")
