"""How much memory a model will take, from the headers of its files. No torch here."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path

from studio.models.base import ModelInfo
from studio.models.header import DamagedFile, read_header
from studio.models.plan import Weights
from studio.models.weights import weight_files

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
        for path in weight_files(info.path / part):
            for shape in _shapes(path).values():
                yield part, math.prod(shape)


def _shapes(path: Path) -> Mapping[str, tuple[int, ...]]:
    try:
        return {name: tensor.shape for name, tensor in read_header(path).tensors.items()}
    except DamagedFile:
        return {}


def size_words(size: int) -> str:
    """Bytes for people, as the page says them: "6.9 GB", "12 MB"."""
    gib = size / 2**30
    return f"{gib:.1f} GB" if gib >= 1 else f"{max(1, round(size / 2**20))} MB"
