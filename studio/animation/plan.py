"""The plan of an animation: which frame is what mixture of which keyframes. Pure.

>>> from studio.animation.plan import eased
>>> [round(eased("in_out", share / 4), 2) for share in range(5)]
[0.0, 0.16, 0.5, 0.84, 1.0]
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from studio.animation.request import AnimationRequest, Easing

Shares = tuple[tuple[float, ...], ...]
"""For each leg, how far along it each of its frames is: from 0, at most 1, never falling."""

Leaps = tuple[tuple[tuple[float, float], ...], ...]
"""For each leg, the places right beside each other whose pictures are far apart."""


@dataclass(frozen=True)
class Moment:
    """``share``, from 0 to 1, of the way from keyframe ``start`` to keyframe ``end``."""

    start: int
    end: int
    share: float


@dataclass(frozen=True)
class Between:
    """A frame whose latents are a mixture: ``share`` of the way from one frame to another."""

    left: int
    right: int
    share: float


@dataclass(frozen=True)
class Plan:
    """The frames of an animation, each once, in their order.

    ``keys``: the frames that show a keyframe, and for how many frames more each is held.
    """

    moments: tuple[Moment, ...]
    betweens: dict[int, Between]
    keys: dict[int, int]
    ping_pong: bool

    @property
    def painted(self) -> tuple[int, ...]:
        """The frames that are denoised; the others are decoded from mixtures of these."""
        return tuple(k for k in range(len(self.moments)) if k not in self.betweens)

    def played(self, count: int | None = None) -> list[int]:
        """The frames in the order that a film shows them, of the first ``count`` frames alone."""
        there = range(len(self.moments) if count is None else count)
        forth = [frame for frame in there for _ in range(1 + self.keys.get(frame, 0))]
        if not self.ping_pong:
            return forth
        turn = 1 + self.keys.get(there[-1], 0) if forth else 0
        back = forth[: len(forth) - turn][::-1]
        first = 1 + self.keys.get(0, 0)
        return forth + back[: max(len(back) - first, 0)]


def make_plan(
    animation: AnimationRequest, shares: Shares | None = None, leaps: Leaps | None = None
) -> Plan:
    """The plan; ``shares`` in place of the frames' own spacing, as even pacing finds them.

    Frames within one of the ``leaps`` are mixed from those at its ends.
    """
    shares = uniform(animation) if shares is None else shares
    moments: list[Moment] = []
    keys: dict[int, int] = {}
    betweens: dict[int, Between] = {}
    for leg, ((start, end), along) in enumerate(zip(animation.legs, shares, strict=True)):
        first, step = len(moments), animation.in_between + 1
        keys[first] = animation.keyframes[start].hold
        for place in range(len(along)):
            if place % step:
                left = place - place % step
                right = min(left + step, len(along))
                share = (place - left) / (right - left)
                betweens[first + place] = Between(first + left, first + right, share)
        for low, high in leaps[leg] if leaps else ():
            ends = {share: first + place for place, share in enumerate([*along, 1.0])}
            for place, share in enumerate(along):
                if low < share < high:
                    part = (share - low) / (high - low)
                    betweens[first + place] = Between(ends[low], ends[high], part)
        moments += [Moment(start, end, share) for share in along]
    if animation.loop:  # what would follow the last leg is the first frame
        last = len(moments)
        betweens = {
            k: Between(b.left, 0, b.share) if b.right == last else b for k, b in betweens.items()
        }
    else:
        start, end = animation.legs[-1]
        keys[len(moments)] = animation.keyframes[end].hold
        moments.append(Moment(start, end, 1.0))
    return Plan(tuple(moments), betweens, keys, animation.ping_pong)


def uniform(animation: AnimationRequest) -> Shares:
    """Every leg's frames as they were asked for: equally far apart, but for the easing."""
    return along(animation, evenly(asked(animation)))


def asked(animation: AnimationRequest) -> tuple[int, ...]:
    """How many frames each leg was given."""
    return tuple(animation.keyframes[start].frames for start, _ in animation.legs)


def evenly(counts: Sequence[int]) -> Shares:
    """How far in time each frame of a leg is, for so many frames in each."""
    return tuple(tuple(place / count for place in range(count)) for count in counts)


def along(animation: AnimationRequest, times: Shares) -> Shares:
    """The times with the easing of their legs."""
    keys = (animation.keyframes[start] for start, _ in animation.legs)
    return tuple(
        tuple(eased(key.easing, time) for time in leg) for key, leg in zip(keys, times, strict=True)
    )


def eased(easing: Easing, share: float) -> float:
    """How far a frame is, ``share`` of the way in time: 0 at 0 and 1 at 1, never falling.

    Quadratic for setting out or arriving slowly; for both, 3x² − 2x³ (smoothstep).
    """
    match easing:
        case "in":
            return share * share
        case "out":
            return share * (2 - share)
        case "in_out":
            return share * share * (3 - 2 * share)
    return share


def groups(frames: Sequence[int], size: int) -> tuple[tuple[int, ...], ...]:
    """Frames that are painted together, always the same: what one is drawn with decides its bits.

    Matrix products of another size round differently, so a resumed animation repeats the groups.
    """
    return tuple(tuple(frames[at : at + size]) for at in range(0, len(frames), size))
