"""The header of a safetensors file: names, shapes and metadata of its tensors, none of their bytes.

The format: 8 bytes little-endian length N, N bytes of JSON, then the tensors without gaps.
Source: https://github.com/huggingface/safetensors#format. Nothing is ever unpickled. No torch here.
"""

from __future__ import annotations

import json
import math
import os
import stat
import struct
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from studio.errors import system_reason
from studio.sentences import Sentence, say

LARGEST_HEADER = 32_000_000  # ten times the largest that is known; the library itself takes 100 MB
HOW_TO_CONVERT = say(
    "open it in a program that you trust with it and save it as safetensors there, "
    "or look for the same model as .safetensors"
)
PICKLE = say(
    "It is a pickle, which can run any code when it is opened: {advice}.", advice=HOW_TO_CONVERT
)
_BITS: Mapping[str, int] = {
    "F64": 64, "I64": 64, "U64": 64, "C64": 64, "F32": 32, "I32": 32, "U32": 32, "F16": 16,
    "BF16": 16, "I16": 16, "U16": 16, "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8, "I8": 8, "U8": 8,
    "BOOL": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8, "F6_E2M3": 6, "F6_E3M2": 6, "F4": 4,
}  # fmt: skip


class DamagedFile(ValueError):
    """A file that is not a whole safetensors file; ``sentence`` says why."""

    def __init__(self, sentence: Sentence) -> None:
        self.sentence = sentence
        super().__init__(sentence)


class Tensor(NamedTuple):
    """Where a tensor lies: ``begin`` and ``end`` count from the first byte after the header."""

    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


@dataclass(frozen=True)
class Header:
    """What a file says about itself; ``start`` is the place of the first tensor's first byte."""

    tensors: Mapping[str, Tensor]
    metadata: Mapping[str, str] = field(default_factory=dict)
    start: int = 0

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of a tensor, () when it is not there."""
        tensor = self.tensors.get(name)
        return tensor.shape if tensor else ()

    def under(self, prefix: str) -> Iterator[str]:
        """The names that begin with ``prefix``, in the order of the alphabet."""
        for at in range(bisect_left(self._sorted, prefix), len(self._sorted)):
            if not self._sorted[at].startswith(prefix):
                return
            yield self._sorted[at]

    def has(self, *prefixes: str) -> bool:
        """Whether a name begins with one of ``prefixes``."""
        return any(next(self.under(prefix), None) is not None for prefix in prefixes)

    @cached_property
    def _sorted(self) -> list[str]:
        return sorted(self.tensors)


def read_header(path: Path) -> Header:
    """The header of a whole safetensors file.

    Raises DamagedFile with a sentence for a person when it cannot be opened, is something else, or
    is not exactly as long as its header says.
    """
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):  # opening a pipe would wait for ever
            raise DamagedFile(_not_a_file(found.st_mode))
        with path.open("rb") as file:
            start = file.read(512)
            length = _header_length(start, found.st_size)
            file.seek(8)
            text = file.read(length)
    except OSError as error:
        raise DamagedFile(os_sentence(path, error)) from error
    header = _parse(text, 8 + length)
    _check_length(header, found.st_size)
    return header


def read_floats(path: Path, header: Header, name: str) -> list[float]:
    """The numbers of one small tensor of 16 or 32 bits; empty when it is not there or not those."""
    tensor = header.tensors.get(name)
    if tensor is None or tensor.dtype not in ("F16", "BF16", "F32"):
        return []
    with path.open("rb") as file:
        file.seek(header.start + tensor.begin)
        content = file.read(tensor.end - tensor.begin)
    if tensor.dtype == "BF16":  # the upper half of an F32
        content = b"".join(b"\0\0" + content[at : at + 2] for at in range(0, len(content), 2))
    code = "e" if tensor.dtype == "F16" else "f"
    return list(struct.unpack(f"<{len(content) // struct.calcsize(code)}{code}", content))


def os_sentence(path: Path, error: OSError) -> Sentence:
    """Why the system does not let a file be read."""
    if isinstance(error, FileNotFoundError):
        if os.path.islink(path):  # noqa: PTH114 - Path.is_symlink() hides some errors
            return say("It is a link to a file that is not there.")
        return say("It is no longer there.")
    if isinstance(error, PermissionError):
        return say("It may not be read: change the file's permissions.")
    if "symbolic link" in str(error):
        return say("It is a link that leads back to itself.")
    return say("It cannot be read ({reason}).", reason=system_reason(error))


def _not_a_file(mode: int) -> Sentence:
    if stat.S_ISDIR(mode):
        return say("It is a folder with the name of a file.")
    return say("It is not an ordinary file (a pipe or a device).")


def _header_length(start: bytes, size: int) -> int:
    """The header's length; raises DamagedFile when this is no safetensors file."""
    if not size:
        raise DamagedFile(say("It is empty: download it again."))
    if sentence := _something_else(start):
        raise DamagedFile(sentence)
    if size < 8:
        raise DamagedFile(say("It is too short to be a model: download it again."))
    (length,) = struct.unpack("<Q", start[:8])
    if start[8:9] != b"{":
        raise DamagedFile(say("It is damaged or not a safetensors file."))
    if length > LARGEST_HEADER:
        raise DamagedFile(say("It is damaged: its header says that it is larger than any model's."))
    if 8 + length > size:
        raise DamagedFile(_cut_short(size, 8 + length))
    return int(length)


