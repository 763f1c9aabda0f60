"""Waiting for a job's end on an event loop, without a thread."""

from __future__ import annotations

import asyncio

from studio.errors import StudioError
from studio.jobs.job import Job, JobSnapshot
from studio.jobs.jobs import Jobs
from studio.sentences import say


async def ended(jobs: Jobs, job: Job) -> JobSnapshot:
    """The job once it has ended. Raises StudioError when the studio stops before that.

    The job goes on when the caller goes away.
    """
    loop, changed = asyncio.get_running_loop(), asyncio.Event()
    with jobs.listening(lambda: wake(loop, changed)):
        while True:
            changed.clear()
            now = job.snapshot()
            if now.ended:
                return now
            if jobs.closed:
                raise StudioError(say("The studio is stopping."))
            await changed.wait()


def wake(loop: asyncio.AbstractEventLoop, changed: asyncio.Event) -> None:
    """Set an event of another thread's loop, unless that has ended."""
    if not loop.is_closed():
        loop.call_soon_threadsafe(changed.set)
