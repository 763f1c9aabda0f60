"""The worker: one thread a device, the only one that touches the model."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Generator, Iterator
from concurrent.futures import Future
from contextlib import closing, suppress
from typing import Any, Protocol, cast

from studio import images
from studio.animation.reel import Reel
from studio.errors import StudioError
from studio.events import Event, FrameReady, ImageReady, Preparing, Progress
from studio.gallery import Gallery
from studio.jobs.errands import Errands
from studio.jobs.filming import Filming
from studio.jobs.job import Job, State
from studio.jobs.jobs import Jobs
from studio.logs import about
from studio.request import GenerationRequest
from studio.sentences import NOTHING, Sentence, say

MAX_ATTEMPTS = 5
REST_SECONDS = 30.0

log = logging.getLogger(__name__)


class Painter(Protocol):
    """What makes pictures of a request, and frames of an animation: engine and animator."""

    def generate(self, request: GenerationRequest, skip: Collection[int] = ()) -> Iterator[Event]:
        """Events until all pictures but those in ``skip`` are done; closing it cancels."""

    def animate(self, reel: Reel) -> Iterator[Event]:
        """Events until all frames of an animation are on the disk; closing it cancels."""


PainterFactory = Callable[[Callable[[Sentence], None]], Painter]
"""Makes the painter, in the worker's thread; the argument takes what is being done, in words."""


class Worker:
    """Takes one job after the other and never waits for anyone who watches.

    ``hash_of`` gives the short hash of a model by its name, as far as it is known. ``rest`` is
    called, in the worker's thread, from time to time while there is nothing to do. ``filming`` does
    the jobs that are animations.
    """

    def __init__(
        self,
        jobs: Jobs,
        gallery: Gallery,
        make_painter: PainterFactory,
        hash_of: Callable[[str], str | None] = lambda model: None,
        rest: Callable[[], None] = lambda: None,
        filming: Filming | None = None,
    ) -> None:
        self._jobs = jobs
        self._rest = rest
        self._filming = filming
        self._errands = Errands()
        self._hash_of = hash_of
        self._gallery = gallery
        self._make_painter = make_painter
        self._painter: Painter | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="studio-worker", daemon=True)

    def start(self) -> None:
        """Begin to work, unless the end was asked for already."""
        if not self._stopping.is_set():
            self._thread.start()

    def ask(self, do: Callable[[], Any]) -> Future[Any]:
        """Have something done in the worker's thread, once the running job has ended."""
        future = self._errands.add(do)
        self._jobs.wake()
        return future

    def stop(self, timeout: float) -> bool:
        """Ask for the end and wait for it; whether it came in time. The job is put back."""
        self._stopping.set()
        self._errands.close()
        self._jobs.close_streams()
        if self._thread.is_alive():
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            self._painter = self._make_painter(self._jobs.announce)
        except Exception as error:  # the first job tries again, and is told
            log.warning("The model is not ready: %s", error)
        self._jobs.announce(NOTHING)
        while not self._stopping.is_set():
            self._errands.run()
            job = self._jobs.take(self._errands.waiting, REST_SECONDS)
            if job is not None:
                with about(job.id):
                    self._work(job)
            elif not self._errands.waiting() and not self._stopping.is_set():
                self._rest()

    def _work(self, job: Job) -> None:
        """Do one job; whatever happens, the worker goes on."""
        try:
            if self._jobs.note_start(job) > MAX_ATTEMPTS:
                self._finish(job, "failed", _given_up())
            elif self._paint(job):
                self._finish(job, "done")
            elif job.cancelling:
                self._finish(job, "cancelled")
            else:
                self._jobs.put_back(job)
        except StudioError as error:
            log.warning("Job %s failed: %s", job.id, error)
            self._finish(job, "failed", error.sentence)
        except Exception as error:
            log.exception("Job %s failed", job.id)
            self._finish(job, "failed", _crash_sentence(error))

    def _paint(self, job: Job) -> bool:
        """Run the painter over what is not saved yet; False when it was stopped before the end."""
        if job.kind == "animation" and self._filming is not None:
            return self._animate(job, self._filming)
        saved = {picture.index for picture in self._gallery.of_job(job.id)}
        if len(saved) >= job.request.num_images:
            return True
        return self._drive(job, self._ready(job).generate(job.request, saved))

    def _animate(self, job: Job, filming: Filming) -> bool:
        """The frames of an animation that are missing; False when it was stopped before the end.

        However it ends, a film is made of the frames that there are; not when the studio stops,
        for the next start goes on.
        """
        reel = filming.begin(job)
        try:
            done = self._drive(job, self._ready(job).animate(reel))
        except Exception:
            with suppress(StudioError):  # what went wrong first is what has to be told
                filming.finish(job, reel)
            raise
        if not self._stopping.is_set():
            filming.finish(job, reel)
        return done

    def _drive(self, job: Job, painted: Iterator[Event]) -> bool:
        """Handle what the painter says until it has nothing more to say; False when stopped."""
        with closing(cast("Generator[Event]", painted)) as events:
            for event in events:
                self._handle(job, event)
                if job.cancelling or self._stopping.is_set():
                    return False
        return True

    def _ready(self, job: Job) -> Painter:
        """The painter; made now, if it could not be made at the start."""
        if self._painter is None:
            self._painter = self._make_painter(lambda note: self._jobs.update(job, note=note))
        return self._painter

    def _handle(self, job: Job, event: Event) -> None:
        match event:
            case Preparing(what):
                self._jobs.update(job, note=what)
            case Progress(step, steps, _, preview):
                if preview is not None:
                    encoded = images.encode_preview(preview)
                    version = job.preview_version + 1
                    self._jobs.update(job, preview=encoded, preview_version=version)
                self._jobs.reached(job, step, steps)
            case FrameReady():
                self._jobs.framed(job, job.frames_done + 1)
            case ImageReady(index, image):
                recipe = job.request.one(index)
                known = self._hash_of(recipe.model)
                picture = self._gallery.add(image, recipe, job.id, index, job.visitor, known)
                self._jobs.saved(job, picture.id)

    def _finish(self, job: Job, state: State, error: Sentence | None = None) -> None:
        try:
            self._jobs.finish(job, state, error)
        except StudioError as reason:
            log.error("The end of job %s could not be noted: %s", job.id, reason)


def _given_up() -> Sentence:
    return say(
        "The studio was ended several times while it worked on this job, so it was given up; "
        "a smaller picture or another model may do."
    )


def _crash_sentence(error: Exception) -> Sentence:
    return say(
        "Something went wrong inside the studio ({error}); "
        "the pictures that were finished are kept, and the log has the details.",
        error=type(error).__name__,
    )
