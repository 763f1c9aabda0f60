"""Jobs that are animations: what comes before and after the painting of their frames."""

from __future__ import annotations

from studio.animation.film import write_film
from studio.animation.reel import Reel, Reels
from studio.jobs.job import Job
from studio.jobs.jobs import Jobs
from studio.sentences import say
from studio.sources import Sources
from studio.storage import remove_leftovers


class Filming:
    """Finds the frames of a job and makes the film. In the worker's thread."""

    def __init__(self, jobs: Jobs, reels: Reels, sources: Sources) -> None:
        self._jobs, self._reels, self._sources = jobs, reels, sources

    def begin(self, job: Job) -> Reel:
        """The job's animation, with the frames that are there already. Raises NotFound."""
        reel = self._reels.get(job.id)
        remove_leftovers(reel.film.parent)
        self._jobs.update(job, frames_done=len(reel.there()))
        return reel

    def finish(self, job: Job, reel: Reel) -> None:
        """Make a film of the frames from the first to the first that is missing, if there is one.

        Raises StorageError, and InvalidRequest when its sound is not kept any more.
        """
        there = reel.there()
        self._jobs.update(job, frames_done=len(there))
        if 0 in there:
            self._jobs.update(job, note=say("Making the film"))
            digest = reel.animation.sound
            sound = self._sources.sound(digest, "sound") if digest else None
            write_film(reel.film, reel.pictures, reel.animation, sound)
