"""Masks (mode L, 255 = repaint): blurred, measured, and what they put together."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter, ImageOps

from studio.images.frame import Box, Frame

HALF = 128  # what of a mask is at least this white is drawn anew
# Radius in pixels, and how often each blurred layer is laid on: far colours first, near ones last.
_LAYERS = ((256, 1), (64, 1), (16, 2), (4, 4), (2, 2), (0, 1))


def blurred(mask: Image.Image, radius: float) -> Image.Image:
    """The mask with soft edges; ``radius``: the standard deviation in pixels."""
    return mask.filter(ImageFilter.GaussianBlur(radius)) if radius else mask


def core(mask: Image.Image) -> Image.Image:
    """What of the mask is at least half white, as 255, and the rest as 0."""
    return mask.point([0] * HALF + [255] * (256 - HALF))


def is_empty(mask: Image.Image) -> bool:
    """Whether there is nothing to be drawn anew."""
    return core(mask).getbbox() is None


def bounds(mask: Image.Image) -> Box:
    """The box around all that is not black; the mask must not be empty."""
    return mask.getbbox() or (0, 0, *mask.size)


def added(size: tuple[int, int], margins: Box) -> Image.Image:
    """The mask of what `extended` adds to a picture of a size."""
    left, top, right, bottom = margins
    mask = Image.new("L", (left + size[0] + right, top + size[1] + bottom), 255)
    mask.paste(0, (left, top, left + size[0], top + size[1]))
    return mask


def faded(size: tuple[int, int], margins: Box, radius: float) -> Image.Image:
    """The same mask with an edge that is soft on the outside only: the picture itself stays.

    At its border the mirrored picture shows, a few pixels on what is drawn. ``radius``: as in
    `blurred`.
    """
    left, top, right, bottom = margins
    width, height = left + size[0] + right, top + size[1] + bottom
    # where a Gaussian is almost over; of a narrow margin half is drawn all the same
    before_x, before_y, after_x, after_y = (min(round(2 * radius), m // 2) for m in margins)
    mask = Image.new("L", (width, height), 255)
    mask.paste(
        0,
        (
            left - before_x, top - before_y,
            left + size[0] + after_x, top + size[1] + after_y,
        ),
    )  # fmt: skip
    soft = blurred(mask, radius)
    soft.paste(0, (left, top, left + size[0], top + size[1]))
    return soft


def cells(mask: Image.Image, frame: Frame, cell: int) -> npt.NDArray[np.bool_]:
    """Which latent cells of a frame's canvas are drawn anew: (rows, columns).

    A cell is when any of its pixels is in the mask's core, however thin a stroke was.
    """
    laid = np.asarray(frame.lay(core(mask), Image.Resampling.BOX))
    rows, columns = laid.shape[0] // cell, laid.shape[1] // cell
    touched: npt.NDArray[np.bool_] = (
        laid.reshape(rows, cell, columns, cell).max(axis=(1, 3)).astype(np.bool_)
    )
    return touched


def graded(mask: Image.Image, frame: Frame, cell: int) -> npt.NDArray[np.float32]:
    """How far each latent cell of a frame's canvas is drawn anew, 0…1: (rows, columns).

    A cell is as white as its whitest pixel, however thin a stroke was.
    """
    laid = np.asarray(frame.lay(mask, Image.Resampling.BOX), dtype=np.float32)
    rows, columns = laid.shape[0] // cell, laid.shape[1] // cell
    levels: npt.NDArray[np.float32] = laid.reshape(rows, cell, columns, cell).max(axis=(1, 3)) / 255
    return levels


def opened(mask: Image.Image) -> Image.Image:
    """A graded mask for putting together what was drawn by it: from a quarter on it is white.

    What was drawn a little is near the original; laid on by the same grade again, it would be lost.
    """
    return mask.point([min(255, level * 4) for level in range(256)])


def composite(
    picture: Image.Image, drawn: Image.Image, mask: Image.Image, place: tuple[int, int] = (0, 0)
) -> Image.Image:
    """``picture`` with ``drawn`` (RGB) at ``place`` as far as the mask says.

    The mask has the picture's size. Where it is 0 every channel of the picture is as it was, to
    the bit. What is drawn on a transparent part becomes visible as far as the mask says.
    """
    box = (*place, place[0] + drawn.width, place[1] + drawn.height)
    share = mask.crop(box)
    result = picture.copy()
    part = picture.crop(box)
    if picture.mode == "RGBA":
        below = part.convert("RGB")
        opacity = part.getchannel("A")
        # on a transparent part there is nothing to blend with, whatever colour lies hidden there
        share_of_colour = _over(share, opacity)
        mixed = Image.composite(drawn, below, share_of_colour)
        opacity = Image.composite(Image.new("L", share.size, 255), opacity, share)
        mixed.putalpha(opacity)
    else:
        mixed = Image.composite(drawn, part, share)
    result.paste(mixed, place, share.point([0] + [255] * 255))
    return result


def _over(share: Image.Image, opacity: Image.Image) -> Image.Image:
    """The share of the upper colour where it lies on one of some opacity (Porter & Duff 1984)."""
    upper = np.asarray(share, dtype=np.float64) / 255
    lower = np.asarray(opacity, dtype=np.float64) / 255 * (1 - upper)
    whole = upper + lower
    ratio = np.divide(upper, whole, out=np.zeros_like(upper), where=whole > 0)
    return Image.fromarray((ratio * 255).round().astype(np.uint8))


def filled(picture: Image.Image, mask: Image.Image) -> Image.Image:
    """The picture (RGB) with the masked part in the blurred colours around it, as A1111 does it."""
    around = Image.new("RGBa", picture.size)
    around.paste(picture.convert("RGBA").convert("RGBa"), mask=ImageOps.invert(mask))
    result = Image.new("RGBA", picture.size)
    for radius, times in _LAYERS:
        layer = around.filter(ImageFilter.GaussianBlur(radius)).convert("RGBA")
        for _ in range(times):
            result.alpha_composite(layer)
    return result.convert("RGB")
