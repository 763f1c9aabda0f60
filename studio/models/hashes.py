"""SHA-256 of models, in the background: one thread that gives way to everything else.

Hashing reads whole files, so it is done once a file (see `studio.models.ledger`), the models in use
first and then the small ones. No torch here.
"""

from __future__ import annotations

import hashlib
import logging
import os
import sys
import threading
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from studio.models.ledger import Ledger, Stamp, stamp_of

CHUNK = 4_000_000  # bytes: a stop takes no longer than this

log = logging.getLogger(__name__)

Wanted = tuple[Stamp, tuple[Path, ...]]
"""Files whose bytes, one after another, are to be hashed, and how they were found."""


class Hashes:
    """What is known, and the thread that finds out the rest once it is started."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._state = threading.Condition()
        self._waiting: dict[Stamp, tuple[Path, ...]] = {}
        self._first: list[Stamp] = []
        self._failed: set[Stamp] = set()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="studio-hashes", daemon=True)

    def known(self, stamp: Stamp) -> str | None:
        """The SHA-256 of unchanged files in 64 hexadecimal digits; None when it is not known."""
        return self._ledger.sha256(stamp)

    def offer(self, wanted: Iterable[Wanted]) -> None:
        """All that there is to hash, in place of what was offered before."""
        waiting = {
            stamp: files
            for stamp, files in wanted
            if stamp not in self._failed and self.known(stamp) is None
        }
        with self._state:
            self._waiting = waiting
            self._state.notify_all()

    def first(self, files: Sequence[Path]) -> None:
        """Hash these before all others."""
        stamp = stamp_of(files)
        if stamp is None or stamp in self._failed or self.known(stamp) is not None:
            return
        with self._state:
            self._waiting[stamp] = tuple(files)
            self._first.append(stamp)
            self._state.notify_all()

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def stop(self, timeout: float = 1.0) -> None:
        """End, in the middle of a file if need be; that file is begun anew at the next start."""
        with self._state:
            self._stopping = True
            self._state.notify_all()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def settled(self, timeout: float) -> bool:
        """Wait until nothing is left to hash; whether that came in time."""
        with self._state:
            return self._state.wait_for(lambda: not self._waiting, timeout)

    def _run(self) -> None:
        _give_way()
        while (wanted := self._next()) is not None:
            stamp, files = wanted
            value = self._hash(stamp, files)
            if value is not None:
                self._ledger.keep_sha256(stamp, value)
            with self._state:
                if self._stopping:
                    return
                if value is None:
                    self._failed.add(stamp)
                self._waiting.pop(stamp, None)
                self._state.notify_all()

    def _next(self) -> Wanted | None:
        """What to hash now, waiting for it; None at the end."""
        with self._state:
            self._state.wait_for(lambda: self._stopping or bool(self._waiting))
            if self._stopping:
                return None
            while self._first:
                stamp = self._first.pop()
                if stamp in self._waiting:
                    return stamp, self._waiting[stamp]
            return min(self._waiting.items(), key=lambda each: each[0].size)

    def _hash(self, stamp: Stamp, files: Sequence[Path]) -> str | None:
        """The SHA-256 of files; None when they change meanwhile, cannot be read, or at the end."""
        digest = hashlib.sha256()
        buffer = memoryview(bytearray(CHUNK))
        try:
            for path in files:
                with path.open("rb", buffering=0) as file:
                    while count := file.readinto(buffer):
                        digest.update(buffer[:count])
                        if self._stopping:
                            return None
        except OSError as error:
            log.warning("%s cannot be hashed: %s", files[0], error)
            return None
        return digest.hexdigest() if stamp_of(files) == stamp else None


def _give_way() -> None:
    """Let the system prefer every other thread, where it can tell threads apart (Linux)."""
    if sys.platform == "linux":
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 19)
