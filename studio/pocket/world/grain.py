"""Textures the styles share: brush dabs, washes and hatching, computed once per size."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Floats = NDArray[np.float32]
Indices = NDArray[np.int32]


def _smooth_noise(size: int, cells: int, rng: np.random.Generator) -> Floats:
    """Smooth noise between -1 and 1 with about `cells` blotches across."""
    coarse = Image.fromarray(rng.uniform(-1, 1, (cells, cells)).astype(np.float32))
    smooth = coarse.resize((size, size), Image.Resampling.BICUBIC)
    return np.asarray(smooth, dtype=np.float32)


@lru_cache(maxsize=16)
def wobble(size: int, variant: int) -> Indices:
    """For each pixel the one it takes its colour from, when edges run on wet paper."""
    rng = np.random.default_rng(100 + variant)
    reach = size * 0.006
    rows, columns = np.mgrid[0:size, 0:size]
    rows = np.clip(rows + _smooth_noise(size, 18, rng) * reach, 0, size - 1).astype(np.int32)
    columns = np.clip(columns + _smooth_noise(size, 18, rng) * reach, 0, size - 1)
    taken: Indices = (rows * size + columns.astype(np.int32)).ravel()
    return taken


@lru_cache(maxsize=16)
def wash_noise(size: int, variant: int) -> tuple[Floats, Floats]:
    """Uneven pigment around 1, and an irregular border fading from 1 to bare paper at 0."""
    rng = np.random.default_rng(200 + variant)
    blotches = 1.0 + 0.17 * _smooth_noise(size, 6, rng) + 0.07 * _smooth_noise(size, 12, rng)
    ramp = (np.arange(size, dtype=np.float32) + 0.5) / size
    near = np.minimum(ramp, 1 - ramp)
    distance = np.minimum(near[:, None], near[None, :]) + 0.014 * _smooth_noise(size, 9, rng)
    border = np.clip((distance - 0.026) / 0.020, 0.0, 1.0)
    return blotches.astype(np.float32), border.astype(np.float32)


@lru_cache(maxsize=16)
def brush_dabs(size: int, variant: int, scale: float) -> tuple[Indices, Floats]:
    """For each pixel the one its brush dab was loaded from, and the dab's thickness of light."""
    rng = np.random.default_rng(300 + variant)
    length, width = 20.0 * scale * size / 256, 7.5 * scale * size / 256
    spacing = width * 0.75
    centres = np.mgrid[0:size:spacing, 0:size:spacing].reshape(2, -1).T
    centres = centres + rng.uniform(-spacing / 2, spacing / 2, centres.shape)
    rng.shuffle(centres)
    flow = _smooth_noise(size, 4, rng)
    sheet = Image.new("I", (size, size))
    draw = ImageDraw.Draw(sheet)
    light = rng.uniform(0.92, 1.08, len(centres)).astype(np.float32)
    inside = np.clip(centres, 0, size - 1).astype(np.int32)
    for i, (y, x) in enumerate(inside.tolist()):
        angle = 0.5 + 0.9 * float(flow[y, x])
        dx, dy = np.cos(angle) * length / 2, np.sin(angle) * length / 2
        nx, ny = -np.sin(angle) * width / 2, np.cos(angle) * width / 2
        draw.polygon(
            [
                (x - dx, y - dy),
                (x - dx * 0.8 + nx, y - dy * 0.8 + ny),
                (x + dx * 0.8 + nx, y + dy * 0.8 + ny),
                (x + dx, y + dy),
                (x + dx * 0.8 - nx, y + dy * 0.8 - ny),
                (x - dx * 0.8 - nx, y - dy * 0.8 - ny),
            ],
            fill=i + 1,
        )
    dabs = np.asarray(sheet, dtype=np.int32)
    own = np.arange(size * size, dtype=np.int32).reshape(size, size)
    loaded = np.concatenate(([0], inside[:, 0] * size + inside[:, 1])).astype(np.int32)
    source = np.where(dabs > 0, loaded[dabs], own)
    shade = np.concatenate((np.ones(1, np.float32), light))[dabs]
    return source.astype(np.int32), shade


@lru_cache(maxsize=4)
def hatching(size: int) -> Image.Image:
    """Broad diagonal pencil strokes over the whole sheet."""
    side = size * 2
    sheet = Image.new("L", (side, side))
    draw = ImageDraw.Draw(sheet)
    step = side / 21
    for i in range(-22, 44):
        draw.line(
            [(i * step, side), (i * step + side * 0.8, 0)], fill=255, width=round(step * 0.36)
        )
    return sheet.reduce(2)
