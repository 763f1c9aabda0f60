"""A model folder looked at from outside: its JSON, its weight files, and whether they are whole.

Only safetensors are ever opened: the other formats are pickles, which can run code. No torch here.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl")
LARGEST_HEADER = 100_000_000  # the bound that the safetensors library itself sets


def read_object(path: Path) -> dict[str, Any]:
    """A JSON object from a file; empty when the file is missing, unreadable or something else."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def weight_files(folder: Path) -> list[Path]:
    """The safetensors files of one component, sorted by name."""
    return sorted(folder.glob("*.safetensors"))


def weights_size(folder: Path) -> int:
    """Bytes of safetensors in one component's folder."""
    return sum(path.stat().st_size for path in weight_files(folder))


def variant(folder: Path) -> str | None:
    """The ``variant`` to load ("fp16") when a component has no weights under its plain name."""
    names = [path.name for path in weight_files(folder)]
    plain = [name for name in names if ".fp16." not in name and ".non_ema." not in name]
    return None if plain or not any(".fp16." in name for name in names) else "fp16"


def weights_problem(folder: Path) -> str | None:
    """What is wrong with a component's weights, as the end of a sentence; None when nothing is."""
    files = weight_files(folder)
    if not files:
        if any(path.suffix in PICKLES for path in folder.glob("*")):
            return "has pickled weights only; this studio opens safetensors only."
        return "has no safetensors weights."
    for path in files:
        if not is_whole(path):
            return f"holds {path.name}, which is damaged or not a safetensors file."
    return None


def is_whole(path: Path) -> bool:
    """Whether a file has a safetensors header and is exactly as long as that header says.

    The format: 8 bytes little-endian length N, N bytes of JSON, then the data.
    Source: https://github.com/huggingface/safetensors#format
    """
    try:
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            if length > LARGEST_HEADER:
                return False
            header = json.loads(file.read(length))
        ends = [entry["data_offsets"][1] for key, entry in header.items() if key != "__metadata__"]
        return bool(path.stat().st_size == 8 + length + max(ends, default=0))
    except (OSError, ValueError, struct.error, KeyError, TypeError, AttributeError, IndexError):
        return False
