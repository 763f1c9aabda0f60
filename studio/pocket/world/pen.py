"""Drawing primitives: a pen that paints colour and coverage together, in a movable unit box."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from PIL import Image, ImageDraw

Colour = tuple[int, int, int]
Point = tuple[float, float]

SUPERSAMPLING: Final = 2


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """`share` of the second colour, the rest of the first."""
    r, g, b = (round(a + (c - a) * share) for a, c in zip(first, second, strict=True))
    return r, g, b


def scaled(colour: Colour, factors: Sequence[float]) -> Colour:
    """Multiply channel by channel, kept within range."""
    r, g, b = (min(255, round(c * f)) for c, f in zip(colour, factors, strict=True))
    return r, g, b


def vertical_gradient(stops: Sequence[tuple[float, Colour]], side: int) -> Image.Image:
    """A square picture whose colour depends on height alone."""
    heights = [stop for stop, _ in stops]
    rows = np.linspace(0.0, 1.0, 128)
    channels = [np.interp(rows, heights, [colour[i] for _, colour in stops]) for i in range(3)]
    column = np.stack(channels, axis=-1).astype(np.uint8)[:, None, :]
    return Image.fromarray(column).resize((side, side), Image.Resampling.BILINEAR)


@dataclass(frozen=True)
class Layer:
    """One sheet of the picture: its colour everywhere, and where it covers what lies behind."""

    colour: Image.Image
    mask: Image.Image

    def over(self, backdrop: Image.Image) -> None:
        """Paste this layer onto `backdrop`, in place."""
        backdrop.paste(self.colour, (0, 0), self.mask)


class Pen:
    """Paints shapes given in unit coordinates (y downwards); colour None cuts a hole."""

    def __init__(self, size: int, ground: Colour | Image.Image) -> None:
        side = size * SUPERSAMPLING
        if isinstance(ground, Image.Image):
            self._colour = ground
        else:
            self._colour = Image.new("RGB", (side, side), ground)
        self._mask = Image.new("L", (side, side))
        self._paint = ImageDraw.Draw(self._colour)
        self._cover = ImageDraw.Draw(self._mask)
        self._x, self._y, self._scale = 0.0, 0.0, float(side)

    def within(self, left: float, top: float, side: float) -> "Pen":
        """The same sheet, with the unit box moved to this square of the current one."""
        pen = object.__new__(Pen)
        pen._colour, pen._mask = self._colour, self._mask
        pen._paint, pen._cover = self._paint, self._cover
        pen._x = self._x + left * self._scale
        pen._y = self._y + top * self._scale
        pen._scale = self._scale * side
        return pen

    def layer(self) -> Layer:
        """What has been drawn, reduced to the final size."""
        return Layer(self._colour.reduce(SUPERSAMPLING), self._mask.reduce(SUPERSAMPLING))

    def _points(self, points: Sequence[Point]) -> list[Point]:
        return [(self._x + x * self._scale, self._y + y * self._scale) for x, y in points]

    def poly(self, colour: Colour | None, *points: Point) -> None:
        """A filled polygon."""
        placed = self._points(points)
        if colour is not None:
            self._paint.polygon(placed, fill=colour)
        self._cover.polygon(placed, fill=0 if colour is None else 255)

    def clear_to_ground(self, *points: Point) -> None:
        """Cover a polygon with the sheet's own ground, leaving its colours as they are."""
        self._cover.polygon(self._points(points), fill=255)

    def blob(self, colour: Colour | None, *points: Point) -> None:
        """A smooth closed shape through the points."""
        self.poly(colour, *smooth(points))

    def oval(self, colour: Colour | None, x: float, y: float, rx: float, ry: float) -> None:
        """An ellipse about its centre."""
        box = self._points(((x - rx, y - ry), (x + rx, y + ry)))
        if colour is not None:
            self._paint.ellipse(box, fill=colour)
        self._cover.ellipse(box, fill=0 if colour is None else 255)

    def pie(
        self,
        colour: Colour | None,
        x: float,
        y: float,
        rx: float,
        ry: float,
        start: float,
        end: float,
    ) -> None:
        """A slice of an ellipse, in degrees clockwise from three o'clock."""
        box = self._points(((x - rx, y - ry), (x + rx, y + ry)))
        if colour is not None:
            self._paint.pieslice(box, start, end, fill=colour)
        self._cover.pieslice(box, start, end, fill=0 if colour is None else 255)

    def box(
        self, colour: Colour | None, x0: float, y0: float, x1: float, y1: float, r: float = 0.0
    ) -> None:
        """A rectangle, with rounded corners if `r` is given."""
        corners = self._points(((x0, y0), (x1, y1)))
        if colour is not None:
            self._paint.rounded_rectangle(corners, r * self._scale, fill=colour)
        self._cover.rounded_rectangle(corners, r * self._scale, fill=0 if colour is None else 255)

    def stroke(self, colour: Colour, width: float, *points: Point) -> None:
        """A line with rounded joints and ends."""
        placed, thickness = self._points(points), max(1, round(width * self._scale))
        self._paint.line(placed, fill=colour, width=thickness, joint="curve")
        self._cover.line(placed, fill=255, width=thickness, joint="curve")
        radius = width / 2
        for x, y in (points[0], points[-1]):
            self.oval(colour, x, y, radius, radius)


def smooth(points: Sequence[Point], steps: int = 6) -> list[Point]:
    """A closed Catmull-Rom curve through the points."""
    curve: list[Point] = []
    count = len(points)
    for i in range(count):
        (ax, ay), (bx, by) = points[i - 1], points[i]
        (cx, cy), (dx, dy) = points[(i + 1) % count], points[(i + 2) % count]
        for step in range(steps):
            t = step / steps
            u, v = t * t, t * t * t
            wa, wb = -0.5 * v + u - 0.5 * t, 1.5 * v - 2.5 * u + 1
            wc, wd = -1.5 * v + 2 * u + 0.5 * t, 0.5 * v - 0.5 * u
            curve.append(
                (wa * ax + wb * bx + wc * cx + wd * dx, wa * ay + wb * by + wc * cy + wd * dy)
            )
    return curve
