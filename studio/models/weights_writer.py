"""A safetensors file written tensor by tensor: each is made when its turn comes.

The format: https://github.com/huggingface/safetensors#format
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from studio.models.weights_reader import DTYPES

_NAMES = {dtype: name for name, dtype in DTYPES.items()}


@dataclass(frozen=True)
class Piece:
    """A tensor to be written. ``make`` gives it on the CPU, in this size and number format."""

    name: str
    shape: tuple[int, ...]
    dtype: torch.dtype
    make: Callable[[], torch.Tensor]

    @property
    def size(self) -> int:
        """How many bytes it takes in the file."""
        return math.prod(self.shape) * self.dtype.itemsize


def write_pieces(
    path: Path,
    pieces: Sequence[Piece],
    metadata: Mapping[str, str] | None = None,
    came: Callable[[int], None] = lambda size: None,
) -> None:
    """The file at ``path``, on the disk to the last byte; ``came`` hears the size of each piece.

    Wide numbers stand first, so that every tensor is aligned. What ``came`` raises ends it.
    """
    ordered = sorted(pieces, key=lambda piece: -piece.dtype.itemsize)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(_header(ordered, {"format": "pt", **(metadata or {})}))
        for piece in ordered:
            file.write(_bytes(piece))
            came(piece.size)
        file.flush()
        os.fsync(file.fileno())


def _header(pieces: Sequence[Piece], metadata: Mapping[str, str]) -> bytes:
    entries: dict[str, Any] = {"__metadata__": dict(metadata)}
    end = 0
    for piece in pieces:
        start, end = end, end + piece.size
        entries[piece.name] = {
            "dtype": _NAMES[piece.dtype], "shape": list(piece.shape), "data_offsets": [start, end],
        }  # fmt: skip
    text = json.dumps(entries, ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def _bytes(piece: Piece) -> memoryview:
    tensor = piece.make()
    if tensor.numel() != math.prod(piece.shape) or tensor.dtype != piece.dtype:
        raise ValueError(f"{piece.name} is not what was announced: {tensor.shape}, {tensor.dtype}")
    values: Any = tensor.contiguous().reshape(-1).view(torch.uint8).numpy()
    return memoryview(values)
