"""From a request to its pictures: the model, the noise, the loop, the previews and the decoding."""

from __future__ import annotations

from collections.abc import Collection, Generator
from contextlib import closing
from dataclasses import dataclass

from PIL import Image

from studio.engine.addons import AddOns, Prepared
from studio.engine.conditioning import Constant, Guided, PromptEncoder
from studio.engine.denoise import denoise
from studio.engine.memory import does_not_fit, is_out_of_memory, model_does_not_fit
from studio.engine.noise import generators_of, initial_noise
from studio.engine.preview import Pace, Preview
from studio.engine.schedulers import make_scheduler
from studio.events import Event, ImageReady, Preparing, Progress
from studio.models.base import LoadedModel
from studio.models.store import ModelStore, free_memory
from studio.request import GenerationRequest
from studio.samplers import Sampler, check_sampling


@dataclass(frozen=True)
class _Job:
    """What stays the same for all pictures of a request."""

    request: GenerationRequest
    sampler: Sampler
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
        self._addons = AddOns(store.catalog)

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
        model = yield from self._load(request)
        with self._addons.applied(model, request) as prepared:
            yield from self._generate(request, skip, sampler, model, prepared)

    def _generate(
        self,
        request: GenerationRequest,
        skip: Collection[int],
        sampler: Sampler,
        model: LoadedModel,
        prepared: Prepared,
    ) -> Generator[Event, None, None]:
        waiting = [index for index in range(request.num_images) if index not in skip]
        size, halved, job = self._batch_size(request), False, None
        while waiting:
            batch, failed = waiting[:size], False
            try:
                job = job or self._prepare(request, sampler, model, prepared)
                with closing(self._paint(job, batch, request.num_images - len(waiting))) as events:
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

    def _load(self, request: GenerationRequest) -> Generator[Event, None, LoadedModel]:
        if request.model not in self._store.resident:
            yield Preparing(f"Loading {request.model}")
            self._prompts.forget()  # its embeddings hold the model that is to be let go
        try:
            return self._store.acquire(request.model)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
        self._store.release()
        raise model_does_not_fit(request.model, self._store)

    def _batch_size(self, request: GenerationRequest) -> int:
        return request.batch_size if self._together else 1

    def _prepare(
        self, request: GenerationRequest, sampler: Sampler, model: LoadedModel, prepared: Prepared
    ) -> _Job:
        positive, negative = self._prompts.encode(
            model,
            prepared.prompt,
            prepared.negative_prompt,
            tokenize=prepared.vocabulary.tokenize,
            variant=prepared.variant,
        )
        guided = Guided(model, Constant(positive), Constant(negative), request.guidance_scale)
        preview = Preview(model.preview_colours, model.placement.device)
        return _Job(request, sampler, model, guided, preview)

    def _paint(self, job: _Job, batch: list[int], done: int) -> Generator[Event, None, None]:
        """The pictures of one batch, after ``done`` pictures of the request."""
        request, model = job.request, job.model
        scheduler = make_scheduler(
            job.sampler,
            request.sigma_schedule,
            request.num_inference_steps,
            model.scheduler_config,
        )
        generators = generators_of([request.one(index).seed for index in batch])
        side = model.vae_scale_factor
        shape = (model.latent_channels, request.height // side, request.width // side)
        latents = initial_noise(generators, shape, model.placement.device)
        latents = latents * scheduler.init_noise_sigma
        pace = Pace(model.placement.device)
        with closing(denoise(job.denoiser, scheduler, latents, generators)) as steps:
            for step in steps:
                latents = step.latents
                pace.wait()
                yield Progress(
                    step=done * step.of + (step.index + 1) * len(batch),
                    steps=request.num_images * step.of,
                    picture=batch[0],
                    preview=job.preview.of(step.denoised[0]),
                )
        for position, index in enumerate(batch):
            pixels = model.decode(latents[position : position + 1])
            yield ImageReady(index, Image.fromarray(pixels[0].numpy()))
