"""From an animation to its frames on the disk: measured if it has to be, batch by batch, resumable.

The same frames come out whether it was interrupted or not: which frames are painted together is
decided once and written down.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import ExitStack
from dataclasses import replace

from studio.animation.camera import Camera
from studio.animation.drawing import Drawing
from studio.animation.keeping import keeping
from studio.animation.picturing import Batches, Brush, Followed
from studio.animation.plan import Plan, along, evenly, uniform
from studio.animation.reel import Progress as Decided
from studio.animation.reel import Reel
from studio.animation.spacing import spaced
from studio.engine.addons import AddOns
from studio.engine.conditioning import PromptEncoder
from studio.engine.memory import acquire, does_not_fit, is_out_of_memory
from studio.engine.preview import Pace, Preview
from studio.events import Event, FrameReady, Preparing
from studio.models.freeing import free_memory
from studio.models.plan import Work
from studio.models.store import ModelStore
from studio.request import GenerationRequest
from studio.sentences import say
from studio.sources import Sources

_PIXELS_TOGETHER = {"cpu": 8 * 256 * 256}  # of a batch; twice as much gains 6 % on two cores
_PIXELS_ON_A_GPU = 16 * 512 * 512
_MOST_TOGETHER = {"cpu": 8}  # so that frames appear, and Stop is heard, without long waits
_MOST_ON_A_GPU = 16


class Animator:
    """Makes animations on one device. For one thread, the same as the engine's."""

    def __init__(self, store: ModelStore, sources: Sources | None = None) -> None:
        self._store, self._sources = store, sources
        self._addons = AddOns(store.catalog)
        self._prompts = PromptEncoder()

    def animate(self, reel: Reel) -> Generator[Event, None, None]:
        """Preparing, Progress for every step, and FrameReady for every frame that is saved.

        What is on the disk already is not painted again. Closing the generator ends the work at
        once. Raises InvalidRequest, ModelError, OutOfMemory, StorageError.
        """
        reel.check_room()
        self._addons.look_again()
        common = reel.animation.common
        while True:
            decided = reel.progress or self._decided(reel)
            work, failed = Work(common.width, common.height, decided.together), False
            try:
                with ExitStack() as stack:
                    yield from self._make(reel, decided, work, stack)
                return
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                failed = True
            if failed:  # out here, for the error's traceback holds what must be freed
                self._after_running_out(reel, common, decided, work)

    def _decided(self, reel: Reel) -> Decided:
        """How it will be made, written down before the first frame is."""
        common, kind = reel.animation.common, self._store.placement.device.type
        room = _PIXELS_TOGETHER.get(kind, _PIXELS_ON_A_GPU) // (common.width * common.height)
        animation = reel.animation
        asked_for = not (animation.even_pacing or animation.follows_sound)
        shares = uniform(animation) if asked_for else None
        most = min(max(room, 1), _MOST_TOGETHER.get(kind, _MOST_ON_A_GPU))
        decided = Decided(most, shares)
        reel.decide(decided)
        return decided

    def _after_running_out(
        self, reel: Reel, common: GenerationRequest, decided: Decided, work: Work
    ) -> None:
        """Make room; then fewer frames together, or the model in a way that needs less."""
        self._addons.forget()
        free_memory(self._store.placement.device)
        latest = reel.progress or decided
        if latest.together > 1:
            reel.decide(replace(latest, together=latest.together // 2))
        elif self._store.tighten(common.model, work) is None:
            self._store.relax(common.model)
            raise does_not_fit(common, 1, self._store)

    def _make(
        self, reel: Reel, decided: Decided, work: Work, stack: ExitStack
    ) -> Generator[Event, None, None]:
        name = reel.animation.common.model
        if name not in self._store.resident:
            yield Preparing(say("Loading {model}", model=name))
        model = acquire(self._store, name, work)
        drawing = Drawing(
            reel.animation, model, self._addons, self._prompts, self._sources, stack
        )  # fmt: skip
        preview = Preview(
            model.preview_colours, model.placement.device, decoder=self._addons.tiny.of(model)
        )
        brush = Brush(drawing, preview, Pace(model.placement.device), decided.together)
        if decided.shares is None:
            found = yield from spaced(reel, brush, self._sources)
            decided = replace(decided, **vars(found))
            reel.decide(decided)
            reel.forget_probes()
        shares = decided.shares or ()
        in_time = decided.along or along(reel.animation, evenly([*map(len, shares)]))
        yield from _frames(reel, brush, reel.plan, Camera(reel.animation, in_time))


def _frames(reel: Reel, brush: Brush, plan: Plan, camera: Camera) -> Generator[Event, None, None]:
    """Every frame that is missing."""
    there = reel.there()
    calls = {frame: brush.drawing.calls_of(plan.moments[frame]) for frame in plan.painted}
    brush.steps = brush.step + sum(calls.values())
    brush.step += sum(count for frame, count in calls.items() if frame in there)
    batches = Batches(brush, plan)
    by_motion = bool(reel.animation.in_between) and reel.animation.in_between_by == "motion"
    pictures = Followed(batches) if by_motion else batches
    with keeping(reel, camera) as saved:
        for frame in range(len(plan.moments)):
            if frame not in there:
                saved.take(frame, (yield from pictures.picture(frame)))
                yield from map(FrameReady, saved.kept())
        yield from map(FrameReady, saved.finish())
