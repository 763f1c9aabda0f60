"""From a request to its pictures: the model, the noise, the loop, the previews and the decoding."""

from __future__ import annotations

from collections.abc import Collection, Generator
from contextlib import closing
from dataclasses import dataclass

import torch
from PIL import Image

from studio.engine.conditioning import Constant, Guided, PromptEncoder, zeros_like
from studio.engine.denoise import denoise
from studio.engine.memory import does_not_fit, is_out_of_memory, model_does_not_fit
from studio.engine.noise import generators_of, initial_noise
from studio.engine.preview import Pace, Preview
from studio.engine.refiner import Run, check_refiner, handover_call, prediction_type
from studio.engine.schedulers import make_scheduler
from studio.events import Event, ImageReady, Preparing, Progress
from studio.models.base import LoadedModel
from studio.models.store import ModelStore, free_memory
from studio.request import GenerationRequest
from studio.samplers import Sampler, check_sampling


@dataclass(frozen=True)
class _Job:
    """A request with the model that works on it now, and what is made for the two."""

    request: GenerationRequest
    model: LoadedModel
    denoiser: Guided
    preview: Preview


class Engine:
    """Paints requests on one device. For one thread.

    ``together``: whether several pictures are drawn in one batch; None decides by the device.
    """

    def __init__(self, store: ModelStore, together: bool | None = None) -> None:
        self._store = store
        self._together = store.placement.pictures_together if together is None else together
        self._prompts = PromptEncoder()

    def generate(
        self, request: GenerationRequest, skip: Collection[int] = ()
    ) -> Generator[Event, None, None]:
        """Preparing, then Progress for every step and ImageReady for every picture.

        ``skip``: pictures that exist already, by their index. Closing the generator ends the job at
        once and leaves nothing behind. After running out of memory a batch is tried once at half
        its size. Raises InvalidRequest, ModelError, OutOfMemory.
        """
        sampler = check_sampling(
            request.sampler, request.sigma_schedule, request.num_inference_steps
        )
        yield from self._load(request.model)
        waiting = [index for index in range(request.num_images) if index not in skip]
        size, halved = self._batch_size(request), False
        while waiting:
            batch, failed, done = waiting[:size], False, request.num_images - len(waiting)
            try:
                with closing(self._paint(request, sampler, batch, done)) as events:
                    for event in events:
                        if isinstance(event, ImageReady):
                            waiting.remove(event.index)
                        yield event
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                failed = True
            if failed:  # out here, for the error's traceback holds what must be freed
                free_memory(self._store.placement.device)
                if halved or len(batch) == 1:
                    raise does_not_fit(request, len(batch), self._store)
                size, halved = len(batch) // 2, True

    def _load(self, name: str) -> Generator[Event, None, LoadedModel]:
        if name not in self._store.resident:
            yield Preparing(f"Loading {name}")
        try:
            return self._store.acquire(name)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
        self._store.release()
        raise model_does_not_fit(name, self._store)

    def _batch_size(self, request: GenerationRequest) -> int:
        return request.batch_size if self._together else 1

    def _prepare(self, request: GenerationRequest, name: str) -> Generator[Event, None, _Job]:
        """The request's prompts in the words of the model ``name``, which is loaded if need be."""
        model = yield from self._load(name)
        positive, negative = self._prompts.encode(model, request.prompt, request.negative_prompt)
        if model.zeros_for_empty_negative and not request.negative_prompt:
            negative = zeros_like(negative)
        guided = Guided(model, Constant(positive), Constant(negative), request.guidance_scale)
        preview = Preview(model.preview_colours, model.placement.device)
        return _Job(request, model, guided, preview)

    def _paint(
        self, request: GenerationRequest, sampler: Sampler, batch: list[int], done: int
    ) -> Generator[Event, None, None]:
        """The pictures of one batch, after ``done`` pictures of the request."""
        job = yield from self._prepare(request, request.model)
        model = job.model
        scheduler = make_scheduler(
            sampler,
            request.sigma_schedule,
            request.num_inference_steps,
            model.scheduler_config,
        )
        generators = generators_of([request.one(index).seed for index in batch])
        side = model.vae_scale_factor
        shape = (model.latent_channels, request.height // side, request.width // side)
        latents = initial_noise(generators, shape, model.placement.device)
        latents = latents * scheduler.init_noise_sigma
        run = Run(scheduler, generators, batch, done)
        handover = handover_call(request, sampler, len(scheduler.timesteps))
        latents = yield from self._denoise(job, run, latents, 0, handover)
        if handover is not None:
            space, prediction = model.latent_space, prediction_type(model)
            del model, job  # so that the refiner may take its place
            job = yield from self._prepare(request, request.refiner)
            check_refiner(job.model, space, prediction)
            latents = yield from self._denoise(job, run, latents, handover, None)
        yield from self._finish(job, batch, latents)

    def _denoise(
        self, job: _Job, run: Run, latents: torch.Tensor, start: int, stop: int | None
    ) -> Generator[Event, None, torch.Tensor]:
        """The calls from ``start`` to ``stop`` of a run; returns the latents after them."""
        pace, batch = Pace(job.model.placement.device), run.batch
        steps = denoise(job.denoiser, run.scheduler, latents, run.generators, start, stop)
        with closing(steps):
            for step in steps:
                latents = step.latents
                pace.wait()
                yield Progress(
                    step=run.done * step.of + (step.index + 1) * len(batch),
                    steps=job.request.num_images * step.of,
                    picture=batch[0],
                    preview=job.preview.of(step.denoised[0]),
                )
        return latents

    def _finish(
        self, job: _Job, batch: list[int], latents: torch.Tensor
    ) -> Generator[Event, None, None]:
        """The pictures, one after another."""
        for position, index in enumerate(batch):
            pixels = job.model.decode(latents[position : position + 1])
            yield ImageReady(index, Image.fromarray(pixels[0].numpy()))
