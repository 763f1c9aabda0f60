"""An install as others see it, and as the thread that does it keeps it."""

from __future__ import annotations

import secrets
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Literal

from studio.models.base import Kind
from studio.models.hub.address import Address
from studio.models.hub.plan import Plan
from studio.models.hub.staging import Place
from studio.models.hub.talk import Conversation
from studio.sentences import Sentence

DownloadState = Literal[
    "queued", "asking", "downloading", "checking", "done", "failed", "cancelled"
]
ACTIVE = ("queued", "asking", "downloading", "checking")
_WINDOW = 5.0  # seconds that the speed is measured over


@dataclass(frozen=True)
class Download:
    """An install as it is at one moment. Sizes in bytes, ``speed`` in bytes per second.

    ``name``, ``kind`` and ``total`` are known once the hub was asked. A cancelled or failed one
    keeps what came: started again, it goes on from ``done``. ``where`` is set when it is done.
    """

    id: str
    repo_id: str
    file: str | None
    name: str | None
    kind: Kind | None
    state: DownloadState
    done: int
    total: int
    speed: float | None
    seconds_left: float | None
    error: Sentence | None
    where: str | None


@dataclass
class Run:
    """One try at an install; a stopped one changes nothing any more."""

    stopped: bool = False
    talk: Conversation | None = None


@dataclass
class Entry:
    """An install from its first order to its end, through all its runs."""

    address: Address
    plan: Plan | None = None
    state: DownloadState = "queued"
    done: int = 0
    error: Sentence | None = None
    where: str | None = None
    id: str = field(default_factory=lambda: secrets.token_hex(6))
    run: Run = field(default_factory=Run)
    pace: deque[tuple[float, int]] = field(default_factory=deque)

    @classmethod
    def left(cls, place: Place) -> Entry:
        """What an earlier run left half done."""
        address = Address(place.plan.repo_id, place.plan.revision, place.plan.origin)
        return cls(address, place.plan, "cancelled", place.kept())

    def came(self, done: int) -> None:
        """Note how many bytes are there now."""
        now = time.monotonic()
        self.done = done
        self.pace.append((now, done))
        while self.pace[0][0] < now - _WINDOW:
            self.pace.popleft()

    def snapshot(self) -> Download:
        """The install at this moment."""
        plan, speed = self.plan, self._speed()
        total = plan.total if plan else 0
        left = (total - self.done) / speed if speed else None
        return Download(
            self.id, self.address.repo_id, self.address.file, plan.name if plan else None,
            plan.kind if plan else None, self.state, self.done, total, speed, left,
            self.error, self.where,
        )  # fmt: skip

    def _speed(self) -> float | None:
        """Bytes per second over the last seconds; None while that says nothing."""
        if len(self.pace) < 2:
            return None
        (begin, first), (end, last) = self.pace[0], self.pace[-1]
        return (last - first) / (end - begin) if end - begin > 0.5 and last > first else None
