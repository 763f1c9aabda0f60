"""Index and files brought into agreement, at start: a kill can fall between the two."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from PIL import Image

from studio import infotext
from studio.gallery.picture import Picture, parse_id
from studio.storage import TEMPORARY_SUFFIX, storage_errors

log = logging.getLogger(__name__)


class Index(Protocol):
    """What reconcile() needs of the gallery."""

    root: Path

    def paths(self) -> dict[str, int]:
        """Path below the root -> row number."""

    def insert(self, picture: Picture) -> None:
        """Put a picture into the index."""

    def forget(self, numbers: list[int]) -> None:
        """Drop rows from the index."""


def reconcile(gallery: Index) -> None:
    """Remove unfinished files, drop rows without a file, read files without a row back.

    A file keeps its name for its id when the studio made it; any other PNG that was put into the
    folder gets an id from its path, and the recipe that its parameters tell.
    """
    root = gallery.root
    with storage_errors(root):
        files = dict(_walk(root))
    rows = gallery.paths()
    if lost := [number for path, number in rows.items() if path not in files]:
        log.warning("%d pictures are no longer on disk; the index forgets them", len(lost))
        gallery.forget(lost)
    for name, path in files.items():
        if name not in rows and (picture := _read_back(name, path)):
            gallery.insert(picture)


def _walk(root: Path) -> Iterator[tuple[str, Path]]:
    """Every PNG by its path below ``root``; removes unfinished files on the way."""
    for folder, _, names in os.walk(root):
        inside = Path(folder).relative_to(root)
        hidden = any(part.startswith(".") for part in inside.parts)
        for name in names:
            if name.startswith(".") and name.endswith(TEMPORARY_SUFFIX):
                Path(folder, name).unlink(missing_ok=True)
            elif name.endswith(".png") and not name.startswith(".") and not hidden:
                yield "/".join((*inside.parts, name)), Path(folder, name)


def _read_back(name: str, path: Path) -> Picture | None:
    """The picture that a file without a row holds; None when it is not a whole picture."""
    try:
        with Image.open(path) as image:
            image.load()  # also reads the text chunks that follow the pixels
            values, size = infotext.from_image(image), image.size
        created = path.stat().st_mtime
    except Exception as error:  # whatever a file from elsewhere does to the decoder
        log.warning("%s is not a whole picture (%s); it is left alone", path, error)
        return None
    identifier = path.stem
    known = parse_id(identifier)
    if known is None:
        identifier = hashlib.blake2s(name.encode(), digest_size=8).hexdigest() + "-0"
        known = (identifier.removesuffix("-0"), 0)
    request = infotext.recovered(values or {})
    return Picture(
        identifier, *known, "", path, request, created,
        favourite=False, trashed=None, width=size[0], height=size[1],
        model_hash=infotext.hash_in(values or {}),
    )  # fmt: skip
