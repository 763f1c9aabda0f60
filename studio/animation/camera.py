"""Camera moves: zooms, pans and turns over the finished pixels of frames. No torch.

A move may never show what lies beside a picture. Mirrored edges would give that away, and a scale
found frame by frame would breathe as the picture turns; so every frame of an animation is drawn
larger by one factor, the least with which the camera stays inside all of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

from PIL import Image

from studio.animation.plan import Shares, uniform
from studio.animation.request import AnimationRequest, Keyframe

MOST_ENLARGED = 8.0
"""Times: so much larger than painted a part of a picture may be drawn."""


@dataclass(frozen=True)
class Pose:
    """Where the camera is: ``x`` and ``y`` from the middle, in widths and heights of the picture.

    ``zoom``: how large things look. ``angle``: degrees by which the picture is turned clockwise.
    """

    x: float = 0.0
    y: float = 0.0
    zoom: float = 1.0
    angle: float = 0.0

    def after(self, key: Keyframe) -> Pose:
        """Where the moves of a keyframe lead from here."""
        return Pose(
            self.x + key.pan_x, self.y + key.pan_y, self.zoom * key.zoom, self.angle + key.rotate
        )

    def towards(self, other: Pose, share: float) -> Pose:
        """On the way: zooms by equal factors in equal times, which looks even."""
        return Pose(
            self.x + share * (other.x - self.x),
            self.y + share * (other.y - self.y),
            self.zoom * (other.zoom / self.zoom) ** share,
            self.angle + share * (other.angle - self.angle),
        )

    def scale(self, width: int, height: int) -> float:
        """The least factor by which a picture must be larger to fill the view at this pose."""
        if max(abs(self.x), abs(self.y)) >= 0.5:
            return math.inf
        turn = math.radians(self.angle)
        cos, sin = abs(math.cos(turn)), abs(math.sin(turn))
        across = (width * cos + height * sin) / (width * (1 - 2 * abs(self.x)))
        down = (width * sin + height * cos) / (height * (1 - 2 * abs(self.y)))
        return max(across, down) / self.zoom


class Camera:
    """The view on every frame of an animation. Raises nothing: `enlarged` says if it is too much.

    ``along``: how far along the moves of its leg each frame is.
    """

    def __init__(self, animation: AnimationRequest, along: Shares | None = None) -> None:
        common = animation.common
        self._size = common.width, common.height
        self._poses = _in_the_middle([*_poses(animation, along or uniform(animation))])
        self._scale = max(pose.scale(*self._size) for pose in self._poses)

    @property
    def still(self) -> bool:
        """Whether it never moves."""
        return all(pose == self._poses[0] for pose in self._poses)

    @property
    def enlarged(self) -> float:
        """How many times as large as painted anything is drawn at most; may be infinite."""
        return self._scale * max(pose.zoom for pose in self._poses)

    def shot(self, frame: int, image: Image.Image) -> Image.Image:
        """A frame as the camera sees it, of the same size; itself when the camera is still.

        Bicubic (Catmull–Rom), which is enough: nothing is ever drawn smaller than painted.
        """
        if self.still:
            return image
        pose, (width, height) = self._poses[frame], self._size
        turn, scale = math.radians(pose.angle), self._scale * pose.zoom
        cos, sin = math.cos(turn) / scale, math.sin(turn) / scale
        left = width * (0.5 + pose.x) - (cos * width + sin * height) / 2
        top = height * (0.5 + pose.y) - (cos * height - sin * width) / 2
        return image.transform(
            image.size, Image.Transform.AFFINE, (cos, sin, left, -sin, cos, top),
            Image.Resampling.BICUBIC,
        )  # fmt: skip


def _poses(animation: AnimationRequest, along: Shares) -> Iterator[Pose]:
    """The pose at every frame, in the plan's order."""
    keys = animation.keyframes
    at_keys = [*accumulate(keys[:-1], Pose.after, initial=Pose())]
    ends = [*at_keys[1:], *([_home(at_keys[-1], keys[-1])] if animation.loop else [])]
    for (start, _), end, shares in zip(animation.legs, ends, along, strict=True):
        yield from (at_keys[start].towards(end, share) for share in shares)
    if not animation.loop:
        yield at_keys[-1]


def _home(last: Pose, key: Keyframe) -> Pose:
    """Where a loop ends: as it began; turned on by whole turns where the last move leads there."""
    turned = last.angle + key.rotate
    whole = math.isclose(turned, 360 * round(turned / 360), abs_tol=1e-6)
    return Pose(angle=turned if whole else 0.0)


def _in_the_middle(poses: list[Pose]) -> list[Pose]:
    """The same moves with as much room to one side as to the other: they need the least scale."""
    x, y = ((min(each) + max(each)) / 2 for each in ([p.x for p in poses], [p.y for p in poses]))
    return [Pose(pose.x - x, pose.y - y, pose.zoom, pose.angle) for pose in poses]
