"""How much memory a model will take, read from the headers of its files. No torch here."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path

from studio.models.base import ModelInfo
from studio.models.plan import Weights
from studio.models.weights import LARGEST_HEADER, variant, weight_files

# The original layouts' names of the parts; the order matters where one begins another.
_PREFIXES: tuple[tuple[str, str | None], ...] = (
    ("model_ema.", None),
    ("model.diffusion_model.", "unet"),
    ("first_stage_model.", "vae"),
    ("cond_stage_model.", "text_encoder"),
    ("conditioner.embedders.1.", "text_encoder_2"),
    ("conditioner.embedders.", "text_encoder"),
)
_PARTS = ("text_encoder", "text_encoder_2", "unet", "vae")


def expected_weights(info: ModelInfo, itemsize: int, text_itemsize: int) -> Weights:
    """What a model will hold once it is loaded in numbers of ``itemsize`` bytes.

    From the shapes alone; a file that cannot be read counts by its size, since loading it will say
    what is wrong with it.
    """
    parts: dict[str, int] = {}
    largest = 0
    for part, numbers in _tensors(info):
        size = numbers * (text_itemsize if part.startswith("text_encoder") else itemsize)
        parts[part] = parts.get(part, 0) + size
        largest = max(largest, size)
    return Weights(parts or {"unet": info.size}, largest, itemsize)


def _tensors(info: ModelInfo) -> Iterator[tuple[str, int]]:
    """The part and the number of values of every tensor."""
    if info.path.is_file():
        for name, shape in _shapes(info.path).items():
            part = next((p for start, p in _PREFIXES if name.startswith(start)), None)
            if part is not None:
                yield part, math.prod(shape)
        return
    for part in _PARTS:
        for path in _used_files(info.path / part):
            for shape in _shapes(path).values():
                yield part, math.prod(shape)


def _used_files(folder: Path) -> list[Path]:
    if variant(folder) == "fp16":
        return [path for path in weight_files(folder) if ".fp16." in path.name]
    plain = [
        p for p in weight_files(folder) if ".fp16." not in p.name and ".non_ema." not in p.name
    ]
    return plain or weight_files(folder)


def _shapes(path: Path) -> Mapping[str, list[int]]:
    try:
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            header = json.loads(file.read(length)) if length <= LARGEST_HEADER else {}
        return {
            name: [int(side) for side in entry["shape"]]
            for name, entry in header.items()
            if name != "__metadata__"
        }
    except (OSError, ValueError, struct.error, KeyError, TypeError, AttributeError):
        return {}
