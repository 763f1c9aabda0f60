"""Pictures and sounds that requests start from, each kept once under its SHA-256.

A request then stays small and can be written down; who has the hash has the picture.
"""

from __future__ import annotations

import hashlib
import os
import re
import threading
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from studio.errors import InvalidRequest, NotFound
from studio.images import encode_png
from studio.sentences import say
from studio.storage import storage_errors, write_whole

_HASH = re.compile(r"[0-9a-f]{64}")
_PICTURE, _SOUND = ".png", ".sound"


class Sources:
    """Pictures as PNG files ``ab/abcd….png`` below a folder, sounds as the files that they were.

    Any thread may call it.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._lock = threading.Lock()  # between a source that is used and one that is deleted

    def keep(self, picture: Image.Image) -> str:
        """The SHA-256 of the picture's PNG, which is on disk when this returns.

        Raises StorageError.
        """
        return self._keep(encode_png(picture), _PICTURE)

    def keep_sound(self, content: bytes) -> str:
        """The SHA-256 of a sound's file, which is on disk by then. Raises StorageError."""
        return self._keep(content, _SOUND)

    def _keep(self, content: bytes, kind: str) -> str:
        digest = hashlib.sha256(content).hexdigest()
        if not self.renew(digest):
            write_whole(self._path(digest, kind), content)
        return digest

    def renew(self, digest: str) -> bool:
        """Note that a source is used now; False when it is not kept here. Raises StorageError."""
        if not is_hash(digest):
            return False
        path = self._found(digest)
        with self._lock, storage_errors(path.parent):
            try:
                os.utime(path)
            except FileNotFoundError:
                return False
        return True

    def unused_since(self, before: float) -> Iterator[str]:
        """The hashes of what was used last before a time, in seconds since 1970."""
        with storage_errors(self._root):
            for kind in (_PICTURE, _SOUND):
                for path in self._root.glob(f"*/*{kind}"):
                    if is_hash(path.stem) and path.stat().st_mtime < before:
                        yield path.stem

    def remove(self, digest: str, before: float) -> bool:
        """Delete a source unless it was used since ``before``; whether it is gone now."""
        path = self._found(digest)
        with self._lock, storage_errors(path.parent):
            try:
                if path.stat().st_mtime >= before:
                    return False
                path.unlink()
            except FileNotFoundError:
                return False
        return True

    def get(self, digest: str, field: str) -> Image.Image:
        """The picture, decoded. Raises InvalidRequest for ``field`` when it is not kept here."""
        if not is_hash(digest):
            raise not_kept(digest, field)
        try:
            with Image.open(self._path(digest), formats=("PNG",)) as picture:
                picture.load()
                return picture
        except (OSError, SyntaxError, ValueError):
            raise not_kept(digest, field) from None

    def sound(self, digest: str, field: str) -> Path:
        """Where a sound's file is. Raises InvalidRequest for ``field`` when it is not kept here."""
        if is_hash(digest) and (path := self._path(digest, _SOUND)).is_file():
            return path
        raise InvalidRequest.of(
            field,
            say("The sound {hash}… is not kept here (any more); give it again.", hash=digest[:10]),
        )

    def file(self, digest: str) -> Path:
        """Where the picture's PNG is. Raises NotFound."""
        if is_hash(digest) and (path := self._path(digest)).is_file():
            return path
        raise NotFound(say("There is no picture with the hash “{hash}”.", hash=digest[:64]))

    def _found(self, digest: str) -> Path:
        """Where a source is, whatever it is; where a picture would be when there is none."""
        sound = self._path(digest, _SOUND)
        return sound if sound.is_file() else self._path(digest)

    def _path(self, digest: str, kind: str = _PICTURE) -> Path:
        return self._root / digest[:2] / f"{digest}{kind}"


def is_hash(text: str) -> bool:
    """Whether a text can be the name of a picture here."""
    return _HASH.fullmatch(text) is not None


def not_kept(digest: str, field: str) -> InvalidRequest:
    """The refusal of a picture that is not here (any more)."""
    return InvalidRequest.of(
        field,
        say("The picture {hash}… is not kept here (any more); give it again.", hash=digest[:10]),
    )
