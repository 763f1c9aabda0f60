"""Where a picture is drawn: a part of it, at a size that suits a model, and the way back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

LEAST_SIDE = 64  # pixels: what a model draws at least
Size = tuple[int, int]
Box = tuple[int, int, int, int]
"""Left, top, right, bottom, in pixels; right and bottom do not belong to it."""

_LANCZOS = Image.Resampling.LANCZOS


@dataclass(frozen=True)
class Frame:
    """A part of a picture and the canvas that it is drawn on.

    ``box``: the part. ``size``: how large it lies on the canvas, in the upper left corner.
    ``canvas``: width and height, multiples of a latent cell.
    """

    box: Box
    size: Size
    canvas: Size

    def lay(self, image: Image.Image, resampling: Image.Resampling = _LANCZOS) -> Image.Image:
        """The part on the canvas; what the canvas has more repeats the part's last pixels."""
        part = image.crop(self.box)
        if part.size != self.size:
            part = part.resize(self.size, resampling)
        right, below = (c - s for c, s in zip(self.canvas, self.size, strict=True))
        if not right and not below:
            return part
        pixels = np.asarray(part)
        margins = ((0, below), (0, right), (0, 0))[: pixels.ndim]
        return Image.fromarray(np.pad(pixels, margins, mode="edge"))

    def lift(self, drawn: Image.Image) -> Image.Image:
        """What was drawn on the canvas, as large as the part."""
        part = drawn.crop((0, 0, *self.size))
        width, height = self.box[2] - self.box[0], self.box[3] - self.box[1]
        return part if part.size == (width, height) else part.resize((width, height), _LANCZOS)


def frame(box: Box, room: Size, cell: int) -> Frame:
    """The frame in which a part is drawn as large as ``room`` (width, height) allows.

    A part that fills the room but for less than a cell is drawn pixel by pixel, not enlarged.
    """
    width, height = box[2] - box[0], box[3] - box[1]
    size = width, height
    if any(not 0 <= r - s < cell for r, s in zip(room, size, strict=True)):
        scale = min(room[0] / width, room[1] / height)
        size = max(1, round(width * scale)), max(1, round(height * scale))
    return Frame(box, size, on_grid(size, cell))


def on_grid(size: Size, cell: int) -> Size:
    """The smallest canvas that a model can draw ``size`` on."""
    width, height = (max(LEAST_SIDE, -(-side // cell) * cell) for side in size)
    return width, height


def best_size(size: Size, native: int, most: int) -> Size:
    """The room (width, height) to draw a whole picture in: its own size, within reason.

    ``native``: the side a model was trained at. Pictures of less than a quarter of that area are
    drawn at it, those of more than four times are drawn at four times; no side is above ``most``.
    """
    area, whole = size[0] * size[1], native * native
    scale = 1.0
    if area * 4 < whole:
        scale = (whole / area) ** 0.5
    elif area > whole * 4:
        scale = (whole * 4 / area) ** 0.5
    scale = min(scale, most / max(size))
    scaled = (max(1, int(size[0] * scale + 1e-6)), max(1, int(size[1] * scale + 1e-6)))
    return on_grid(scaled, 8)


def box_around(inner: Box, padding: int, room: Size, picture: Size) -> Box:
    """``inner`` with ``padding`` pixels around it, widened to the proportions of ``room``.

    It stays within a picture of the size ``picture``; where it meets an edge it grows the other
    way, and where there is no space for its proportions it is the widest that there is.
    """
    spans = [
        (max(0, inner[axis] - padding), min(picture[axis], inner[axis + 2] + padding))
        for axis in (0, 1)
    ]
    lengths = [end - start for start, end in spans]
    wanted = (
        max(lengths[0], round(lengths[1] * room[0] / room[1])),
        max(lengths[1], round(lengths[0] * room[1] / room[0])),
    )
    (left, right), (top, bottom) = (
        _widened(span, length, limit)
        for span, length, limit in zip(spans, wanted, picture, strict=True)
    )
    return left, top, right, bottom


def extended(image: Image.Image, margins: Box) -> Image.Image:
    """The picture with pixels added on the left, at the top, on the right and at the bottom.

    They mirror the picture, so that its lines and colours go on across its edges.
    """
    left, top, right, bottom = margins
    pixels = np.asarray(image)
    added = ((top, bottom), (left, right), (0, 0))[: pixels.ndim]
    return Image.fromarray(np.pad(pixels, added, mode="symmetric"))


def _widened(span: tuple[int, int], length: int, limit: int) -> tuple[int, int]:
    length = min(length, limit)
    start = (span[0] + span[1] - length) // 2
    start = min(max(0, start), limit - length)
    return start, start + length


def resized(
    image: Image.Image, size: Size, mode: str, resampling: Image.Resampling = _LANCZOS
) -> Image.Image:
    """The picture at ``size``: "stretch"ed, its middle as a "crop", or "fill"ed up at the sides.

    What fills the sides is the picture's last row or column, as in A1111. "latent" stretches too.
    """
    if image.size == size:
        return image
    if mode in ("stretch", "latent"):
        return image.resize(size, resampling)
    ratios = (size[0] / image.width, size[1] / image.height)
    scale = max(ratios) if mode == "crop" else min(ratios)
    scaled = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    inner = image.resize(scaled, resampling)
    left, top = (scaled[0] - size[0]) // 2, (scaled[1] - size[1]) // 2
    if mode == "crop":
        return inner.crop((left, top, left + size[0], top + size[1]))
    pixels = np.asarray(inner)
    across, down = size[0] - scaled[0], size[1] - scaled[1]
    margins = ((down // 2, down - down // 2), (across // 2, across - across // 2), (0, 0))
    return Image.fromarray(np.pad(pixels, margins[: pixels.ndim], mode="edge"))
