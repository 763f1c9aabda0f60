"""Tensors read from safetensors one by one, straight into memory of their own.

No memory map: its pages would count beside the copy on the device, and a file that is replaced or
cut while it is mapped takes the process down with it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import torch

from studio.models.header import DamagedFile, Tensor, read_header
from studio.sentences import say

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
    """One open safetensors file. Raises DamagedFile when it is no whole safetensors file.

    The format: https://github.com/huggingface/safetensors#format
    """

    def __init__(self, path: Path) -> None:
        header = read_header(path)
        self.path, self.metadata = path, header.metadata
        self.tensors = {
            name: _stored(path, entry, header.start) for name, entry in header.tensors.items()
        }
        self._file = path.open("rb", buffering=0)

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
                sentence = say("{name} in {file} has no thirds", name=name, file=self.path.name)
                raise DamagedFile(sentence)
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
                raise DamagedFile(say("{file} ends too early", file=self.path.name))
            space = space[count:]


def _stored(path: Path, entry: Tensor, start: int) -> Stored:
    if entry.dtype not in DTYPES:
        sentence = say(
            "{file} holds tensors of a kind that PyTorch lacks: {dtype}",
            file=path.name, dtype=entry.dtype,
        )  # fmt: skip
        raise DamagedFile(sentence)
    return Stored(DTYPES[entry.dtype], entry.shape, start + entry.begin)
