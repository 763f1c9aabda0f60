"""A picture enlarged to an exact size, in tiles: memory does not grow with the picture."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np
import torch
from PIL import Image

from studio.images import frame as frames
from studio.images.tiles import Mosaic, Strip, grown, strips, wrapped
from studio.models.addons.listing import Catalog, find_addon
from studio.models.base import ModelInfo
from studio.models.placement import Placement
from studio.models.upscalers.loading import Upscaler, load_upscaler
from studio.upscaling import PIXEL

TILE = 192  # pixels of the small picture
OVERLAP = 32
MOST_ROUNDS = 3  # of a network that enlarges less than is wanted, as in A1111

_RESAMPLING = {"lanczos": Image.Resampling.LANCZOS, "nearest": Image.Resampling.NEAREST}

Tiles = tuple[int, int]
"""How many tiles are done, of how many."""


class Enlarger:
    """Enlarges pictures by the ways that are built in and by files; keeps the last file's network.

    For one thread.
    """

    def __init__(self, catalog: Catalog, placement: Placement) -> None:
        self._catalog, self._placement = catalog, placement
        self._kept: tuple[object, Upscaler] | None = None

    def enlarge(
        self,
        picture: Image.Image,
        size: frames.Size,
        way: str,
        model: ModelInfo,
        field: str,
        around: tuple[bool, bool] = (False, False),
    ) -> Generator[Tiles, None, Image.Image]:
        """The picture (RGB or RGBA) at ``size``, cropped where that has other proportions.

        ``way``: of `studio.upscaling`, or an upscaler's name in the catalog. A network runs until
        its picture is as large, then Lanczos brings it to the size. ``around``: whether the picture
        goes on at its other side, across and down. ``model``: with which it is used; ``field``: of
        the request, for what is wrong. Raises InvalidRequest, ModelError.
        """
        if way in PIXEL:
            return _fitted(picture, size, way, around)
        network = self._network(way, model, field)
        for _ in range(MOST_ROUNDS):
            picture = yield from _run(network, picture, around)
            large = picture.width >= size[0] and picture.height >= size[1]
            if large or network.scale == 1:
                break
        return _fitted(picture, size, "lanczos", around)

    def forget(self) -> None:
        """Let the network go, to make room."""
        self._kept = None

    def _network(self, way: str, model: ModelInfo, field: str) -> Upscaler:
        info = find_addon(self._catalog, "upscaler", way, field, model)
        key = (info.path, info.path.stat().st_mtime_ns)
        if self._kept is None or self._kept[0] != key:
            self._kept = None  # two need not be there at once
            self._kept = key, load_upscaler(info, self._placement)
        return self._kept[1]


def _fitted(
    picture: Image.Image, size: frames.Size, way: str, around: tuple[bool, bool]
) -> Image.Image:
    """The picture at ``size``, cropped to it; where it goes around, its edges are blended so."""
    resampling = _RESAMPLING[way]
    if not any(around):
        return frames.resized(picture, size, "crop", resampling)
    across, down = (OVERLAP if each else 0 for each in around)
    scale = max(size[0] / picture.width, size[1] / picture.height)
    width, height = size[0] / scale, size[1] / scale
    left, top = across + (picture.width - width) / 2, down + (picture.height - height) / 2
    # what lies beyond the box is looked at, though not shown
    result = wrapped(picture, across, down).resize(
        size, resampling, box=(left, top, left + width, top + height)
    )
    result.info = {**picture.info}
    return result


def _run(
    network: Upscaler, picture: Image.Image, around: tuple[bool, bool]
) -> Generator[Tiles, None, Image.Image]:
    """The whole picture through a network, tile after tile."""
    scale, original = network.scale, picture
    margins = tuple(OVERLAP if each else 0 for each in around)
    colours = wrapped(picture.convert("RGB"), *margins)
    rows, columns = (strips(side, TILE, OVERLAP) for side in (colours.height, colours.width))
    larger = (colours.width * scale, colours.height * scale)
    over = [
        grown(rows, colours.height, OVERLAP, scale),
        grown(columns, colours.width, OVERLAP, scale),
    ]
    mosaic, done = Mosaic(larger), 0
    for row, large_row in zip(rows, over[0], strict=True):
        for column, large_column in zip(columns, over[1], strict=True):
            mosaic.lay(_tile(network, colours, row, column), large_row, large_column)
            done += 1
            yield done, len(rows) * len(columns)
    left, top = (margin * scale for margin in margins)
    result = mosaic.picture().crop((left, top, larger[0] - left, larger[1] - top))
    if original.mode == "RGBA":
        result.putalpha(original.getchannel("A").resize(result.size, Image.Resampling.LANCZOS))
    result.info = {**original.info}
    return result


def _tile(
    network: Upscaler, picture: Image.Image, row: Strip, column: Strip
) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """A part of a picture (RGB), enlarged: (h, w, 3) from 0 to 255."""
    width, height = len(column.share), len(row.share)
    box = (column.start, row.start, column.start + width, row.start + height)
    pixels = torch.from_numpy(np.array(picture.crop(box), dtype=np.float32)) / 255
    given = pixels.permute(2, 0, 1)[None]
    right, below = (-side % network.multiple for side in (width, height))
    if right or below:
        given = torch.nn.functional.pad(given, (0, right, 0, below), mode="replicate")
    made = network(given)[0, :, : height * network.scale, : width * network.scale]
    values: np.ndarray[tuple[int, ...], np.dtype[np.float32]] = (
        (made.clamp(0, 1) * 255).permute(1, 2, 0).cpu().numpy()
    )
    return values
