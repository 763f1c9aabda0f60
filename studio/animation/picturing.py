"""Pictures of an animation: painted batch by batch, and those between two of them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field

import torch
from PIL import Image

from studio.animation.drawing import Drawing
from studio.animation.mixing import mixed
from studio.animation.motion import pictures_between
from studio.animation.plan import Between, Moment, Plan
from studio.engine.denoise import Step
from studio.engine.preview import Pace, Preview
from studio.events import Event, Progress

_BATCHES_KEPT = 3  # latents in memory: what lies between two frames needs both
_PICTURES_KEPT = 4  # painted ones: what moves between two is told by four

Painted = Generator[Event, None, torch.Tensor]
Pictured = Generator[Event, None, Image.Image]


@dataclass
class Brush:
    """Paints batches and counts, over all frames, the calls of the UNet."""

    drawing: Drawing
    preview: Preview
    pace: Pace
    together: int
    step: int = 0
    steps: int = 0

    def paint(self, moments: Sequence[Moment], frame: int) -> Painted:
        """Latents (B, C, h, w); Progress for every step."""
        with closing(self.drawing.paint(self.drawing.filled(moments, self.together))) as steps:
            while True:
                try:
                    done: Step = next(steps)
                except StopIteration as end:
                    latents: torch.Tensor = end.value[: len(moments)]
                    return latents
                self.pace.wait()
                self.step = min(self.step + len(moments), self.steps)
                yield Progress(
                    self.step, self.steps, frame, self.preview.of(done.denoised[0])
                )  # fmt: skip

    def develop(self, latents: torch.Tensor) -> Image.Image:
        """The picture of latents (1, C, h, w)."""
        return Image.fromarray(self.drawing.decode(latents)[0].numpy())


@dataclass
class Batches:
    """The latents of frames; those of the last few batches are kept."""

    brush: Brush
    plan: Plan
    kept: OrderedDict[tuple[int, ...], torch.Tensor] = field(default_factory=OrderedDict)
    of: dict[int, tuple[int, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        batches = self.brush.drawing.batches(
            self.plan.painted, self.plan.moments, self.brush.together
        )
        self.of = {frame: batch for batch in batches for frame in batch}

    def picture(self, frame: int) -> Pictured:
        """One frame, painted or decoded from a mixture of its neighbours."""
        return self.brush.develop((yield from self.latents(frame)))

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


@dataclass
class Followed:
    """Frames of which those between are made by motion compensation from four that are painted.

    Nothing of it is read back from the disk: so it is the same wherever it goes on, at the price of
    painting up to two batches once more.
    """

    batches: Batches
    painted: OrderedDict[int, Image.Image] = field(default_factory=OrderedDict)
    between: dict[int, Image.Image] = field(default_factory=dict)

    def picture(self, frame: int) -> Pictured:
        """One frame, painted or between."""
        gap = self.batches.plan.betweens.get(frame)
        if gap is None:
            return (yield from self._painted(frame))
        if frame not in self.between:
            around = []
            for each in _around(self.batches.plan, gap):
                around.append((yield from self._painted(each)))
            inner = [k for k, b in self.batches.plan.betweens.items() if b.left == gap.left]
            self.between = dict(zip(inner, pictures_between(around, len(inner)), strict=True))
        return self.between[frame]

    def _painted(self, frame: int) -> Pictured:
        if frame not in self.painted:
            self.painted[frame] = yield from self.batches.picture(frame)
        self.painted.move_to_end(frame)
        while len(self.painted) > _PICTURES_KEPT:
            self.painted.popitem(last=False)
        return self.painted[frame]


def _around(plan: Plan, gap: Between) -> tuple[int, int, int, int]:
    """The painted frames on either side of a gap, two and two; at an end of the film one twice."""
    painted = plan.painted
    left, right = painted.index(gap.left), painted.index(gap.right)
    before, after = max(left - 1, 0), min(right + 1, len(painted) - 1)
    return painted[before], gap.left, gap.right, painted[after]
