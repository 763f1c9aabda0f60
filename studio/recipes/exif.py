"""The few tags of EXIF data that studios keep recipes in: read with every bound checked, written.

Source: EXIF 2.32, 4.6 (tags, UserComment's encodings), which is TIFF 6.0 inside.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

PREFIX: Final = b"Exif\0\0"
DESCRIPTION, MAKE, MODEL, EXIF_IFD, USER_COMMENT = 0x010E, 0x010F, 0x0110, 0x8769, 0x9286
_MOST_TAGS: Final = 500
_RECIPE_MARKS: Final = ("Steps: ", '{"')
_ASCII, _LONG, _UNDEFINED = 2, 4, 7
_BYTES_EACH: Final = {1: 1, _ASCII: 1, _UNDEFINED: 1}


def with_comment(text: str) -> bytes:
    """EXIF data that says ``text``, and nothing else, as A1111 writes it: UNICODE, UTF-16-BE."""
    comment = b"UNICODE\0" + text.encode("utf-16-be")
    header = struct.pack(">2sHI", b"MM", 42, 8)
    first = _directory(EXIF_IFD, _LONG, 1, 26)  # right behind header and this directory
    second = _directory(USER_COMMENT, _UNDEFINED, len(comment), 44)
    return PREFIX + header + first + second + comment


def texts_in(data: bytes) -> dict[int, str]:
    """Tag -> text, of the tags named above; what is broken is left out."""
    data = data.removeprefix(PREFIX)
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(data[:4])
    if order is None or len(data) < 8:
        return {}
    texts: dict[int, str] = {}
    (start,) = struct.unpack_from(f"{order}I", data, 4)
    for tag, value in _values(data, order, start):
        if tag == EXIF_IFD and len(value) == 4:
            (inner,) = struct.unpack(f"{order}I", value)
            inside = dict(_values(data, order, inner))
            if comment := inside.get(USER_COMMENT):
                texts[USER_COMMENT] = decoded(comment)
        elif tag in (DESCRIPTION, MAKE, MODEL):
            texts[tag] = value.rstrip(b"\0").decode("utf-8", "replace")
    return texts


def decoded(comment: bytes) -> str:
    """An EXIF UserComment: eight bytes name the encoding."""
    code, body = comment[:8], comment[8:]
    if not code.startswith(b"UNICODE"):
        plain = body if code.startswith((b"ASCII", b"\0" * 8)) else comment
        return plain.decode("utf-8", "replace")
    # The order of the bytes is the file's, which writers get wrong. A recipe shows itself; in other
    # text more of the high bytes are zero.
    high_first = body[0::2].count(0) >= body[1::2].count(0)
    both = [body.decode("utf-16-be", "replace"), body.decode("utf-16-le", "replace")]
    recipes = [text for text in both if any(mark in text for mark in _RECIPE_MARKS)]
    return recipes[0] if recipes else both[0 if high_first else 1]


def _directory(tag: int, kind: int, count: int, value: int) -> bytes:
    """A directory of one entry."""
    return struct.pack(">HHHIII", 1, tag, kind, count, value, 0)


def _values(data: bytes, order: str, start: int) -> Iterator[tuple[int, bytes]]:
    """The tags of a directory with their bytes, as far as both lie within the data."""
    if start + 2 > len(data):
        return
    (count,) = struct.unpack_from(f"{order}H", data, start)
    for number in range(min(count, _MOST_TAGS)):
        place = start + 2 + 12 * number
        if place + 12 > len(data):
            return
        tag, kind, length = struct.unpack_from(f"{order}HHI", data, place)
        size = length * _BYTES_EACH.get(kind, 4)
        if size > 4:
            (offset,) = struct.unpack_from(f"{order}I", data, place + 8)
        else:
            offset = place + 8
        if offset + size <= len(data):
            yield tag, data[offset : offset + size]
