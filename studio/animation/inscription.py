"""The recipe in a film: read from any format, and written where FFmpeg's muxers write no text."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from PIL import Image

from studio.animation.request import Format
from studio.recipes import exif

_COMMENT = b"!\xfe"
_LONGEST_TEXT = 4_000_000


def recipe_in(path: Path) -> dict[str, Any] | None:
    """The recipe in a film that was made here; None when there is none.

    The file may be anyone's: its first bytes say what reads it, never its name, and no pixel is
    decoded.
    """
    try:
        with path.open("rb") as file:
            kind = kind_of(file.read(16))
        recipe = json.loads(_READERS[kind](path)) if kind else None
    except _UNREADABLE:
        return None
    return recipe if isinstance(recipe, dict) and "keyframes" in recipe else None


def kind_of(head: bytes) -> Format | None:
    """Which of our formats a file has that begins so, in 16 bytes; None for any other."""
    if head[4:8] == b"ftyp":
        return "mp4"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    return next((kind for mark, kind in _MARKS.items() if head.startswith(mark)), None)


def _zip_text(path: Path) -> str:
    with zipfile.ZipFile(path) as archive:
        if archive.getinfo("animation.json").file_size > _LONGEST_TEXT:
            return ""
        return archive.read("animation.json").decode()


def _webp_text(path: Path) -> str:
    with Image.open(path, formats=("WEBP",)) as image:
        return exif.texts_in(image.info.get("exif", b"")).get(exif.USER_COMMENT, "")


def _gif_text(path: Path) -> str:
    """The comment that a GIF ends with, its blocks joined."""
    with path.open("rb") as file:
        file.seek(max(path.stat().st_size - _LONGEST_TEXT, 0))
        tail = file.read()
    text, place = b"", tail.rfind(_COMMENT) + len(_COMMENT)
    while place < len(tail) and (length := tail[place]):
        text += tail[place + 1 : place + 1 + length]
        place += 1 + length
    return text.decode()


def _video_text(path: Path, kind: str) -> str:
    """What the container's comment says.

    FFmpeg is told what it reads: left to guess, it would follow a playlist to other files.
    """
    import av

    with av.open(path, format=kind) as container:
        tags = {name.lower(): text for name, text in container.metadata.items()}
        return str(tags.get("comment", ""))


_MARKS: dict[bytes, Format] = {b"\x1aE\xdf\xa3": "webm", b"GIF8": "gif", b"PK\x03\x04": "png"}
_READERS: dict[Format, Callable[[Path], str]] = {
    "mp4": partial(_video_text, kind="mp4"), "webm": partial(_video_text, kind="webm"),
    "webp": _webp_text, "gif": _gif_text, "png": _zip_text,
}  # fmt: skip
_UNREADABLE = (
    OSError, EOFError, ValueError, KeyError, IndexError, SyntaxError, RuntimeError, RecursionError,
    zipfile.BadZipFile, Image.DecompressionBombError,
)  # fmt: skip


def add_exif(path: Path, content: bytes, size: tuple[int, int]) -> None:
    """Put EXIF behind a WebP's pictures, and say in its header that it is there (RFC 9649).

    ``size``: width and height in pixels.
    """
    with path.open("rb+") as file:
        head = bytearray(file.read(30))
        if head[12:16] != b"VP8X":  # a single frame: a plain file, which says nothing of itself
            rest = bytes(head[12:]) + file.read()
            sides = b"".join((side - 1).to_bytes(3, "little") for side in size)
            head = bytearray(b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + sides)
            file.seek(0)
            file.write(head + rest)
        head[20] |= 0x08
        file.seek(0, os.SEEK_END)
        file.write(
            b"EXIF" + len(content).to_bytes(4, "little") + content + b"\0" * (len(content) % 2)
        )
        head[4:8] = (file.tell() - 8).to_bytes(4, "little")
        file.seek(0)
        file.write(head)


def add_comment(path: Path, recipe: str) -> None:
    """A comment extension (GIF89a) before a GIF's end, in blocks of at most 250 bytes."""
    content = json.dumps(json.loads(recipe)).encode()  # in ASCII, so that _COMMENT is not in it
    blocks = (content[at : at + 250] for at in range(0, len(content), 250))
    with path.open("rb+") as file:
        file.seek(-1, os.SEEK_END)
        assert file.read(1) == b";"
        file.seek(-1, os.SEEK_END)
        file.write(_COMMENT + b"".join(bytes([len(b)]) + b for b in blocks) + b"\0;")
