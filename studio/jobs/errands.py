"""Errands: small things that only the worker's thread may do, such as loading a model."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

Result = TypeVar("Result")


class Errands:
    """What the worker is asked to do between two jobs, in the order it was asked."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[tuple[Callable[[], Any], Future[Any]]] = deque()
        self._closed = False

    def add(self, do: Callable[[], Result]) -> Future[Result]:
        """Ask for it; the future has its result or its error. Cancelled once closed."""
        future: Future[Result] = Future()
        with self._lock:
            if self._closed:
                future.cancel()
            else:
                self._waiting.append((do, future))
        return future

    def waiting(self) -> bool:
        """Whether there is something to do."""
        return bool(self._waiting)

    def run(self) -> None:
        """Do all that waits; an error goes to whoever asked."""
        while self._waiting:
            do, future = self._waiting.popleft()
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(do())
            except BaseException as error:
                future.set_exception(error)

    def close(self) -> None:
        """Whatever waits will not be done any more, and those who wait for it are told."""
        with self._lock:
            self._closed = True
            while self._waiting:
                self._waiting.popleft()[1].cancel()
