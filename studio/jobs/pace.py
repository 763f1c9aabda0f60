"""How fast steps go, and how long the rest will take."""

from __future__ import annotations

import time
from collections.abc import Callable

_WEIGHT = 0.2  # of the newest step: about the last ten steps count


class Pace:
    """A smoothed speed: an exponential moving average over the durations of steps.

    The first step is not counted: it holds the warming up (kernels, memory, the prompt's encoding).
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._step: int | None = None
        self._at = 0.0
        self._seconds: float | None = None

    def reached(self, step: int) -> float | None:
        """Step ``step`` is done now; how many seconds it took, None for the first."""
        now, took = self._clock(), None
        if self._step is not None and step > self._step:
            took = (now - self._at) / (step - self._step)
            self._seconds = (
                took if self._seconds is None else self._seconds + _WEIGHT * (took - self._seconds)
            )
        self._step, self._at = step, now
        return took

    @property
    def steps_per_second(self) -> float | None:
        """Steps a second; None until two steps were seen."""
        return 1 / self._seconds if self._seconds else None

    def seconds_left(self, steps: int) -> float | None:
        """Seconds until step ``steps`` is done; None until two steps were seen."""
        if self._seconds is None or self._step is None:
            return None
        return max(0, steps - self._step) * self._seconds