def _something_else(start: bytes) -> Sentence | None:
    """What a file is instead, by its first bytes; None when it may be safetensors."""
    if start.startswith((b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")):
        return PICKLE if start[8:9] != b"{" else None
    if start.startswith(b"GGUF"):
        return say("It is a GGUF file, which this studio cannot read: use the safetensors instead.")
    if start.startswith(b"version https://git-lfs"):
        return say(
            "It only stands for a file that was not downloaded (Git LFS): download the real one."
        )
    text = start.lstrip().lower()
    if text.startswith((b"<!doctype", b"<html", b"<?xml")):
        return say(
            "It is a web page, not a model: download the file again, perhaps after logging in."
        )
    try:
        plain = start.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(start) - 3:  # else only the last character is cut through
            return None
        plain = start[: error.start].decode("utf-8")
    readable = all(character.isprintable() or character in "\t\r\n" for character in plain)
    return say("It is a text file, not a model.") if readable else None


def _parse(text: bytes, start: int) -> Header:
    """The header's JSON, checked as the safetensors library checks it."""
    try:
        content = json.loads(
            text.decode("utf-8"), object_pairs_hook=_once_each, parse_constant=_no_constant
        )
    except DamagedFile:
        raise
    except (ValueError, RecursionError) as error:
        raise DamagedFile(say("It is damaged: its header is not JSON.")) from error
    if not isinstance(content, dict):
        raise DamagedFile(say("It is damaged: its header is not a list of tensors."))
    metadata = content.pop("__metadata__", {})
    if not isinstance(metadata, dict):
        metadata = {}
    tensors = {name: _tensor(name, entry) for name, entry in content.items()}
    words = {key: value for key, value in metadata.items() if isinstance(value, str)}
    return Header(tensors, words, start)


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise DamagedFile(say("It is damaged: its header names a tensor twice."))
    return content


def _no_constant(_: str) -> None:
    raise DamagedFile(say("It is damaged: a number in its header is not a number."))


def _tensor(name: str, entry: Any) -> Tensor:
    """One entry of the header; raises DamagedFile when it does not fit together."""
    try:
        dtype, shape, (begin, end) = entry["dtype"], entry["shape"], entry["data_offsets"]
        numbers = [*shape, begin, end]
    except (TypeError, KeyError, ValueError):
        numbers, dtype = [], None
    counted = all(type(number) is int and 0 <= number < 2**63 for number in numbers)
    if not (0 < len(numbers) < 20 and counted and isinstance(dtype, str)):
        raise DamagedFile(
            say("It is damaged: its header does not say where “{name}” lies.", name=name[:80])
        )
    if dtype not in _BITS:
        raise DamagedFile(
            say("It holds numbers of a format that is not known here ({dtype}).", dtype=dtype[:20])
        )
    if math.prod(shape) * _BITS[dtype] != (end - begin) * 8:
        raise DamagedFile(
            say("It is damaged: the size of “{name}” does not fit its shape.", name=name[:80])
        )
    return Tensor(dtype, tuple(shape), begin, end)


def _check_length(header: Header, size: int) -> None:
    """Raise DamagedFile unless the tensors fill the file, one after another."""
    reached = 0
    for begin, end in sorted((tensor.begin, tensor.end) for tensor in header.tensors.values()):
        if begin != reached:
            raise DamagedFile(say("It is damaged: its tensors overlap, or leave gaps."))
        reached = end
    if header.start + reached > size:
        raise DamagedFile(_cut_short(size, header.start + reached))
    if header.start + reached < size:
        raise DamagedFile(say("It is damaged: it is longer than its header says."))


def _cut_short(size: int, wanted: int) -> Sentence:
    return say(
        "It is cut short ({size} of {wanted}): download it again, or "
        "wait until the download has ended.",
        size=_readable(size),
        wanted=_readable(wanted),
    )


def _readable(size: int) -> str:
    if size < 1000:
        return say("{n} bytes", n=size)
    size = size / 1000  # type: ignore[assignment]
    for unit in ("kB", "MB"):
        if size < 1000:
            return f"{size:.4g} {unit}"
        size = size / 1000  # type: ignore[assignment]
    return f"{size:.4g} GB"
