"""A rough map of where something is -> a mask with the picture's own edges. Numpy and SciPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import ndimage

Map = npt.NDArray[np.float64]
Region = npt.NDArray[np.bool_]

_SMOOTH = 1e-3  # of a guided filter: variances (of colours in 0…1) below it are no edge
_LEAST_PART = 0.2  # of the largest part: smaller ones are stains
_BINS = 256


def along_edges(rough: Map, picture: Image.Image, radius: int) -> Map:
    """A map (H, W) of a picture of W × H, pulled to the picture's edges within ``radius`` pixels.

    Source: He, Sun & Tang 2010, Guided Image Filtering, equations 19 to 21 (colour guidance).
    """
    guide = np.asarray(picture.convert("RGB"), dtype=np.float64) / 255

    def mean(values: npt.NDArray[Any]) -> Map:
        size = (2 * radius + 1,) * 2 + (1,) * (values.ndim - 2)
        filtered: Map = ndimage.uniform_filter(values, size, mode="nearest")
        return filtered

    colour, level = mean(guide), mean(rough)
    together = mean(guide * rough[..., None]) - colour * level[..., None]
    spread = mean(guide[..., :, None] * guide[..., None, :])
    spread += _SMOOTH * np.eye(3) - colour[..., :, None] * colour[..., None, :]
    slope = np.linalg.solve(spread, together[..., None])[..., 0]
    offset = level - (slope * colour).sum(-1)
    result: Map = (mean(slope) * guide).sum(-1) + mean(offset)
    return result


def otsu(values: npt.NDArray[Any]) -> float:
    """The threshold that parts the values into the two most different halves (Otsu 1979)."""
    counts, edges = np.histogram(values, _BINS)
    centres = (edges[:-1] + edges[1:]) / 2
    below = np.cumsum(counts)
    above = below[-1] - below
    sums = np.cumsum(counts * centres)
    means = sums / np.maximum(below, 1), (sums[-1] - sums) / np.maximum(above, 1)
    between = below.astype(np.float64) * above * (means[0] - means[1]) ** 2
    return float(edges[1:][np.argmax(between)])


def cleaned(region: Region, reach: int) -> Region:
    """The region without stains, gaps or holes.

    ``reach``: gaps of at most so many pixels are closed. Parts of less than a fifth of the largest
    are left out.
    """
    room = np.pad(region, reach)  # or closing would eat what touches the picture's edge
    disc = _disc(reach)
    closed = ndimage.binary_closing(room, disc)[reach : reach + region.shape[0]]
    filled = ndimage.binary_fill_holes(closed[:, reach : reach + region.shape[1]])
    labels, count = ndimage.label(filled, np.ones((3, 3)))
    if not count:
        return region
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    kept: Region = (sizes >= _LEAST_PART * sizes.max())[labels] & filled
    return kept


def grown(region: Region, pixels: float) -> Region:
    """The region with a rim of so many pixels."""
    if not pixels:
        return region
    wider: Region = ndimage.distance_transform_edt(~region) <= pixels
    return wider


def _disc(radius: int) -> Region:
    down, across = np.ogrid[-radius : radius + 1, -radius : radius + 1]
    disc: Region = down**2 + across**2 <= radius**2
    return disc
