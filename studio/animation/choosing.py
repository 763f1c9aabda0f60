"""Which places of a leg become its frames, so that every step looks as large as it should. Pure.

Adding up what differs between probes and dividing it evenly is not enough: distances of pictures do
not add up (what flickers comes back, what turns over does so at once), and the largest step is what
is seen. Where pictures leap, however near their places are, nothing lies between but a mixture of
the two: so many frames are mixed there as the leap needs to look no larger than the other steps.

So the frames are chosen among many places, by the distances between those themselves: the
path whose steps come closest to the wanted ones, by dynamic programming (Bellman 1957).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]
Pictures = npt.NDArray[np.float32]
"""One picture a row."""

Leap = tuple[float, float]
"""Two places right beside each other that look far apart."""

_FINE = 4  # places to choose from for every step
_PLACES = 4000  # of a leg, about, at most
_REACH = 12  # how many wanted steps long one step may be, in places
_ROUNDS = 3  # what a path's steps should be depends on its length, and its length on them
_STARTS = (1.0, 0.75, 0.5)  # of the length through every place, which no path with fewer has


def apart(pictures: Pictures) -> Array:
    """How different each picture is from the next: root mean square of what differs."""
    found: Array = np.sqrt(np.mean(np.diff(pictures, axis=0) ** 2, axis=1, dtype=np.float64))
    return found


def chosen(
    places: Array, pictures: Pictures, wanted: Sequence[float], leaps: Sequence[Leap] = ()
) -> tuple[float, ...]:
    """Places for frames that should be ``wanted`` shares of what happens along a leg.

    ``places``: of the probes, from 0 to 1, ascending; ``pictures``: theirs. ``wanted``: from 0,
    never falling, below 1; the end of the leg follows them. The first place is 0. Where a place
    lies within one of the ``leaps``, so do both of its ends among the places.
    """
    finer = _finer(places, apart(pictures), len(wanted))
    steps = np.diff([*wanted, 1.0])
    last = len(finer.at) - 1
    reach = min(last, max(1, -(-len(finer.at) * _REACH // len(wanted))))
    distances = _distances(finer, pictures, reach)
    _close(distances, finer.at, leaps)
    least, path = np.inf, np.zeros(len(wanted), dtype=np.int64)
    for start in _STARTS:
        length = start * float(distances[1][:-1].sum())
        for _ in range(_ROUNDS):
            tried = _path(distances, length * steps)
            ends = pairwise([*tried, last])
            made = np.array([distances[right - left][left] for left, right in ends])
            length = float(made.sum())
            uneven = float(np.sum((made - length * steps) ** 2)) / length**2
            if uneven < least:
                least, path = uneven, tried
    return tuple(float(finer.at[place]) for place in path)


@dataclass(frozen=True)
class _Places:
    """Where one may choose: ``at`` is ``share`` of the way from a probe to the next one."""

    at: Array
    probe: Indices
    share: Array


def _finer(places: Array, far: Array, frames: int) -> _Places:
    """More places than the probes': between two of them a picture is taken for their mixture."""
    parts = np.maximum(1, np.rint(far * min(_FINE * frames, _PLACES) / (far.sum() or 1.0)))
    probe = np.repeat(np.arange(len(parts)), parts.astype(np.int64))
    share = np.concatenate([np.arange(count) / count for count in parts])
    at = places[probe] + (places[probe + 1] - places[probe]) * share
    return _Places(
        np.append(at, places[-1]), np.append(probe, len(parts) - 1), np.append(share, 1.0)
    )


def _distances(finer: _Places, pictures: Pictures, reach: int) -> list[Array]:
    """``[k][j]``: from place j to place j + k, root mean square; infinite beyond the end.

    Mixtures are told by the products of what they are mixed from, so that none has to be made.
    """
    centred = pictures - pictures.mean(axis=0)
    products = (centred @ centred.T).astype(np.float64) / centred.shape[1]
    every = np.arange(len(finer.at))

    def product(one: Indices, other: Indices) -> Array:
        i, s, j, t = finer.probe[one], finer.share[one], finer.probe[other], finer.share[other]
        left = (1 - s) * products[i, j] + s * products[i + 1, j]
        right = (1 - s) * products[i, j + 1] + s * products[i + 1, j + 1]
        mixed: Array = (1 - t) * left + t * right
        return mixed

    own = product(every, every)
    rows = [np.zeros(len(every))]
    for far in range(1, reach + 1):
        one, other = every[:-far], every[far:]
        squares = own[one] + own[other] - 2 * product(one, other)
        rows.append(np.append(np.sqrt(np.maximum(squares, 0.0)), np.full(far, np.inf)))
    return rows


def _close(distances: Sequence[Array], at: Array, leaps: Sequence[Leap]) -> None:
    """No step may go into a leap, or out of it, but over its end: both are mixed there."""
    for low, high in leaps:
        inside, first, last = (at > low) & (at < high), at < low, at > high
        for far in range(2, len(distances)):
            into, out = first[:-far] & inside[far:], inside[:-far] & last[far:]
            distances[far][:-far][into | out] = np.inf


def _path(distances: Sequence[Array], steps: Array) -> Indices:
    """Where each step begins, from the first place to the last, with the least squared error."""
    count = len(distances[0])
    cost = np.full(count, np.inf)
    cost[0] = 0.0
    came: list[Indices] = []
    for step in steps:
        best, how = np.full(count, np.inf), np.zeros(count, dtype=np.int64)
        for far, row in enumerate(distances):
            reached = cost[: count - far] + (row[: count - far] - step) ** 2
            better = reached < best[far:]
            best[far:][better] = reached[better]
            how[far:][better] = far
        came.append(how)
        cost = best
    at, path = count - 1, []
    for how in reversed(came):
        at -= how[at]
        path.append(at)
    return np.array(path[::-1])
