"""Overlapping tiles: where they lie along an axis, how much each counts, and what they make up.

A tile's share rises over the overlap as in a cross-fade and all shares add up to 1 everywhere, so
that no tile has an edge. Work in tiles takes the memory of one tile, whatever the picture's size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

BLIND = 0.25
"""The outer part of an overlap that counts for next to nothing: there a network sees zeros beyond
the tile's edge, where the picture goes on."""
NEXT_TO_NOTHING = 1e-6  # but at the picture's own edge, where no other tile is, it is all there is

Shares = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Strip:
    """A tile's extent along one axis, whose length is that of ``share``.

    ``share``: how much each place of it counts. ``before``: how much the strips in front of it in
    the list count there. ``places``: where its places lie; they go around an axis without an end.
    """

    start: int
    share: Shares
    before: Shares
    places: npt.NDArray[np.int64]


def strips(length: int, tile: int, overlap: int, around: bool = False) -> list[Strip]:
    """Strips of ``tile`` places that cover an axis, spread evenly, one at least.

    Two neighbours share ``overlap`` places or a few more, at most half a tile. ``around``: the last
    place of the axis lies beside its first, and a strip may go on from there.
    """
    tile = min(tile, length)
    step = max(1, tile - min(overlap, tile // 2))
    if tile == length:
        return placed([0], length, tile, overlap)
    if around:
        count = -(-length // step)
        starts = [length * k // count for k in range(count)]
    else:
        count = -(-(length - tile) // step) + 1
        starts = [(length - tile) * k // (count - 1) for k in range(count)]
    return placed(starts, length, tile, overlap)


def placed(starts: Sequence[int], length: int, tile: int, overlap: int) -> list[Strip]:
    """Strips with given starts; whatever their distances, their shares add up to 1."""
    shared = min(overlap, tile // 2)
    edge = np.minimum(np.arange(tile), np.arange(tile)[::-1]) + 1.0 - shared * BLIND
    ramp = np.clip(edge, NEXT_TO_NOTHING, max(1.0, shared * (1 - 2 * BLIND)))
    every = [(start + np.arange(tile)) % length for start in starts]
    whole = np.zeros(length)
    for places in every:
        whole[places] += ramp
    made, sofar = [], np.zeros(length)
    for start, places in zip(starts, every, strict=True):
        share = ramp / whole[places]
        made.append(Strip(start, share, sofar[places].copy(), places))
        sofar[places] += share
    return made


def grown(given: Sequence[Strip], length: int, overlap: int, by: int) -> list[Strip]:
    """The same strips where every place has become ``by`` places; ``length``, ``overlap``: before.

    They are as soft as before: the ramp grows as well.
    """
    starts, tile = [strip.start * by for strip in given], len(given[0].share)
    return placed(starts, length * by, tile * by, overlap * by)


class Mosaic:
    """A picture (H, W, C) put together from tiles, in the memory of the picture alone.

    Tiles come row by row, each row from the left, with the strips' own order. What is laid on an
    overlap moves what is there by as much as it counts, so that the mean is right at the end.
    """

    def __init__(self, size: tuple[int, int], channels: int = 3) -> None:
        self._pixels = np.zeros((size[1], size[0], channels), np.uint8)

    def lay(self, tile: npt.NDArray[Any], row: Strip, column: Strip) -> None:
        """Lay a tile (h, w, C) of values from 0 to 255 where the two strips cross."""
        top, left = row.start, column.start
        there = self._pixels[top : top + len(row.share), left : left + len(column.share)]
        own = np.outer(row.share, column.share)
        earlier = np.add.outer(row.before, np.zeros(len(column.share)))
        earlier += np.outer(row.share, column.before)
        weight = (own / (own + earlier)).astype(np.float32)[..., None]
        there[...] = np.rint(there + (tile.astype(np.float32) - there) * weight)

    def picture(self) -> Image.Image:
        """What has been laid, as a picture."""
        return Image.fromarray(self._pixels)


def wrapped(image: Image.Image, across: int, down: int) -> Image.Image:
    """A picture without an end, with so many pixels of its other side added on each side."""
    if not across and not down:
        return image
    pixels = np.asarray(image)
    margins = ((down, down), (across, across), (0, 0))[: pixels.ndim]
    return Image.fromarray(np.pad(pixels, margins, mode="wrap"))
