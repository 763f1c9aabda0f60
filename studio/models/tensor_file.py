"""One safetensors file, read tensor by tensor: never more in memory than what was asked for.

The safetensors library maps the whole file, so that what was read counts as memory until it is
closed; this reads with plain seeks instead, as a merge of files larger than the memory needs.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from studio.errors import ModelError
from studio.models.weights import LARGEST_HEADER

if TYPE_CHECKING:
    import torch

# The format's names -> torch's names, and the bytes of one number.
DTYPES: Mapping[str, tuple[str, int]] = {
    "F64": ("float64", 8), "F32": ("float32", 4), "F16": ("float16", 2), "BF16": ("bfloat16", 2),
    "F8_E4M3": ("float8_e4m3fn", 1), "F8_E5M2": ("float8_e5m2", 1),
    "I64": ("int64", 8), "I32": ("int32", 4), "I16": ("int16", 2), "I8": ("int8", 1),
    "U8": ("uint8", 1), "BOOL": ("bool", 1),
}  # fmt: skip


@dataclass(frozen=True)
class Entry:
    """One tensor of a file: its format's name for the numbers, its shape, where its bytes lie."""

    dtype: str
    shape: tuple[int, ...]
    start: int
    end: int

    @property
    def floating(self) -> bool:
        """Whether it holds fractions (weights) and not whole numbers (positions)."""
        return self.dtype in ("F64", "F32", "F16", "BF16", "F8_E4M3", "F8_E5M2")


class TensorFile:
    """An open safetensors file. ``entries`` by name; ``metadata`` as it was written.

    Raises ModelError when it cannot be read or is not what its header says.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file: BinaryIO = path.open("rb", buffering=0)
        except OSError as error:
            raise ModelError(f"{path.name} cannot be read ({error.strerror or error}).") from error
        try:
            self.entries, self.metadata = self._header()
        except (OSError, ValueError, KeyError, TypeError, AttributeError, struct.error) as error:
            self._file.close()
            raise ModelError(f"{path.name} is damaged or not a safetensors file.") from error

    def _header(self) -> tuple[dict[str, Entry], dict[str, str]]:
        (length,) = struct.unpack("<Q", self._file.read(8))
        if length > LARGEST_HEADER:
            raise ValueError("header")
        header = json.loads(self._file.read(length))
        metadata = {str(k): str(v) for k, v in header.pop("__metadata__", {}).items()}
        whole = self.path.stat().st_size - 8 - length
        entries = {}
        for name, said in header.items():
            start, end = (int(at) for at in said["data_offsets"])
            shape = tuple(int(side) for side in said["shape"])
            if not 0 <= start <= end <= whole or end - start != size_of(said["dtype"], shape):
                raise ValueError(name)
            entries[name] = Entry(said["dtype"], shape, 8 + length + start, 8 + length + end)
        return entries, metadata

    def read(self, name: str) -> torch.Tensor:
        """The tensor called ``name``, on the CPU, in the file's own number format."""
        import torch

        entry = self.entries[name]
        held = bytearray(entry.end - entry.start)
        view, at = memoryview(held), 0
        self._file.seek(entry.start)
        while at < len(held):
            got = self._file.readinto(view[at:])  # type: ignore[attr-defined]
            if not got:
                raise ModelError(f"{self.path.name} ends too early; it may still be copied.")
            at += got
        dtype: torch.dtype = getattr(torch, DTYPES[entry.dtype][0])
        if not held:
            return torch.empty(entry.shape, dtype=dtype)
        return torch.frombuffer(held, dtype=dtype).reshape(entry.shape)

    def close(self) -> None:
        """Let the file go."""
        self._file.close()

    def __enter__(self) -> TensorFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def size_of(dtype: str, shape: tuple[int, ...]) -> int:
    """Bytes of a tensor. Raises KeyError for a number format that is not known."""
    return math.prod(shape) * DTYPES[dtype][1]


def read_tensors(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """All tensors of a (small) file and its metadata. Raises ModelError."""
    with TensorFile(path) as file:
        return {name: file.read(name) for name in file.entries}, file.metadata
