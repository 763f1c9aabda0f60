"""The durable side of the queue: one row a job, written before anyone is told."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from studio.infotext import recovered
from studio.jobs.job import ENDED, Kind, State
from studio.request import GenerationRequest
from studio.sentences import Sentence, read, write
from studio.storage import Database

_KEPT_SECONDS = 30 * 24 * 3600  # how long an ended job can still be asked about
_SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    visitor TEXT NOT NULL,
    request TEXT NOT NULL,
    state TEXT NOT NULL,
    error TEXT,
    attempts INTEGER NOT NULL DEFAULT 0,
    created REAL NOT NULL,
    started REAL,
    finished REAL,
    kind TEXT NOT NULL DEFAULT 'pictures'
);
CREATE INDEX IF NOT EXISTS by_state ON jobs (state, number);
"""


@dataclass(frozen=True)
class JobRow:
    """A job as the disk knows it; ``attempts`` counts starts since its last saved picture."""

    id: str
    visitor: str
    request: GenerationRequest
    state: State
    error: Sentence | None
    attempts: int
    created: float
    started: float | None
    finished: float | None
    kind: Kind


class JobQueue:
    """Jobs in SQLite, in the order they came. Raises StorageError when the disk refuses."""

    def __init__(self, path: Path) -> None:
        self._database = Database(path, _SCHEMA)
        columns = {row["name"] for row in self._database.rows("PRAGMA table_info(jobs)")}
        if "kind" not in columns:  # a file from before there were animations
            with self._database.transaction() as connection:
                connection.execute(
                    "ALTER TABLE jobs ADD COLUMN kind TEXT NOT NULL DEFAULT 'pictures'"
                )

    def add(
        self,
        identifier: str,
        visitor: str,
        request: GenerationRequest,
        now: float,
        kind: Kind = "pictures",
    ) -> None:
        """Write a new job down; when this returns it survives a kill.

        One that has ended may come again under its own id: it then waits at the end.
        """
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM jobs WHERE id = ?", (identifier,))
            connection.execute(
                "INSERT INTO jobs (id, visitor, request, state, created, kind)"
                " VALUES (?, ?, ?, 'queued', ?, ?)",
                (identifier, visitor, json.dumps(request.model_dump()), now, kind),
            )

    def take(self, identifier: str, now: float) -> int:
        """Mark a job as running; which attempt this is, without a picture since the first."""
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE jobs SET state = 'running', attempts = attempts + 1,"
                " started = coalesce(started, ?) WHERE id = ?",
                (now, identifier),
            )
            row = connection.execute("SELECT attempts FROM jobs WHERE id = ?", (identifier,))
            return int(row.fetchone()[0])

    def advanced(self, identifier: str) -> None:
        """A job has saved a picture, or was put back for a reason that is not its own."""
        with self._database.transaction() as connection:
            connection.execute("UPDATE jobs SET attempts = 0 WHERE id = ?", (identifier,))

    def end(self, identifier: str, state: State, error: Sentence | None, now: float) -> None:
        """Write down how a job ended."""
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE jobs SET state = ?, error = ?, finished = ? WHERE id = ?",
                (state, write(error) if error else None, now, identifier),
            )

    def unfinished(self) -> list[JobRow]:
        """Every job that was accepted and has not ended, oldest first."""
        rows = self._database.rows(
            "SELECT * FROM jobs WHERE state IN ('queued', 'running') ORDER BY number"
        )
        return [_job_row(row) for row in rows]

    def find(self, identifier: str) -> JobRow | None:
        """The job with this id."""
        rows = self._database.rows("SELECT * FROM jobs WHERE id = ?", (identifier,))
        return _job_row(rows[0]) if rows else None

    def latest(self, visitor: str | None, limit: int) -> list[JobRow]:
        """The newest jobs, of one visitor or of all, newest first."""
        rows = self._database.rows(
            "SELECT * FROM jobs WHERE ?1 IS NULL OR visitor = ?1 ORDER BY number DESC LIMIT ?2",
            (visitor, limit),
        )
        return [_job_row(row) for row in rows]

    def requests(self) -> Iterator[str]:
        """The request of every job that can be asked about, as JSON."""
        for row in self._database.rows("SELECT request FROM jobs"):
            yield row["request"]

    def prune(self) -> None:
        """Forget jobs that ended long ago; their pictures stay."""
        marks = ", ".join("?" * len(ENDED))
        with self._database.transaction() as connection:
            connection.execute(
                f"DELETE FROM jobs WHERE state IN ({marks}) AND finished < ?",
                (*ENDED, time.time() - _KEPT_SECONDS),
            )

    def close(self) -> None:
        """Close the file."""
        self._database.close()


def _job_row(row: sqlite3.Row) -> JobRow:
    return JobRow(
        id=row["id"],
        visitor=row["visitor"],
        request=recovered(json.loads(row["request"])),
        state=row["state"],
        error=read(row["error"]) if row["error"] else None,
        attempts=row["attempts"],
        created=row["created"],
        started=row["started"],
        finished=row["finished"],
        kind=row["kind"],
    )
