"""From an animation to its frames on the disk: measured if it has to be, batch by batch, resumable.

The same frames come out whether it was interrupted or not: which frames are painted together is
decided once and written down.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Generator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace

import torch
from PIL import Image

from studio.animation.camera import Camera
from studio.animation.drawing import Drawing
from studio.animation.mixing import mixed
from studio.animation.pacing import Measuring, small
from studio.animation.plan import Moment, Plan, Shares, make_plan, uniform
from studio.animation.reel import Progress as Decided
from studio.animation.reel import Reel
from studio.engine.addons import AddOns
from studio.engine.conditioning import PromptEncoder
from studio.engine.denoise import Step
from studio.engine.memory import acquire, does_not_fit, is_out_of_memory
from studio.engine.preview import Pace, Preview
from studio.events import Event, FrameReady, Preparing, Progress
from studio.models.freeing import free_memory
from studio.models.plan import Work
from studio.models.store import ModelStore
from studio.request import GenerationRequest
from studio.sentences import say
from studio.sources import Sources

_PIXELS_TOGETHER = {"cpu": 4 * 256 * 256}  # of a batch; more gains nothing on two cores
_PIXELS_ON_A_GPU = 16 * 512 * 512
_MOST_TOGETHER = {"cpu": 4}  # so that frames appear, and Stop is heard, without long waits
_MOST_ON_A_GPU = 16
_BATCHES_KEPT = 3  # latents in memory: what lies between two frames needs both

Painted = Generator[Event, None, torch.Tensor]


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
        shares = None if reel.animation.even_pacing else uniform(reel.animation)
        decided = Decided(min(max(room, 1), _MOST_TOGETHER.get(kind, _MOST_ON_A_GPU)), shares)
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
        brush = _Brush(drawing, preview, Pace(model.placement.device), decided.together)
        shares = decided.shares
        if shares is None:
            shares = yield from _measured(reel, brush)
            reel.decide(replace(decided, shares=shares))
            reel.forget_probes()
        camera = Camera(reel.animation, shares)
        yield from _frames(reel, brush, make_plan(reel.animation, shares), camera)


@dataclass
class _Brush:
    """Paints batches and counts, over all frames, the calls of the UNet."""

    drawing: Drawing
    preview: Preview
    pace: Pace
    together: int
    step: int = 0
    steps: int = 0

    def paint(self, moments: Sequence[Moment], frame: int) -> Painted:
        """Latents (B, C, h, w); Progress for every step."""
        with closing(self.drawing.paint(moments)) as steps:
            while True:
                try:
                    done: Step = next(steps)
                except StopIteration as end:
                    latents: torch.Tensor = end.value
                    return latents
                self.pace.wait()
                self.step = min(self.step + len(done.latents), self.steps)
                yield Progress(
                    self.step, self.steps, frame, self.preview.of(done.denoised[0])
                )  # fmt: skip

    def develop(self, latents: torch.Tensor) -> Image.Image:
        """The picture of latents (1, C, h, w)."""
        return Image.fromarray(self.drawing.decode(latents)[0].numpy())


def _measured(reel: Reel, brush: _Brush) -> Generator[Event, None, Shares]:
    """Where the frames have to be for every step to look equally large; probes on disk are kept."""
    measuring = Measuring(reel.animation)
    yield Preparing(say("Measuring how much changes, for even pacing"))
    while wanted := measuring.wanted():
        calls = sum(map(brush.drawing.calls_of, wanted))
        brush.steps = brush.step + calls + reel.frames_total * brush.drawing.calls
        for batch in brush.drawing.batches(range(len(wanted)), wanted, brush.together):
            moments = [wanted[k] for k in batch]
            if any(reel.probe(moment) is None for moment in moments):
                latents = yield from brush.paint(moments, 0)
                for place, moment in enumerate(moments):
                    image = brush.develop(latents[place : place + 1])
                    reel.keep_probe(moment, small(image))
            for moment in moments:
                seen = reel.probe(moment)
                assert seen is not None
                measuring.see(moment, seen)
    return measuring.shares()


def _frames(reel: Reel, brush: _Brush, plan: Plan, camera: Camera) -> Generator[Event, None, None]:
    """Every frame that is missing."""
    there = reel.there()
    calls = {frame: brush.drawing.calls_of(plan.moments[frame]) for frame in plan.painted}
    brush.steps = brush.step + sum(calls.values())
    brush.step += sum(count for frame, count in calls.items() if frame in there)
    batches = _Batches(brush, plan)
    for frame in range(len(plan.moments)):
        if frame not in there:
            latents = yield from batches.latents(frame)
            reel.keep(frame, camera.shot(frame, brush.develop(latents)))
            yield FrameReady(frame)


@dataclass
class _Batches:
    """The latents of frames; those of the last few batches are kept."""

    brush: _Brush
    plan: Plan
    kept: OrderedDict[tuple[int, ...], torch.Tensor] = field(default_factory=OrderedDict)
    of: dict[int, tuple[int, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        batches = self.brush.drawing.batches(
            self.plan.painted, self.plan.moments, self.brush.together
        )
        self.of = {frame: batch for batch in batches for frame in batch}

    def latents(self, frame: int) -> Painted:
        """One frame's, (1, C, h, w): painted, or a mixture of its neighbours'."""
        between = self.plan.betweens.get(frame)
        if between is None:
            return (yield from self._painted(frame))
        left = yield from self._painted(between.left)
        right = yield from self._painted(between.right)
        return mixed(left, right, between.share, "lerp")

    def _painted(self, frame: int) -> Painted:
        batch = self.of[frame]
        if batch not in self.kept:
            moments = [self.plan.moments[k] for k in batch]
            self.kept[batch] = yield from self.brush.paint(moments, frame)
        self.kept.move_to_end(batch)
        while len(self.kept) > _BATCHES_KEPT:
            self.kept.popitem(last=False)
        place = batch.index(frame)
        return self.kept[batch][place : place + 1]
