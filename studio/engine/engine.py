"""From a request to its pictures: the model, the noise, the loop, the previews and the decoding."""

from __future__ import annotations

from collections.abc import Collection, Generator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import Any

import torch
from PIL import Image

from studio.engine.addons import AddOns
from studio.engine.clip_guidance import ClipGuided, ClipPairs, NoiseLevels, said_plainly
from studio.engine.conditioning import PromptEncoder, Wording, says_nothing
from studio.engine.denoise import Denoiser, denoise
from studio.engine.guidance import Guidance, Guided
from studio.engine.memory import acquire, does_not_fit, is_out_of_memory
from studio.engine.noise import NoiseRecipe, generators_of, initial_noise
from studio.engine.preview import Pace, Preview
from studio.engine.refiner import Run, check_refiner, handover_call, prediction_type
from studio.engine.schedulers import make_scheduler
from studio.engine.surface import Ground, Surface, start_call
from studio.events import Event, ImageReady, Preparing
from studio.models.base import LoadedModel
from studio.models.freeing import free_memory
from studio.models.plan import Work
from studio.models.store import ModelStore
from studio.prompt.plan import plan_prompt
from studio.request import GenerationRequest
from studio.samplers import Sampler, check_sampling
from studio.sentences import say
from studio.sources import Sources


@dataclass(frozen=True)
class _Job:
    """A request with the model that works on it now, and what is made for the two.

    ``request``: of one of the pictures, whose words are those of all that are drawn with it.
    ``surface``: the picture it starts from, ``ground`` the same in the model's latents.
    """

    request: GenerationRequest
    model: LoadedModel
    denoiser: Denoiser
    preview: Preview
    surface: Surface | None = None
    ground: Ground | None = None


