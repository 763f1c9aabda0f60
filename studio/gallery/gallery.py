"""Gallery: the one way to save a picture, and the index over what was saved."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from pathlib import Path
from sqlite3 import Connection

from PIL import Image

from studio import images, infotext
from studio.errors import NotFound, StorageError
from studio.gallery.picture import Picture, picture_id
from studio.gallery.reconcile import reconcile
from studio.gallery.search import conditions, folded
from studio.request import GenerationRequest
from studio.sentences import say
from studio.storage import Database, storage_errors, write_whole

THUMBNAIL_SIDE = 320
_OWN_FOLDER = ".studio"  # the index and the thumbnails: all that is not a picture
_SCHEMA = """
CREATE TABLE IF NOT EXISTS pictures (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    job_id TEXT NOT NULL,
    position INTEGER NOT NULL,
    visitor TEXT NOT NULL,
    path TEXT NOT NULL UNIQUE,
    request TEXT NOT NULL,
    words TEXT NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    created REAL NOT NULL,
    favourite INTEGER NOT NULL DEFAULT 0,
    trashed REAL,
    UNIQUE (job_id, position)
);
CREATE INDEX IF NOT EXISTS newest ON pictures (created, id);
CREATE INDEX IF NOT EXISTS counted ON pictures (favourite, words) WHERE trashed IS NULL;
CREATE TABLE IF NOT EXISTS origins (source TEXT PRIMARY KEY, picture TEXT NOT NULL);
CREATE VIRTUAL TABLE IF NOT EXISTS prompts USING fts5 (words, tokenize = 'trigram');
"""
_ROWS = """
SELECT pictures.*, parents.id AS parent FROM pictures
LEFT JOIN origins ON origins.source = json_extract(pictures.request, '$.init_image')
LEFT JOIN pictures AS parents ON parents.id = origins.picture
    AND parents.visitor = pictures.visitor AND parents.id != pictures.id
    AND parents.trashed IS NULL
