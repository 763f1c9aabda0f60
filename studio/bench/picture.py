"""What one picture costs beside its parts, and beside diffusers: ratios taken in one run.

The three ways take turns, round by round, so that a machine whose speed drifts slows all of them
alike; the median of the ratios of the rounds is the figure.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from diffusers import StableDiffusionPipeline

from studio.engine.engine import Engine
from studio.engine.schedulers import make_scheduler
from studio.models.sd import LoadedStableDiffusion, read_scheduler_config
from studio.models.store import ModelStore
from studio.prompt.chunks import chunks_of
from studio.prompt.plan import Condition, Span
from studio.request import GenerationRequest
from studio.samplers import find_sampler

PROMPT = "a red sailboat on the sea at sunset, watercolour"


@dataclass(frozen=True)
class PictureCost:
    """Seconds a picture (medians) and how the studio's compare; below 1 is faster."""

    device: str
    size: str
    steps: int
    studio_seconds: float
    parts_seconds: float
    diffusers_seconds: float
    over_parts: float
    over_diffusers: float


def measure_picture(store: ModelStore, request: GenerationRequest, rounds: int) -> PictureCost:
    """Draw the picture of ``request`` in three ways, ``rounds`` times each after a warm-up."""
    model = store.acquire(request.model)
    if not isinstance(model, LoadedStableDiffusion):
        raise TypeError("the bench knows models of the Stable Diffusion family")
    ways: list[Callable[[], None]] = [
        _studio(Engine(store), request),
        _parts(model, request),
        _diffusers(model, request),
    ]
    for way in ways:
        way()
    seconds = [[_timed(way) for way in ways] for _ in range(rounds)]
    studio, parts, plain = (statistics.median(column) for column in zip(*seconds, strict=True))
    return PictureCost(
        device=store.device_label,
        size=f"{request.width}×{request.height}",
        steps=request.num_inference_steps,
        studio_seconds=studio,
        parts_seconds=parts,
        diffusers_seconds=plain,
        over_parts=statistics.median(ours / bare for ours, bare, _ in seconds),
        over_diffusers=statistics.median(ours / theirs for ours, _, theirs in seconds),
    )


def _timed(way: Callable[[], None]) -> float:
    began = time.perf_counter()
    way()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - began


def _studio(engine: Engine, request: GenerationRequest) -> Callable[[], None]:
    """The whole way of the studio: conditioning, noise, loop, previews, decode, picture."""

    def way() -> None:
        for _ in engine.generate(request):
            pass

    return way


def _parts(model: LoadedStableDiffusion, request: GenerationRequest) -> Callable[[], None]:
    """Only what cannot be left out: a UNet call with guidance for each step, and the decoding."""
    placement = model.placement
    shape = (request.height // model.vae_scale_factor, request.width // model.vae_scale_factor)
    latents = torch.randn(2, model.latent_channels, *shape).to(
        placement.device, placement.dtype, memory_format=placement.memory_format
    )
    chunks = chunks_of(Condition((Span(request.prompt),)), model.tokenize, model.chunk_length)
    text = model.encode_tokens(chunks).sequence
    embedding = torch.cat([text, text]).to(placement.dtype)
    timestep = torch.tensor(500, device=placement.device)

    @torch.no_grad()
    def way() -> None:
        for _ in range(request.num_inference_steps):
            model.unet(latents, timestep, encoder_hidden_states=embedding, return_dict=False)
        model.vae.decode(latents[:1].to(model.vae.dtype), return_dict=False)

    return way


def _diffusers(model: LoadedStableDiffusion, request: GenerationRequest) -> Callable[[], None]:
    """Plain diffusers in fp32: the same weights, scheduler, seed and number of steps."""
    pipeline: Any = StableDiffusionPipeline.from_pretrained(
        model.info.path, dtype=torch.float32, local_files_only=True, safety_checker=None,
        requires_safety_checker=False,
    ).to(model.placement.device)  # fmt: skip
    pipeline.set_progress_bar_config(disable=True)
    config = read_scheduler_config(model.info.path)
    sampler = find_sampler(request.sampler)

    def way() -> None:
        pipeline.scheduler = make_scheduler(
            sampler, request.sigma_schedule, request.num_inference_steps, config
        )
        pipeline(
            request.prompt,
            num_inference_steps=request.num_inference_steps,
            guidance_scale=request.guidance_scale,
            width=request.width,
            height=request.height,
            generator=torch.Generator("cpu").manual_seed(request.seed),
        )

    return way
