"""A short list of named things in one JSON file: a person's own styles, a person's presets."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Generic, Protocol, TypeVar

from studio.errors import InvalidRequest
from studio.sentences import say
from studio.storage import write_whole

MAX_KEPT: Final = 2000

log = logging.getLogger(__name__)


class _Named(Protocol):
    @property
    def id(self) -> str:
        """What it is known by."""


Thing = TypeVar("Thing", bound=_Named)


class Shelf(Generic[Thing]):
    """Things by their ids, in the order in which they came; each change is on disk at once.

    ``read`` makes a thing of an object of the file and raises ValueError, TypeError or KeyError
    when it cannot; ``write`` is its reverse. Any thread may call it. Raises StorageError.
    """

    def __init__(
        self,
        path: Path,
        read: Callable[[Mapping[str, Any]], Thing],
        write: Callable[[Thing], Mapping[str, Any]],
    ) -> None:
        self._path, self._read, self._write = path, read, write
        self._lock = threading.Lock()
        self._things = self._stored()

    def list(self) -> list[Thing]:
        """All of them."""
        return list(self._things.values())

    def get(self, identifier: str) -> Thing | None:
        """The one by that id."""
        return self._things.get(identifier)

    def put(self, things: Sequence[Thing]) -> None:
        """Keep these, in place of those that have their ids. Raises InvalidRequest for too many."""
        with self._lock:
            after = {**self._things, **{thing.id: thing for thing in things}}
            if len(after) > MAX_KEPT:
                raise InvalidRequest.of(
                    "name",
                    say(
                        "At most {most:,} are kept; delete some that you do not use.",
                        most=MAX_KEPT,
                    ),
                )
            self._store(after)

    def remove(self, identifier: str) -> bool:
        """Let one go; whether it was there."""
        with self._lock:
            after = dict(self._things)
            there = after.pop(identifier, None) is not None
            if there:
                self._store(after)
            return there

    def _store(self, things: dict[str, Thing]) -> None:
        rows = [self._write(thing) for thing in things.values()]
        write_whole(self._path, json.dumps(rows, ensure_ascii=False, indent=1).encode())
        self._things = things

    def _stored(self) -> dict[str, Thing]:
        """What is in the file; one that cannot be read is put aside, so that nothing is lost."""
        try:
            rows = json.loads(self._path.read_text("utf-8"))
            return {thing.id: thing for thing in map(self._read, rows)}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
            aside = self._path.with_name(f"{self._path.name}.broken-{int(time.time())}")
            log.warning("%s cannot be read (%s); it is kept as %s", self._path, error, aside.name)
            self._path.replace(aside)
            return {}
