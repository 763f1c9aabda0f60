"""Jobs: where requests are handed in, watched and cancelled."""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from studio.errors import NotFound, QueueFull
from studio.gallery import Gallery
from studio.jobs.job import Job, JobSnapshot, Kind, State
from studio.jobs.queue import JobQueue, JobRow
from studio.jobs.tally import Tally
from studio.request import GenerationRequest
from studio.sentences import NOTHING, Sentence, say

MAX_WAITING = 200
_REMEMBERED = 200  # ended jobs kept in memory; older ones are read from disk

log = logging.getLogger(__name__)


def new_id() -> str:
    """An id that no job has."""
    return secrets.token_hex(8)


class Jobs:
    """The queue as everyone sees it; durable through JobQueue, worked off by a Worker.

    Any thread may call it. The lock guards memory only and is never held while a disk works.
    """

    def __init__(self, path: Path, gallery: Gallery) -> None:
        self._queue = JobQueue(path)
        self._gallery = gallery
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._submitting = threading.Lock()
        self._waiting: list[Job] = []
        self._running: Job | None = None
        self._ended: OrderedDict[str, Job] = OrderedDict()
        self._listeners: list[Callable[[], None]] = []
        self._version = 0
        self._note = NOTHING
        self.tally = Tally()
        self.closed = False
        self._queue.prune()
        for row in self._queue.unfinished():
            self._waiting.append(self._from_row(row, "queued"))
        self._renumber()

    # -- what everyone may do ------------------------------------------------------------------

    def submit(
        self,
        request: GenerationRequest,
        visitor: str,
        identifier: str | None = None,
        kind: Kind = "pictures",
    ) -> Job:
        """Accept a request: when this returns it is on disk and will be finished or reported.

        ``identifier``: of a job that has ended, or a new one; left out, it is made here. Raises
        QueueFull when too many wait, StorageError when it cannot be written down.
        """
        steps = request.steps_run * request.num_images
        job = Job(
            identifier or new_id(), visitor, request, self._lock, steps=steps, kind=kind
        )  # fmt: skip
        with self._submitting:
            if len(self._waiting) >= MAX_WAITING:
                sentence = say(
                    "{most} jobs are waiting already: try again when some are finished.",
                    most=MAX_WAITING,
                )
                raise QueueFull(sentence)
            self._queue.add(job.id, visitor, request, job.created, kind)
            with self._lock:
                self._ended.pop(job.id, None)
                self._waiting.append(job)
                self._renumber()
        self.tally.accepted()
        log.info("Accepted: %s of %s", kind, request.model, extra={"job": job.id})
        return job

    def get(self, identifier: str) -> Job:
        """The job with this id, ended or not; raises NotFound."""
        with self._lock:
            for job in self._live():
                if job.id == identifier:
                    return job
            if identifier in self._ended:
                return self._ended[identifier]
        row = self._queue.find(identifier)
        if row is None:
            raise NotFound(say("There is no job “{job}”.", job=identifier[:60]))
        return self._from_row(row, row.state)

    def list(self, visitor: str | None = None, active: bool = False) -> list[JobSnapshot]:
        """Jobs of one visitor, or of all: those that have not ended, or the newest hundred."""
        if active:
            with self._lock:
                live = [job.snapshot() for job in self._live()]
            return [job for job in live if visitor in (None, job.visitor)]
        return [self.get(row.id).snapshot() for row in self._queue.latest(visitor, 100)]

    def cancel(self, identifier: str) -> Job:
        """End a job: at once while it waits, within one step while it runs.

        Pictures that are finished stay. Cancelling a job that has ended changes nothing.
        """
        job = self.get(identifier)
        with self._lock:
            if job in self._waiting:
                self._waiting.remove(job)
                self._end(job, "cancelled", None)
            elif job is self._running and not job.sealed:
                job.cancelling = True
                self.update(job, note=say("Stopping"))
            else:
                return job
        self._queue.end(job.id, "cancelled", None, time.time())
        return job

    def wait_change(self, identifier: str, version: int, timeout: float) -> JobSnapshot:
        """The job as soon as its version is above ``version``, or after ``timeout`` seconds."""
        job = self.get(identifier)
        with self._changed:
            self._changed.wait_for(lambda: job.version > version or self.closed, timeout)
            return job.snapshot()

    @contextmanager
    def listening(self, callback: Callable[[], None]) -> Iterator[None]:
        """While the block runs, ``callback`` is called after every change of any job.

        It is called from whatever thread made the change and must return at once.
        """
        with self._lock:
            self._listeners.append(callback)
        try:
            yield
        finally:
            with self._lock:
                self._listeners.remove(callback)

    def requests(self) -> Iterator[str]:
        """The request of every job, ended or not, as JSON."""
        return self._queue.requests()

    @property
    def counts(self) -> dict[str, int]:
        """How many jobs wait and how many run."""
        with self._lock:
            return {"queued": len(self._waiting), "running": int(self._running is not None)}

    # -- what the worker does ------------------------------------------------------------------

    def announce(self, note: Sentence) -> None:
        """What the device is busy with before it can take a job; the next in line shows it."""
        with self._lock:
            self._note = note
            self._renumber()

    def take(
        self, interrupted: Callable[[], bool] = lambda: False, timeout: float | None = None
    ) -> Job | None:
        """The next job, as soon as there is one.

        None when closed, when ``interrupted`` says so (see `wake`), or after ``timeout`` seconds.
        """
        with self._changed:
            self._changed.wait_for(
                lambda: bool(self._waiting) or self.closed or interrupted(), timeout
            )
            if self.closed or not self._waiting or interrupted():
                return None
            job = self._running = self._waiting.pop(0)
            if job.started is None:
                job.started = time.time()
                self.tally.waited(job.started - job.created)
            job.state = "running"
            self._touch(job)
            self._renumber()
        return job

    def wake(self) -> None:
        """Have the worker look whether it is interrupted."""
        with self._changed:
            self._changed.notify_all()

    def note_start(self, job: Job) -> int:
        """Write down that a taken job is being worked on; which attempt this is."""
        return self._queue.take(job.id, job.started or time.time())

    def update(self, job: Job, **changes: object) -> None:
        """Overwrite what is known of a running job."""
        with self._lock:
            for name, value in changes.items():
                setattr(job, name, value)
            self._touch(job)

    def reached(self, job: Job, step: int, steps: int) -> None:
        """A running job has done ``step`` of ``steps``."""
        with self._lock:
            if (took := job.pace.reached(step)) is not None:
                self.tally.stepped(took)
            note = say("Stopping") if job.cancelling else NOTHING
            self.update(job, step=step, steps=steps, note=note)

    def saved(self, job: Job, picture_id: str) -> None:
        """A running job's picture is on disk: now it may be told."""
        with self._lock:
            if picture_id not in job.picture_ids:
                self.update(job, picture_ids=(*job.picture_ids, picture_id))
                self.tally.pictured()
        self._queue.advanced(job.id)

    def framed(self, job: Job, count: int) -> None:
        """So many frames of a running animation are on disk."""
        self.update(job, frames_done=count)
        self.tally.framed()
        self._queue.advanced(job.id)

    def finish(self, job: Job, state: State, error: Sentence | None = None) -> None:
        """The running job has ended. It is told even when the disk refuses to note it."""
        with self._lock:
            job.sealed = True  # from here on a cancel comes too late
            if job.cancelling and state == "done":
                state = "cancelled"
        try:
            self._queue.end(job.id, state, error, time.time())
        finally:
            self._end(job, state, error)

    def put_back(self, job: Job) -> None:
        """The studio stops before the job ended: the next start takes it up again."""
        self._queue.advanced(job.id)

    # -- start and end -------------------------------------------------------------------------

    def close_streams(self) -> None:
        """Wake everyone who waits, for the studio is about to stop; jobs stay as they are."""
        with self._lock:
            self.closed = True
            self._notify()

    def close(self) -> None:
        """Close the file; the worker must have stopped."""
        self.close_streams()
        self._queue.close()

    # -- inside --------------------------------------------------------------------------------

    def _live(self) -> tuple[Job, ...]:
        return (*((self._running,) if self._running else ()), *self._waiting)

    def _end(self, job: Job, state: State, error: Sentence | None) -> None:
        with self._lock:
            job.state, job.error, job.finished = state, error, time.time()
            job.note, job.queue_position, job.preview = NOTHING, None, None
            if self._running is job:
                self._running = None
            self._ended[job.id] = job
            while len(self._ended) > _REMEMBERED:
                self._ended.popitem(last=False)
            self._touch(job)
            self._renumber()
        seconds = None if job.started is None else job.finished - job.started
        self.tally.ended(state, seconds)
        log.info("Ended: %s after %.1f s", state, seconds or 0.0, extra={"job": job.id})

    def _renumber(self) -> None:
        """Queue positions and the waiting note, after the queue or the note has changed."""
        with self._lock:
            for position, job in enumerate(self._waiting, 1):
                note = self._note if position == 1 and self._running is None else NOTHING
                if (job.queue_position, job.note) != (position, note):
                    job.queue_position, job.note = position, note
                    self._touch(job)
            self._notify()

    def _touch(self, job: Job) -> None:
        self._version += 1
        job.version = self._version
        self._notify()

    def _notify(self) -> None:
        with self._lock:
            self._changed.notify_all()
            for callback in tuple(self._listeners):
                callback()

    def _from_row(self, row: JobRow, state: State) -> Job:
        pictures = tuple(picture.id for picture in self._gallery.of_job(row.id))
        steps = row.request.steps_run * row.request.num_images
        return Job(
            row.id, row.visitor, row.request, self._lock,
            state=state, created=row.created, started=row.started, finished=row.finished,
            error=row.error, picture_ids=pictures,
            steps=steps, step=steps if state == "done" else 0, kind=row.kind,
        )  # fmt: skip
