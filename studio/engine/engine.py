"""From a request to its pictures: the model, the noise, the loop, the previews and the decoding."""

from __future__ import annotations

from collections.abc import Collection, Generator
from contextlib import ExitStack, closing

import torch
from PIL import Image

from studio.engine.denoise import denoise
from studio.engine.enlarging import enlarged, enlarged_picture
from studio.engine.memory import acquire, does_not_fit, is_out_of_memory
from studio.engine.noise import NoiseRecipe, generators_of, initial_noise
from studio.engine.passes import passes_of
from studio.engine.pixels import TILE, decode
from studio.engine.preview import Pace
from studio.engine.refiner import Run, check_refiner, handover_call, prediction_type
from studio.engine.surface import Surface, start_picture
from studio.engine.workbench import Job, Workbench
from studio.events import Event, ImageReady, Preparing
from studio.models.base import LoadedModel
from studio.models.freeing import free_memory
from studio.models.plan import Work
from studio.models.store import ModelStore
from studio.models.upscalers.enlarge import Enlarger
from studio.request import GenerationRequest
from studio.samplers import Sampler, check_sampling
from studio.sentences import say
from studio.sources import Sources


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
        self._bench = Workbench(store.catalog)
        self._enlarger = Enlarger(store.catalog, store.placement)

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
        self._bench.look_again()
        larger = yield from self._larger(request)
        surface = Surface.of(request, self._sources, larger)
        if surface is not None and not request.strength:
            yield from (ImageReady(index, surface.picture) for index in waiting)
            return
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
                self._bench.forget()
                self._enlarger.forget()
                free_memory(self._store.placement.device)
                if len(batch) > 1 and not halved:
                    size, halved = len(batch) // 2, True
                elif not self._tighten(request, len(batch)):
                    raise does_not_fit(request, len(batch), self._store)

    def _larger(self, request: GenerationRequest) -> Generator[Event, None, Image.Image | None]:
        """The start picture enlarged, where the request wants that."""
        if not request.upscales:
            return None
        model = self._store.catalog.find(request.model)
        start = start_picture(request, self._sources)
        width, height = (round(side * request.upscale_scale) for side in start.size)
        try:
            large = yield from enlarged_picture(
                start, (width, height), "upscaler", model, request, self._enlarger
            )
            return large
        except Exception as error:
            if not is_out_of_memory(error):
                raise
        self._enlarger.forget()
        raise does_not_fit(request, 1, self._store)

    def _tighten(self, request: GenerationRequest, together: int) -> bool:
        """Keep the models in a way that needs less; whether there was one.

        If not, all is as it was before memory ran out.
        """
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
        cell, device = model.vae_scale_factor, model.placement.device
        passes = passes_of(request.one(batch[0]), sampler, model.scheduler_config, cell)
        recipes = [NoiseRecipe.of(request.one(index), cell) for index in batch]
        calls, before = sum(each.calls for each in passes), 0
        job, first, handover = None, None, None
        latents = torch.empty(0)
        for each in passes:
            if job is not None:
                first = yield from enlarged(job, latents, each, self._enlarger)
                addons.close()
            job = self._bench.prepared(each, model, addons, surface)
            generators = generators_of([recipe.seed for recipe in recipes])
            shape = (model.latent_channels, job.canvas[1] // cell, job.canvas[0] // cell)
            noise = initial_noise(generators, shape, device, recipes)
            run = Run(
                each.scheduler, generators, batch, done, request.num_images, each.start, before,
                calls, job.kept(noise),
            )  # fmt: skip
            if each is passes[-1]:
                handover = handover_call(request, each.sampler, each.start + each.calls, each.start)
            latents = job.begun(noise, first)
            latents = yield from self._denoise(job, run, latents, each.start, handover)
            before += each.calls
        assert job is not None
        if handover is not None:
            space, prediction = model.latent_space, prediction_type(model)
            addons.close()
            del model, job  # so that the refiner may take its place
            refiner = yield from self._load(request.refiner, work)
            check_refiner(refiner, space, prediction)
            job = self._bench.prepared(each, refiner, addons, surface)
            latents = yield from self._denoise(job, run, latents, handover, None)
        yield from self._finish(job, batch, latents)

    def _denoise(
        self, job: Job, run: Run, latents: torch.Tensor, start: int, stop: int | None
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
        self, job: Job, batch: list[int], latents: torch.Tensor
    ) -> Generator[Event, None, None]:
        """The pictures, one after another."""
        for position, index in enumerate(batch):
            image = self._decode(job, latents[position : position + 1])
            if job.surface is None:
                image = image.crop((0, 0, *job.run.size))
            else:
                image = job.surface.finished(image, job.model.vae_scale_factor)
            yield ImageReady(index, image)

    def _decode(self, job: Job, latents: torch.Tensor) -> Image.Image:
        """One picture; where memory does not suffice for it as a whole, in tiles."""
        try:
            return decode(job.model, latents, job.request)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
        free_memory(self._store.placement.device)
        if not self._store.tile(job.model.info.name, _work(job.request, 1)):
            raise torch.OutOfMemoryError("out of memory, although decoding in tiles")
        return decode(job.model, latents, job.request)


def _of_the_same_words(request: GenerationRequest, waiting: list[int], most: int) -> list[int]:
    """The next pictures, at most ``most``, that one conditioning serves."""
    said = [request.prompts_of(index) for index in waiting]
    return [index for index, words in zip(waiting, said, strict=True) if words == said[0]][:most]


def _work(request: GenerationRequest, together: int) -> Work:
    """The largest that the networks see of a request: of what is drawn in tiles, one tile."""
    width, height = request.width, request.height
    if request.hires:
        width, height = max(width, request.hires_size[0]), max(height, request.hires_size[1])
    if request.tile_size:
        most = max(request.tile_size, TILE)
        width, height = min(width, most), min(height, most)
    return Work(width, height, together)
