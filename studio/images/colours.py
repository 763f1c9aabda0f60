"""A picture brought back to the colours of another: mean and spread of each channel in CIELAB.

Source: Reinhard, Ashikhmin, Gooch & Shirley 2001, Color Transfer between Images, equations 10 and
11; in CIELAB (CIE 1976, D65) where they use lαβ, as most do today.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

Colours = npt.NDArray[np.float32]
_TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375],
     [0.2126729, 0.7151522, 0.0721750],
     [0.0193339, 0.1191920, 0.9503041]], dtype=np.float32,
)  # fmt: skip
_WHITE = _TO_XYZ.sum(1)
_FROM_XYZ = np.linalg.inv(_TO_XYZ)
_MOST = 2.0  # times a channel's spread is widened or narrowed: else flat colours become noise
_LEAST_PIXELS = 64


def matched(
    drawn: Image.Image, original: Image.Image, judged: npt.NDArray[np.bool_]
) -> Image.Image:
    """``drawn`` (RGB) with the shift undone that it has against ``original`` where ``judged``.

    Both have the size of ``judged`` (H, W). Judged by too few pixels, it stays as it is.
    """
    if judged.sum() < _LEAST_PIXELS:
        return drawn
    lab = to_lab(np.asarray(drawn))
    wanted = to_lab(np.asarray(original)[judged])
    mean, spread = lab[judged].mean(0), lab[judged].std(0)
    ratio = np.clip(wanted.std(0) / np.maximum(spread, 1e-3), 1 / _MOST, _MOST)
    return Image.fromarray(from_lab((lab - mean) * ratio + wanted.mean(0)))


def to_lab(pixels: npt.NDArray[np.uint8]) -> Colours:
    """CIELAB (…, 3) in fp32 from sRGB in 8 bits (…, 3)."""
    values = pixels.astype(np.float32) / 255
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    xyz = linear @ _TO_XYZ.T / _WHITE
    cubic = np.where(xyz > 216 / 24389, np.cbrt(xyz), (xyz * (24389 / 27) + 16) / 116)
    x, y, z = np.moveaxis(cubic, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], -1).astype(np.float32)


def from_lab(lab: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """sRGB in 8 bits (…, 3) from CIELAB (…, 3); colours that sRGB lacks are cut off."""
    lightness, across, along = np.moveaxis(lab, -1, 0)
    y = (lightness + 16) / 116
    cubic = np.stack([y + across / 500, y, y - along / 200], -1)
    xyz = np.where(cubic > 6 / 29, cubic**3, (116 * cubic - 16) * (27 / 24389)) * _WHITE
    linear = (xyz @ _FROM_XYZ.T).clip(0, 1)
    values = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    whole: npt.NDArray[np.uint8] = (values * 255).round().clip(0, 255).astype(np.uint8)
    return whole
