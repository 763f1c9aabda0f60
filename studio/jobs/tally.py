"""What has been done since the start, in numbers: for those who watch over a studio."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

_WAITS = (0.1, 0.5, 1, 5, 15, 60, 300, 1800)
_STEPS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_JOBS = (0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200)


class Spread:
    """Durations in seconds, counted by upper bounds. For one lock's holder."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = (*bounds, float("inf"))
        self._counts = [0] * len(self._bounds)
        self._sum = 0.0

    def add(self, seconds: float) -> None:
        """Count one duration."""
        self._sum += seconds
        self._counts[next(at for at, most in enumerate(self._bounds) if seconds <= most)] += 1

    def now(self) -> SpreadNow:
        """How it stands: for each bound, how many were at most so long."""
        total, rows = 0, []
        for bound, count in zip(self._bounds, self._counts, strict=True):
            total += count
            rows.append((bound, total))
        return SpreadNow(tuple(rows), self._sum)


@dataclass(frozen=True)
class SpreadNow:
    """``counts``: upper bound in seconds, how many were at most so long. ``sum`` of all seconds."""

    counts: tuple[tuple[float, int], ...]
    sum: float

    @property
    def count(self) -> int:
        """How many there were."""
        return self.counts[-1][1]


@dataclass(frozen=True)
class TallyNow:
    """A tally at one moment: ``ended`` by state; durations in seconds."""

    accepted: int
    ended: dict[str, int]
    pictures: int
    frames: int
    wait: SpreadNow
    step: SpreadNow
    job: SpreadNow


@dataclass
class Tally:
    """Counted by `Jobs`. Any thread may call it."""

    _lock: threading.Lock = field(default_factory=threading.Lock)
    _accepted: int = 0
    _ended: Counter[str] = field(default_factory=Counter)
    _pictures: int = 0
    _frames: int = 0
    _wait: Spread = field(default_factory=lambda: Spread(_WAITS))
    _step: Spread = field(default_factory=lambda: Spread(_STEPS))
    _job: Spread = field(default_factory=lambda: Spread(_JOBS))

    def accepted(self) -> None:
        """A job was handed in."""
        with self._lock:
            self._accepted += 1

    def waited(self, seconds: float) -> None:
        """A job was begun so long after it was handed in."""
        with self._lock:
            self._wait.add(seconds)

    def stepped(self, seconds: float) -> None:
        """A step took so long."""
        with self._lock:
            self._step.add(seconds)

    def pictured(self) -> None:
        """A picture was saved."""
        with self._lock:
            self._pictures += 1

    def framed(self) -> None:
        """A frame of an animation was saved."""
        with self._lock:
            self._frames += 1

    def ended(self, state: str, seconds: float | None) -> None:
        """A job ended; ``seconds`` since it was begun, None when it never was."""
        with self._lock:
            self._ended[state] += 1
            if seconds is not None:
                self._job.add(seconds)

    def now(self) -> TallyNow:
        """All of it."""
        with self._lock:
            return TallyNow(
                self._accepted, dict(self._ended), self._pictures, self._frames,
                self._wait.now(), self._step.now(), self._job.now(),
            )  # fmt: skip
