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
from itertools import pairwise

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

Leap = tuple[float, float]
"""Two places right beside each other that look far apart."""

_FINE = 4  # places to choose from for every step
_PLACES = 4000  # of a leg, about, at most
_REACH = 12  # how many wanted steps long one step may be, in places
_ROUNDS = 4


def chosen(
    places: Sequence[float],
    pictures: Sequence[Array],
    wanted: Sequence[float],
    leaps: Sequence[Leap] = (),
) -> tuple[float, ...]:
    """Places for frames that should be ``wanted`` shares of what happens along a leg.

    ``places``: of the probes, from 0 to 1, ascending; ``pictures``: theirs, as vectors. ``wanted``:
    from 0, never falling, below 1; the end of the leg follows them. The first place is 0. Where a
    place lies within one of the ``leaps``, so do both of its ends among the places.
    """
    at, seen = _finer(places, pictures, len(wanted))
    steps = np.diff([*wanted, 1.0])
    reach = min(len(at) - 1, max(1, -(-len(at) * _REACH // len(wanted))))
    distances = _distances(seen, reach)
    _close(distances, at, leaps)
    length = float(distances[1][:-1].sum())
    path = np.zeros(len(wanted), dtype=np.int64)
    for _ in range(_ROUNDS):
        path = _path(distances, length * steps)
        length = sum(
            distances[right - left][left] for left, right in pairwise([*path, len(at) - 1])
        )
    return tuple(float(at[place]) for place in path)


def _finer(
    places: Sequence[float], pictures: Sequence[Array], frames: int
) -> tuple[Array, list[Array]]:
    """More places than the probes': between two of them a picture is taken for their mixture."""
    apart = [_apart(one, other) for one, other in pairwise(pictures)]
    fine = min(_FINE * frames, _PLACES) / (sum(apart) or 1.0)
    at, seen = [], []
    for (left, right), (one, other), far in zip(
        pairwise(places), pairwise(pictures), apart, strict=True
    ):
        parts = max(1, round(far * fine))
        for part in range(parts):
            share = part / parts
            at.append(left + (right - left) * share)
            seen.append(one + (other - one) * share)
    return np.array([*at, places[-1]]), [*seen, pictures[-1]]


def _apart(one: Array, other: Array) -> float:
    return float(np.sqrt(np.mean((other - one) ** 2)))


def _close(distances: Sequence[Array], at: Array, leaps: Sequence[Leap]) -> None:
    """No step may go into a leap, or out of it, but over its end: both are mixed there."""
    for low, high in leaps:
        inside, first, last = (at > low) & (at < high), at < low, at > high
        for far in range(2, len(distances)):
            into, out = first[:-far] & inside[far:], inside[:-far] & last[far:]
            distances[far][:-far][into | out] = np.inf


def _distances(seen: Sequence[Array], reach: int) -> list[Array]:
    """``[k][j]``: from place j to place j + k, root mean square; infinite beyond the end."""
    stacked = np.stack(seen).astype(np.float32)
    rows = [np.zeros(len(stacked))]
    for far in range(1, reach + 1):
        apart = np.full(len(stacked), np.inf)
        apart[:-far] = np.sqrt(np.mean((stacked[far:] - stacked[:-far]) ** 2, axis=1))
        rows.append(apart)
    return rows


def _path(distances: Sequence[Array], steps: Array) -> npt.NDArray[np.int64]:
    """Where each step begins, from the first place to the last, with the least squared error."""
    count = len(distances[0])
    cost = np.full(count, np.inf)
    cost[0] = 0.0
    came: list[npt.NDArray[np.int64]] = []
    for step in steps:
        best, how = np.full(count, np.inf), np.zeros(count, dtype=np.int64)
        for far, apart in enumerate(distances):
            reached = cost[: count - far] + (apart[: count - far] - step) ** 2
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
