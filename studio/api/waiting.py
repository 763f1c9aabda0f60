"""Waiting for what the worker's thread does between two jobs."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from typing import TypeVar

from studio.errors import StudioError
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
