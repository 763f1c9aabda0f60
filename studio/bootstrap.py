"""The composition root: one Studio, made of its rooms; the only door for the page and the API."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from studio import request as requests
from studio.errors import InvalidRequest, StartupError, StorageError, StudioError
from studio.gallery import Gallery, Picture
from studio.jobs import Job, Jobs
from studio.jobs.worker import Painter, PainterFactory, Worker
from studio.models.catalog import Catalog
from studio.models.folders import prepare
from studio.models.hub.hub import Hub
from studio.models.threads import share_the_cpu
from studio.request import GenerationRequest
from studio.samplers import check_sampling
from studio.settings import Settings
from studio.storage import FolderLock

if TYPE_CHECKING:
    from studio.models.store import ModelStore

_GLUE = frozenset(
    ("a", "an", "the", "this", "that", "it", "its", "is", "are", "and", "or", "as", "with", "of",
     "without", "in", "on", "at", "by", "to", "from", "over", "under", "near", "for", "very")
)  # fmt: skip
_STOP_SECONDS = 0.8


class Studio:
    """Models, gallery and jobs, wired together.

    Raises StartupError when the data directory cannot be used or the model is not there.
    ``make_painter`` is what makes the engine, in the worker's thread; the real one by default.
    """

    def __init__(self, settings: Settings, make_painter: PainterFactory | None = None) -> None:
        self.settings = settings
        self._store: ModelStore | None = None
        self._lock = FolderLock(settings.data_dir)
        self.catalog = Catalog(settings.models_dirs)
        try:
            prepare(settings.models, settings.models_dir)
            self.catalog.remember(settings.data_dir / "models.sqlite")
            self.catalog.find(settings.model)
            self.gallery = Gallery(settings.pictures)
            self.gallery.reconcile()
            self.jobs = Jobs(settings.data_dir / "jobs.sqlite", self.gallery)
        except (InvalidRequest, StorageError) as error:
            self.catalog.close()
            self._lock.release()
            raise StartupError(str(error)) from error
        self.hub = Hub(settings.models, settings.presets / "models.json", os.environ)
        self._worker = Worker(
            self.jobs, self.gallery, make_painter or self._make_engine, self.catalog.short_hash
        )

    def start(self) -> None:
        """Let the worker begin: it imports torch, which slows everything else for seconds."""
        self._worker.start()
        self.catalog.start()

    def stop(self) -> bool:
        """Put the running job back, close the files; whether the worker ended in time."""
        self.hub.close()
        self.catalog.stop()
        in_time = self._worker.stop(_STOP_SECONDS)
        if in_time:  # else the worker may still need them; each commit is on disk already
            self.jobs.close()
            self.gallery.close()
            self.catalog.close()
            self._lock.release()
        return in_time

    def submit(self, values: Mapping[str, Any], visitor: str) -> Job:
        """Queue what a person asks for; what is left out (or None) takes the model's default.

        Raises InvalidRequest with one problem for each field that is wrong, QueueFull,
        StorageError; then nothing is queued.
        """
        name = values.get("model")
        if name is None:
            name = self.settings.model
        defaults: Mapping[str, Any] = {}
        if isinstance(name, str) and len(name) <= requests.MAX_MODEL:
            info = self.catalog.find(name)
            self.catalog.hash_soon(info)
            defaults, name = info.defaults.as_values(), info.name
        request = requests.complete({**values, "model": name}, defaults)
        sampler = check_sampling(
            request.sampler, request.sigma_schedule, request.num_inference_steps
        )
        if request.refiner:
            self._check_refiner(request.refiner)
        return self.jobs.submit(request.model_copy(update={"sampler": sampler.name}), visitor)

    def _check_refiner(self, name: str) -> None:
        try:
            self.catalog.find(name)
        except InvalidRequest as error:
            raise InvalidRequest.of("refiner", str(error)) from None

    def unknown_words(self, prompt: str, model: str) -> list[str]:
        """The words of ``prompt`` that a model with a small vocabulary has never seen."""
        if not self.catalog.find(model).known_words:
            return []
        from studio.pocket.world.words import unknown_words

        plain = re.sub(r"[()\[\]{}<>:|_]", " ", prompt)
        english = [word for word in unknown_words(plain, "en") if word not in _GLUE]
        return [word for word in english if not word.isdigit()] + [*unknown_words(plain, "zh")]

    def recipe_of(self, picture: Picture) -> GenerationRequest:
        """A picture's request with the model that is meant by its hash, else by its name.

        The request is as it was made when no model here is meant.
        """
        info = self.catalog.match(picture.request.model, picture.model_hash)
        return picture.request.model_copy(update={"model": info.name}) if info else picture.request

    @property
    def resident(self) -> tuple[str, ...]:
        """The models that are loaded now."""
        return self._store.resident if self._store else ()

    @property
    def device_label(self) -> str | None:
        """What the models run on, in words; None until torch is there to tell."""
        return self._store.device_label if self._store else None

    @property
    def memory(self) -> dict[str, int] | None:
        """Bytes of the device's memory in use and in all; None where that cannot be told."""
        seen = self._store.memory() if self._store else None
        if seen is None or seen.free is None or seen.total is None:
            return None
        return {"used": seen.total - seen.free, "total": seen.total}

    def _make_engine(self, say: Callable[[str], None]) -> Painter:
        """The real engine, with the default model loaded. Called in the worker's thread."""
        say("Starting PyTorch")
        share_the_cpu()
        from studio.engine.engine import Engine
        from studio.models.store import ModelStore

        self._store = store = ModelStore(self.catalog, self.settings.device)
        say(f"Loading {self.settings.model}")
        with suppress(StudioError):  # a job that needs this model will say what is wrong with it
            store.acquire(self.settings.model)
        return Engine(store)
