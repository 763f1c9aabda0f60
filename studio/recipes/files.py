"""The texts that lie beside the pixels of a PNG, JPEG or WebP file. No pixel is ever decoded.

Reading walks from chunk to chunk by their lengths, so it costs nothing that the file's own size
does not, and a file that ends too early still gives what stands before its end. Sources: PNG
(ISO/IEC 15948), JPEG (ITU-T T.81, annex B), WebP (RFC 9649).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from typing import Final

from studio.recipes import exif

LONGEST: Final = 4_000_000  # of one text, in bytes, once it is unpacked
OWN_SEGMENT: Final = b"studio\0"  # begins an APP9 segment of a JPEG with a part of our recipe
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_STARTS_PIXELS, _OWN, _EXIF, _COMMENT = 0xDA, 0xE9, 0xE1, 0xFE
_ALONE: Final = {0x01, *range(0xD0, 0xD8)}  # JPEG's markers that have no length behind them


def is_picture(content: bytes) -> bool:
    """Whether a file begins as a PNG, JPEG or WebP does."""
    return _walker(content) is not None


def texts_in(content: bytes) -> dict[str, str]:
    """Name -> text, in the file's order; nothing for what is neither PNG, JPEG nor WebP.

    The names are PNG's keywords; "UserComment", "Make", "Model" and "ImageDescription" of EXIF;
    "Comment" of a JPEG; "studio" of ours.
    """
    walker = _walker(content)
    return walker(content) if walker else {}


def packed(text: str) -> bytes:
    """The segments that carry ``text`` through a JPEG, whatever its length."""
    data = zlib.compress(text.encode())
    most = 0xFFFF - 2 - len(OWN_SEGMENT)
    parts = [OWN_SEGMENT + data[at : at + most] for at in range(0, len(data), most)]
    return b"".join(struct.pack(">BBH", 0xFF, _OWN, len(part) + 2) + part for part in parts)


def _walker(content: bytes) -> Callable[[bytes], dict[str, str]] | None:
    if content.startswith(_PNG):
        return _png
    if content.startswith(b"\xff\xd8\xff"):
        return _jpeg
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return _webp
    return None


def _png(content: bytes) -> dict[str, str]:
    texts: dict[str, str] = {}
    place = len(_PNG)
    while place + 8 <= len(content):
        length, kind = struct.unpack_from(">I4s", content, place)
        data = content[place + 8 : place + 8 + length]
        if len(data) == length and kind in _PNG_TEXTS:
            keyword, text = _PNG_TEXTS[kind](data)
            texts.setdefault(keyword, text)
        elif len(data) == length and kind == b"eXIf":
            texts |= _exif(data)
        place += length + 12
    return texts


def _plain_text(data: bytes) -> tuple[str, str]:
    keyword, _, text = data.partition(b"\0")
    return keyword.decode("latin-1"), text[:LONGEST].decode("latin-1")


def _packed_text(data: bytes) -> tuple[str, str]:
    keyword, _, rest = data.partition(b"\0")
    return keyword.decode("latin-1"), _unpacked(rest[1:]).decode("latin-1")


def _world_text(data: bytes) -> tuple[str, str]:
    """iTXt: keyword, whether it is packed, how, a language, the keyword in it, UTF-8."""
    keyword, _, rest = data.partition(b"\0")
    is_packed, (_, _, text) = rest[:1] == b"\1", _three(rest[2:])
    text = _unpacked(text) if is_packed else text[:LONGEST]
    return keyword.decode("latin-1"), text.decode("utf-8", "replace")


_PNG_TEXTS: Final = {b"tEXt": _plain_text, b"zTXt": _packed_text, b"iTXt": _world_text}


def _three(data: bytes) -> tuple[bytes, bytes, bytes]:
    first, _, rest = data.partition(b"\0")
    second, _, third = rest.partition(b"\0")
    return first, second, third


def _unpacked(data: bytes) -> bytes:
    """What was packed, up to LONGEST; nothing when it is broken."""
    try:
        return zlib.decompressobj().decompress(data, LONGEST)
    except zlib.error:
        return b""


def _jpeg(content: bytes) -> dict[str, str]:
    texts: dict[str, str] = {}
    own = b""
    for marker, data in _segments(content):
        if marker == _EXIF and data.startswith(exif.PREFIX):
            texts |= _exif(data)
        elif marker == _COMMENT:
            texts.setdefault("Comment", data.decode("utf-8", "replace"))
        elif marker == _OWN and data.startswith(OWN_SEGMENT):
            own += data.removeprefix(OWN_SEGMENT)
    if own:
        texts["studio"] = _unpacked(own).decode("utf-8", "replace")
    return texts


def _segments(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Marker and data of every segment before the pixels."""
    place = 2
    while place + 4 <= len(content) and content[place] == 0xFF:
        marker = content[place + 1]
        if marker == 0xFF or marker in _ALONE:  # filled up, or a marker without a length
            place += 1 if marker == 0xFF else 2
            continue
        (length,) = struct.unpack_from(">H", content, place + 2)
        if marker == _STARTS_PIXELS or length < 2:
            return
        yield marker, content[place + 4 : place + 2 + length]
        place += 2 + length


def _webp(content: bytes) -> dict[str, str]:
    texts: dict[str, str] = {}
    place = 12
    while place + 8 <= len(content):
        kind, length = struct.unpack_from("<4sI", content, place)
        if kind == b"EXIF":
            texts |= _exif(content[place + 8 : place + 8 + length])
        place += 8 + length + length % 2
    return texts


def _exif(data: bytes) -> dict[str, str]:
    names = {
        exif.USER_COMMENT: "UserComment", exif.MAKE: "Make", exif.MODEL: "Model",
        exif.DESCRIPTION: "ImageDescription",
    }  # fmt: skip
    return {names[tag]: text for tag, text in exif.texts_in(data).items()}
