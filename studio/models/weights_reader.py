"""Tensors read from safetensors one by one, straight into memory of their own.

No memory map: its pages would count beside the copy on the device, and a file that is replaced or
cut while it is mapped takes the process down with it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import torch

from studio.models.header import LARGEST_HEADER

DTYPES: Mapping[str, torch.dtype] = {
    "F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16,
    "F8_E4M3": torch.float8_e4m3fn, "F8_E5M2": torch.float8_e5m2,
    "I64": torch.int64, "I32": torch.int32, "I16": torch.int16, "I8": torch.int8,
    "U8": torch.uint8, "BOOL": torch.bool,
}  # fmt: skip


@dataclass(frozen=True)
class Stored:
    """Where a tensor lies in its file: ``start`` counts from the beginning of the file."""

    dtype: torch.dtype
    shape: tuple[int, ...]
    start: int


class WeightsReader:
    """One open safetensors file. Raises ValueError when its header makes no sense.

    The format: https://github.com/huggingface/safetensors#format
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("rb", buffering=0)
        try:
            self.metadata, self.tensors = self._header()
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            self._file.close()
            raise ValueError(f"{path.name} is damaged or not a safetensors file") from error

    def __enter__(self) -> WeightsReader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the file back."""
        self._file.close()

    def read(self, name: str, third: int | None = None) -> torch.Tensor:
        """The tensor on the CPU in the file's format; or the 0th, 1st or 2nd third of its rows."""
        stored = self.tensors[name]
        shape, start = stored.shape, stored.start
        if third is not None:
            if not shape or shape[0] % 3:
                raise ValueError(f"{name} in {self.path.name} has no thirds")
            shape = (shape[0] // 3, *shape[1:])
            start += third * math.prod(shape) * stored.dtype.itemsize
        tensor = torch.empty(shape, dtype=stored.dtype)
        self._fill(tensor, start)
        return tensor

    def _fill(self, tensor: torch.Tensor, start: int) -> None:
        if tensor.numel() == 0:
            return
        memory: Any = tensor.reshape(-1).view(torch.uint8).numpy()
        space = memoryview(memory)
        self._file.seek(start)
        while space:  # one call reads at most 2 GiB
            count = self._file.readinto(space)
            if not count:
                raise ValueError(f"{self.path.name} ends too early")
            space = space[count:]

    def _header(self) -> tuple[dict[str, str], dict[str, Stored]]:
        length = int.from_bytes(self._file.read(8), "little")
        if length > LARGEST_HEADER:
            raise ValueError("header too long")
        header = json.loads(self._read_all(length))
        size = self.path.stat().st_size - 8 - length
        metadata = header.pop("__metadata__", {})
        tensors = {name: self._stored(entry, size, 8 + length) for name, entry in header.items()}
        return metadata if isinstance(metadata, dict) else {}, tensors

    def _read_all(self, length: int) -> bytes:
        pieces = bytearray()
        while len(pieces) < length:
            piece = self._file.read(length - len(pieces))
            if not piece:
                raise ValueError("header cut")
            pieces += piece
        return bytes(pieces)

    @staticmethod
    def _stored(entry: Mapping[str, Any], size: int, data: int) -> Stored:
        dtype, shape = DTYPES[entry["dtype"]], tuple(int(side) for side in entry["shape"])
        start, end = entry["data_offsets"]
        if not 0 <= start <= end <= size or min(shape, default=0) < 0:
            raise ValueError("tensor outside the file")
        if end - start != math.prod(shape) * dtype.itemsize:
            raise ValueError("tensor of another size than its shape")
        return Stored(dtype, shape, data + start)
