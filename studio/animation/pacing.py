"""Even pacing: frames are spread so that each differs as much from the last as the others do.

What changes between two keyframes changes unevenly: a sky turns dark within two frames and stands
still for the rest. So probes are painted first, a few along each leg and then more where the most
happens, and their distances make a ruler along which the frames are laid out. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from PIL import Image

from studio.animation.choosing import Leap, apart, chosen
from studio.animation.plan import Leaps, Moment, Shares, asked
from studio.animation.request import AnimationRequest

SIDE = 64  # pixels: what is compared has this longer side at most
_FIRST = 8  # legs' parts that are measured at first, at most
_FINEST = 1 / 128  # of a leg: what leaps within less is mixed; nearer, rounding decides its side
_UNEVEN = 1.2  # a part is probed again when it changes so many times as much as the mean


def small(image: Image.Image) -> Image.Image:
    """What of a frame is compared: RGB, ``SIDE`` pixels at most."""
    picture = image.convert("RGB")
    picture.thumbnail((SIDE, SIDE), Image.Resampling.BOX, reducing_gap=None)
    return picture


def distance(left: Image.Image, right: Image.Image) -> float:
    """How different two frames look: root mean square over `small` pixels, in levels 0 to 255."""
    a, b = (np.asarray(small(each), dtype=np.float64) for each in (left, right))
    return float(np.sqrt(np.mean((a - b) ** 2)))


class Ruler:
    """What was measured along one leg: places in ascending order, and what is seen there.

    ``length``: of the whole leg, as it looks.
    """

    def __init__(self, seen: Mapping[float, Image.Image]) -> None:
        self._places = np.array([*seen])
        self._pictures = np.stack([np.asarray(each, np.float32).ravel() for each in seen.values()])
        self._distances = apart(self._pictures)
        self.length = float(self._distances.sum())

    def wider(self, least: float) -> list[tuple[float, Leap]]:
        """The parts between two places that look more than ``least``: how much, and where."""
        parts = zip(self._distances, pairwise(self._places), strict=True)
        return [(float(far), (float(a), float(b))) for far, (a, b) in parts if far > least]

    def at(self, shares: Sequence[float], leaps: Sequence[Leap]) -> tuple[float, ...]:
        """The places of frames that are such shares of the whole length along it."""
        if not self.length:
            return tuple(shares)
        return chosen(self._places, self._pictures, shares, leaps)


class Measuring:
    """Which probes are wanted next, from how different those so far are.

    ``budget``: of probes in all. The same pictures lead to the same probes in the same order.
    """

    def __init__(self, animation: AnimationRequest) -> None:
        self._animation = animation
        self._budget = max(2 * sum(asked(animation)), 8 * len(animation.legs)) + 1
        self._seen: dict[Moment, Image.Image] = {}
        self._rulers: list[Ruler] = []  # of what was seen so far; none when they are to be made

    def see(self, moment: Moment, image: Image.Image) -> None:
        """A probe is painted."""
        self._seen[moment] = small(image)
        self._rulers = []

    def wanted(self) -> list[Moment]:
        """The probes to paint now; none when it is enough."""
        if not self._seen:
            return [m for leg in range(len(self._animation.legs)) for m in self._first(leg)]
        wide = sorted(
            (
                (far, leg, low, high)
                for leg, parts in enumerate(self._wide())
                for far, (low, high) in parts
                if high - low > _FINEST
            ),
            reverse=True,
        )
        room = self._budget - len(self._seen)
        return [self._moment(leg, (low + high) / 2) for _, leg, low, high in wide[: max(room, 0)]]

    def rulers(self) -> list[Ruler]:
        """What was measured, leg by leg."""
        if not self._rulers:
            self._rulers = [self._ruler(leg) for leg in range(len(self._animation.legs))]
        return self._rulers

    def _ruler(self, leg: int) -> Ruler:
        first, last = self._seen[self._moment(leg, 0.0)], self._seen[self._last(leg)]
        inner = {
            moment.share: image
            for moment, image in self._seen.items()
            if (moment.start, moment.end) == self._animation.legs[leg] and 0 < moment.share < 1
        }
        return Ruler({0.0: first, **dict(sorted(inner.items())), 1.0: last})

    def _wide(self) -> list[list[tuple[float, Leap]]]:
        """For each leg the parts that look larger than a step does when all are alike."""
        rulers = self.rulers()
        step = sum(ruler.length for ruler in rulers) / max(sum(asked(self._animation)), 1)
        return [ruler.wider(_UNEVEN * step) for ruler in rulers]

    def counts(self) -> list[int]:
        """The frames that each leg gets of all there are: by how much happens on it."""
        return spread(sum(asked(self._animation)), [ruler.length for ruler in self.rulers()])

    def shares(self, along: Shares) -> Shares:
        """The frames of the animation, laid out along what was measured.

        ``along``: how far of what happens on its leg each is to be.
        """
        legs = zip(self.rulers(), along, self.leaps(), strict=True)
        return tuple(ruler.at(leg, leaps) for ruler, leg, leaps in legs)

    def leaps(self) -> Leaps:
        """Where pictures leap on each leg: places next to each other, several steps apart.

        Nothing lies between, or it was not looked for: as many probes were painted as may be.
        None where there are in-between frames, which are mixed from others already.
        """
        if self._animation.in_between:
            return tuple(() for _ in self._animation.legs)
        return tuple(tuple(part for _, part in parts) for parts in self._wide())

    def _first(self, leg: int) -> list[Moment]:
        """Probes at equal distances; where a leg ends the next begins."""
        parts = min(_FIRST, max(asked(self._animation)[leg], 4))
        inner = [self._moment(leg, place / parts) for place in range(parts)]
        last = self._last(leg)
        return inner if last.share == 0 else [*inner, last]

    def _moment(self, leg: int, share: float) -> Moment:
        return Moment(*self._animation.legs[leg], share)

    def _last(self, leg: int) -> Moment:
        """The end of a leg, which is the beginning of the next where there is one."""
        legs = self._animation.legs
        if leg + 1 < len(legs):
            return self._moment(leg + 1, 0.0)
        return self._moment(0, 0.0) if self._animation.loop else self._moment(leg, 1.0)


def spread(total: int, lengths: Sequence[float]) -> list[int]:
    """``total`` frames over legs in proportion to their lengths; one each at least."""
    whole = sum(lengths)
    ideal = [total * (each / whole if whole else 1 / len(lengths)) for each in lengths]
    counts = [max(1, int(each)) for each in ideal]
    while sum(counts) < total:
        counts[max(range(len(counts)), key=lambda k: ideal[k] - counts[k])] += 1
    while sum(counts) > total and max(counts) > 1:
        spare = [k for k, count in enumerate(counts) if count > 1]
        counts[min(spare, key=lambda k: ideal[k] - counts[k])] -= 1
    return counts
