"""What is remembered of model files between runs: their SHA-256, and what they were found to be.

A file is the same as long as its path, size and time of change are. No torch here.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from studio.errors import StorageError
from studio.storage import Database

_SCHEMA = """
CREATE TABLE IF NOT EXISTS hashes (
    path BLOB PRIMARY KEY, size INTEGER NOT NULL, changed INTEGER NOT NULL, sha256 TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS kinds (
    path BLOB PRIMARY KEY, size INTEGER NOT NULL, changed INTEGER NOT NULL,
    reader TEXT NOT NULL, content TEXT NOT NULL
);
"""

log = logging.getLogger(__name__)


class Stamp(NamedTuple):
    """A file at one moment; ``changed`` is its time of change in nanoseconds.

    ``path`` is in bytes, since a file's name need not be text.
    """

    path: bytes
    size: int
    changed: int


def stamp_of(files: Sequence[Path]) -> Stamp | None:
    """The stamp of one file, or of several that belong together; None when one is not there."""
    try:
        found = [path.stat() for path in files]
    except OSError:
        return None
    if not found:
        return None
    changed = max(each.st_mtime_ns for each in found)
    return Stamp(os.fsencode(files[0]), sum(each.st_size for each in found), changed)


class Ledger:
    """The memory, in SQLite at ``path`` or, when that is None, for this run alone.

    ``reader`` names the code that recognises files: what other code found out is not believed.
    Any thread may call it. A disk that refuses costs the memory of this run only. Raises
    StorageError when it cannot be opened at all.
    """

    def __init__(self, path: Path | None = None, reader: str = "") -> None:
        self._database = Database(path, _SCHEMA) if path else None
        self._reader = reader
        self._lock = threading.Lock()
        self._hashes: dict[bytes, tuple[Stamp, str]] = {}
        self._kinds: dict[bytes, tuple[Stamp, str]] = {}
        if self._database:
            for row in self._database.rows("SELECT * FROM hashes"):
                stamp = Stamp(row["path"], row["size"], row["changed"])
                self._hashes[stamp.path] = stamp, row["sha256"]
            for row in self._database.rows("SELECT * FROM kinds WHERE reader = ?", (reader,)):
                stamp = Stamp(row["path"], row["size"], row["changed"])
                self._kinds[stamp.path] = stamp, row["content"]

    def sha256(self, stamp: Stamp) -> str | None:
        """The hash of an unchanged file, in 64 hexadecimal digits; None when it is not known."""
        with self._lock:
            known, value = self._hashes.get(stamp.path, (None, None))
        return value if known == stamp else None

    def keep_sha256(self, stamp: Stamp, value: str) -> None:
        """Remember a hash."""
        with self._lock:
            self._hashes[stamp.path] = stamp, value
        self._write("INSERT OR REPLACE INTO hashes VALUES (?, ?, ?, ?)", [(*stamp, value)])

    def kind(self, stamp: Stamp) -> dict[str, Any] | None:
        """What an unchanged file was found to be; None when it was not looked at."""
        with self._lock:
            known, content = self._kinds.get(stamp.path, (None, ""))
        if known != stamp:
            return None
        try:
            value = json.loads(content)
        except ValueError:
            return None
        return value if isinstance(value, dict) else None

    def keep_kinds(self, found: Mapping[Stamp, Mapping[str, Any]]) -> None:
        """Remember what files were found to be, all in one stroke."""
        texts = {stamp: json.dumps(content) for stamp, content in found.items()}
        with self._lock:
            self._kinds.update((stamp.path, (stamp, text)) for stamp, text in texts.items())
        self._write(
            "INSERT OR REPLACE INTO kinds VALUES (?, ?, ?, ?, ?)",
            [(*stamp, self._reader, text) for stamp, text in texts.items()],
        )

    def forget_kinds(self) -> None:
        """Look at every file anew, next time."""
        with self._lock:
            self._kinds.clear()
        self._write("DELETE FROM kinds WHERE ? IS NOT NULL", [("all",)])

    def close(self) -> None:
        """Close the file."""
        if self._database:
            self._database.close()

    def _write(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        if not self._database or not rows:
            return
        try:
            with self._database.transaction() as connection:
                connection.executemany(statement, rows)
        except StorageError as error:
            log.warning("What is known of the models could not be kept: %s", error)
