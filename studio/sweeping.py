"""Sources that nothing refers to any more are deleted: at start, and once a day."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Iterator

from studio.errors import StudioError
from studio.sources import Sources

KEPT_SECONDS = 7 * 24 * 3600.0
"""So long a source stays that nobody used: it may be in a draft that only a page knows."""
_DAY = 24 * 3600.0
_HASH = re.compile(r"\b[0-9a-f]{64}\b")

log = logging.getLogger(__name__)

Texts = Callable[[], Iterator[str]]
"""What refers to sources: requests as JSON, or any text in which their hashes stand."""


def sweep(sources: Sources, referring: Texts, now: float | None = None) -> int:
    """Delete what nothing refers to and nobody used for a week; how many pictures that were.

    The old ones are listed before it is asked what is referred to, and one that is used meanwhile
    is old no more: so nothing is lost whose name comes in while this runs. Raises StorageError.
    """
    before = (time.time() if now is None else now) - KEPT_SECONDS
    unused = set(sources.unused_since(before))
    if not unused:
        return 0
    for text in referring():
        unused.difference_update(_HASH.findall(text))
    return sum(sources.remove(digest, before) for digest in unused)


class Sweeper:
    """A thread that sweeps at start and then daily, until it is closed."""

    def __init__(self, sources: Sources, referring: Texts) -> None:
        self._sources, self._referring = sources, referring
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="studio-sweeper", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """Ask for the end, and wait for what is being deleted."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join(1)

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                if count := sweep(self._sources, self._referring):
                    log.info("%d pictures that nothing refers to were deleted", count)
            except StudioError as error:
                log.warning("Unused pictures could not be deleted: %s", error)
            self._closing.wait(_DAY)
