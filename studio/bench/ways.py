"""The ways to paint one request that are compared: the studio, its bare parts, plain diffusers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import diffusers
import torch
from PIL import Image

from studio.bench.meters import now
from studio.engine.conditioning import PromptEncoder, Wording, says_nothing
from studio.engine.engine import Engine
from studio.engine.guidance import stacked
from studio.engine.noise import generators_of, initial_noise
from studio.engine.schedulers import make_scheduler
from studio.events import ImageReady, Progress
from studio.models.base import Conditions, ModelInfo, Painting, TextEmbedding
from studio.models.families import FAMILIES
from studio.models.offload import held_bytes
from studio.models.placement import Placement
from studio.models.sd import LoadedStableDiffusion
from studio.models.store import ModelStore
from studio.prompt.plan import plan_prompt
from studio.request import GenerationRequest
from studio.samplers import find_sampler
from studio.sources import Sources

_NO_TEXT = {
    "StableDiffusionPipeline": {"text_encoder": None, "tokenizer": None, "safety_checker": None,
                                "feature_extractor": None, "requires_safety_checker": False},
    "StableDiffusionXLPipeline": {"text_encoder": None, "text_encoder_2": None, "tokenizer": None,
                                  "tokenizer_2": None, "add_watermarker": False},
}  # fmt: skip


@dataclass(frozen=True)
class Painted:
    """What came out, how long all of it took, and how long one step of one picture, in seconds."""

    seconds: float
    step_seconds: float
    pictures: Sequence[Image.Image] = ()


class Way(Protocol):
    """A way to paint. ``weights``: bytes that it holds."""

    weights: int

    def paint(self, request: GenerationRequest) -> Painted:
        """All pictures of a request, at least two steps each."""


class StudioWay:
    """The studio as a job goes through it: conditioning, noise, loop, previews, decoding."""

    def __init__(
        self, store: ModelStore, model: LoadedStableDiffusion, sources: Sources | None = None
    ) -> None:
        self._engine = Engine(store, sources=sources)
        self._device = store.placement.device
        self.weights = model.memory()

    def paint(self, request: GenerationRequest) -> Painted:
        """Through `Engine.generate`."""
        began, laps = now(self._device), Laps(self._device)
        pictures: dict[int, Image.Image] = {}
        for event in self._engine.generate(request):
            if isinstance(event, ImageReady):
                pictures[event.index] = event.image
            elif isinstance(event, Progress) and not pictures:
                laps.reached(event.step, event.steps // request.num_images)
        ended = now(self._device)
        return Painted(ended - began, laps.step_seconds, [pictures[n] for n in sorted(pictures)])


class PartsWay:
    """What cannot be left out, alone: a UNet call for each step, and the decoding."""

    def __init__(self, store: ModelStore, model: LoadedStableDiffusion) -> None:
        self._model, self._device = model, store.placement.device
        self._together = store.placement.pictures_together
        self.weights = model.memory()

    @torch.no_grad()
    def paint(self, request: GenerationRequest) -> Painted:
        """Numbers without a meaning, in the shapes of the request; no pictures come out."""
        model, placement = self._model, self._model.placement
        rows = request.batch_size if self._together else 1
        cell, layout = model.vae_scale_factor, placement.memory_format
        told = self._told(request, rows)
        shape = (len(told.sequence), model.latent_channels, *_cells(request, cell))
        latents = torch.randn(shape).to(placement.device, placement.dtype, memory_format=layout)
        timestep = torch.tensor(500, device=placement.device)
        added = None if told.pooled is None else {
            "text_embeds": told.pooled, "time_ids": told.time_ids
        }  # fmt: skip
        began, laps = now(self._device), Laps(self._device)
        for done in range(0, request.num_images, rows):
            for index in range(request.num_inference_steps):
                model.unet(
                    latents, timestep, encoder_hidden_states=told.sequence,
                    timestep_cond=told.guidance, added_cond_kwargs=added, return_dict=False,
                )  # fmt: skip
                if not done:
                    laps.reached((index + 1) * rows, request.num_inference_steps)
            for row in range(rows):
                model.vae.decode(latents[row : row + 1].to(model.vae.dtype), return_dict=False)
        return Painted(now(self._device) - began, laps.step_seconds)

    def _told(self, request: GenerationRequest, rows: int) -> Conditions:
        model, scale = self._model, request.guidance_scale
        positive, negative = embeddings_of(model, request)
        painting = Painting(request.width, request.height, scale)
        alone = scale == 1 or model.guides_itself
        prompts = (positive,) if alone else (negative, positive)
        return stacked([model.conditions(each, painting) for each in prompts], rows)


class DiffusersWay:
    """diffusers' own pipeline as it comes, in the numbers of ``placement``.

    The prompt is given as embeddings, so that reading it costs nothing here; the noise, the
    scheduler and the seeds are the studio's, so that the pictures can be compared.
    """

    def __init__(
        self, info: ModelInfo, placement: Placement, told: Sequence[TextEmbedding]
    ) -> None:
        model = FAMILIES[info.family]().load(info, placement)
        self._model, self._told, self._placement = model, told, placement
        self.weights = sum(held_bytes(part) for part in model.parts.values())
        for part in model.parts.values():
            part.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
        kind = "StableDiffusionXLPipeline" if info.family == "sdxl" else "StableDiffusionPipeline"
        self._pipeline: Any = getattr(diffusers, kind)(
            unet=model.parts["unet"],
            vae=model.parts["vae"],
            scheduler=diffusers.DDIMScheduler.from_config(dict(model.scheduler_config)),
            **_NO_TEXT[kind],
        )
        self._pipeline.set_progress_bar_config(disable=True)

    def paint(self, request: GenerationRequest) -> Painted:
        """One call of the pipeline for each batch."""
        device, cell = self._placement.device, self._model.vae_scale_factor
        shape = (self._model.latent_channels, *_cells(request, cell))
        began, laps = now(device), Laps(device)
        pictures: list[Image.Image] = []
        for start in range(0, request.num_images, request.batch_size):
            several = range(start, min(start + request.batch_size, request.num_images))
            generators = generators_of([request.one(index).seed for index in several])
            noise = initial_noise(generators, shape, device).to(self._placement.dtype)
            pictures += self._call(request, noise, generators, None if start else laps)
        return Painted(now(device) - began, laps.step_seconds, pictures)

    def _call(
        self,
        request: GenerationRequest,
        noise: torch.Tensor,
        generators: Sequence[torch.Generator],
        laps: Laps | None,
    ) -> list[Image.Image]:
        rows, steps = len(generators), request.num_inference_steps
        self._pipeline.scheduler = make_scheduler(
            find_sampler(request.sampler), request.sigma_schedule, steps,
            self._model.scheduler_config,
        )  # fmt: skip

        def lap(_pipeline: Any, index: int, _timestep: Any, _given: Any) -> dict[str, Any]:
            if laps is not None:
                laps.reached((index + 1) * rows, self._pipeline.num_timesteps)
            return {}

        called = self._pipeline(
            num_inference_steps=steps,
            guidance_scale=request.guidance_scale,
            width=request.width,
            height=request.height,
            num_images_per_prompt=rows,
            generator=list(generators),
            latents=noise,
            callback_on_step_end=lap,
            **self._prompts(),
        )
        return [*called.images]

    def _prompts(self) -> dict[str, torch.Tensor]:
        device, dtype = self._placement.device, self._placement.dtype
        given: dict[str, torch.Tensor] = {}
        for start, embedding in zip(("", "negative_"), self._told, strict=True):
            given[f"{start}prompt_embeds"] = embedding.sequence.to(device, dtype)
            if embedding.pooled is not None:
                given[f"{start}pooled_prompt_embeds"] = embedding.pooled.to(device, dtype)
        return given


class Laps:
    """Times the first and the last step of a batch, and waits for the device only there."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._first: tuple[float, int] | None = None
        self._last: tuple[float, int] | None = None

    def reached(self, done: int, of: int) -> None:
        """``done`` steps were made, counted over the pictures of the batch; each takes ``of``."""
        if self._first is None:
            self._first = now(self._device), done
        elif done == of * self._first[1]:
            self._last = now(self._device), done

    @property
    def step_seconds(self) -> float:
        """Seconds for a step of one picture, without the first one."""
        if self._first is None or self._last is None:
            raise ValueError("a picture of at least two steps is needed")
        return (self._last[0] - self._first[0]) / (self._last[1] - self._first[1])


def embeddings_of(
    model: LoadedStableDiffusion, request: GenerationRequest
) -> tuple[TextEmbedding, TextEmbedding]:
    """What the studio tells the UNet for the prompt and for the negative prompt."""
    steps = request.num_inference_steps
    plans = [plan_prompt(text, steps) for text in (request.prompt, request.negative_prompt)]
    positive, negative = PromptEncoder().encode(Wording.plain(model), steps, *plans)
    if model.zeros_for_empty_negative and not request.negative_prompt:
        negative = says_nothing(negative)
    return positive.at(0)[0].embedding, negative.at(0)[0].embedding


def _cells(request: GenerationRequest, cell: int) -> tuple[int, int]:
    """Height and width of the latents."""
    return request.height // cell, request.width // cell
