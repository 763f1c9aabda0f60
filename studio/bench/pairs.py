"""Two ways to paint side by side: they take turns, so that a drifting machine slows both alike."""

from __future__ import annotations

import statistics
from dataclasses import dataclass

import torch

from studio.bench.likeness import ssim
from studio.bench.meters import Peak
from studio.bench.ways import Painted, Way
from studio.models.freeing import free_memory
from studio.request import GenerationRequest

_WARM_UP = 2  # steps


@dataclass(frozen=True)
class Cost:
    """Medians over the rounds; ``peak``: bytes of weights and work, None where not to be told."""

    seconds: float
    step_seconds: float
    peak: int | None


@dataclass(frozen=True)
class Pair:
    """The studio against another way; ``ratio`` below 1: the studio is faster.

    ``ratio`` is the median of the rounds' own ratios. ``alike``: the lowest structural similarity
    of their pictures, None when the other way makes none.
    """

    ours: Cost
    theirs: Cost
    ratio: float
    alike: float | None


def compare(
    ours: Way, theirs: Way, request: GenerationRequest, rounds: int, device: torch.device
) -> Pair:
    """Paint ``request`` both ways, ``rounds`` times each after a warm-up, the first by turns."""
    ways = (ours, theirs)
    for way in ways:  # whatever is compiled, cached or chosen on the first call
        way.paint(request.model_copy(update={"num_inference_steps": _WARM_UP}))
    turns: list[tuple[_Turn, _Turn]] = []
    for number in range(rounds):
        order = (0, 1) if number % 2 == 0 else (1, 0)
        taken = {which: _take(ways[which], request, device) for which in order}
        turns.append((taken[0], taken[1]))
    pictures = [zip(a.painted.pictures, b.painted.pictures, strict=False) for a, b in turns[-1:]]
    alike = [ssim(left, right) for both in pictures for left, right in both]
    return Pair(
        _cost([a for a, _ in turns], ours.weights),
        _cost([b for _, b in turns], theirs.weights),
        statistics.median(a.painted.seconds / b.painted.seconds for a, b in turns),
        min(alike) if alike else None,
    )


@dataclass(frozen=True)
class _Turn:
    painted: Painted
    rise: int | None


def _take(way: Way, request: GenerationRequest, device: torch.device) -> _Turn:
    free_memory(device)  # so that the other way's leavings are not used in this one's favour
    peak = Peak(device)
    painted = way.paint(request)
    return _Turn(painted, peak.rise())


def _cost(turns: list[_Turn], weights: int) -> Cost:
    rises = [turn.rise for turn in turns if turn.rise is not None]
    return Cost(
        statistics.median(turn.painted.seconds for turn in turns),
        statistics.median(turn.painted.step_seconds for turn in turns),
        weights + max(rises) if rises else None,
    )
