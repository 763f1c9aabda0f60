"""Animations as everyone sees them: handed in, watched, stopped, resumed, deleted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from studio.animation.reading import read_animation
from studio.animation.reel import Reel, Reels
from studio.errors import NotFound, StudioError
from studio.jobs import Job, Jobs, JobSnapshot
from studio.jobs.jobs import new_id
from studio.request import GenerationRequest
from studio.sentences import say

Complete = Callable[[Mapping[str, Any], str], GenerationRequest]
"""Values and a visitor -> a request with all that the studio finds out; raises InvalidRequest."""

WithSound = Callable[[Mapping[str, Any]], Mapping[str, Any]]
"""Values -> the same with a sound that was given kept, and its hash in its place."""


@dataclass(frozen=True)
class Shown:
    """An animation and its job; None where that ended so long ago that it is forgotten."""

    reel: Reel
    job: JobSnapshot | None


class Animating:
    """An animation is a job with a folder of the same id. Any thread may call it."""

    def __init__(self, reels: Reels, jobs: Jobs, complete: Complete, with_sound: WithSound) -> None:
        self._reels, self._jobs = reels, jobs
        self._complete, self._with_sound = complete, with_sound

    def submit(self, values: Mapping[str, Any], visitor: str) -> Job:
        """Queue the animation that ``values`` ask for; when this returns it is on the disk.

        Raises InvalidRequest, QueueFull, StorageError; then nothing is queued, and nothing kept.
        """
        values = self._with_sound(values)
        animation = read_animation(values, lambda given: self._complete(given, visitor))
        reel = self._reels.begin(new_id(), animation, visitor)
        try:
            reel.check_room()
            return self._queue(reel)
        except StudioError:
            self._reels.remove(reel.id)
            raise

    def get(self, identifier: str) -> Shown:
        """An animation as it is now. Raises NotFound."""
        return self._shown(self._reels.get(identifier))

    def list(self, visitor: str) -> list[Shown]:
        """A visitor's animations, newest first."""
        return [self._shown(reel) for reel in self._reels.of(visitor)]

    def resume(self, identifier: str) -> Shown:
        """Go on at the first frame that is missing; what waits, runs or is whole stays as it is.

        Raises NotFound, QueueFull, StorageError.
        """
        shown = self.get(identifier)
        active = shown.job is not None and not shown.job.ended
        if not active and not is_whole(shown.reel):
            shown.reel.check_room()
            self._queue(shown.reel)
        return self.get(identifier)

    def stop(self, identifier: str) -> Shown:
        """End it within one step; its frames stay, and a film is made of them. Raises NotFound."""
        if self.get(identifier).job is not None:
            self._jobs.cancel(identifier)
        return self.get(identifier)

    def remove(self, identifier: str) -> None:
        """Delete it with its frames, once it has ended. Raises NotFound, StudioError."""
        job = self.get(identifier).job
        if job is not None and not job.ended:
            raise StudioError(say("This animation is being made: stop it before you delete it."))
        self._reels.remove(identifier)

    def texts(self) -> Iterator[str]:
        """What every animation was asked for, as JSON: the pictures it needs are named there."""
        return self._reels.texts()

    def _queue(self, reel: Reel) -> Job:
        return self._jobs.submit(reel.animation.common, reel.visitor, reel.id, "animation")

    def _shown(self, reel: Reel) -> Shown:
        try:
            return Shown(reel, self._jobs.get(reel.id).snapshot())
        except NotFound:
            return Shown(reel, None)


def is_whole(reel: Reel) -> bool:
    """Whether all frames are there, and the film."""
    return len(reel.there()) == reel.frames_total and reel.film.is_file()
