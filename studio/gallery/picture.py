"""A picture as the index knows it."""

from __future__ import annotations

import json
import re
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from studio import infotext
from studio.request import GenerationRequest

_ID = re.compile(r"(?P<job>[0-9a-f]{16})-(?P<index>\d{1,4})")


@dataclass(frozen=True)
class Picture:
    """One finished picture; ``request`` is the recipe of this one alone.

    ``model_hash`` is the short hash of the model that painted it, None where that is not known.
    ``parent``: the id of the visitor's picture that it was made from, as long as there is that.
    ``created`` and ``trashed`` are seconds since 1970; ``trashed`` is None outside the bin.
    """

    id: str
    job_id: str
    index: int
    visitor: str
    path: Path
    request: GenerationRequest
    created: float
    favourite: bool
    trashed: float | None
    width: int
    height: int
    model_hash: str | None = None
    parent: str | None = None

    @classmethod
    def from_row(cls, row: sqlite3.Row, root: Path) -> Picture:
        """The picture of an index row; ``root`` is the gallery's folder."""
        recipe = json.loads(row["request"])
        return cls(
            id=row["id"],
            job_id=row["job_id"],
            index=row["position"],
            visitor=row["visitor"],
            path=root / row["path"],
            request=infotext.recovered(recipe),
            created=row["created"],
            favourite=bool(row["favourite"]),
            trashed=row["trashed"],
            width=row["width"],
            height=row["height"],
            model_hash=infotext.hash_in(recipe),
            parent=row["parent"] if "parent" in row.keys() else None,  # noqa: SIM118 - a Row
        )

    @property
    def cursor(self) -> str:
        """Where a next page of a search goes on after this picture."""
        return f"{self.created!r}~{self.id}"


def picture_id(job_id: str, index: int) -> str:
    """The id of picture ``index`` of a job: always the same, so that it is saved once."""
    return f"{job_id}-{index}"


def parse_id(identifier: str) -> tuple[str, int] | None:
    """Job id and index of a picture id; None when it is not one of ours."""
    match = _ID.fullmatch(identifier)
    return (match["job"], int(match["index"])) if match else None
