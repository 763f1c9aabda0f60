"""What survives a kill: files written whole or not at all, and SQLite under a lock."""

from __future__ import annotations

import errno
import logging
import os
import secrets
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from studio.errors import StartupError, StorageError, system_reason
from studio.sentences import Sentence, say

TEMPORARY_SUFFIX = ".part"
_FULL = {errno.ENOSPC, errno.EDQUOT}

log = logging.getLogger(__name__)


@contextmanager
def storage_errors(where: Path) -> Iterator[None]:
    """Turn what the disk or SQLite says into StorageError: one sentence that names the folder."""
    try:
        yield
    except OSError as error:
        raise StorageError(_disk_sentence(error, where)) from error
    except sqlite3.DatabaseError as error:
        raise StorageError(_sqlite_sentence(error, where)) from error


def _disk_sentence(error: OSError, where: Path) -> Sentence:
    if error.errno in _FULL:
        return say("The disk is full: free some space for {where} and try again.", where=where)
    return say(
        "{where} cannot be written ({reason}): check the folder's permissions.",
        where=where,
        reason=system_reason(error),
    )


def _sqlite_sentence(error: sqlite3.DatabaseError, where: Path) -> Sentence:
    reason = str(error)
    if "full" in reason:
        return say("The disk is full: free some space for {where} and try again.", where=where)
    return say(
        "{where} cannot be used ({reason}): check the folder's permissions and the disk.",
        where=where,
        reason=reason,
    )


def write_whole(path: Path, content: bytes) -> None:
    """Write ``content`` to ``path``; the file is there whole or not at all, even after a kill.

    Raises StorageError that names the folder.
    """
    with replacing(path) as temporary:
        temporary.write_bytes(content)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path to write to, which becomes ``path`` at the end; after an error there is nothing of it.

    Raises StorageError that names the folder.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}{TEMPORARY_SUFFIX}")
    with storage_errors(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield temporary
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:
            with suppress(OSError):
                temporary.unlink()
            raise
        sync_folder(path.parent)


def remove_leftovers(folder: Path) -> None:
    """Remove what a kill left half written in a folder and below; nobody may be writing there."""
    with storage_errors(folder):
        for left in folder.rglob(f".*{TEMPORARY_SUFFIX}"):
            left.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Make a rename last through a power cut, where the system can (Windows cannot)."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class Database:
    """One SQLite file in WAL mode behind one connection; any thread may use it, one at a time.

    A file that SQLite cannot read is put aside (``….broken-<time>``) and a new one begun.
    Raises StorageError when the folder or the file cannot be used.
    """

    def __init__(self, path: Path, schema: str) -> None:
        self._path = path
        self._lock = threading.RLock()
        with storage_errors(path.parent):
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                self._connection = self._open(schema)
            except sqlite3.OperationalError:
                raise
            except sqlite3.DatabaseError as error:
                aside = path.with_name(f"{path.name}.broken-{int(time.time())}")
                log.warning("%s cannot be read (%s); it is kept as %s", path, error, aside.name)
                path.replace(aside)
                self._connection = self._open(schema)

    def _open(self, schema: str) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path, timeout=10, isolation_level=None, check_same_thread=False
        )
        try:
            connection.row_factory = sqlite3.Row
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.executescript(schema)
        except BaseException:
            connection.close()
            raise
        return connection

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All statements of the block are kept, or, when it raises, none."""
        with self._lock, storage_errors(self._path.parent):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def rows(self, query: str, values: Sequence[Any] = ()) -> list[sqlite3.Row]:
        """All rows that ``query`` gives."""
        with self._lock, storage_errors(self._path.parent):
            return self._connection.execute(query, values).fetchall()

    def close(self) -> None:
        """Close the connection; the WAL is folded into the file."""
        with self._lock:
            self._connection.close()


class FolderLock:
    """The right to be the only studio on a data directory; a kill gives it back.

    SQLite's own file lock is used because it works alike on every system.
    """

    def __init__(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(
                folder / "studio.lock", timeout=0, isolation_level=None, check_same_thread=False
            )
            self._connection.execute("BEGIN EXCLUSIVE")
        except OSError as error:
            raise StartupError(_disk_sentence(error, folder)) from error
        except sqlite3.OperationalError as error:
            if "locked" in str(error):
                sentence = say(
                    "Another studio is already using {folder}: stop it, or give --data-dir.",
                    folder=folder,
                )
                raise StartupError(sentence) from error
            raise StartupError(_sqlite_sentence(error, folder)) from error

    def release(self) -> None:
        """Let another studio use the folder."""
        self._connection.close()