"""


class Gallery:
    """Pictures under ``root``, one folder a day, each with its recipe inside.

    Any thread may call it. Raises StorageError when the disk refuses.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._database = Database(root / _OWN_FOLDER / "index.sqlite", _SCHEMA)

    def add(
        self,
        image: Image.Image,
        request: GenerationRequest,
        job_id: str,
        index: int,
        visitor: str,
        model_hash: str | None = None,
    ) -> Picture:
        """Save one picture and return it; saving the same (job, index) again changes nothing.

        ``request`` is the recipe of this picture alone, ``model_hash`` the short hash of its model.
        When this returns the file is whole on disk and in the index; until then nobody can see it.
        """
        identifier = picture_id(job_id, index)
        if found := self._find(identifier):
            return found
        path = self.root / time.strftime("%Y-%m-%d") / f"{identifier}.png"
        write_whole(path, images.encode_png(image, infotext.png_info(request, model_hash)))
        picture = Picture(
            identifier, job_id, index, visitor, path, request, time.time(),
            favourite=False, trashed=None, width=image.width, height=image.height,
            model_hash=model_hash,
        )  # fmt: skip
        try:
            self.insert(picture)
        except StorageError:
            path.unlink(missing_ok=True)
            raise
        return picture

    def insert(self, *pictures: Picture) -> None:
        """Put pictures whose files are on disk into the index, unless their ids are there."""
        with self._database.transaction() as connection:
            for picture in pictures:
                self._insert(connection, picture)

    def _insert(self, connection: Connection, picture: Picture) -> None:
        words = folded(picture.request.prompt)
        row = connection.execute(
            "INSERT OR IGNORE INTO pictures (id, job_id, position, visitor, path, request,"
            " words, width, height, created) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                picture.id, picture.job_id, picture.index, picture.visitor,
                picture.path.relative_to(self.root).as_posix(),
                infotext.recipe(picture.request, picture.model_hash), words,
                picture.width, picture.height, picture.created,
            ),
        )  # fmt: skip
        if row.rowcount:
            connection.execute(
                "INSERT INTO prompts (rowid, words) VALUES (?, ?)", (row.lastrowid, words)
            )

    def get(self, identifier: str) -> Picture:
        """The picture with this id, in the bin or not; raises NotFound."""
        if found := self._find(identifier):
            return found
        raise NotFound(say("There is no picture “{picture}”.", picture=identifier[:60]))

    def _find(self, identifier: str) -> Picture | None:
        rows = self._database.rows(f"{_ROWS} WHERE pictures.id = ?", (identifier,))
        return Picture.from_row(rows[0], self.root) if rows else None

    def of_job(self, job_id: str) -> list[Picture]:
        """The pictures of a job, in its own order."""
        rows = self._database.rows(
            f"{_ROWS} WHERE pictures.job_id = ? ORDER BY pictures.position", (job_id,)
        )
        return [Picture.from_row(row, self.root) for row in rows]

    def search(
        self,
        query: str = "",
        *,
        favourites: bool = False,
        trashed: bool = False,
        limit: int = 60,
        before: str | None = None,
    ) -> list[Picture]:
        """Pictures whose prompt has every word of ``query``, newest first, ``limit`` at most.

        ``before`` is the cursor of the last picture of the page before.
        """
        where, values = conditions(query, favourites=favourites, trashed=trashed, before=before)
        page = f"SELECT number FROM pictures WHERE {where} ORDER BY created DESC, id DESC LIMIT ?"
        rows = self._database.rows(
            f"{_ROWS} WHERE pictures.number IN ({page})"
            " ORDER BY pictures.created DESC, pictures.id DESC",
            (*values, limit),
        )
        return [Picture.from_row(row, self.root) for row in rows]

    def count(self, query: str = "", *, favourites: bool = False, trashed: bool = False) -> int:
        """How many pictures a search finds."""
        where, values = conditions(query, favourites=favourites, trashed=trashed)
        rows = self._database.rows(f"SELECT count(*) FROM pictures WHERE {where}", values)
        return int(rows[0][0])

    def note_origin(self, source: str, identifier: str) -> None:
        """Remember that a source, by its hash, is this picture: what is made from it has a parent.

        Of two pictures that are the same to the bit it is the later one.
        """
        with self._database.transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO origins VALUES (?, ?)", (source, identifier))

    def origin_of(self, source: str) -> str | None:
        """The id of the picture that a source is, or was before it was drawn over."""
        rows = self._database.rows("SELECT picture FROM origins WHERE source = ?", (source,))
        return str(rows[0][0]) if rows else None

    def set_favourite(self, identifier: str, favourite: bool) -> Picture:
        """Mark or unmark a picture; raises NotFound."""
        self.get(identifier)
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE pictures SET favourite = ? WHERE id = ?", (favourite, identifier)
            )
        return self.get(identifier)

    def trash(self, identifiers: Collection[str]) -> None:
        """Put pictures into the bin; their files stay until the bin is emptied."""
        self._mark(identifiers, time.time())

    def restore(self, identifiers: Collection[str]) -> None:
        """Take pictures out of the bin again."""
        self._mark(identifiers, None)

    def _mark(self, identifiers: Collection[str], trashed: float | None) -> None:
        for identifier in identifiers:
            self.get(identifier)
        with self._database.transaction() as connection:
            connection.executemany(
                "UPDATE pictures SET trashed = ? WHERE id = ?",
                [(trashed, identifier) for identifier in identifiers],
            )

    def empty_bin(self) -> int:
        """Delete what is in the bin, for good; how many pictures that were.

        Files go before rows: a kill in between leaves rows without files, which reconcile()
        drops, and never brings a deleted picture back.
        """
        rows = self._database.rows("SELECT * FROM pictures WHERE trashed IS NOT NULL")
        for row in rows:
            with storage_errors(self.root):
                (self.root / row["path"]).unlink(missing_ok=True)
                self._thumbnail_path(row["id"]).unlink(missing_ok=True)
        self.forget([row["number"] for row in rows])
        return len(rows)

    def forget(self, numbers: Collection[int]) -> None:
        """Drop rows from the index."""
        with self._database.transaction() as connection:
            connection.executemany(
                "DELETE FROM origins WHERE picture = (SELECT id FROM pictures WHERE number = ?)",
                [(number,) for number in numbers],
            )
            for table, key in (("prompts", "rowid"), ("pictures", "number")):
                connection.executemany(
                    f"DELETE FROM {table} WHERE {key} = ?", [(number,) for number in numbers]
                )

    def thumbnail(self, identifier: str) -> Path:
        """The file of a picture's small WebP, made when it is first asked for."""
        picture = self.get(identifier)
        path = self._thumbnail_path(identifier)
        if not path.exists():
            with storage_errors(picture.path):
                small = images.thumbnail(picture.path, THUMBNAIL_SIDE)
            write_whole(path, small)
        return path

    def _thumbnail_path(self, identifier: str) -> Path:
        return self.root / _OWN_FOLDER / "thumbnails" / f"{identifier}.webp"

    def requests(self) -> Iterator[str]:
        """Every picture's recipe as JSON, those in the bin as well."""
        last = 0
        while rows := self._database.rows(
            "SELECT number, request FROM pictures WHERE number > ? ORDER BY number LIMIT 500",
            (last,),
        ):
            yield from (row["request"] for row in rows)
            last = rows[-1]["number"]

    def paths(self) -> dict[str, int]:
        """Path below the root -> row number, of everything in the index."""
        rows = self._database.rows("SELECT path, number FROM pictures")
        return {row["path"]: row["number"] for row in rows}

    def reconcile(self) -> None:
        """Bring index and files into agreement; see studio.gallery.reconcile."""
        reconcile(self)

    def close(self) -> None:
        """Close the index."""
        self._database.close()
