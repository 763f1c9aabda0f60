"""The sky: its gradient and glow, and what hangs in it or falls from it."""

import math
import random

import numpy as np
from PIL import Image

from studio.pocket.world.palette import Mood
from studio.pocket.world.pen import Colour, Layer, Pen, mix

HORIZON = 0.64
_GRID = 48
_RAINBOW = (
    (228, 64, 64),
    (250, 150, 50),
    (252, 222, 80),
    (90, 190, 100),
    (70, 140, 226),
    (150, 90, 200),
)


def sky_gradient(mood: Mood, glow_at: tuple[float, float] | None, size: int) -> Image.Image:
    """The bare sky, brighter around the sun or moon."""
    rows, columns = np.mgrid[0:_GRID, 0:_GRID] / (_GRID - 1)
    stops = (0.0, 0.36, HORIZON)
    colours = np.array((mood.top, mood.middle, mood.horizon), dtype=np.float64)
    grid = np.stack([np.interp(rows, stops, colours[:, i]) for i in range(3)], axis=-1)
    if glow_at is not None:
        squared = (columns - glow_at[0]) ** 2 + (rows - glow_at[1]) ** 2
        strength = (0.5 * np.exp(-squared / 0.045))[..., None]
        grid = grid * (1 - strength) + np.array(mood.sun) * strength
    image = Image.fromarray(grid.astype(np.uint8))
    return image.resize((size, size), Image.Resampling.BICUBIC)


def heavens(
    mood: Mood, weather: str, is_night: bool, disc_x: float, rng: random.Random, size: int
) -> Layer:
    """Sun, moon, stars, rainbow and clouds, on a sheet of their own."""
    pen = Pen(size, mood.sun)
    if weather == "moon":
        _moon(pen, mood, disc_x)
    elif not is_night and weather in ("clear", "clouds", "rainbow"):
        pen.oval(mood.sun, disc_x, mood.sun_height, 0.10, 0.10)
    if weather == "rainbow":
        _rainbow(pen)
    if weather == "stars":
        _stars(pen, rng)
    if weather == "clouds":
        white = mix((255, 255, 255), mood.haze, 0.55 if is_night else 0.12)
        shade = mix(white, mood.middle, 0.30)
        for x, y, width in ((0.16, 0.17, 0.36), (0.80, 0.12, 0.42), (0.60, 0.34, 0.30)):
            _cloud(
                pen, white, shade, x + rng.uniform(-0.04, 0.04), y + rng.uniform(-0.02, 0.02), width
            )
    if weather in ("rain", "snow"):
        _overcast(pen, mood, weather, rng)
    return pen.layer()


def _moon(pen: Pen, mood: Mood, x: float) -> None:
    y, radius = 0.19, 0.115
    pen.oval(mood.sun, x, y, radius, radius)
    pen.oval(None, x + radius * 0.48, y - radius * 0.24, radius * 0.80, radius * 0.80)


def _rainbow(pen: Pen) -> None:
    radius, band = 0.60, 0.034
    for i, colour in enumerate(_RAINBOW):
        reach = radius - i * band
        pen.oval(colour, 0.5, HORIZON + 0.06, reach * 0.86, reach)
    reach = radius - len(_RAINBOW) * band
    pen.oval(None, 0.5, HORIZON + 0.06, reach * 0.86, reach)


def _stars(pen: Pen, rng: random.Random) -> None:
    places = (
        (0.08, 0.10),
        (0.27, 0.22),
        (0.42, 0.07),
        (0.58, 0.24),
        (0.74, 0.09),
        (0.92, 0.20),
        (0.10, 0.38),
        (0.35, 0.42),
        (0.78, 0.40),
        (0.94, 0.46),
    )
    for i, (x, y) in enumerate(places):
        reach = 0.046 if i % 2 == 0 else 0.036
        cx, cy = x + rng.uniform(-0.02, 0.02), y + rng.uniform(-0.02, 0.02)
        tips = []
        for corner in range(8):
            length = reach if corner % 2 == 0 else reach * 0.40
            angle = corner * math.pi / 4
            tips.append((cx + length * math.sin(angle), cy - length * math.cos(angle)))
        pen.poly((255, 248, 205), *tips)


def _cloud(pen: Pen, white: Colour, shade: Colour, x: float, y: float, width: float) -> None:
    w = width / 2
    pen.box(shade, x - w, y, x + w, y + w * 0.42, w * 0.21)
    pen.oval(white, x - w * 0.40, y - w * 0.02, w * 0.36, w * 0.36)
    pen.oval(white, x + w * 0.16, y - w * 0.18, w * 0.50, w * 0.50)
    pen.box(white, x - w * 0.94, y - w * 0.02, x + w * 0.94, y + w * 0.30, w * 0.16)


def _overcast(pen: Pen, mood: Mood, weather: str, rng: random.Random) -> None:
    grey = (96, 104, 124) if weather == "rain" else (222, 228, 238)
    body = mix(grey, mood.top, 0.42 if weather == "rain" else 0.30)
    under = mix(body, mood.middle, 0.25)
    for colour, drop in ((under, 0.03), (body, 0.0)):
        pen.box(colour, -0.1, -0.1, 1.1, 0.06 + drop)
        for i in range(5):
            x = i * 0.25 + rng.uniform(-0.02, 0.02)
            pen.oval(colour, x, 0.05 + drop, 0.16, 0.085)


def falling(mood: Mood, weather: str, rng: random.Random, size: int) -> Layer | None:
    """Rain or snow in front of everything; None in dry weather."""
    if weather not in ("rain", "snow"):
        return None
    if weather == "snow":
        pen = Pen(size, (255, 255, 255))
        for i in range(34):
            x = (i * 0.618 + rng.uniform(-0.03, 0.03)) % 1.0
            y = 0.06 + 0.92 * i / 34
            radius = (0.019, 0.014, 0.016)[i % 3]
            pen.oval((255, 255, 255), x, y, radius, radius)
        return pen.layer()
    drop = mix((226, 240, 255), mood.haze, 0.12)
    pen = Pen(size, drop)
    for i in range(25):
        x = (i * 0.618 + rng.uniform(-0.03, 0.03)) % 1.0
        y = 0.10 + 0.86 * i / 25
        pen.stroke(drop, 0.017, (x, y), (x - 0.032, y + 0.090))
    return pen.layer()
