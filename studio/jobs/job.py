"""A job: one request on its way to pictures."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import Literal

from studio.jobs.pace import Pace
from studio.request import GenerationRequest
from studio.sentences import NOTHING, Sentence

State = Literal["queued", "running", "done", "failed", "cancelled"]
Kind = Literal["pictures", "animation"]
"""What a job makes: pictures for the gallery, or the frames of an animation with its id."""
ENDED: tuple[State, ...] = ("done", "failed", "cancelled")


@dataclass(frozen=True)
class JobSnapshot:
    """A job as it was at one moment; ``version`` grows whenever anything of it changes.

    ``step`` of ``steps`` counts over all pictures; ``queue_position`` is 1 for the next in line and
    None when the job does not wait; ``note`` says in words what is being waited for. An animation
    has ``frames_done`` in place of pictures.
    """

    id: str
    visitor: str
    request: GenerationRequest
    state: State
    step: int
    steps: int
    seconds_left: float | None
    steps_per_second: float | None
    note: Sentence
    queue_position: int | None
    error: Sentence | None
    picture_ids: tuple[str, ...]
    preview_version: int
    version: int
    created: float
    started: float | None
    finished: float | None
    kind: Kind = "pictures"
    frames_done: int = 0

    @property
    def ended(self) -> bool:
        """Whether nothing of this job will change any more."""
        return self.state in ENDED


@dataclass(eq=False)
class Job:
    """A job while it lives. Only Jobs and its worker write to it, under ``lock``."""

    id: str
    visitor: str
    request: GenerationRequest
    lock: threading.RLock = field(repr=False)
    state: State = "queued"
    created: float = field(default_factory=time.time)
    started: float | None = None
    finished: float | None = None
    error: Sentence | None = None
    note: Sentence = NOTHING
    step: int = 0
    steps: int = 0
    pace: Pace = field(default_factory=Pace, repr=False)
    queue_position: int | None = None
    picture_ids: tuple[str, ...] = ()
    preview: bytes | None = field(default=None, repr=False)
    preview_version: int = 0
    version: int = 0
    cancelling: bool = False
    sealed: bool = False
    kind: Kind = "pictures"
    frames_done: int = 0

    def snapshot(self) -> JobSnapshot:
        """All of it as it is now, never to change again."""
        with self.lock:
            running = self.state == "running"
            return JobSnapshot(
                id=self.id,
                visitor=self.visitor,
                request=self.request,
                state=self.state,
                step=self.step,
                steps=self.steps,
                seconds_left=self.pace.seconds_left(self.steps) if running else None,
                steps_per_second=self.pace.steps_per_second,
                note=self.note,
                queue_position=self.queue_position,
                error=self.error,
                picture_ids=self.picture_ids,
                preview_version=self.preview_version,
                version=self.version,
                created=self.created,
                started=self.started,
                finished=self.finished,
                kind=self.kind,
                frames_done=self.frames_done,
            )
