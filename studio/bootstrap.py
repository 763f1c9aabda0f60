"""The composition root: one Studio, made of its rooms; the only door for the page and the API."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from studio.animating import Animating
from studio.animation.reel import Reel, Reels
from studio.complete import complete
from studio.errors import InvalidRequest, QueueFull, StartupError, StorageError, StudioError
from studio.events import Event
from studio.gallery import Gallery, Picture
from studio.imports import lasting_imports
from studio.incoming import Incoming
from studio.jobs import Job, Jobs
from studio.jobs.filming import Filming
from studio.jobs.jobs import MAX_WAITING
from studio.jobs.worker import Painter, PainterFactory, Worker
from studio.keeper import ModelKeeper
from studio.languages import load_speakers
from studio.models.addons.listing import check_addons
from studio.models.catalog import Catalog
from studio.models.counting import TokenCounter
from studio.models.folders import prepare
from studio.models.hub.hub import Hub
from studio.models.merging.merges import Merges
from studio.models.pipelines import has_clip_pair, no_clip_pair
from studio.models.residency import Rules
from studio.models.threads import share_the_cpu
from studio.models.upscalers.asked import check_larger
from studio.prompt.grammar import take_loras
from studio.prompt.variants import Combinations
from studio.prompt.words import GLUE
from studio.request import MAX_MODEL, MAX_SEED, GenerationRequest
from studio.samplers import check_sampling
from studio.sentences import Sentence, say
from studio.settings import Settings
from studio.sources import Sources
from studio.storage import FolderLock
from studio.sweeping import Sweeper
from studio.translation.translator import Translator
from studio.wordbook import Wordbook
from studio.wordmasks import Asked, Found, WordMasks

_STOP_SECONDS = 0.8


class Studio:
    """Models, gallery and jobs, wired together.

    Raises StartupError when the data directory cannot be used or the model is not there.
    ``make_painter`` is what makes the engine, in the worker's thread; the real one by default.
    """

    def __init__(self, settings: Settings, make_painter: PainterFactory | None = None) -> None:
        self.settings = settings
        self.speakers = load_speakers(settings.assets)
        self._lock = FolderLock(settings.data_dir)
        self.catalog = Catalog(settings.models_dirs)
        self.keeper = ModelKeeper(settings, self.catalog)
        self.counter = TokenCounter(self.catalog)
        try:
            prepare(settings.models, settings.models_dir)
            self.catalog.remember(settings.data_dir / "models.sqlite")
            self.catalog.find(settings.model)
            self.gallery = Gallery(settings.pictures)
            self.gallery.reconcile()
            self.sources = Sources(settings.sources)
            self.incoming = Incoming(self.sources, self.gallery)
            self.jobs = Jobs(settings.data_dir / "jobs.sqlite", self.gallery)
            self.wordbook = Wordbook(settings.presets, settings.data_dir)
        except (InvalidRequest, StorageError) as error:
            self.catalog.close()
            self._lock.release()
            raise StartupError(error.sentence) from error
        self._masks = WordMasks(
            self.incoming, self.sources, self.gallery, self.keeper, self.catalog
        )
        reels = Reels(settings.animations)
        self.animations = Animating(reels, self.jobs, self._completed, self.incoming.with_sound)
        self.translator = Translator(self.catalog)
        self.hub = Hub(settings.models, settings.presets / "models.json", os.environ)
        self.merges = Merges(settings.models / "checkpoints", self.catalog)
        self._sweeper = Sweeper(self.sources, self.referring)
        self._worker = Worker(
            self.jobs,
            self.gallery,
            make_painter or self._make_engine,
            self.catalog.short_hash,
            self._rest,
            Filming(self.jobs, reels, self.sources),
        )

    def start(self) -> None:
        """Let the worker begin: it imports torch, which slows everything else for seconds."""
        self._worker.start()
        self.catalog.start()
        self._sweeper.start()

    def stop(self) -> bool:
        """Put the running job back, close the files; whether the worker ended in time."""
        self._sweeper.close()
        self.hub.close()
        self.translator.close()
        self.merges.close()
        self.catalog.stop()
        in_time = self._worker.stop(_STOP_SECONDS)
        if in_time:  # else the worker may still need them; each commit is on disk already
            self.jobs.close()
            self.gallery.close()
            self.wordbook.close()
            self.catalog.close()
            self._lock.release()
        return in_time

    def submit(self, values: Mapping[str, Any], visitor: str) -> Job:
        """Queue what a person asks for; what is left out (or None) takes the model's default.

        Raises InvalidRequest with one problem for each field that is wrong, QueueFull,
        StorageError; then nothing is queued.
        """
        job = self._submit(values, visitor)
        self._remember(values, visitor)
        return job

    def submit_combinations(self, values: Mapping[str, Any], visitor: str) -> list[Job]:
        """Queue a job for each prompt that the given one stands for: all of them, or none.

        Without a seed, one is drawn for all. Raises as ``submit`` does.
        """
        prompt = str(values.get("prompt") or "")
        found = self.wordbook.combinations(prompt)
        room = MAX_WAITING - self.jobs.counts["queued"]
        if found.count > room:
            raise _too_many(found, room)
        seed = values.get("seed")
        if seed in (None, -1):
            seed = secrets.randbelow(MAX_SEED + 1)
        jobs: list[Job] = []
        try:
            for text in found.texts:
                jobs.append(self._submit({**values, "prompt": text, "seed": seed}, visitor))
        except StudioError:
            for job in jobs:
                self.jobs.cancel(job.id)
            raise
        self._remember(values, visitor)
        return jobs

    def _remember(self, values: Mapping[str, Any], visitor: str) -> None:
        """Keep the words as they were written; a disk that refuses costs only the memory."""
        words = (str(values.get("prompt") or ""), str(values.get("negative_prompt") or ""))
        with suppress(StorageError):
            self.wordbook.history.add(visitor, *words)

    def animate(self, values: Mapping[str, Any], visitor: str) -> Job:
        """Queue an animation; see `Animating.submit`."""
        job = self.animations.submit(values, visitor)
        for keyframe in self.animations.get(job.id).reel.animation.keyframes:
            request = keyframe.request
            self._remember(
                {"prompt": request.template or request.prompt,
                 "negative_prompt": request.negative_prompt}, visitor
            )  # fmt: skip
        return job

    def _submit(self, values: Mapping[str, Any], visitor: str) -> Job:
        return self.jobs.submit(self._completed(values, visitor), visitor)

    def _completed(self, values: Mapping[str, Any], visitor: str) -> GenerationRequest:
        """A whole request of what a person gave, of which everything it needs is here.

        Raises InvalidRequest, StorageError.
        """
        name = values.get("model")
        if name is None:
            name = self.keeper.default
        defaults: Mapping[str, Any] = {}
        given = {**values, "model": name}
        if isinstance(name, str) and len(name) <= MAX_MODEL:
            info = self.catalog.find(name)
            self.catalog.hash_soon(info)
            defaults = info.defaults.as_values()
            given = self.incoming.taken_in(given, visitor, info.native_size)
            given["model"] = info.name
        request = self.wordbook.resolve(complete(given, defaults))
        sampler = check_sampling(
            request.sampler, request.sigma_schedule, request.num_inference_steps
        )
        self._check_models(request)
        return request.model_copy(update={"sampler": sampler.name})

    def _check_models(self, request: GenerationRequest) -> None:
        """Raise InvalidRequest where what the request wants beside its model is not to be had."""
        model = self.catalog.find(request.model)
        for prompt in sorted({request.prompts_of(k)[0] for k in range(request.num_images)}):
            check_addons(self.catalog, prompt, request.vae, model)
        if request.hires and request.hires_prompt:
            check_addons(self.catalog, request.hires_prompt, request.vae, model)
        check_larger(self.catalog, request, model)
        if request.clip_guidance_scale and not has_clip_pair(model.path):
            raise no_clip_pair(model.name)
        if request.refiner:
            try:
                self.catalog.find(request.refiner)
            except InvalidRequest as error:
                raise InvalidRequest.of("refiner", error.sentence) from None

    def unknown_words(self, prompt: str, model: str) -> list[str]:
        """The words of ``prompt`` that a model with a small vocabulary has never seen."""
        if not self.catalog.find(model).known_words:
            return []
        from studio.pocket.world import unknown_words  # the package: see `studio.imports`

        plain = re.sub(r"[()\[\]{}<>:|_]", " ", take_loras(prompt)[0])
        english = [word for word in unknown_words(plain, "en") if word not in GLUE]
        return [word for word in english if not word.isdigit()] + [*unknown_words(plain, "zh")]

    def recipe_of(self, picture: Picture) -> GenerationRequest:
        """A picture's request with the model that is meant by its hash, else by its name.

        The request is as it was made when no model here is meant.
        """
        info = self.catalog.match(picture.request.model, picture.model_hash)
        return picture.request.model_copy(update={"model": info.name}) if info else picture.request

    def load(self, name: str) -> Future[None]:
        """Bring a model to its device, once the running job has ended; see `ModelKeeper`."""
        return self.keeper.load(name, self._worker.ask)

    def unload(self, name: str | None) -> Future[None]:
        """Let a model go, or all; see `ModelKeeper`."""
        return self.keeper.unload(name, self._worker.ask)

    def mask(self, asked: Asked, visitor: str) -> Future[Found]:
        """Find what words name in a picture, once the running job has ended; see `WordMasks`."""
        return self._masks.find(asked, visitor, self._worker.ask)

    def referring(self) -> Iterator[str]:
        """Whatever may name a source: jobs before pictures, for a job becomes pictures."""
        yield from self.animations.texts()
        yield from self.jobs.requests()
        yield from self.gallery.requests()
        for preset in self.wordbook.presets.list():
            yield str(dict(preset.values))

    def _rest(self) -> None:
        """Let go of what was not used for long. In the worker's thread."""
        self.keeper.rest()
        if self.settings.keep_alive:
            self.translator.rest(self.settings.keep_alive * 60)

    def _make_engine(self, tell: Callable[[Sentence], None]) -> Painter:
        """The real engine, with the default model loaded. Called in the worker's thread."""
        tell(say("Starting PyTorch"))
        share_the_cpu()
        with lasting_imports():
            from studio.animation.animator import Animator
            from studio.engine.engine import Engine
            from studio.engine.memory import acquire
            from studio.models.store import ModelStore

        store = ModelStore(self.catalog, self.settings.device, rules=_rules(self.settings))
        self.keeper.store = store
        name = self.keeper.default
        tell(say("Loading {model}", model=name))
        with suppress(StudioError):  # a job that needs this model will say what is wrong with it
            acquire(store, name)
        self.merges.begin()
        engine, animator = Engine(store, sources=self.sources), Animator(store, self.sources)
        return _Painters(engine.generate, animator.animate)


@dataclass(frozen=True)
class _Painters:
    """Engine and animator as one: a `Painter`."""

    generate: Callable[..., Iterator[Event]]
    animate: Callable[[Reel], Iterator[Event]]


def _rules(settings: Settings) -> Rules:
    """What the command line says about memory and speed."""
    return Rules(
        settings.memory, settings.vram_gib, settings.ram_gib, settings.attention,
        settings.compile, settings.data_dir / "cache",
    )  # fmt: skip


def _too_many(found: Combinations, room: int) -> QueueFull:
    if found.whole:
        return QueueFull(
            say(
                "These are {count:,} combinations, and the queue has room for {room}: "
                "choose fewer.",
                count=found.count,
                room=room,
            )
        )
    return QueueFull(
        say(
            "These are more than {count:,} combinations, and the queue has room for {room}: "
            "choose fewer.",
            count=found.count,
            room=room,
        )
    )