class Engine:
    """Paints requests on one device. For one thread.

    ``together``: whether several pictures are drawn in one batch; None decides by the device.
    ``sources``: where the pictures are that requests start from.
    """

    def __init__(
        self, store: ModelStore, together: bool | None = None, sources: Sources | None = None
    ) -> None:
        self._store, self._sources = store, sources
        self._together = store.placement.pictures_together if together is None else together
        self._prompts = PromptEncoder()
        self._addons = AddOns(store.catalog)
        self._pairs = ClipPairs()

    def generate(
        self, request: GenerationRequest, skip: Collection[int] = ()
    ) -> Generator[Event, None, None]:
        """Preparing, then Progress for every step and ImageReady for every picture.

        ``skip``: pictures that exist already, by their index. Closing the generator ends the job at
        once and leaves nothing behind. After running out of memory a batch is tried at half its
        size, then with the models kept in ways that need less. Raises InvalidRequest, ModelError,
        OutOfMemory.
        """
        sampler = check_sampling(
            request.sampler, request.sigma_schedule, request.num_inference_steps
        )
        waiting = [index for index in range(request.num_images) if index not in skip]
        surface = Surface.of(request, self._sources)
        if surface is not None and not request.strength:
            yield from (ImageReady(index, surface.picture) for index in waiting)
            return
        self._addons.look_again()
        size, halved = self._batch_size(request), False
        yield from self._load(request.model, _work(request, size))
        while waiting:
            batch, failed = _of_the_same_words(request, waiting, size), False
            done = request.num_images - len(waiting)
            try:
                with (
                    ExitStack() as addons,
                    closing(self._paint(request, sampler, batch, done, addons, surface)) as events,
                ):
                    for event in events:
                        if isinstance(event, ImageReady):
                            waiting.remove(event.index)
                        yield event
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                failed = True
            if failed:  # out here, for the error's traceback holds what must be freed
                self._addons.forget()
                self._pairs.forget()
                free_memory(self._store.placement.device)
                if len(batch) > 1 and not halved:
                    size, halved = len(batch) // 2, True
                elif not self._tighten(request, len(batch)):
                    raise does_not_fit(request, len(batch), self._store)

    def _tighten(self, request: GenerationRequest, together: int) -> bool:
        """Keep the models in a way that needs less; whether there was one. If not, all is as
        it was before memory ran out."""
        work = _work(request, together)
        names = {request.model, request.refiner} & {*self._store.resident}
        lower = [self._store.tighten(name, work) for name in names]
        if any(lower):
            return True
        for name in names:
            self._store.relax(name)
        return False

    def _load(self, name: str, work: Work) -> Generator[Event, None, LoadedModel]:
        """The model, alone and part by part if it does not fit otherwise."""
        if name not in self._store.resident:
            yield Preparing(say("Loading {model}", model=name))
        return acquire(self._store, name, work)

    def _batch_size(self, request: GenerationRequest) -> int:
        return request.batch_size if self._together else 1

    def _prepared(
        self,
        request: GenerationRequest,
        model: LoadedModel,
        scheduler: Any,
        addons: ExitStack,
        surface: Surface | None,
    ) -> _Job:
        """The request's prompts in the words of a model, for every call that a scheduler makes.

        What the request wants on the model is on it until ``addons`` is closed.
        """
        words = addons.enter_context(self._addons.applied(model, request))
        steps, calls = request.num_inference_steps, len(scheduler.timesteps)
        plan = plan_prompt(words.prompt, steps)
        positive, negative = self._prompts.encode(
            Wording(model, words.vocabulary.tokenize, words.variant, request.normalize_emphasis),
            calls,
            plan,
            plan_prompt(words.negative_prompt, steps, composed=False),
        )
        if model.zeros_for_empty_negative and not request.negative_prompt:
            negative = says_nothing(negative)
        ground = surface.on(model) if surface else None
        canvas = ground.canvas if ground else None
        denoiser: Denoiser = Guided(model, positive, negative, Guidance.of(request), calls, canvas)
        scale = request.clip_guidance_scale
        if scale and model.info.name == request.model:  # a refiner brings no CLIP of its own
            pair, levels = self._pairs.of(model), NoiseLevels.of(scheduler)
            denoiser = ClipGuided(denoiser, pair, said_plainly(plan), scale, levels)
        preview = Preview(
            model.preview_colours, model.placement.device, decoder=self._addons.tiny.of(model)
        )
        return _Job(request, model, denoiser, preview, surface, ground)

    def _paint(
        self,
        request: GenerationRequest,
        sampler: Sampler,
        batch: list[int],
        done: int,
        addons: ExitStack,
        surface: Surface | None,
    ) -> Generator[Event, None, None]:
        """The pictures of one batch, after ``done`` pictures of the request."""
        work = _work(request, len(batch))
        model = yield from self._load(request.model, work)
        scheduler = make_scheduler(
            sampler,
            request.sigma_schedule,
            request.num_inference_steps,
            model.scheduler_config,
        )
        recipes = [NoiseRecipe.of(request.one(index), model.vae_scale_factor) for index in batch]
        generators = generators_of([recipe.seed for recipe in recipes])
        noise = initial_noise(
            generators, _shape(request, model, surface), model.placement.device, recipes
        )
        words, start = request.one(batch[0]), start_call(request, sampler)
        job = self._prepared(words, model, scheduler, addons, surface)
        latents, correct = noise * scheduler.init_noise_sigma, None
        if job.ground is not None:
            latents = job.ground.begun(scheduler, noise, request, start)
            correct = job.ground.kept(scheduler, noise, start)
        run = Run(scheduler, generators, batch, done, request.num_images, start, correct)
        handover = handover_call(request, sampler, len(scheduler.timesteps), start)
        latents = yield from self._denoise(job, run, latents, start, handover)
        if handover is not None:
            space, prediction = model.latent_space, prediction_type(model)
            addons.close()
            del model, job  # so that the refiner may take its place
            refiner = yield from self._load(request.refiner, work)
            check_refiner(refiner, space, prediction)
            job = self._prepared(words, refiner, scheduler, addons, surface)
            latents = yield from self._denoise(job, run, latents, handover, None)
        yield from self._finish(job, batch, latents)

    def _denoise(
        self, job: _Job, run: Run, latents: torch.Tensor, start: int, stop: int | None
    ) -> Generator[Event, None, torch.Tensor]:
        """The calls from ``start`` to ``stop`` of a run; returns the latents after them."""
        pace = Pace(job.model.placement.device)
        steps = denoise(
            job.denoiser, run.scheduler, latents, run.generators, start, stop, run.correct
        )
        with closing(steps):
            for step in steps:
                latents = step.latents
                pace.wait()
                yield run.progress(step, job.preview.of(step.denoised[0]))
        return latents

    def _finish(
        self, job: _Job, batch: list[int], latents: torch.Tensor
    ) -> Generator[Event, None, None]:
        """The pictures, one after another."""
        for position, index in enumerate(batch):
            pixels = self._decode(job, latents[position : position + 1])
            image = Image.fromarray(pixels[0].numpy())
            if job.surface is not None:
                image = job.surface.finished(image, job.model.vae_scale_factor)
            yield ImageReady(index, image)

    def _decode(self, job: _Job, latents: torch.Tensor) -> torch.Tensor:
        """One picture; where memory does not suffice for it as a whole, in tiles."""
        try:
            return job.model.decode(latents)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
        free_memory(self._store.placement.device)
        if not self._store.tile(job.model.info.name, _work(job.request, 1)):
            raise torch.OutOfMemoryError("out of memory, although decoding in tiles")
        return job.model.decode(latents)


def _of_the_same_words(request: GenerationRequest, waiting: list[int], most: int) -> list[int]:
    """The next pictures, at most ``most``, that one conditioning serves."""
    said = [request.prompts_of(index) for index in waiting]
    return [index for index, words in zip(waiting, said, strict=True) if words == said[0]][:most]


def _shape(
    request: GenerationRequest, model: LoadedModel, surface: Surface | None
) -> tuple[int, int, int]:
    """Channels, rows and columns of one picture's latents."""
    cell, size = model.vae_scale_factor, (request.width, request.height)
    width, height = surface.frame(cell).canvas if surface else size
    return model.latent_channels, height // cell, width // cell


def _work(request: GenerationRequest, together: int) -> Work:
    return Work(request.width, request.height, together)
