"""Waiting, without a thread, for a job or for what the worker does between two."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from typing import TypeVar

from studio.errors import StudioError
from studio.jobs import Job, Jobs, JobSnapshot
from studio.sentences import say

Result = TypeVar("Result")


async def done(future: Future[Result]) -> Result:
    """The future's result, without a thread; a studio that stops meanwhile is said to."""
    try:
        return await asyncio.wrap_future(future)
    except asyncio.CancelledError:
        if not future.cancelled():  # it was the caller who went away
            raise
        raise StudioError(say("The studio is stopping.")) from None


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
