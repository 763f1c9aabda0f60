"""Wildcards: text files, one choice a line, that a prompt names as ``__folder/name__``."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

MAX_FILES: Final = 5000
MAX_BYTES: Final = 2_000_000
MAX_LINES: Final = 20_000


@dataclass(frozen=True)
class _Seen:
    """The lines of a file, and the state in which it was read."""

    state: tuple[int, int]
    lines: tuple[str, ...]


class WildcardFiles:
    """The files under some folders; of two by one name, the one of the later folder counts.

    ``now`` walks the folders each time, so that new files are there at once, and opens only what
    has changed. Any thread may call it.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = tuple(folders)
        self._lock = threading.Lock()
        self._seen: dict[Path, _Seen] = {}

    def now(self) -> Mapping[str, tuple[str, ...]]:
        """Name -> lines. Files that are empty, too large or cannot be read are left out."""
        with self._lock:
            found = {name: path for folder in self._folders for name, path in _files(folder)}
            read = {path: self._look(path) for path in found.values()}
            self._seen = {path: seen for path, seen in read.items() if seen}
            lines = {name: self._seen[path].lines for name, path in found.items() if read[path]}
            return {name: lines[name] for name in sorted(lines) if lines[name]}

    def _look(self, path: Path) -> _Seen | None:
        try:
            status = path.stat()
            state = status.st_mtime_ns, status.st_size
            known = self._seen.get(path)
            if known and known.state == state:
                return known
            if status.st_size > MAX_BYTES:
                return None
            return _Seen(state, lines_of(path.read_text("utf-8-sig", "replace")))
        except OSError:
            return None


def lines_of(text: str) -> tuple[str, ...]:
    """The choices of a file: lines without those that are empty or begin with ``#``.

    >>> lines_of("# sea\\nred boat\\n\\n  2::blue boat ")
    ('red boat', '2::blue boat')
    """
    stripped = (line.strip().replace("\0", "") for line in text.splitlines())
    return tuple(line for line in stripped if line and not line.startswith("#"))[:MAX_LINES]


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Name and path of every text file under ``folder``, links to folders not followed."""
    count = 0
    for root, folders, files in os.walk(folder):
        folders.sort()
        for file in sorted(files):
            if file.endswith(".txt") and not file.startswith("."):
                count += 1
                if count > MAX_FILES:
                    return
                path = Path(root, file)
                yield path.relative_to(folder).with_suffix("").as_posix(), path
